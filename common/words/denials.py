"""What a customer reads when a ticket opens nothing now."""

from __future__ import annotations

from typing import Final

from common.rules.tickets import DenialReason
from common.words.sentences import Words

_NO_TICKET_EN = Words(
    what="This code is not a ticket for this store.",
    next="Open your ticket page and hold its square code to the scanner.",
)
_NO_TICKET_JA = Words(
    what="このコードは当店のチケットではありません。",
    next="チケットのページを開き、四角いコードをスキャナーにかざしてください。",
)

_EN: Final = {
    DenialReason.UNKNOWN_TICKET: _NO_TICKET_EN,
    DenialReason.BAD_SIGNATURE: _NO_TICKET_EN,
    DenialReason.EXPIRED: Words(
        what="The time of this ticket is over.", next="You can book a new time on our page."
    ),
    DenialReason.TOO_EARLY: Words(
        what="You are early.", next="Please come back when your ticket opens, and scan it again."
    ),
    DenialReason.ALREADY_USED: Words(
        what="This ticket has been used.", next="You can book another time on our page."
    ),
    DenialReason.IN_USE_ELSEWHERE: Words(
        what="This ticket is in use at another booth.", next="Go on there, or end it there first."
    ),
    DenialReason.CANCELLED: Words(
        what="This reservation was cancelled.", next="You can book a new time on our page."
    ),
    DenialReason.REVOKED: Words(
        what="A newer version of this ticket exists.",
        next="Open the link of your ticket again and use the code shown there.",
    ),
    DenialReason.WRONG_STORE: Words(
        what="This ticket is for another of our stores.",
        next="The address is on your ticket page.",
    ),
    DenialReason.WRONG_DEVICE: Words(
        what="This ticket is for another booth.", next="Please go to the booth on your ticket."
    ),
    DenialReason.DEVICE_IN_USE: Words(
        what="Somebody is still using this booth.", next="Please wait a moment and scan again."
    ),
    DenialReason.DEVICE_OUT_OF_ORDER: Words(
        what="This booth is out of order.", next="Your ticket page offers you another one."
    ),
    DenialReason.DEVICE_IN_TURNOVER: Words(
        what="This booth is being made ready.", next="Please scan again in a minute."
    ),
    DenialReason.RESERVED_FOR_ANOTHER: Words(
        what="This booth is reserved for someone else now.",
        next="Please choose another time or booth on our page.",
    ),
    DenialReason.STORE_CLOSED: Words(
        what="The store is closed now.", next="The opening hours are on our page."
    ),
    DenialReason.UNPAID: Words(
        what="This reservation is not complete yet.", next="Finish it on your ticket page."
    ),
    DenialReason.NOT_REGISTERED: Words(
        what="This booth is not ready for service yet.",
        next="Please use another booth; the owner has been told.",
    ),
    DenialReason.NOT_ON_OFFLINE_LIST: Words(
        what="The line is down and this booth does not know your ticket yet.",
        next="Please try again in a minute; your ticket stays good.",
    ),
    DenialReason.CLOCK_UNTRUSTED: Words(
        what="This booth does not know the time.",
        next="Please try again in a minute; your ticket stays good.",
    ),
    DenialReason.BUSY_TRY_AGAIN: Words(
        what="There is no answer just now.", next="Please scan again; your ticket stays good."
    ),
}

_JA: Final = {
    DenialReason.UNKNOWN_TICKET: _NO_TICKET_JA,
    DenialReason.BAD_SIGNATURE: _NO_TICKET_JA,
    DenialReason.EXPIRED: Words(
        what="このチケットの時間は終了しました。",
        next="予約ページから新しい時間をお取りください。",
    ),
    DenialReason.TOO_EARLY: Words(
        what="ご利用時間の前です。",
        next="チケットの開始時刻になりましたら、もう一度かざしてください。",
    ),
    DenialReason.ALREADY_USED: Words(
        what="このチケットは使用済みです。", next="予約ページから次の時間をお取りください。"
    ),
    DenialReason.IN_USE_ELSEWHERE: Words(
        what="このチケットは別のブースで使用中です。",
        next="そちらで続けるか、そちらを終了してください。",
    ),
    DenialReason.CANCELLED: Words(
        what="この予約は取り消されました。", next="予約ページから新しい時間をお取りください。"
    ),
    DenialReason.REVOKED: Words(
        what="このチケットには新しい版があります。",
        next="チケットのリンクを開き直し、表示されたコードをお使いください。",
    ),
    DenialReason.WRONG_STORE: Words(
        what="このチケットは別の店舗のものです。", next="店舗の住所はチケットのページにあります。"
    ),
    DenialReason.WRONG_DEVICE: Words(
        what="このチケットは別のブースのものです。",
        next="チケットに書かれたブースへお進みください。",
    ),
    DenialReason.DEVICE_IN_USE: Words(
        what="このブースはまだ使用中です。", next="少し待ってから、もう一度かざしてください。"
    ),
    DenialReason.DEVICE_OUT_OF_ORDER: Words(
        what="このブースは故障中です。", next="チケットのページで別のブースをご案内します。"
    ),
    DenialReason.DEVICE_IN_TURNOVER: Words(
        what="このブースは準備中です。", next="一分ほどしてから、もう一度かざしてください。"
    ),
    DenialReason.RESERVED_FOR_ANOTHER: Words(
        what="このブースは今、別の方の予約です。",
        next="予約ページで別の時間かブースをお選びください。",
    ),
    DenialReason.STORE_CLOSED: Words(
        what="ただいま閉店中です。", next="営業時間は予約ページにあります。"
    ),
    DenialReason.UNPAID: Words(
        what="この予約はまだ完了していません。", next="チケットのページで手続きを終えてください。"
    ),
    DenialReason.NOT_REGISTERED: Words(
        what="このブースはまだ利用できません。",
        next="別のブースをご利用ください。店舗には連絡済みです。",
    ),
    DenialReason.NOT_ON_OFFLINE_LIST: Words(
        what="回線が切れており、このブースはまだチケットを確認できません。",
        next="一分ほどしてからお試しください。チケットは有効のままです。",
    ),
    DenialReason.CLOCK_UNTRUSTED: Words(
        what="このブースは時刻を確認できません。",
        next="一分ほどしてからお試しください。チケットは有効のままです。",
    ),
    DenialReason.BUSY_TRY_AGAIN: Words(
        what="今は応答がありません。",
        next="もう一度かざしてください。チケットは有効のままです。",
    ),
}

DENIAL_WORDS: Final = {"en": _EN, "ja": _JA}
"""What a customer reads of a refusal, by language."""

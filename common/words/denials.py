"""What a customer reads when a ticket opens nothing now: why, and what to do next.

Each reason has several ways to be said, the one that says most first; one is taken where all that
its sentences name in braces is known. The last names nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from common.rules.tickets import DenialReason
from common.words.sentences import Words

_NO_TICKET_EN: Final = Words(
    what="This code is not a ticket for this store.",
    next="Open your ticket page and hold its square code to the scanner.",
)
_NO_TICKET_JA: Final = Words(
    what="このコードは当店のチケットではありません。",
    next="チケットのページを開き、四角いコードをスキャナーにかざしてください。",
)

_EN: Final[Mapping[DenialReason, tuple[Words, ...]]] = {
    DenialReason.UNKNOWN_TICKET: (_NO_TICKET_EN,),
    DenialReason.BAD_SIGNATURE: (_NO_TICKET_EN,),
    DenialReason.EXPIRED: (
        Words(
            what="Your reservation was released at {released_at}, and its ticket with it.",
            next="You can book anew on our page: {free_now} free now.",
        ),
        Words(
            what="The time of this ticket is over.",
            next="You can book anew on our page: {free_now} free now.",
        ),
        Words(what="The time of this ticket is over.", next="You can book a new time on our page."),
    ),
    DenialReason.TOO_EARLY: (
        Words(what="You are early.", next="Please come back at {opens_at}, and scan it again."),
        Words(
            what="You are early.",
            next="Please come back when your ticket opens, and scan it again.",
        ),
    ),
    DenialReason.ALREADY_USED: (
        Words(what="This ticket has been used.", next="You can book another time on our page."),
    ),
    DenialReason.IN_USE_ELSEWHERE: (
        Words(
            what="This ticket is in use at another booth.",
            next="Go on there, or end it there first.",
        ),
    ),
    DenialReason.CANCELLED: (
        Words(what="This reservation was cancelled.", next="You can book a new time on our page."),
    ),
    DenialReason.REVOKED: (
        Words(
            what="This code is not good any more.",
            next="Open the newest link of your reservation, and show the code that is there now.",
        ),
    ),
    DenialReason.WRONG_STORE: (
        Words(what="This ticket is for {store}.", next="The address is on your ticket page."),
        Words(
            what="This ticket is for another of our stores.",
            next="The address is on your ticket page.",
        ),
    ),
    DenialReason.WRONG_DEVICE: (
        Words(
            what="This ticket is for {to}, number {number}, from {opens_at} on.",
            next="Please come back then: it is {place}.",
        ),
        Words(
            what="This ticket is for {to}, number {number}.", next="Please go there, it is {place}."
        ),
        Words(
            what="This ticket is for {to}, from {opens_at} on.",
            next="Please come to number {number} then.",
        ),
        Words(what="This ticket is for {to}.", next="Please go to number {number}."),
        Words(what="This ticket is for another booth.", next="Please go to number {number}."),
        Words(
            what="This ticket is for another booth.", next="Please go to the booth on your ticket."
        ),
    ),
    DenialReason.DEVICE_IN_USE: (
        Words(
            what="Somebody is still using this booth.",
            next="{to} is free for you: show your ticket at number {number}, {place}.",
        ),
        Words(
            what="Somebody is still using this booth.",
            next="{to} is free for you: show your ticket at number {number}.",
        ),
        Words(
            what="Somebody is still using this booth.",
            next="Please scan again at {opens_at}, or as soon as it is free.",
        ),
        Words(
            what="Somebody is still using this booth.", next="Please wait a moment and scan again."
        ),
    ),
    DenialReason.DEVICE_OUT_OF_ORDER: (
        Words(
            what="This booth is out of order.",
            next="{to} is free for you: show your ticket at number {number}, {place}.",
        ),
        Words(
            what="This booth is out of order.",
            next="{to} is free for you: show your ticket at number {number}.",
        ),
        Words(
            what="This booth is out of order.",
            next="No other one is free now: you can change your time on your ticket page.",
        ),
    ),
    DenialReason.DEVICE_IN_TURNOVER: (
        Words(
            what="This booth is being made ready.",
            next="{to} is free for you: show your ticket at number {number}, {place}.",
        ),
        Words(
            what="This booth is being made ready.",
            next="{to} is free for you: show your ticket at number {number}.",
        ),
        Words(what="This booth is being made ready.", next="Please scan again at {opens_at}."),
        Words(what="This booth is being made ready.", next="Please scan again in a minute."),
    ),
    DenialReason.RESERVED_FOR_ANOTHER: (
        Words(
            what="This booth is reserved for someone else now.",
            next="{to} is free for you: show your ticket at number {number}, {place}.",
        ),
        Words(
            what="This booth is reserved for someone else now.",
            next="{to} is free for you: show your ticket at number {number}.",
        ),
        Words(
            what="This booth is reserved for someone else now.",
            next="Please choose another time or booth on our page.",
        ),
    ),
    DenialReason.STORE_CLOSED: (
        Words(
            what="The store is closed now.", next="It opens at {opens_at}: please scan again then."
        ),
        Words(
            what="The store is closed for all of your time, and opens again at {store_opens_at}.",
            next="Please change your time on your ticket page.",
        ),
        Words(
            what="The store is closed for all of your time.",
            next="Please change your time on your ticket page, or give it up there.",
        ),
    ),
    DenialReason.UNPAID: (
        Words(
            what="This reservation is not paid for or confirmed yet.",
            next="Finish it on your ticket page by {pay_by}, then scan again.",
        ),
        Words(
            what="This reservation is not paid for or confirmed yet.",
            next="Finish it on your ticket page, then scan again.",
        ),
    ),
    DenialReason.NOT_REGISTERED: (
        Words(
            what="This booth is not ready for service yet.",
            next="Please use another booth; the owner has been told.",
        ),
    ),
    DenialReason.NOT_ON_OFFLINE_LIST: (
        Words(
            what="The line is down and this booth does not know your ticket.",
            next="Please show it at number {number}, for which it was made, or here in a minute.",
        ),
        Words(
            what="The line is down and this booth does not know your ticket yet.",
            next="Please try again in a minute: your ticket stays good until its end.",
        ),
    ),
    DenialReason.CLOCK_UNTRUSTED: (
        Words(
            what="The line is down and this booth does not know the time.",
            next="Please use another booth, or try again in a while: your ticket stays good.",
        ),
    ),
    DenialReason.BUSY_TRY_AGAIN: (
        Words(
            what="There is no answer just now.", next="Please scan again; your ticket stays good."
        ),
    ),
}

_JA: Final[Mapping[DenialReason, tuple[Words, ...]]] = {
    DenialReason.UNKNOWN_TICKET: (_NO_TICKET_JA,),
    DenialReason.BAD_SIGNATURE: (_NO_TICKET_JA,),
    DenialReason.EXPIRED: (
        Words(
            what="ご予約は{released_at}に解除され、このチケットは使えなくなりました。",
            next="現在{free_now}台空いています。予約ページから新しくお取りください。",
        ),
        Words(
            what="このチケットの時間は終了しました。",
            next="現在{free_now}台空いています。予約ページから新しくお取りください。",
        ),
        Words(
            what="このチケットの時間は終了しました。",
            next="予約ページから新しい時間をお取りください。",
        ),
    ),
    DenialReason.TOO_EARLY: (
        Words(what="ご利用時間の前です。", next="{opens_at}にもう一度かざしてください。"),
        Words(
            what="ご利用時間の前です。",
            next="チケットの開始時刻になりましたら、もう一度かざしてください。",
        ),
    ),
    DenialReason.ALREADY_USED: (
        Words(what="このチケットは使用済みです。", next="予約ページから次の時間をお取りください。"),
    ),
    DenialReason.IN_USE_ELSEWHERE: (
        Words(
            what="このチケットは別のブースで使用中です。",
            next="そちらで続けるか、そちらを終了してください。",
        ),
    ),
    DenialReason.CANCELLED: (
        Words(
            what="この予約は取り消されました。", next="予約ページから新しい時間をお取りください。"
        ),
    ),
    DenialReason.REVOKED: (
        Words(
            what="このコードは無効になりました。",
            next="予約の最新のリンクを開き、そこに表示されるコードをかざしてください。",
        ),
    ),
    DenialReason.WRONG_STORE: (
        Words(
            what="このチケットは{store}のものです。",
            next="店舗の住所はチケットのページにあります。",
        ),
        Words(
            what="このチケットは別の店舗のものです。",
            next="店舗の住所はチケットのページにあります。",
        ),
    ),
    DenialReason.WRONG_DEVICE: (
        Words(
            what="このチケットは{number}番の{to}のもので、{opens_at}から使えます。",
            next="その時刻に{place}へお進みください。",
        ),
        Words(
            what="このチケットは{number}番の{to}のものです。",
            next="{place}へお進みください。",
        ),
        Words(
            what="このチケットは{to}のもので、{opens_at}から使えます。",
            next="その時刻に{number}番へお進みください。",
        ),
        Words(what="このチケットは{to}のものです。", next="{number}番へお進みください。"),
        Words(what="このチケットは別のブースのものです。", next="{number}番へお進みください。"),
        Words(
            what="このチケットは別のブースのものです。",
            next="チケットに書かれたブースへお進みください。",
        ),
    ),
    DenialReason.DEVICE_IN_USE: (
        Words(
            what="このブースはまだ使用中です。",
            next="{number}番の{to}が空いています。{place}でかざしてください。",
        ),
        Words(
            what="このブースはまだ使用中です。",
            next="{number}番の{to}が空いています。そこでかざしてください。",
        ),
        Words(
            what="このブースはまだ使用中です。",
            next="{opens_at}か、空きしだいもう一度かざしてください。",
        ),
        Words(
            what="このブースはまだ使用中です。", next="少し待ってから、もう一度かざしてください。"
        ),
    ),
    DenialReason.DEVICE_OUT_OF_ORDER: (
        Words(
            what="このブースは故障中です。",
            next="{number}番の{to}が空いています。{place}でかざしてください。",
        ),
        Words(
            what="このブースは故障中です。",
            next="{number}番の{to}が空いています。そこでかざしてください。",
        ),
        Words(
            what="このブースは故障中です。",
            next="ほかに空きがありません。チケットのページで時間を変更できます。",
        ),
    ),
    DenialReason.DEVICE_IN_TURNOVER: (
        Words(
            what="このブースは準備中です。",
            next="{number}番の{to}が空いています。{place}でかざしてください。",
        ),
        Words(
            what="このブースは準備中です。",
            next="{number}番の{to}が空いています。そこでかざしてください。",
        ),
        Words(what="このブースは準備中です。", next="{opens_at}にもう一度かざしてください。"),
        Words(what="このブースは準備中です。", next="一分ほどしてから、もう一度かざしてください。"),
    ),
    DenialReason.RESERVED_FOR_ANOTHER: (
        Words(
            what="このブースは今、別の方の予約です。",
            next="{number}番の{to}が空いています。{place}でかざしてください。",
        ),
        Words(
            what="このブースは今、別の方の予約です。",
            next="{number}番の{to}が空いています。そこでかざしてください。",
        ),
        Words(
            what="このブースは今、別の方の予約です。",
            next="予約ページで別の時間かブースをお選びください。",
        ),
    ),
    DenialReason.STORE_CLOSED: (
        Words(
            what="ただいま閉店中です。",
            next="{opens_at}に開店します。その時にもう一度かざしてください。",
        ),
        Words(
            what="ご利用時間中は閉店しており、次の開店は{store_opens_at}です。",
            next="チケットのページで時間を変更してください。",
        ),
        Words(
            what="ご利用時間中は閉店しています。",
            next="チケットのページで時間を変更するか、予約を取り消してください。",
        ),
    ),
    DenialReason.UNPAID: (
        Words(
            what="この予約はまだお支払いか確定が済んでいません。",
            next="{pay_by}までにチケットのページで手続きを終え、もう一度かざしてください。",
        ),
        Words(
            what="この予約はまだお支払いか確定が済んでいません。",
            next="チケットのページで手続きを終え、もう一度かざしてください。",
        ),
    ),
    DenialReason.NOT_REGISTERED: (
        Words(
            what="このブースはまだ利用できません。",
            next="別のブースをご利用ください。店舗には連絡済みです。",
        ),
    ),
    DenialReason.NOT_ON_OFFLINE_LIST: (
        Words(
            what="回線が切れており、このブースではチケットを確認できません。",
            next="チケットにある{number}番でお試しいただくか、一分ほどしてからここでもう一度かざしてください。",
        ),
        Words(
            what="回線が切れており、このブースはまだチケットを確認できません。",
            next="一分ほどしてからお試しください。チケットは終了時刻まで有効です。",
        ),
    ),
    DenialReason.CLOCK_UNTRUSTED: (
        Words(
            what="回線が切れており、このブースは時刻を確認できません。",
            next="別のブースか、回線の回復後にお試しください。チケットは有効のままです。",
        ),
    ),
    DenialReason.BUSY_TRY_AGAIN: (
        Words(
            what="今は応答がありません。",
            next="もう一度かざしてください。チケットは有効のままです。",
        ),
    ),
}

DENIAL_WORDS: Final = {"en": _EN, "ja": _JA}
"""What a customer reads of a refusal, by language."""

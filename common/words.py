"""A refusal in the customer's words, a problem in the operator's, each with what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from common.rules.presence import LineMode
from common.rules.problems import ProblemKind
from common.rules.sessions import Notice
from common.rules.tickets import DenialReason


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """What happened and what to do next, each one short sentence."""

    what: str
    next: str


LANGUAGES: Final = ("ja", "en")

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

_PROBLEMS_EN: Final = {
    ProblemKind.REGISTRATION_WAITING: Words(
        what="A terminal waits for your word.",
        next="Look at what it is and what has changed, then confirm or reject it.",
    ),
    ProblemKind.SPECIFICATION_FORGED: Words(
        what="A terminal sent a specification that does not add up.",
        next="Suspend it, and look at the PC before it may serve again.",
    ),
    ProblemKind.TERMINAL_MOVED: Words(
        what="A terminal's identity seems to be on another PC.",
        next="If you have changed the PC, confirm it; if not, retire it and enrol the right one.",
    ),
    ProblemKind.IDENTITY_COPIED: Words(
        what="Two PCs say they are the same terminal.",
        next="Switch the wrong one off, then enrol the right one again with a new code.",
    ),
    ProblemKind.IDENTITY_TAKEN_OVER: Words(
        what="Somebody else connects under a terminal's name.",
        next="Look for a second PC with its disk; enrol the right one again with a new code.",
    ),
    ProblemKind.KEY_ENROLLED_TWICE: Words(
        what="A PC that is a terminal already asked to be another one.",
        next="To enrol it again, make a code for that terminal; a copy needs a key of its own.",
    ),
    ProblemKind.STALE_CONFIRMATION: Words(
        what="An old confirmation reached a terminal once more.",
        next="It was not taken. If it happens again, find out who repeats old messages.",
    ),
    ProblemKind.SERVICE_TOO_EARLY: Words(
        what="A terminal was sent service information before it was confirmed.",
        next="Nothing of it was taken. Check that only one controller speaks to this broker.",
    ),
    ProblemKind.PROTOCOL_UNSPOKEN: Words(
        what="A terminal and the controller have no version of the protocol in common.",
        next="Bring the older of the two up to date.",
    ),
    ProblemKind.PROGRAM_DID_NOT_START: Words(
        what="A customer's program did not start.",
        next="Look at the device. What was not delivered is credited to the customer.",
    ),
    ProblemKind.OFFLINE_START_DOUBTED: Words(
        what="A terminal without the line started a session that is in doubt.",
        next="Look at the ticket's story, and close this when you know what happened.",
    ),
    ProblemKind.RESERVATION_WITHOUT_DEVICE: Words(
        what="A reservation has lost its device.",
        next="Move it to another device or give the money back, before the customer comes.",
    ),
    ProblemKind.PEER_COPIED: Words(
        what="Two controllers say they are the same branch.",
        next="Stop the copy, then add the right one again: cloud-controller peers add.",
    ),
    ProblemKind.SEATS_OVERDRAWN: Words(
        what="More seats of a module are in use than are owned.",
        next="Buy the missing ones, or have a branch return some. No new one is given until then.",
    ),
    ProblemKind.SEATS_UNSETTLED: Words(
        what="This controller and its root do not agree on its seats.",
        next="Compare both with cloud-controller seats list, then settle it at the root.",
    ),
}

_PROBLEMS_JA: Final = {
    ProblemKind.REGISTRATION_WAITING: Words(
        what="端末が承認を待っています。",
        next="機器の内容と変わった点を確かめて、承認するか却下してください。",
    ),
    ProblemKind.SPECIFICATION_FORGED: Words(
        what="端末から辻褄の合わない申告が届きました。",
        next="端末を停止し、現物を確かめてから再開してください。",
    ),
    ProblemKind.TERMINAL_MOVED: Words(
        what="端末の登録が別のパソコンで使われているようです。",
        next="入れ替えた覚えがあれば承認し、なければ廃止して正しいパソコンを登録してください。",
    ),
    ProblemKind.IDENTITY_COPIED: Words(
        what="二台のパソコンが同じ端末を名乗っています。",
        next="誤った方の電源を切り、正しい方を新しいコードで登録し直してください。",
    ),
    ProblemKind.IDENTITY_TAKEN_OVER: Words(
        what="別の誰かがこの端末の名前で接続しています。",
        next="複製されたパソコンがないか調べ、正しい方を新しいコードで登録し直してください。",
    ),
    ProblemKind.KEY_ENROLLED_TWICE: Words(
        what="登録済みのパソコンが別の端末として登録しようとしました。",
        next="登録し直すにはその端末用のコードを発行し、複製したパソコンには新しい鍵を作ってください。",
    ),
    ProblemKind.STALE_CONFIRMATION: Words(
        what="古い承認がもう一度端末に届きました。",
        next="受け付けていません。繰り返す場合は、古い通知を送っている相手を調べてください。",
    ),
    ProblemKind.SERVICE_TOO_EARLY: Words(
        what="承認前の端末にサービス情報が送られました。",
        next="端末は受け取っていません。ほかの管理サーバーがつながっていないか確かめてください。",
    ),
    ProblemKind.PROTOCOL_UNSPOKEN: Words(
        what="端末と管理サーバーの版が合いません。", next="古い方を更新してください。"
    ),
    ProblemKind.PROGRAM_DID_NOT_START: Words(
        what="お客様のプログラムが起動しませんでした。",
        next="機器を確認してください。提供できなかった分はお客様に返金扱いとなります。",
    ),
    ProblemKind.OFFLINE_START_DOUBTED: Words(
        what="回線のない端末が、確認できない利用を開始しました。",
        next="チケットの経過を確認し、事情が分かったらこの件を閉じてください。",
    ),
    ProblemKind.RESERVATION_WITHOUT_DEVICE: Words(
        what="予約の機器が使えなくなりました。",
        next="お客様の来店前に、別の機器へ移すか返金してください。",
    ),
    ProblemKind.PEER_COPIED: Words(
        what="二つの制御装置が同じ支部を名乗っています。",
        next="複製された方を止め、正しい方を cloud-controller peers add で追加し直してください。",
    ),
    ProblemKind.SEATS_OVERDRAWN: Words(
        what="モジュールの使用中の席が、所有する席の数を超えています。",
        next="不足分を購入するか、支部から席を戻してください。それまで新しい席は渡されません。",
    ),
    ProblemKind.SEATS_UNSETTLED: Words(
        what="この制御装置と親の制御装置で、席の数が合いません。",
        next="双方で cloud-controller seats list を見比べ、親の側で数を確定してください。",
    ),
}

_NOTICES_EN: Final = {
    Notice.OPENED: Words(what="{to} is open for you.", next="Please go to {to}."),
    Notice.DENIED: Words(what="This ticket opens nothing now.", next="Look at your ticket page."),
    Notice.SHOW_IT_THERE: Words(
        what="{to} cannot be reached from here.", next="Please show your ticket at {to} itself."
    ),
    Notice.DID_NOT_START: Words(
        what="It did not start.", next="Please wait a moment: we look for another booth."
    ),
    Notice.GO_TO_DEVICE: Words(
        what="This booth does not start. {to} is free for you.",
        next="Please go to {to} and show the same ticket there.",
    ),
    Notice.NO_DEVICE_FREE: Words(
        what="This booth does not start, and no other is free.",
        next="Scan your ticket again in a while; what you do not get, you get back.",
    ),
}

_NOTICES_JA: Final = {
    Notice.OPENED: Words(what="{to}が開きました。", next="{to}へお進みください。"),
    Notice.DENIED: Words(
        what="このチケットは今は使えません。", next="チケットのページをご確認ください。"
    ),
    Notice.SHOW_IT_THERE: Words(
        what="ここからは{to}につながりません。", next="{to}で直接チケットをかざしてください。"
    ),
    Notice.DID_NOT_START: Words(
        what="起動できませんでした。", next="別のブースを探しています。少しお待ちください。"
    ),
    Notice.GO_TO_DEVICE: Words(
        what="このブースは起動できません。{to}が空いています。",
        next="{to}へお進みになり、同じチケットをかざしてください。",
    ),
    Notice.NO_DEVICE_FREE: Words(
        what="このブースは起動できず、ほかに空きもありません。",
        next="しばらくしてもう一度かざしてください。ご利用できない分は返金します。",
    ),
}

_LINES_EN: Final = {
    LineMode.ASKS: Words(what="Connected.", next="Every ticket is checked as you show it."),
    LineMode.ALONE: Words(
        what="No connection to the store's system.",
        next="Tickets that were booked before are opened all the same.",
    ),
    LineMode.UNSURE: Words(
        what="No connection, and no clock that can be trusted.",
        next="Please wait, or use another booth; what you do not get, you get back.",
    ),
    LineMode.STOPPED: Words(
        what="This booth is out of service.",
        next="Please use another booth; the owner has been told.",
    ),
}

_LINES_JA: Final = {
    LineMode.ASKS: Words(what="接続中です。", next="チケットはその場で確認します。"),
    LineMode.ALONE: Words(
        what="店舗のシステムに接続できません。", next="予約済みのチケットはそのまま使えます。"
    ),
    LineMode.UNSURE: Words(
        what="接続できず、時刻も確認できません。",
        next="お待ちいただくか別のブースへ。ご利用できない分は返金します。",
    ),
    LineMode.STOPPED: Words(
        what="このブースは休止中です。",
        next="別のブースをご利用ください。店舗には連絡済みです。",
    ),
}

NOTICE_WORDS: Final = {"en": _NOTICES_EN, "ja": _NOTICES_JA}
"""What a customer in the store is told besides a verdict; `{to}` is a device's title."""

LINE_WORDS: Final = {"en": _LINES_EN, "ja": _LINES_JA}
"""What a terminal's screen says of itself: honestly, whom it can ask."""

PROBLEM_WORDS: Final = {"en": _PROBLEMS_EN, "ja": _PROBLEMS_JA}
"""What the operator reads of a problem, by language."""

_THERE: Final = {"en": "the booth on your ticket", "ja": "チケットのブース"}

_ALL: Final = {"en": _EN, "ja": _JA}


def words_for(reason: DenialReason, language: str) -> Words:
    """Return a refusal's words in this language, English where it is none of ours."""
    return _ALL.get(language, _EN)[reason]


def notice_words_for(notice: Notice, language: str, to: str | None) -> Words:
    """Return a notice's words in this language; `to` is the title of the device it names."""
    words = NOTICE_WORDS.get(language, _NOTICES_EN)[notice]
    there = to or _THERE.get(language, _THERE["en"])
    return Words(what=words.what.format(to=there), next=words.next.format(to=there))


def line_words_for(mode: LineMode, language: str) -> Words:
    """Return what a terminal says of itself in this language."""
    return LINE_WORDS.get(language, _LINES_EN)[mode]


def problem_words_for(kind: ProblemKind, language: str) -> Words:
    """Return a problem's words in this language, English where it is none of ours."""
    return PROBLEM_WORDS.get(language, _PROBLEMS_EN)[kind]

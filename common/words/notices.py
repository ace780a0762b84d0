"""What a customer in the store is told besides a verdict, and what a terminal says of itself."""

from __future__ import annotations

from typing import Final

from common.rules.presence import LineMode
from common.rules.sessions import Notice
from common.words.sentences import Words

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
    Notice.MOVED: Words(what="You go on at {to}.", next="It opens for you now: please go to {to}."),
    Notice.MESSAGE: Words(what="The store says something.", next="Please read the screen."),
    Notice.SCAN_TO_GO_ON: Words(
        what="The power was gone for a moment.", next="Show your ticket again, and you go on."
    ),
    Notice.GOES_ON: Words(
        what="You go on where you were.", next="The time that was lost, you get back."
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
    Notice.MOVED: Words(
        what="続きは{to}でご利用いただけます。", next="いま開きます。{to}へお進みください。"
    ),
    Notice.MESSAGE: Words(what="お店からのお知らせがあります。", next="画面をご覧ください。"),
    Notice.SCAN_TO_GO_ON: Words(
        what="停電などで中断しました。",
        next="同じチケットをもう一度かざすと続きから始まります。",
    ),
    Notice.GOES_ON: Words(
        what="続きから再開しました。", next="中断で失われた時間の分は返金します。"
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

"""Why a session does not go on, or no further: to its customer, with what to do."""

from __future__ import annotations

from typing import Final

from common.rules.sessions import ExtensionNo
from common.words.sentences import Words

_EXTENSIONS_EN: Final = {
    ExtensionNo.ANOTHER_HAS_BOOKED: Words(
        what="Somebody has booked this booth next.", next="Another booth may be free: look online."
    ),
    ExtensionNo.STORE_CLOSES: Words(
        what="The store closes then.", next="You can book your next visit on the store's page."
    ),
    ExtensionNo.SOMEBODY_WAITS: Words(
        what="Somebody is waiting for a place.",
        next="It does not go on by itself now; you can still ask for more time.",
    ),
    ExtensionNo.SESSION_IS_ENDING: Words(
        what="Your time is ending now.", next="You can book again on the store's page."
    ),
    ExtensionNo.NOT_PAID: Words(
        what="More time is paid on your ticket page.",
        next="Open it on your phone; once it is paid, your time goes on by itself.",
    ),
    ExtensionNo.COSTS_MORE: Words(
        what="The price has changed.", next="Please look at the new price and choose again."
    ),
    ExtensionNo.NOT_ALLOWED: Words(
        what="This booking cannot be extended here.", next="You can book again on the store's page."
    ),
    ExtensionNo.NO_LINE: Words(
        what="No connection: nobody can be asked for more time.",
        next="Try your ticket page, or try again here in a while.",
    ),
    ExtensionNo.NO_ANSWER: Words(
        what="No answer came in time.",
        next="Look at the time left before you try again: it may have worked.",
    ),
}

_EXTENSIONS_JA: Final = {
    ExtensionNo.ANOTHER_HAS_BOOKED: Words(
        what="この後に次の予約が入っています。",
        next="別のブースが空いているか、予約ページでご確認ください。",
    ),
    ExtensionNo.STORE_CLOSES: Words(
        what="閉店の時刻になります。", next="次回のご利用は予約ページからどうぞ。"
    ),
    ExtensionNo.SOMEBODY_WAITS: Words(
        what="空きをお待ちの方がいます。",
        next="自動では延長されません。ご希望の場合は延長ボタンを押してください。",
    ),
    ExtensionNo.SESSION_IS_ENDING: Words(
        what="まもなく終了します。", next="続けてのご利用は予約ページからどうぞ。"
    ),
    ExtensionNo.NOT_PAID: Words(
        what="延長のお支払いはチケットのページで行います。",
        next="スマートフォンで開いてください。お支払いが済むと自動で延長されます。",
    ),
    ExtensionNo.COSTS_MORE: Words(
        what="料金が変わりました。", next="新しい料金をご確認のうえ、もう一度お選びください。"
    ),
    ExtensionNo.NOT_ALLOWED: Words(
        what="この予約はここでは延長できません。", next="続けてのご利用は予約ページからどうぞ。"
    ),
    ExtensionNo.NO_LINE: Words(
        what="接続できないため、延長をお受けできません。",
        next="チケットのページで延長するか、しばらくしてもう一度お試しください。",
    ),
    ExtensionNo.NO_ANSWER: Words(
        what="時間内に応答がありませんでした。",
        next="もう一度お試しになる前に残り時間をご確認ください。延長できている場合があります。",
    ),
}

EXTENSION_WORDS: Final = {"en": _EXTENSIONS_EN, "ja": _EXTENSIONS_JA}
"""Why there is no more time."""

"""Why a call to a helper is over: to its customer, with what to do."""

from __future__ import annotations

from typing import Final

from common.rules.help import CallEnd
from common.words.sentences import Words

_ENDS_EN: Final = {
    CallEnd.CUSTOMER_LEFT: Words(
        what="You have ended the call.", next="You can call again whenever somebody is there."
    ),
    CallEnd.HELPER_ENDED: Words(
        what="Your helper has ended the call.", next="If something is still open, call again."
    ),
    CallEnd.HELPER_GONE: Words(
        what="Your helper is no longer there.", next="Choose somebody else who is there now."
    ),
    CallEnd.NOT_THERE: Words(
        what="This helper is not there any more.", next="Choose somebody else who is there now."
    ),
    CallEnd.NOT_ANSWERED: Words(
        what="Nobody has answered; we are sorry.", next="Choose somebody else, or try again."
    ),
    CallEnd.SILENT: Words(
        what="Nobody has written for half an hour, so the call was ended.",
        next="You can call again whenever somebody is there.",
    ),
    CallEnd.TOO_LONG: Words(
        what="This call has become too long for one page.", next="Call again to go on."
    ),
    CallEnd.TOO_MANY: Words(
        what="Too many are waiting for this helper.", next="Choose somebody else, or try again."
    ),
    CallEnd.CHOSE_ANOTHER: Words(
        what="You have called anew since.", next="Your newer call goes on."
    ),
    CallEnd.PRICE_CHANGED: Words(
        what="The price has changed; nothing was charged.",
        next="Please look at the new price and choose again.",
    ),
}

_ENDS_JA: Final = {
    CallEnd.CUSTOMER_LEFT: Words(
        what="呼び出しを終了しました。", next="担当者がいるときは、いつでもまた呼び出せます。"
    ),
    CallEnd.HELPER_ENDED: Words(
        what="担当者が対応を終了しました。", next="ほかにもご用があれば、もう一度お呼びください。"
    ),
    CallEnd.HELPER_GONE: Words(
        what="担当者が席を外しました。", next="いま対応できる別の担当者をお選びください。"
    ),
    CallEnd.NOT_THERE: Words(
        what="この担当者はいま対応できません。", next="いま対応できる別の担当者をお選びください。"
    ),
    CallEnd.NOT_ANSWERED: Words(
        what="応答がありませんでした。申し訳ございません。",
        next="別の担当者を選ぶか、もう一度お試しください。",
    ),
    CallEnd.SILENT: Words(
        what="30分間やりとりがなかったため、終了しました。",
        next="担当者がいるときは、いつでもまた呼び出せます。",
    ),
    CallEnd.TOO_LONG: Words(
        what="やりとりが長くなったため、ここで区切りました。",
        next="続けるには、もう一度お呼びください。",
    ),
    CallEnd.TOO_MANY: Words(
        what="この担当者をお待ちの方が多くいます。",
        next="別の担当者を選ぶか、もう一度お試しください。",
    ),
    CallEnd.CHOSE_ANOTHER: Words(
        what="新しい呼び出しに切り替わりました。", next="新しい呼び出しでお話しください。"
    ),
    CallEnd.PRICE_CHANGED: Words(
        what="料金が変わりました。料金はいただいていません。",
        next="新しい料金をご確認のうえ、もう一度お選びください。",
    ),
}

CALL_END_WORDS: Final = {"en": _ENDS_EN, "ja": _ENDS_JA}
"""Why a call is over."""

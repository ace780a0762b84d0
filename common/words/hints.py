"""What whoever stands before a scanner is told about how to hold the ticket."""

from __future__ import annotations

from typing import Final

from common.rules.scanners import ScannerHint
from common.words.sentences import Words

_EN: Final = {
    ScannerHint.NOTHING: Words(
        what="Ready for your ticket.",
        next="Hold its code to the scanner, about a hand's width away.",
    ),
    ScannerHint.READS: Words(what="Code read.", next="One moment, please."),
    ScannerHint.UNREADABLE: Words(
        what="The code cannot be read yet.",
        next="Hold it still and straight, with the whole code in the picture.",
    ),
    ScannerHint.TOO_DARK: Words(
        what="It is too dark to read.", next="Turn up your screen's brightness."
    ),
    ScannerHint.TOO_BRIGHT: Words(
        what="It is too bright to read.", next="Turn down your screen's brightness a little."
    ),
    ScannerHint.GLARE: Words(what="A light is mirrored in it.", next="Tilt it a little."),
    ScannerHint.TOO_FAR: Words(what="It is too far away.", next="Come a little nearer."),
    ScannerHint.TOO_NEAR: Words(
        what="It is too near, or moving.", next="Hold it a little further away, and still."
    ),
    ScannerHint.AWAY: Words(
        what="The scanner does not answer.",
        next="Please use another booth, or call for help.",
    ),
}

_JA: Final = {
    ScannerHint.NOTHING: Words(
        what="チケットをかざしてください。", next="コードを読み取り部から15センチほど離します。"
    ),
    ScannerHint.READS: Words(what="読み取りました。", next="少しお待ちください。"),
    ScannerHint.UNREADABLE: Words(
        what="まだ読み取れません。", next="コード全体が映るように、まっすぐ止めてください。"
    ),
    ScannerHint.TOO_DARK: Words(what="暗くて読み取れません。", next="画面を明るくしてください。"),
    ScannerHint.TOO_BRIGHT: Words(
        what="明るすぎて読み取れません。", next="画面を少し暗くしてください。"
    ),
    ScannerHint.GLARE: Words(what="光が反射しています。", next="少し傾けてください。"),
    ScannerHint.TOO_FAR: Words(what="遠すぎます。", next="もう少し近づけてください。"),
    ScannerHint.TOO_NEAR: Words(
        what="近すぎるか、動いています。", next="少し離して、止めてください。"
    ),
    ScannerHint.AWAY: Words(
        what="読み取り機が応答しません。",
        next="別のブースをご利用いただくか、係を呼んでください。",
    ),
}

HINT_WORDS: Final = {"en": _EN, "ja": _JA}
"""By language and hint: what is the matter, and how to hold the ticket."""

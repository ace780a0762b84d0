"""What the store says to whoever is at a device: its quick sentences, in each language."""

from __future__ import annotations

from typing import Final

from common.rules.acts import Sentence
from common.words.sentences import Words

_EN: Final = {
    Sentence.COMING: Words(what="Somebody is coming to you.", next="Please wait a moment."),
    Sentence.LEAVE_SOON: Words(
        what="Please get ready to leave.", next="Somebody has booked this booth after you."
    ),
    Sentence.QUIET: Words(what="A little quieter, please.", next="Your neighbours thank you."),
    Sentence.CLOSING: Words(
        what="The store closes soon.", next="Please take all your things with you."
    ),
    Sentence.FIXED: Words(what="It should work again.", next="Call us if it does not."),
    Sentence.FOUND: Words(
        what="Have you lost something?", next="We keep what was found: just ask us."
    ),
}

_JA: Final = {
    Sentence.COMING: Words(what="係の者がうかがいます。", next="少しお待ちください。"),
    Sentence.LEAVE_SOON: Words(
        what="まもなくご退室のお時間です。", next="次のご予約があります。ご準備ください。"
    ),
    Sentence.QUIET: Words(
        what="少しお静かにお願いします。", next="周りのお客様へのご配慮をお願いします。"
    ),
    Sentence.CLOSING: Words(what="まもなく閉店します。", next="お忘れ物のないようお願いします。"),
    Sentence.FIXED: Words(
        what="不具合は直ったはずです。", next="まだおかしいときは、お店を呼んでください。"
    ),
    Sentence.FOUND: Words(
        what="お忘れ物はありませんか。", next="お預かりしている物があります。お尋ねください。"
    ),
}

SENTENCES: Final = {"en": _EN, "ja": _JA}
"""The quick sentences, by language."""

FROM_THE_STORE: Final = {"en": "From the store", "ja": "お店より"}
"""Under what the store has written itself."""


def message_words_for(sentence: str, text: str, language: str) -> Words:
    """Return a message in a language; the store's own words stand as they are.

    A sentence that this side does not know, since the other is newer, is told by its text.
    """
    if sentence in set(Sentence):
        return SENTENCES[language][Sentence(sentence)]
    return Words(what=text or "…", next=FROM_THE_STORE[language])

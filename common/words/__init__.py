"""A refusal in the customer's words, a problem in the operator's, each with what to do next."""

from __future__ import annotations

from typing import Final

from common.messages.base import NOTHING_IN_PARTICULAR, Particulars
from common.rules.audit import Invariant
from common.rules.help import CallEnd
from common.rules.presence import LineMode
from common.rules.problems import ProblemKind
from common.rules.scanners import ScannerHint
from common.rules.sessions import ExtensionNo, Notice
from common.rules.tickets import DenialReason
from common.words.acts import SENTENCES, message_words_for
from common.words.audit import INVARIANT_WORDS
from common.words.calls import CALL_LABELS, READY_SENTENCES
from common.words.denials import DENIAL_WORDS
from common.words.extensions import EXTENSION_WORDS
from common.words.help import CALL_END_WORDS
from common.words.hints import HINT_WORDS
from common.words.notices import LINE_WORDS, NOTICE_WORDS
from common.words.particulars import Here, known_texts, names_in, time_in_words
from common.words.problems import PROBLEM_WORDS
from common.words.screen import SCREEN_LABELS, SCREEN_WORDS, Said, screen_words_for
from common.words.sentences import LANGUAGES, Words
from common.words.timeline import (
    CHECK_WORDS,
    MOMENT_WORDS,
    REASON_WORDS,
    length_in_words,
    moment_words_for,
)

__all__ = [
    "CALL_END_WORDS",
    "CALL_LABELS",
    "CHECK_WORDS",
    "DENIAL_WORDS",
    "EXTENSION_WORDS",
    "HINT_WORDS",
    "INVARIANT_WORDS",
    "LANGUAGES",
    "LINE_WORDS",
    "MOMENT_WORDS",
    "NOTICE_WORDS",
    "PROBLEM_WORDS",
    "READY_SENTENCES",
    "REASON_WORDS",
    "SCREEN_LABELS",
    "SCREEN_WORDS",
    "SENTENCES",
    "Here",
    "Said",
    "Words",
    "call_end_words_for",
    "extension_words_for",
    "hint_words_for",
    "invariant_words_for",
    "length_in_words",
    "line_words_for",
    "message_words_for",
    "moment_words_for",
    "notice_words_for",
    "problem_words_for",
    "screen_words_for",
    "time_in_words",
    "words_for",
]

_ANYWHERE: Final = Here()

_THERE: Final = {"en": "the booth on your ticket", "ja": "チケットのブース"}


def words_for(
    reason: DenialReason,
    language: str,
    told: Particulars = NOTHING_IN_PARTICULAR,
    here: Here = _ANYWHERE,
) -> Words:
    """Return a refusal's words in this language, English where it is none of ours.

    They are those that say the most of what was told in particular.
    """
    known = known_texts(told, language, here)
    ways = DENIAL_WORDS.get(language, DENIAL_WORDS["en"])[reason]
    words = next(way for way in ways if names_in(way) <= known.keys())
    return Words(what=words.what.format(**known), next=words.next.format(**known))


def notice_words_for(notice: Notice, language: str, to: str | None) -> Words:
    """Return a notice's words in this language; `to` is the title of the device it names."""
    words = NOTICE_WORDS.get(language, NOTICE_WORDS["en"])[notice]
    there = to or _THERE.get(language, _THERE["en"])
    return Words(what=words.what.format(to=there), next=words.next.format(to=there))


def hint_words_for(hint: ScannerHint, language: str) -> Words:
    """Return what whoever stands before a scanner is told in this language."""
    return HINT_WORDS.get(language, HINT_WORDS["en"])[hint]


def line_words_for(mode: LineMode, language: str) -> Words:
    """Return what a terminal says of itself in this language."""
    return LINE_WORDS.get(language, LINE_WORDS["en"])[mode]


def problem_words_for(kind: ProblemKind, language: str) -> Words:
    """Return a problem's words in this language, English where it is none of ours."""
    return PROBLEM_WORDS.get(language, PROBLEM_WORDS["en"])[kind]


def invariant_words_for(invariant: Invariant, language: str) -> Words:
    """Return what an audit has found, in this language; English where it is none of ours."""
    return INVARIANT_WORDS.get(language, INVARIANT_WORDS["en"])[invariant]


def extension_words_for(reason: ExtensionNo, language: str) -> Words:
    """Return why there is no more time, in this language; English where it is none of ours."""
    return EXTENSION_WORDS.get(language, EXTENSION_WORDS["en"])[reason]


def call_end_words_for(end: CallEnd, language: str) -> Words:
    """Return why a call is over, and what to do, in this language; English where it is not ours."""
    return CALL_END_WORDS.get(language, CALL_END_WORDS["en"])[end]

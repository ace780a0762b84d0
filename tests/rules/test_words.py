"""Every problem and denial has its words in every language: what is wrong, what to do next."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import pytest

from common.messages.base import Particulars
from common.rules.help import CallEnd
from common.rules.problems import ProblemKind
from common.rules.scanners import ScannerHint
from common.rules.tickets import CLOSEST_FIRST, DenialReason
from common.words import (
    CALL_END_WORDS,
    CALL_LABELS,
    DENIAL_WORDS,
    HINT_WORDS,
    LANGUAGES,
    PROBLEM_WORDS,
    READY_SENTENCES,
    SCREEN_LABELS,
    SCREEN_WORDS,
    Here,
    Said,
    Words,
    call_end_words_for,
    hint_words_for,
    problem_words_for,
    screen_words_for,
    words_for,
)
from common.words.particulars import NAMES, names_in

FULL_STOP = {"en": ".", "ja": "。"}
LENGTH_MAX = 120
"""Characters of a sentence that is read at a glance on a phone."""


def test_the_words_of_problems_are_complete_in_every_language():
    assert set(PROBLEM_WORDS) == set(LANGUAGES)
    for language in LANGUAGES:
        assert set(PROBLEM_WORDS[language]) == set(ProblemKind)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ProblemKind)
def test_a_problem_is_told_in_short_sentences(kind: ProblemKind, language: str):
    words = problem_words_for(kind, language)
    for sentence in (words.what, words.next):
        assert sentence.endswith(FULL_STOP[language])
        assert len(sentence) <= LENGTH_MAX


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_problems_are_told_alike(language: str):
    told = [problem_words_for(kind, language) for kind in ProblemKind]
    assert len({words.what for words in told}) == len({words.next for words in told}) == len(told)


def test_whoever_reads_none_of_our_languages_reads_english():
    kind = ProblemKind.REGISTRATION_WAITING
    assert problem_words_for(kind, "tlh") == problem_words_for(kind, "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_hint_of_a_scanner_has_its_own_words(language: str):
    assert set(HINT_WORDS) == set(LANGUAGES)
    told = [hint_words_for(hint, language) for hint in ScannerHint]
    assert len({words.what for words in told}) == len({words.next for words in told}) == len(told)
    assert all(
        sentence.endswith(FULL_STOP[language]) and len(sentence) <= LENGTH_MAX
        for words in told
        for sentence in (words.what, words.next)
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_end_of_a_call_says_what_happened_and_what_to_do(language: str):
    assert set(CALL_END_WORDS[language]) == set(CallEnd)
    told = [call_end_words_for(end, language) for end in CallEnd]
    assert len({words.what for words in told}) == len(told)
    assert all(
        sentence.endswith(FULL_STOP[language]) and len(sentence) <= LENGTH_MAX
        for words in told
        for sentence in (words.what, words.next)
    )


def test_the_words_of_the_screen_are_complete_in_every_language():
    assert set(SCREEN_WORDS) == set(SCREEN_LABELS) == set(LANGUAGES)
    assert all(set(SCREEN_WORDS[language]) == set(Said) for language in LANGUAGES)
    assert len({frozenset(SCREEN_LABELS[language]) for language in LANGUAGES}) == 1


@pytest.mark.parametrize("said", Said)
def test_a_screen_says_the_same_in_every_language_and_briefly(said: Said):
    told = [SCREEN_WORDS[language][said] for language in LANGUAGES]
    assert len({names_in(words) for words in told}) == 1
    assert all(0 < len(each) <= LENGTH_MAX for words in told for each in (words.what, words.next))
    for language in LANGUAGES:
        assert screen_words_for(said, language, 5).next.endswith(FULL_STOP[language])
        assert "{" not in screen_words_for(said, language, 5).what


@pytest.mark.parametrize("labels", [SCREEN_LABELS, CALL_LABELS])
def test_a_label_of_the_screen_names_the_same_in_every_language(labels: dict[str, dict[str, str]]):
    names = [
        {key: set(re.findall(r"\{(\w+)\}", text)) for key, text in labels[each].items()}
        for each in LANGUAGES
    ]
    assert names[0] == names[1]


def test_each_ready_sentence_has_its_like_in_every_language_and_fits_a_line():
    assert set(READY_SENTENCES) == set(LANGUAGES)
    assert len({len(READY_SENTENCES[each]) for each in LANGUAGES}) == 1
    assert all(0 < len(text) <= LENGTH_MAX for each in LANGUAGES for text in READY_SENTENCES[each])


PAGE = (Path(__file__).parents[2] / "docs/verdicts.md").read_text("utf-8")
_ROW = re.compile(r"^\| `([a-z_]+)` \| (.*) \| (.*) \|$", re.MULTILINE)

WALL_AT = 1_792_713_600_000
"""2026-10-23T00:00:00Z: nine o'clock in Tokyo."""

ALL_OF_IT = Particulars(
    opens_at=WALL_AT,
    store_opens_at=WALL_AT,
    released_at=WALL_AT,
    pay_by=WALL_AT,
    to="Booth 3",
    number=3,
    place="to the left",
    store="Shinjuku",
    free_now=2,
)
IN_TOKYO = Here(time_zone="Asia/Tokyo", now=WALL_AT)


def ways_of(language: str, reason: DenialReason) -> tuple[Words, ...]:
    return DENIAL_WORDS[language][reason]


def test_the_words_of_denials_are_complete_in_every_language():
    assert set(DENIAL_WORDS) == set(LANGUAGES)
    for language in LANGUAGES:
        assert set(DENIAL_WORDS[language]) == set(DenialReason)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", DenialReason)
def test_a_denial_says_what_happened_and_what_to_do_next_however_little_is_known(reason, language):
    for words in ways_of(language, reason):
        for sentence in (words.what, words.next):
            assert sentence.strip(), "there is nobody to ask: each has a next step"
            assert sentence.endswith(FULL_STOP[language])
            assert len(sentence) <= LENGTH_MAX
            assert names_in(words) <= NAMES
    assert not names_in(ways_of(language, reason)[-1]), "the last needs nothing to be known"
    assert words_for(reason, language) == ways_of(language, reason)[-1]


@pytest.mark.parametrize("reason", DenialReason)
def test_a_denial_is_told_in_the_same_ways_in_every_language(reason: DenialReason):
    ways = {tuple(names_in(way) for way in ways_of(each, reason)) for each in LANGUAGES}
    assert len(ways) == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", DenialReason)
def test_each_way_to_say_a_denial_is_said_where_no_more_is_known(reason, language):
    for way in ways_of(language, reason):
        told = Particulars(**ALL_OF_IT.model_dump(include=set(names_in(way))))
        said = words_for(reason, language, told, IN_TOKYO)
        known = {"to": "Booth 3", "number": 3, "place": "to the left", "store": "Shinjuku"}
        times = dict.fromkeys(("opens_at", "store_opens_at", "released_at", "pay_by"), "09:00")
        facts = {**known, **times, "free_now": 2}
        assert said.what == way.what.format(**facts)
        assert said.next == way.next.format(**facts)


@pytest.mark.parametrize("language", [*LANGUAGES, "tlh"])
@pytest.mark.parametrize("reason", DenialReason)
def test_nothing_in_braces_is_left_whatever_is_known(reason: DenialReason, language: str):
    for told in (ALL_OF_IT, Particulars(), Particulars(free_now=0), Particulars(to="{store}")):
        words = words_for(reason, language, told, IN_TOKYO)
        assert "{" not in words.what.replace("{store}", "")
        assert words.next


@pytest.mark.parametrize("language", LANGUAGES)
def test_unknown_and_forged_tickets_look_alike_to_the_customer(language: str):
    for told in (Particulars(), ALL_OF_IT):
        unknown = words_for(DenialReason.UNKNOWN_TICKET, language, told, IN_TOKYO)
        assert words_for(DenialReason.BAD_SIGNATURE, language, told, IN_TOKYO) == unknown


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_other_denials_are_told_alike(language: str):
    reasons = set(DenialReason) - {DenialReason.UNKNOWN_TICKET}
    told = {words_for(reason, language).what for reason in reasons}
    assert len(told) == len(reasons)


def test_times_are_told_by_the_clock_of_the_store():
    early = DenialReason.TOO_EARLY
    told = Particulars(opens_at=WALL_AT + 50 * 60_000)
    assert "at 09:50," in words_for(early, "en", told, IN_TOKYO).next
    assert "09:50" in words_for(early, "ja", told, IN_TOKYO).next
    in_berlin = Here(time_zone="Europe/Berlin", now=WALL_AT)
    assert "at 02:50," in words_for(early, "en", told, in_berlin).next
    nowhere = Here(time_zone="No/Where", now=WALL_AT)
    assert "at 00:50," in words_for(early, "en", told, nowhere).next


def test_a_time_on_another_day_is_told_with_its_date():
    told = Particulars(opens_at=WALL_AT + 86_400_000)
    at_noon = Here(time_zone="Asia/Tokyo", now=WALL_AT)
    assert "09:00 on Sat 2026-10-24" in words_for(DenialReason.TOO_EARLY, "en", told, at_noon).next
    assert "10月24日土曜日09:00" in words_for(DenialReason.TOO_EARLY, "ja", told, at_noon).next


def rows_under(title: str) -> list[tuple[str, str, str]]:
    """Return the rows of the tables of a part of the page."""
    part = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return _ROW.findall(part)


def test_the_page_of_verdicts_tells_the_order_in_which_obstacles_are_told():
    told = [reason for reason, _, _ in rows_under("In which order")]
    in_order = [obstacle.reason.value for obstacle in CLOSEST_FIRST]
    assert told[: len(in_order)] == in_order
    assert set(told) == {reason.value for reason in DenialReason}
    assert all(when and to_do for _, when, to_do in rows_under("In which order"))


def test_the_page_of_verdicts_says_each_in_our_very_words():
    ways = chain.from_iterable(
        (
            (reason.value, f"{en.what} {en.next}", f"{ja.what}{ja.next}")
            for en, ja in zip(ways_of("en", reason), ways_of("ja", reason), strict=True)
        )
        for reason in DenialReason
    )
    assert rows_under("In which words") == list(ways)


def test_the_page_of_verdicts_names_all_that_goes_with_a_reason():
    assert all(f"`{name}`" in PAGE for name in Particulars.model_fields)

"""How long a session may go on: never into the next claim nor past closing, whoever asks."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from common.rules.sessions import (
    EXTENSION_SECONDS_MAX,
    STEPS_MAX,
    ExtensionNo,
    Room,
    SessionFacts,
    longest,
    possible_seconds,
    steps,
    why_none,
    why_not_by_itself,
)
from common.words import EXTENSION_WORDS, LANGUAGES, extension_words_for

HOUR_MS = 3_600_000
ENDS_AT = 1_792_713_600_000
MANY_DAYS_MS = 3 * 86_400_000

instants = st.integers(ENDS_AT - HOUR_MS, ENDS_AT + MANY_DAYS_MS)
rooms = st.builds(
    Room,
    ends_at=st.just(ENDS_AT),
    turnover_ms=st.integers(0, 2 * HOUR_MS),
    next_at=st.none() | instants,
    closes_at=st.none() | instants,
)
asked = st.integers(0, 200_000)


@given(room=rooms, seconds=asked)
def test_no_extension_reaches_into_the_next_claim_or_past_the_closing(room, seconds):
    added = possible_seconds(seconds, room)
    new_end = room.ends_at + added * 1000
    assert 0 <= added <= min(seconds, EXTENSION_SECONDS_MAX)
    if added:
        assert room.next_at is None or new_end + room.turnover_ms <= room.next_at
        assert room.closes_at is None or new_end <= room.closes_at


@given(room=rooms, seconds=asked)
def test_no_second_is_held_back_that_could_be_had(room, seconds):
    added = possible_seconds(seconds, room)
    if added < min(seconds, EXTENSION_SECONDS_MAX):
        one_more = room.ends_at + (added + 1) * 1000
        is_in_next = room.next_at is not None and one_more + room.turnover_ms > room.next_at
        is_after_closing = room.closes_at is not None and one_more > room.closes_at
        assert is_in_next or is_after_closing
        assert longest(room).bound is not None


@given(
    room=rooms,
    grid=st.integers(1, 90_000),
    lengths=st.lists(st.integers(1, 90_000), min_size=1, max_size=20),
)
def test_every_choice_fits_and_is_told_once_in_order(room, grid, lengths):
    most = longest(room)
    choices = steps(grid, lengths, most.seconds)
    assert len(choices) <= STEPS_MAX
    assert all(one < other for one, other in pairwise(choices))
    assert all(possible_seconds(choice, room) == choice > 0 for choice in choices)


def test_choices_are_steps_of_the_grid_and_lengths_cut_to_what_is_possible():
    assert steps(1800, [3600, 7200], 43_200) == (1800, 3600, 7200)
    assert steps(1800, [3600, 7200], 4000) == (1800, 3600, 4000)
    assert steps(1800, [3600], 1500) == (1500,)
    assert steps(1800, [3600], 59) == ()
    assert steps(20, [40], 30) == (20, 30)
    assert steps(20, [40], 0) == ()


@pytest.mark.parametrize(
    ("facts", "room", "reason"),
    [
        ({"is_running": False}, {}, ExtensionNo.SESSION_IS_ENDING),
        ({"now": ENDS_AT - 1000}, {}, ExtensionNo.SESSION_IS_ENDING),
        ({"is_ours": False}, {}, ExtensionNo.NOT_ALLOWED),
        ({}, {"next_at": ENDS_AT}, ExtensionNo.ANOTHER_HAS_BOOKED),
        ({}, {"next_at": ENDS_AT - HOUR_MS}, ExtensionNo.ANOTHER_HAS_BOOKED),
        ({}, {"closes_at": ENDS_AT}, ExtensionNo.STORE_CLOSES),
        ({}, {"next_at": ENDS_AT + HOUR_MS}, None),
        ({}, {}, None),
    ],
)
def test_a_session_is_not_extended_for_a_reason_that_can_be_told(facts, room, reason):
    there = Room(ends_at=ENDS_AT, turnover_ms=0, next_at=None, closes_at=None)
    here = Room(**{name: getattr(there, name) for name in Room.__slots__} | room)
    known = SessionFacts(**{"is_running": True, "is_ours": True, "now": ENDS_AT - HOUR_MS} | facts)
    assert why_none(known, here, steps(1800, [3600], longest(here).seconds)) is reason


@pytest.mark.parametrize(
    ("agreed", "waits", "minutes", "reason"),
    [
        (False, False, 600, ExtensionNo.NOT_ALLOWED),
        (True, True, 600, ExtensionNo.SOMEBODY_WAITS),
        (True, False, 29, ExtensionNo.ANOTHER_HAS_BOOKED),
        (True, False, 30, None),
    ],
)
def test_what_goes_on_by_itself_makes_way_for_whoever_waits(agreed, waits, minutes, reason):
    room = Room(ends_at=ENDS_AT, turnover_ms=0, next_at=ENDS_AT + minutes * 60_000, closes_at=None)
    assert why_not_by_itself(room, 1800, is_agreed=agreed, somebody_waits=waits) is reason


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_its_words_and_what_to_do(language):
    assert set(EXTENSION_WORDS[language]) == set(ExtensionNo)
    told = [extension_words_for(reason, language) for reason in ExtensionNo]
    assert len({words.what for words in told}) == len(told)
    stop = "。" if language == "ja" else "."
    assert all(each.endswith(stop) for words in told for each in (words.what, words.next))

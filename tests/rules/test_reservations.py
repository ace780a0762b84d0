"""Slots lie on the grid; a booking blocks its slot and the turnover after it: against a model."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from common.rules.reservations import (
    HORIZON_SECONDS,
    SLOTS_MAX,
    Range,
    SlotTerms,
    blocked,
    is_a_slot,
    is_free,
    slots,
)

INSTANTS = st.integers(0, 40_000).map(lambda number: number * 500)
TERMS = st.builds(
    SlotTerms,
    length_seconds=st.integers(1, 3_000),
    grid_seconds=st.integers(30, 3_000),
    turnover_seconds=st.integers(0, 900),
)


@st.composite
def stretches(draw: st.DrawFn) -> Range:
    starts_at = draw(INSTANTS)
    return Range(starts_at=starts_at, ends_at=starts_at + draw(st.integers(1, 20_000)) * 500)


def slots_by_looking_at_every_grid_line(terms: SlotTerms, window: Range, now: int) -> list[Range]:
    length, grid = terms.length_seconds * 1000, terms.grid_seconds * 1000
    lines = range(0, window.ends_at + 1, grid)
    found = [Range(starts_at=at, ends_at=at + length) for at in lines if at >= now]
    last = min(window.ends_at, now + HORIZON_SECONDS * 1000)
    return [s for s in found if s.starts_at >= window.starts_at and s.ends_at <= last][:SLOTS_MAX]


@given(terms=TERMS, window=stretches(), now=INSTANTS)
def test_slots_are_those_that_a_slow_look_finds(terms: SlotTerms, window: Range, now: int):
    expected = slots_by_looking_at_every_grid_line(terms, window, now)
    assert list(slots(terms, window, now=now)) == expected


@given(terms=TERMS, window=stretches(), now=INSTANTS)
def test_every_slot_listed_can_be_asked_for(terms: SlotTerms, window: Range, now: int):
    assert all(is_a_slot(terms, slot, now=now) for slot in slots(terms, window, now=now))


@given(terms=TERMS, asked=stretches(), now=INSTANTS)
def test_only_a_slot_of_the_grid_can_be_asked_for(terms: SlotTerms, asked: Range, now: int):
    fits = (
        asked.starts_at % (terms.grid_seconds * 1000) == 0
        and asked.ends_at - asked.starts_at == terms.length_seconds * 1000
        and asked.starts_at >= now
    )
    assert is_a_slot(terms, asked, now=now) is fits


@given(one=stretches(), other=stretches())
def test_two_stretches_overlap_when_they_share_an_instant(one: Range, other: Range):
    shared = max(one.starts_at, other.starts_at) < min(one.ends_at, other.ends_at)
    assert one.overlaps(other) is other.overlaps(one) is shared


@given(slot=stretches(), turnover=st.integers(0, 3_600), taken=st.lists(stretches(), max_size=6))
def test_a_slot_is_free_when_nothing_touches_it_or_its_turnover(slot, turnover, taken):
    ends_at = slot.ends_at + turnover * 1000
    apart = all(t.ends_at <= slot.starts_at or ends_at <= t.starts_at for t in taken)
    assert is_free(slot, turnover, taken) is apart


def test_a_slot_may_begin_the_instant_another_ends():
    first, second = Range(starts_at=0, ends_at=1000), Range(starts_at=1000, ends_at=2000)
    assert is_free(second, 0, [first])
    assert not is_free(second, 0, [blocked(first, 1)])


@pytest.mark.parametrize("beyond_ms", [1, 60_000])
def test_nothing_is_sold_beyond_the_horizon(beyond_ms: int):
    terms = SlotTerms(length_seconds=60, grid_seconds=60, turnover_seconds=0)
    last = HORIZON_SECONDS * 1000 - 60_000
    assert is_a_slot(terms, Range(starts_at=last, ends_at=last + 60_000), now=0)
    late = Range(starts_at=last + 60_000, ends_at=last + 120_000)
    assert not is_a_slot(terms, late, now=0)
    assert not list(slots(terms, Range(starts_at=last + beyond_ms, ends_at=1 << 60), now=0))


def test_a_list_of_slots_has_an_end():
    terms = SlotTerms(length_seconds=1, grid_seconds=1, turnover_seconds=0)
    assert len(list(slots(terms, Range(starts_at=0, ends_at=1 << 60), now=0))) == SLOTS_MAX

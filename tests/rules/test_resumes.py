"""Whether an interrupted session goes on, and with how much: never more than was left."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from common.rules.sessions import Chance, Cut, chance

AT = 1_800_000_000_000


def a_cut(
    remaining_seconds: float = 1200.0,
    checkpoint_at: int | None = AT,
    *,
    was_interrupted: bool = False,
) -> Cut:
    return Cut(
        remaining_seconds=remaining_seconds,
        checkpoint_at=checkpoint_at,
        was_interrupted=was_interrupted,
    )


def test_what_passed_without_power_counts():
    found = chance(a_cut(), trusted_now=AT + 90_000, limit_seconds=600)
    assert found == Chance(remaining_seconds=1110, within_seconds=510)


@pytest.mark.parametrize(("then", "now"), [(None, AT + 90_000), (AT, None), (None, None)])
def test_where_no_clock_can_be_trusted_nothing_counts(then: int | None, now: int | None):
    found = chance(a_cut(checkpoint_at=then), trusted_now=now, limit_seconds=600)
    assert found == Chance(remaining_seconds=1200, within_seconds=600)


def test_a_clock_that_went_back_gives_nothing():
    found = chance(a_cut(), trusted_now=AT - 3_600_000, limit_seconds=600)
    assert found == Chance(remaining_seconds=1200, within_seconds=600)


@pytest.mark.parametrize(
    ("cut", "now", "limit_seconds"),
    [
        (a_cut(was_interrupted=True), AT, 600.0),
        (a_cut(), AT + 600_000, 600.0),
        (a_cut(30), AT + 30_000, 600.0),
        (a_cut(), AT, 0.0),
    ],
    ids=["a second time", "off for too long", "its time is over", "none ever does"],
)
def test_it_is_over_where_nothing_may_go_on(cut: Cut, now: int, limit_seconds: float):
    assert chance(cut, trusted_now=now, limit_seconds=limit_seconds) is None


@given(
    remaining=st.floats(0, 90_000),
    then=st.none() | st.integers(0, 2 * AT),
    now=st.none() | st.integers(0, 2 * AT),
    limit=st.floats(0, 90_000),
)
def test_nobody_gets_more_than_was_left(
    remaining: float, then: int | None, now: int | None, limit: float
):
    found = chance(a_cut(remaining, then), trusted_now=now, limit_seconds=limit)
    if found is not None:
        assert 0 < found.within_seconds <= found.remaining_seconds <= remaining
        assert found.within_seconds <= limit

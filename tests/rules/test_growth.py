"""When a branch takes seats by itself, when it returns some, and that it comes to rest."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from common.rules.modules import Use, is_none_anywhere, wanted_change
from common.rules.modules.growth import (
    FRESH_SECONDS,
    RETRY_SECONDS,
    SPARE_SECONDS,
)

NOW = 10 * SPARE_SECONDS * 1000
MOST = 10_000
ROUNDS_MAX = 12


@pytest.mark.parametrize(
    ("owned", "used", "taken", "wanted"),
    [
        (0, 0, 0, 2),
        (2, 0, 0, 0),
        (2, 1, 1, 2),
        (10, 8, 3, 0),
        (10, 9, 3, 6),
        (10, 10, 0, 2),
        (100, 90, 40, 0),
        (100, 91, 40, 80),
        (100, 91, 0, 10),
    ],
)
def test_seats_are_taken_before_there_are_none_and_twice_what_an_hour_needs(
    owned, used, taken, wanted
):
    use = Use(owned=owned, used=used, taken=taken, moved_at=NOW)
    assert wanted_change(use, NOW, MOST) == wanted


def test_a_root_that_had_none_left_is_left_alone_for_a_minute():
    use = Use(owned=2, used=2, taken=2, refused_at=NOW)
    assert wanted_change(use, NOW + RETRY_SECONDS * 1000 - 1, MOST) == 0
    assert wanted_change(use, NOW + RETRY_SECONDS * 1000, MOST) == 4


@pytest.mark.parametrize(
    ("freed", "moved_at", "wanted"),
    [
        (0, 0, -16),
        (11, 0, -5),
        (12, 0, 0),
        (0, NOW - SPARE_SECONDS * 1000 + 1, 0),
    ],
)
def test_only_what_was_free_for_a_whole_day_is_returned(freed, moved_at, wanted):
    use = Use(owned=20, used=0, freed=freed, moved_at=moved_at)
    assert wanted_change(use, NOW, MOST) == wanted


@given(owned=st.integers(0, 500), share=st.floats(0, 1), taken=st.integers(0, 500))
def test_while_nobody_comes_or_goes_a_branch_soon_wants_nothing(owned, share, taken):
    """Else it would ask for what it returns, for ever."""
    used, change = int(owned * share), 0
    for _ in range(ROUNDS_MAX):
        use = Use(owned=owned, used=used, taken=min(taken, used))
        change = wanted_change(use, NOW, MOST)
        if change == 0:
            break
        assert change > -use.free, "it never returns all that is free"
        owned += change
    else:
        pytest.fail(f"{owned} for {used}, and wants {change}")


def test_d11_no_seat_is_left_anywhere_only_as_long_as_the_root_was_heard_to_have_none():
    assert is_none_anywhere(None, NOW), "whoever has no root is the root"
    assert is_none_anywhere(NOW - FRESH_SECONDS * 1000 + 1, NOW)
    assert not is_none_anywhere(NOW - FRESH_SECONDS * 1000, NOW)
    assert not is_none_anywhere(0, NOW)

"""What was promised is delivered, left or lost, whatever has happened; what is lost is owed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import example, given, settings, strategies as st

from common.rules.sessions import (
    OWED_FROM_SECONDS,
    EndReason,
    Heartbeat,
    Use,
    given_of,
    missed_heartbeats,
    owed_cents,
    owed_seconds,
)

SLOT = 1800.0
ENDINGS = (EndReason.TIME_UP, EndReason.CUSTOMER_ENDED, EndReason.STAFF_ENDED, EndReason.POWER_LOSS)
LENGTHS = st.floats(0.0, 900.0).map(lambda seconds: round(seconds, 3))


@dataclass
class Walk:
    """A customer's time second by second, told apart by what he sees of it and by nothing else."""

    left_of_slot: float
    delivered: float = 0.0
    lost: float = 0.0
    gone: float = 0.0
    extended: float = 0.0
    uses: list[Use] = field(default_factory=list)

    def spend(self, seconds: float) -> float:
        """Let time pass, up to the end of the slot and no further."""
        passed = min(seconds, self.left_of_slot)
        self.left_of_slot -= passed
        return passed

    def fail_to_start(self, seconds: float) -> None:
        granted = self.left_of_slot
        self.lost += self.spend(seconds)
        self.uses.append(
            Use(granted_seconds=granted, delivered_seconds=0.0, end_reason=EndReason.PROGRAM_FAILED)
        )

    def use(self, steps: list[tuple[str, float]], ending: EndReason, *, is_told: bool) -> None:
        """Go through one session as its runner measures it, to its end."""
        granted, delivered, lost, extended = self.left_of_slot, 0.0, 0.0, 0.0
        for what, seconds in steps:
            if what == "extend":
                extended += seconds
                self.left_of_slot += seconds
            elif what == "run":
                delivered += self.spend(seconds)
            else:
                lost += self.spend(seconds)
        if ending is EndReason.TIME_UP:
            delivered += self.spend(self.left_of_slot)
        remaining = self.left_of_slot
        is_left = ending is EndReason.CUSTOMER_ENDED
        self.gone, self.lost = remaining * is_left, self.lost + lost + remaining * (not is_left)
        self.delivered, self.extended = self.delivered + delivered, extended
        self.uses.append(
            Use(
                granted_seconds=granted + extended,
                delivered_seconds=delivered,
                end_reason=ending,
                extended_seconds=extended,
                remaining_seconds=remaining if is_told else None,
                lost_seconds=lost,
            )
        )


@settings(max_examples=60)
@given(
    failures=st.lists(LENGTHS, max_size=2),
    steps=st.lists(st.tuples(st.sampled_from(["run", "lose", "extend"]), LENGTHS), max_size=8),
    ending=st.sampled_from(ENDINGS),
    is_told=st.booleans(),
    price=st.integers(0, 10**6),
)
@example(failures=[100.0], steps=[("extend", 600.0)], ending=ENDINGS[1], is_told=True, price=1500)
def test_whatever_happens_what_was_promised_is_delivered_left_or_owed(
    failures, steps, ending, is_told, price
):
    walk = Walk(left_of_slot=SLOT)
    for seconds in failures:
        walk.fail_to_start(seconds)
    walk.use(steps, ending, is_told=is_told)
    found = given_of(walk.uses)
    assert found.promised_seconds == pytest.approx(SLOT + walk.extended)
    assert found.delivered_seconds == pytest.approx(walk.delivered)
    assert found.left_seconds == pytest.approx(walk.gone, abs=1e-6)
    assert found.lost_seconds == pytest.approx(walk.lost, abs=1e-6)
    owed = owed_seconds(walk.uses)
    assert owed == (found.lost_seconds if found.lost_seconds >= OWED_FROM_SECONDS else 0.0)
    cents = owed_cents(price, SLOT + walk.extended, walk.uses)
    share = price * owed / (SLOT + walk.extended)
    assert 0 <= cents <= price
    assert cents == price or abs(cents - share) <= 0.5
    assert cents == 0 or owed, "nothing is paid back for nothing"


def test_nothing_is_owed_of_what_nobody_has_told_yet():
    lost = Use(granted_seconds=SLOT, delivered_seconds=None, end_reason=EndReason.UNKNOWN)
    assert owed_seconds([lost]) == 0.0
    assert not given_of([lost]).is_known
    told = replace(lost, delivered_seconds=1200.0, end_reason=EndReason.POWER_LOSS)
    assert owed_seconds([told]) == pytest.approx(600.0)


def test_what_went_wrong_before_he_left_is_owed_to_one_who_left():
    left = Use(
        granted_seconds=SLOT,
        delivered_seconds=600.0,
        end_reason=EndReason.CUSTOMER_ENDED,
        lost_seconds=30.0,
    )
    assert owed_seconds([left]) == pytest.approx(30.0)
    assert owed_seconds([replace(left, remaining_seconds=1150.0)]) == pytest.approx(50.0)
    assert owed_cents(1500, SLOT, [replace(left, delivered_seconds=0.0)]) == 25


def beat(number: int, delivered: float, lost: float = 0.0) -> Heartbeat:
    return Heartbeat(number=number, at=0, delivered_seconds=delivered, lost_seconds=lost)


@pytest.mark.parametrize(
    ("before", "heard", "missed"),
    [
        (None, beat(1, 3), 0),
        (None, beat(1, 60), 0),
        (beat(1, 3), beat(2, 63), 0),
        (beat(1, 3), beat(2, 123), 0),
        (beat(1, 3), beat(2, 183), 2),
        (beat(1, 3), beat(31, 1803), 0),
        (beat(1, 3), beat(2, 63, lost=120), 2),
        (None, beat(1, 600), 9),
    ],
    ids=[
        "the first comes at any time",
        "or a minute later",
        "each minute",
        "one left out may be late",
        "two left out are a gap",
        "the newest of thirty stands for all of them",
        "time that was lost is time all the same",
        "from the beginning on",
    ],
)
def test_two_heartbeats_that_were_left_out_are_a_gap(before, heard, missed):
    assert missed_heartbeats(before, heard) == missed

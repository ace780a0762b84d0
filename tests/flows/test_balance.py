"""Whatever happens to a session, every second of it is accounted for once (promise 6)."""

from __future__ import annotations

import random

import pytest

from cloud_controller.flows import sessions
from common.rules.sessions import CLOCK_TOLERANCE_SECONDS, OWED_FROM_SECONDS, EndReason
from edge_agent.flows import sessions as running
from tests.fakes.house import SLOT_SECONDS, HouseInHand
from tests.flows.test_proof import Use, begun

ENGINES = ["sqlite", "postgres"]

PRICE_CENTS = 1500


@pytest.mark.parametrize("seed", range(6))
def test_c6_whatever_happens_granted_is_delivered_and_remaining_and_compensated(house, seed):
    """Promise 6, for random histories with losses, lines that are down and late reports."""
    terminal = house.confirmed("vr")
    use = begun(house, terminal)
    dice = random.Random(seed)
    line_is_up = True
    for _ in range(dice.randrange(3, 12)):
        match dice.choice(["play", "play", "play", "lose", "line", "warn"]):
            case "play":
                use.play(dice.choice([1.0, 45.5, 60.0, 240.25]))
                use.beat()
            case "lose":
                use.lose(dice.choice([0.4, 2.0, 31.5]))
            case "warn":
                terminal.do(running.note_warned, use.session, use.remaining)
            case "line":
                line_is_up = not line_is_up
            case other:
                pytest.fail(other)
        if line_is_up:
            house.tell_all(terminal)
        balanced_so_far(house, use)
    ending = dice.choice(["time_up", "customer_ended", "staff_ended", "power_loss"])
    use.end(EndReason(ending))
    if line_is_up:
        house.tell_all(terminal)
    house.clock.move(SLOT_SECONDS + CLOCK_TOLERANCE_SECONDS)
    house.books.do(sessions.presume_stopped)
    balanced_so_far(house, use)
    house.tell_all(terminal)
    balanced(house, use)


def balanced_so_far(house: HouseInHand, use: Use) -> None:
    """Check that nothing is paid back before it is known, and never what was delivered."""
    paid = sum(row["seconds"] for row in house.books.rows("compensations"))
    is_known = house.books.one("sessions")["delivered_seconds"] is not None
    assert paid <= (use.granted - use.delivered if is_known else 0.0) + 1e-6


def balanced(house: HouseInHand, use: Use) -> None:
    """Check that every second is accounted for once, and every cent follows from the seconds."""
    rows = house.books.rows("compensations")
    seconds, cents = (sum(row[name] for row in rows) for name in ("seconds", "cents"))
    remaining = use.remaining if use.is_left else 0.0
    off = use.granted - use.delivered - remaining - seconds
    assert abs(off) < OWED_FROM_SECONDS
    assert seconds == 0.0 or abs(off) < 1e-6, "what is owed is owed to the millisecond"
    assert 0 <= cents <= PRICE_CENTS
    assert cents == PRICE_CENTS or abs(cents - PRICE_CENTS * seconds / SLOT_SECONDS) <= 0.5
    moved = [row for row in house.books.rows("entries") if row["kind"] == "compensated"]
    assert len(moved) == len([row for row in rows if row["cents"]])

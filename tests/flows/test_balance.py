"""Whatever happens to a session, every second of it is accounted for once (promise 6)."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest

from cloud_controller.flows import sessions
from common.messages.rights import Right
from common.rules.sessions import CLOCK_TOLERANCE_SECONDS, OWED_FROM_SECONDS, EndReason
from edge_agent.flows import sessions as running
from tests.fakes.house import SLOT_SECONDS, HouseInHand
from tests.flows.audit_kit import found_in
from tests.flows.extension_kit import Playing
from tests.flows.test_proof import Use, begun

ENGINES = ["sqlite", "postgres"]

ENDINGS = ("time_up", "customer_ended", "staff_ended", "power_loss")


@dataclass
class History:
    """A session to which anything may happen, with a line that comes and goes."""

    house: HouseInHand
    use: Use
    dice: random.Random
    line_is_up: bool = True

    def go_on(self) -> None:
        """Let one thing happen, and the controller hear of it where it can."""
        often = (self.play, self.play, self.play)
        rarely = (self.lose, self.warn, self.extend, self.cut, self.fail_in_power)
        self.dice.choice([*often, *rarely])()
        self.hear()

    def hear(self) -> None:
        if self.line_is_up:
            self.house.tell_all(self.use.terminal)

    def play(self) -> None:
        self.use.play(self.dice.choice([1.0, 45.5, 60.0, 240.25]))
        self.use.beat()

    def lose(self) -> None:
        self.use.lose(self.dice.choice([0.4, 2.0, 31.5]))

    def fail_in_power(self) -> None:
        """Let the PC be without power for a while, and the session go on after it."""
        self.use.see(was_interrupted=True, waits=True)
        self.use.lose(self.dice.choice([3.0, 75.0]))
        self.use.see(was_interrupted=True)

    def warn(self) -> None:
        self.use.terminal.do(running.note_warned, self.use.session, self.use.remaining)

    def cut(self) -> None:
        self.line_is_up = not self.line_is_up

    def extend(self) -> None:
        """Let it go on for a slot, if that can still be had and anybody can be asked."""
        if not self.line_is_up:
            return
        self.hear()
        (device,) = self.house.devices_of(self.use.terminal)
        answer = Playing(self.house, self.use.terminal, device, self.use.session).ask()
        if isinstance(answer, Right):
            self.use.granted += answer.document["added_seconds"]

    def end(self) -> None:
        """End it somehow, and let the controller presume what it has not heard."""
        self.use.end(EndReason(self.dice.choice(ENDINGS)))
        self.hear()
        self.house.clock.move(self.use.granted + CLOCK_TOLERANCE_SECONDS)
        self.house.books.do(sessions.presume_stopped)


@pytest.mark.parametrize("seed", range(6))
def test_c6_whatever_happens_granted_is_delivered_and_remaining_and_compensated(house, seed):
    """Promise 6: with losses, cuts of the power, extensions, any end, and late reports."""
    use = begun(house, house.confirmed("vr"))
    dice = random.Random(seed)
    history = History(house, use, dice)
    for _ in range(dice.randrange(4, 14)):
        history.go_on()
        balanced_so_far(house, use)
    history.end()
    balanced_so_far(house, use)
    house.tell_all(use.terminal)
    balanced(house, use)
    assert found_in(house) == [], "the audit reckons as the flows do"


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
    claim = house.books.one("reservations")
    booked = ((claim["booked_ends_at"] or claim["ends_at"]) - claim["starts_at"]) / 1000
    price = claim["price_cents"]
    assert booked >= SLOT_SECONDS
    assert 0 <= cents <= price
    assert cents == price or abs(cents - price * seconds / booked) <= 0.5
    moved = [row for row in house.books.rows("entries") if row["kind"] == "compensated"]
    assert len(moved) == len([row for row in rows if row["cents"]])

"""Reservation, payment and ticket under anything at once, against a model in plain words (C2)."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from cloud_controller import bookings
from cloud_controller.flows import payments, reservations
from cloud_controller.ports import NotAllowed, SlotIsTaken
from cloud_controller.storage.sqlite import migrate
from cloud_controller.web.payments import hear
from common.ids import OfferingId
from common.messages.rights import Refused
from common.rules.payments import Method, ProviderSaid, SaidKind
from common.rules.registration import Policy
from common.rules.reservations import RESERVATION, Range
from common.rules.tickets import DenialReason
from tests.fakes.house import SLOT_SECONDS, HouseInHand
from tests.flows.booking_model import LET_GO, Claim, Model, Purse
from tests.flows.money_kit import assert_balanced

EXAMPLES: Final = 100
STEPS: Final = 30
SLOT_MS: Final = SLOT_SECONDS * 1000
HOLD_MS: Final = 600_000
PRICE: Final = 1500
CLAIMS_MAX: Final = 12

SLOTS = st.integers(1, 4)
LENGTHS = st.integers(1, 2)
HOLDERS = st.sampled_from(["", "mika", "yuki"])
PLACES = st.integers(0, CLAIMS_MAX - 1)
REACHED = {str(state) for _, state in RESERVATION.table.items()} | {"held"}


class Store:
    """A house with two booths, made once and begun again from its files for each example."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="rusuban-"))
        self._begun = self._folder / "begun"
        made = self._folder / "books.sqlite"
        migrate(made)
        self.house = HouseInHand(self._folder, made, policy=Policy.AUTOMATIC)
        self.terminal = self.house.confirmed("a", "b")
        self.devices = tuple(self.house.devices_of(self.terminal))
        self.begin_at = -(-self.house.clock.now // SLOT_MS) * SLOT_MS
        self.house.books.copy_to(self._begun)

    def anew(self) -> HouseInHand:
        """Put the books and the clock back to where nothing is booked."""
        self.house.books.put_back(self._begun)
        self.house.clock.now = self.begin_at
        return self.house

    def close(self) -> None:
        self.house.books.close()
        shutil.rmtree(self._folder)


class Bookings(RuleBasedStateMachine):
    """Two booths, customers who change their minds, and a provider that pays whenever it likes."""

    store: Store

    def __init__(self) -> None:
        super().__init__()
        self.house = self.store.anew()
        self.model = Model(devices=self.store.devices)
        self.offering = OfferingId(self.house.books.one("offerings")["offering_id"])
        self.dead_tokens: list[tuple[str, str]] = []
        self.events = 0

    @property
    def now(self) -> int:
        return self.house.clock.now

    @precondition(lambda self: len(self.model.claims) < CLAIMS_MAX)
    @rule(slot=SLOTS, length=LENGTHS, count=LENGTHS, holder=HOLDERS, how=st.sampled_from("hpf"))
    def order(self, slot: int, length: int, count: int, holder: str, how: str) -> None:
        """Order one or two: held (h), to be paid by a provider (p), or settled outside (f)."""
        starts_at = self.store.begin_at + slot * SLOT_MS
        ends_at = starts_at + length * SLOT_MS
        wish = reservations.Wish(
            offering=self.offering, slot=Range(starts_at=starts_at, ends_at=ends_at)
        )
        customer = reservations.Customer(holder=holder)
        provider = Method.STRIPE_CHECKOUT if how == "p" else None
        paying = None if how == "h" else bookings.Paying(provider=provider)
        mine = {claim.reservation for claim in self.model.held_by(holder)}
        self_free = {
            device
            for device in self.model.devices
            if not any(
                claim.device == device
                and claim.reservation not in mine
                and claim.is_live(self.now)
                and claim.overlaps(starts_at, ends_at)
                for claim in self.model.claims.values()
            )
        }
        if starts_at < self.now:
            self._refused(NotAllowed, bookings.place, [wish] * count, customer, paying)
            return
        if len(self_free) < count:
            self._refused(SlotIsTaken, bookings.place, [wish] * count, customer, paying)
            return
        order = str(self.house.books.do(bookings.place, [wish] * count, customer, paying))
        for reservation in mine:
            self.model.claims[reservation].let_go(self.now)
        self.model.holders[order] = holder
        purse = self.model.purses[order] = Purse()
        for row in self.house.books.do(reservations.claims_of, order):
            claim = Claim(
                reservation=row["reservation_id"],
                order=order,
                device=row["device_id"],
                starts_at=starts_at,
                ends_at=ends_at,
                cents=row["price_cents"],
                state="confirmed" if how == "f" else "held",
                hold_ends_at=self.now + HOLD_MS,
                is_charged=how == "p",
            )
            assert claim.device in self_free
            self.model.claims[claim.reservation] = claim
        total = sum(claim.cents for claim in self.model.of(order))
        purse.due = total if how == "p" else 0
        purse.paid = total if how == "f" else 0

    @precondition(lambda self: any(purse.due for purse in self.model.purses.values()))
    @rule(place=PLACES, doubled=st.booleans())
    def pay(self, place: int, *, doubled: bool) -> None:
        """Have the provider's word come, in time or late, once or twice."""
        waiting = [order for order, purse in self.model.purses.items() if purse.due]
        order = waiting[place % len(waiting)]
        (payment,) = [row for row in self.house.books.rows("payments") if row["order_id"] == order]
        self.events += 1
        said = ProviderSaid(
            provider="stripe",
            event_id=f"evt-{self.events}",
            kind=SaidKind.CAME_IN,
            sameness=payment["payment_id"],
            payment=payment["payment_id"],
            ref=f"cs-{payment['payment_id']}",
            intent=f"pi-{payment['payment_id']}",
            cents=payment["due_cents"],
            currency=payment["currency"],
        )
        for claim in self.model.of(order):
            if claim.state == LET_GO:
                claim.state = self._row(claim)["state"]
        for _ in range(1 + doubled):
            self.house.books.do(hear, said)
        self.model.pay(order, self.now)

    @precondition(lambda self: self.model.claims)
    @rule(place=PLACES)
    def confirm(self, place: int) -> None:
        """Confirm what is held, settled outside."""
        order = self._order(place)
        held = [claim for claim in self.model.of(order) if claim.is_live(self.now)]
        held = [claim for claim in held if claim.state == "held"]
        arguments = (self._link_of_order(order), reservations.ANYBODY, bookings.Paying())
        if not held:
            self._refused(NotAllowed, bookings.confirm, *arguments)
            return
        self.house.books.do(bookings.confirm, *arguments)
        purse = self.model.purses[order]
        purse.due = 0
        for claim in self.model.of(order):
            claim.is_charged = claim.is_charged and claim.state in {"confirmed", "no_show"}
        for claim in held:
            claim.state, claim.is_charged = "confirmed", True
            purse.paid += claim.cents

    @precondition(lambda self: self.model.claims)
    @rule(place=PLACES)
    def release(self, place: int) -> None:
        """Let go of what an order holds; what its provider pays all the same goes back."""
        order = self._order(place)
        self.house.books.do(bookings.release, self._link_of_order(order))
        for claim in self.model.of(order):
            if claim.state == "held":
                claim.let_go(self.now)

    @precondition(lambda self: self.model.claims)
    @rule(place=PLACES)
    def give_up(self, place: int) -> None:
        """Give a reservation up: in time its money goes back, and its ticket is dead."""
        claim = self._claim(place)
        link = self._link(claim)
        if claim.state == "held" and not claim.is_live(self.now):
            return  # whether it is cancelled or has expired, only who looked first can say
        may = claim.state == "held" or (claim.state == "confirmed" and claim.starts_at >= self.now)
        if not may:
            self._refused(NotAllowed, bookings.give_up, link)
            return
        self._note_dead(claim)
        self.house.books.do(bookings.give_up, link)
        if claim.state == "confirmed":
            self.model.give_back(claim.order, claim.cents)
        claim.state = "cancelled"

    @precondition(lambda self: self.model.claims)
    @rule(place=PLACES, slot=SLOTS, length=LENGTHS)
    def move(self, place: int, slot: int, length: int) -> None:
        """Move a reservation: it has its old place or the new one, and never neither."""
        claim = self._claim(place)
        starts_at = self.store.begin_at + slot * SLOT_MS
        wanted = Range(starts_at=starts_at, ends_at=starts_at + length * SLOT_MS)
        arguments = (self._link(claim), wanted, None, None)
        if claim.state != "confirmed" or min(claim.starts_at, starts_at) < self.now:
            self._refused(NotAllowed, bookings.move, *arguments)
            return
        free = self.model.free(wanted.starts_at, wanted.ends_at, self.now, but=claim.reservation)
        if not free:
            self._refused(SlotIsTaken, bookings.move, *arguments)
            return
        self._note_dead(claim)
        self.house.books.do(bookings.move, *arguments)
        row = self._row(claim)
        assert row["device_id"] in free
        assert row["device_id"] == claim.device or claim.device not in free
        claim.device, claim.starts_at, claim.ends_at = row["device_id"], starts_at, wanted.ends_at

    @precondition(lambda self: self.model.claims)
    @rule(place=PLACES)
    def transfer(self, place: int) -> None:
        """Give a reservation to somebody else."""
        claim = self._claim(place)
        arguments = (self._link(claim), "yuki@example.org", "ja")
        if claim.state != "confirmed" or claim.starts_at < self.now:
            self._refused(NotAllowed, bookings.give, *arguments)
            return
        self._note_dead(claim)
        self.house.books.do(bookings.give, *arguments)

    @rule(minutes=st.sampled_from([1, 9, 10, 31]))
    def wait(self, minutes: int) -> None:
        """Let time pass."""
        self.house.clock.move(60 * minutes)

    @rule()
    def tidy(self) -> None:
        """Let the timer look; whether it has looked makes no difference to anybody."""
        self.house.books.do(bookings.lapse_what_is_over)
        for claim in self.model.claims.values():
            if claim.state == "held" and not claim.is_live(self.now):
                claim.state = "expired"
            elif claim.state == "confirmed" and claim.ends_at <= self.now:
                claim.state = "no_show"

    @precondition(lambda self: self.dead_tokens)
    @rule(place=PLACES)
    def show_a_dead_ticket(self, place: int) -> None:
        """C4: no ticket is alive after its reservation was given up, moved or given away."""
        token, device = self.dead_tokens[place % len(self.dead_tokens)]
        answer = self.house.scan(self.store.terminal, device, token)
        assert isinstance(answer, Refused)
        assert answer.reason in {DenialReason.REVOKED, DenialReason.CANCELLED}

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        rows = {row["reservation_id"]: row for row in self.house.books.rows("reservations")}
        assert rows.keys() == self.model.claims.keys()
        for claim in self.model.claims.values():
            row = rows[claim.reservation]
            told = (row["device_id"], row["starts_at"], row["ends_at"])
            assert told == (claim.device, claim.starts_at, claim.ends_at)
            assert row["state"] in REACHED
            if claim.state == LET_GO:
                assert row["state"] in {"cancelled", "expired"}
            else:
                assert row["state"] in {claim.state, _looked_at(claim, self.now)}

    @invariant()
    def no_two_that_live_overlap(self) -> None:
        rows = self.house.books.rows("reservations")
        live = [row for row in rows if row["state"] in {"held", "confirmed", "in_use"}]
        live.sort(key=lambda row: (row["device_id"], row["starts_at"]))
        for one, following in itertools.pairwise(live):
            if one["device_id"] == following["device_id"]:
                assert one["blocked_until"] <= following["starts_at"]

    @invariant()
    def a_ticket_lives_as_long_as_its_reservation(self) -> None:
        states = {
            row["reservation_id"]: row["state"] for row in self.house.books.rows("reservations")
        }
        for ticket in self.house.books.rows("tickets"):
            is_alive = states[ticket["reservation_id"]] in {"held", "confirmed"}
            assert (ticket["state"] == "issued") is is_alive

    @invariant()
    def money_is_conserved(self) -> None:
        assert_balanced(self.house)
        for order, purse in self.model.purses.items():
            kept = self.house.books.do(payments.paid_cents, order)
            assert kept == purse.paid - purse.refunded, order
            assert 0 <= purse.refunded <= purse.paid

    def _refused(self, fault: type[Exception], act: Callable[..., Any], *arguments: Any) -> None:
        before = self.house.books.everything()
        try:
            self.house.books.do(act, *arguments)
        except fault:
            assert self.house.books.everything() == before, "a refusal changes nothing"
        else:
            message = f"{act.__name__} should have been refused"
            raise AssertionError(message)

    def _claim(self, place: int) -> Claim:
        claims = list(self.model.claims.values())
        return claims[place % len(claims)]

    def _order(self, place: int) -> str:
        return self._claim(place).order

    def _row(self, claim: Claim) -> dict[str, Any]:
        rows = self.house.books.rows("reservations")
        return next(row for row in rows if row["reservation_id"] == claim.reservation)

    def _link(self, claim: Claim) -> str:
        return str(self._row(claim)["link"])

    def _link_of_order(self, order: str) -> str:
        return str(self.house.books.do(reservations.order_by_id, order)["link"])

    def _note_dead(self, claim: Claim) -> None:
        rows = self.house.books.rows("tickets")
        (token,) = [r["token"] for r in rows if r["reservation_id"] == claim.reservation]
        self.dead_tokens.append((token, claim.device))


def _looked_at(claim: Claim, now: int) -> str:
    """Return the state in which a claim is once somebody has looked at it."""
    if claim.state == "held" and not claim.is_live(now):
        return "expired"
    return "no_show" if claim.state == "confirmed" and claim.ends_at <= now else claim.state


def test_c2_reservation_payment_and_ticket_keep_to_the_model():
    with ExitStack() as stack:
        store = Store()
        stack.callback(store.close)

        class OfThisStore(Bookings):
            pass

        OfThisStore.store = store
        run_state_machine_as_test(
            OfThisStore,
            settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None),
        )

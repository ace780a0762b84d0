"""An order is what one customer asks for at once: held while he decides or pays, or confirmed.

The database sells no slot twice (C2); what is held or confirmed has a ticket each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cloud_controller.flows.reservations import ends, tickets
from cloud_controller.flows.reservations.slots import NOBODY, Fit, Wish, fit
from cloud_controller.ports import NotAllowed, NotFound, Row, SlotIsTaken, Transaction
from common.errors import RusubanError
from common.rules.letters import address_of
from common.rules.reservations import (
    RESERVATION,
    Range,
    ReservationEvent,
    ReservationState,
    blocked,
    is_free,
)

WISHES_MAX: Final = 10
"""Reservations of one order: a party that has a booth each."""

LINK_DIGITS: Final = 32
"""Hex digits of a link: 128 bits, so that it is the capability itself."""

PAID_LATE_OR_NOT: Final = frozenset(
    {ReservationState.HELD, ReservationState.EXPIRED, ReservationState.CANCELLED}
)
"""Where a reservation may stand when the money for it comes in."""


class HoldIsOver(RusubanError):
    """What was held for this order is held no more, and somebody else has it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Customer:
    """Who orders; nothing of it is needed, and nothing else is asked.

    Attributes:
        holder: what a browser or program calls itself: of two that it holds the later counts.
        mail: where letters go; empty: nowhere.
        language: in which.
    """

    holder: str = NOBODY
    mail: str = ""
    language: str = "ja"


ANYBODY: Final = Customer()
"""A customer who says nothing of himself."""


def place(
    books: Transaction, wishes: Sequence[Wish], customer: Customer = ANYBODY, *, is_held: bool
) -> str:
    """Claim every slot that is wished for, or none; return the order's id.

    What is held ends by itself; a customer's earlier hold makes way for this one.

    Raises:
        NotFound: there is no such offering, or a device is not one of its own.
        NotAllowed: something is no slot of its offering, or they are of different stores.
        SlotIsTaken: no device is free at one of the times.
    """
    assert 0 < len(wishes) <= WISHES_MAX
    give_up_holds(books, customer.holder)
    order = store = ""
    for wish in wishes:
        found = _fit_anew(books, wish)
        if not order:
            store = found.offering["store_id"]
            order = _open(books, store, customer)
        elif found.offering["store_id"] != store:
            raise NotAllowed(why="an order is for one store")
        _claim(books, order, wish, found, is_held=is_held)
    return order


def book(books: Transaction, wish: Wish, customer: Customer = ANYBODY) -> str:
    """Claim one slot for good and return its ticket's link.

    Raises:
        NotFound, NotAllowed, SlotIsTaken: as `place` does.
    """
    order = place(books, [wish], customer, is_held=False)
    (row,) = books.reservations.of_order(order_id=order)
    return str(row["link"])


def order_of(books: Transaction, link: str) -> Row:
    """Return an order by its link.

    Raises:
        NotFound: there is no such order.
    """
    row = books.reservations.order_by_link(link=link)
    if row is None:
        raise NotFound(what="order")
    return row


def order_by_id(books: Transaction, order: str) -> Row:
    """Return an order by its id, which is never told."""
    row = books.reservations.order(order_id=order)
    assert row is not None, "it was given by us"
    return row


def address(books: Transaction, order: str, customer: Customer) -> None:
    """Note where letters about an order go from now on."""
    books.reservations.address_order(
        order_id=order, mail=address_of(customer.mail) or "", language=customer.language
    )


def ask_anew(books: Transaction, order: str) -> None:
    """Forget what an order was asked for and has not paid: it is asked for something else now."""
    books.reservations.ask_anew(order_id=order)


def price(books: Transaction, reservation: str, cents: int) -> None:
    """Note what an order is asked for a reservation, in minor units of its currency."""
    books.reservations.price(reservation_id=reservation, price_cents=cents)


def claims_of(books: Transaction, order: str) -> list[Row]:
    """Return the reservations of an order, in the order of the wishes."""
    return list(books.reservations.of_order(order_id=order))


def live_holds(books: Transaction, order: str) -> list[Row]:
    """Return what is held for an order and not over yet."""
    held = (row for row in claims_of(books, order) if row["state"] == ReservationState.HELD)
    return [row for row in held if row["hold_ends_at"] > books.now]


def confirm(books: Transaction, order: str) -> None:
    """Make what is held for an order the customer's own; what is so already stays as it is.

    A hold that is over counts still where nobody else has taken its place since.

    Raises:
        HoldIsOver: somebody has taken one of the slots, or it is cancelled or begins no more.
    """
    for row in claims_of(books, order):
        if row["state"] == ReservationState.CONFIRMED:
            continue
        if not _make_own(books, row):
            raise HoldIsOver


def note_paid(books: Transaction, order: str) -> list[Row]:
    """Confirm what was paid for; return the reservations that came too late to be had.

    Those are paid back by whoever calls this: their slots are somebody else's now, or their
    customer had let go of them when his money came.
    """
    return [
        row
        for row in claims_of(books, order)
        if row["is_charged"] and row["state"] in PAID_LATE_OR_NOT and not _make_own(books, row)
    ]


def give_up_holds(books: Transaction, holder: str) -> None:
    """Let go of whatever a holder holds and has not confirmed."""
    if holder != NOBODY:
        for row in books.reservations.held_by(holder=holder):
            ends.close(books, row, ReservationEvent.CANCEL)


def release(books: Transaction, link: str) -> None:
    """Let go of what an order holds; what is confirmed stays.

    Raises:
        NotFound: there is no such order.
    """
    for row in claims_of(books, order_of(books, link)["order_id"]):
        if row["state"] == ReservationState.HELD:
            ends.close(books, row, ReservationEvent.CANCEL)


def _fit_anew(books: Transaction, wish: Wish) -> Fit:
    """Return how a wish can be had, when what is over by now has been cleared away."""
    try:
        found = fit(books, wish)
    except SlotIsTaken:
        if not ends.clear_offering(books, wish.offering, wish.slot):
            raise
        found = fit(books, wish)
    wanted = blocked(wish.slot, found.terms.turnover_seconds)
    ends.clear(books, found.device["device_id"], wanted)
    return found


def _open(books: Transaction, store: str, customer: Customer) -> str:
    order = books.names.new("b")
    books.reservations.open_order(
        order_id=order,
        store_id=store,
        link=books.names.hex_digits(LINK_DIGITS),
        holder=customer.holder,
        mail=address_of(customer.mail) or "",
        language=customer.language,
        made_at=books.now,
    )
    return order


def _claim(books: Transaction, order: str, wish: Wish, found: Fit, *, is_held: bool) -> None:
    reservation = books.names.new("r")
    row = found.offering
    state = ReservationState.HELD if is_held else ReservationState.CONFIRMED
    books.reservations.book(
        reservation_id=reservation,
        order_id=order,
        store_id=row["store_id"],
        offering_id=row["offering_id"],
        device_id=found.device["device_id"],
        starts_at=wish.slot.starts_at,
        ends_at=wish.slot.ends_at,
        blocked_until=blocked(wish.slot, found.terms.turnover_seconds).ends_at,
        state=state,
        hold_ends_at=books.now + row["hold_seconds"] * 1000 if is_held else None,
        party_size=wish.party_size,
        price_cents=row["price_cents"] if wish.price_cents is None else wish.price_cents,
        currency=row["currency"],
        link=books.names.hex_digits(LINK_DIGITS),
        made_at=books.now,
    )
    tickets.issue(
        books,
        reservation,
        store_number=row["store_number"],
        device_number=0 if wish.device is None else found.device["number"],
        slot=wish.slot,
        rotates=row["rotates_code"] == 1,
    )
    booked = {"device": found.device["device_id"]}
    books.enter(f"reservation.{state.value}", booked, reservation=reservation)


def _make_own(books: Transaction, row: Row) -> bool:
    """Confirm one claim; say whether it could be."""
    before = ReservationState(row["state"])
    is_over = before is ReservationState.EXPIRED or (
        before is ReservationState.HELD and row["hold_ends_at"] <= books.now
    )
    event = ReservationEvent.CONFIRM
    if is_over:
        if row["ends_at"] <= books.now or not _is_still_free(books, row):
            if before is ReservationState.HELD:
                ends.close(books, row, ReservationEvent.LAPSE)
            return False
        if before is ReservationState.EXPIRED:
            event = ReservationEvent.REVIVE
    after = RESERVATION.step(before, event)
    if after is None:
        return False
    reservation = row["reservation_id"]
    books.reservations.confirm(
        reservation_id=reservation, before=before, state=after, changed_at=books.now
    )
    if event is ReservationEvent.REVIVE:
        tickets.reissue(books, reservation)
    books.enter("reservation.confirmed", {"device": row["device_id"]}, reservation=reservation)
    return True


def _is_still_free(books: Transaction, row: Row) -> bool:
    """Say whether the place of a hold that is over is nobody else's."""
    place = Range(starts_at=row["starts_at"], ends_at=row["blocked_until"])
    ends.clear(books, row["device_id"], place, but=row["reservation_id"])
    rows = books.reservations.taken(
        device_id=row["device_id"],
        from_at=place.starts_at,
        to_at=place.ends_at,
        now=books.now,
        instead_of=row["reservation_id"],
        holder=NOBODY,
    )
    others = [Range(starts_at=each["starts_at"], ends_at=each["blocked_until"]) for each in rows]
    return is_free(place, 0, others)

"""An order is claimed, charged, confirmed and written about: all of it, or nothing has happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from cloud_controller.bookings.extensions import grant_paid
from cloud_controller.bookings.letters import write
from cloud_controller.flows import payments, reservations, sessions
from cloud_controller.flows.reservations import Customer, Wish
from cloud_controller.ports import NotAllowed, Row, Transaction
from common.rules.letters import LetterKind
from common.rules.payments import Method, PaymentState, Quote
from common.rules.reservations import ReservationState

PAID_AT_ONCE: Final = frozenset({Method.FREE, Method.VOUCHER})
"""Methods for which nobody has to be waited for."""

EARNED: Final = frozenset(
    {
        ReservationState.CONFIRMED,
        ReservationState.IN_USE,
        ReservationState.COMPLETED,
        ReservationState.NO_SHOW,
    }
)
"""Where a reservation is worth its price; what was not delivered of it is owed apart from that."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Paying:
    """How a customer pays.

    Attributes:
        provider: by whom this controller is paid; None: it is settled outside, and counts as paid.
        method: how the customer wants to; None: as the controller takes it.
        voucher: the code of one; empty: none.
    """

    provider: Method | None = None
    method: Method | None = None
    voucher: str = ""


def place(
    books: Transaction,
    wishes: Sequence[Wish],
    customer: Customer,
    paying: Paying | None,
) -> str:
    """Claim every slot that is wished for and charge for them; return the order's id.

    What costs nothing more is confirmed at once, the rest when it is paid. Without `paying` it is
    only held.

    Raises:
        NotFound, NotAllowed, SlotIsTaken: as `reservations.place` says.
        VoucherIsRefused: nothing is taken off with this code.
    """
    voucher = paying.voucher if paying is not None else ""
    for wish in wishes:
        reservations.terms_of(books, wish.offering, wish.length_seconds)
    quote = payments.quote(books, [_item(wish) for wish in wishes], voucher)
    priced = [
        replace(wish, price_cents=line.due_cents)
        for wish, line in zip(wishes, quote.lines, strict=True)
    ]
    method = None if paying is None else _method(quote, paying)
    is_paid_at_once = method in PAID_AT_ONCE
    order = reservations.place(books, priced, customer, is_held=not is_paid_at_once)
    if is_paid_at_once and method is not None:
        payments.charge(books, order, quote, method)
        write(books, LetterKind.CONFIRMED, order)
    elif method is not None:
        for row in reservations.claims_of(books, order):
            reservations.price(books, row["reservation_id"], row["price_cents"])
        _ask_for(books, order, quote, method)
    return order


def confirm(books: Transaction, link: str, customer: Customer, paying: Paying) -> str:
    """Charge for what an order holds; return its id. What costs nothing more is confirmed at once.

    Raises:
        NotFound: there is no such order.
        NotAllowed: nothing of it is held any more.
        VoucherIsRefused: nothing is taken off with this code.
    """
    order = reservations.order_of(books, link)["order_id"]
    held = reservations.live_holds(books, order)
    if not held:
        raise NotAllowed(why="nothing is held for this order any more")
    quote = payments.quote(books, [_item_of_row(row) for row in held], paying.voucher)
    reservations.ask_anew(books, order)
    for row, line in zip(held, quote.lines, strict=True):
        reservations.price(books, row["reservation_id"], line.due_cents)
    if customer.mail:
        reservations.address(books, order, customer)
    _ask_for(books, order, quote, _method(quote, paying))
    return str(order)


def release(books: Transaction, link: str) -> str:
    """Let go of what an order holds, and of what was to be paid for it; return its id.

    Raises:
        NotFound: there is no such order.
    """
    order = reservations.order_of(books, link)["order_id"]
    reservations.release(books, link)
    payments.expire(books, order)
    return str(order)


def note_paid(books: Transaction, order: str) -> None:
    """Confirm what has been paid; what is more than the order comes to is paid back.

    That is what came too late for its place, or when its customer had let go of it, or twice. What
    was paid so that a session goes on makes it go on, or comes back in the same way.
    """
    is_for_more = grant_paid(books, order)
    too_late = [] if is_for_more else reservations.note_paid(books, order)
    rows = reservations.claims_of(books, order)
    earned = sum(
        row["price_cents"] - sessions.compensated_cents(books, row["reservation_id"])
        for row in rows
        if row["state"] in EARNED
    )
    excess = payments.paid_cents(books, order) - earned
    if excess > 0:
        about = too_late[0]["reservation_id"] if too_late else None
        cents = payments.refund(books, order, about, excess, "paid for what could not be had")
        write(books, LetterKind.REFUNDED, order, about, {"cents": cents})
    if not is_for_more and any(row["state"] == ReservationState.CONFIRMED for row in rows):
        write(books, LetterKind.CONFIRMED, order)


def _ask_for(books: Transaction, order: str, quote: Quote, method: Method) -> None:
    """Charge for what is held; what is paid at once is confirmed at once."""
    ends_at = min(row["hold_ends_at"] for row in reservations.live_holds(books, order))
    charge = payments.charge(books, order, quote, method, expires_at=ends_at)
    if charge.state is PaymentState.PAID:
        note_paid(books, order)


def _method(quote: Quote, paying: Paying) -> Method:
    """Return how an order is paid: where there is a provider, what costs anything is paid there.

    Raises:
        NotAllowed: this controller does not take what is wanted.
    """
    if quote.total_cents == 0:
        return Method.FREE if quote.voucher is None else Method.VOUCHER
    taken = paying.provider or Method.FREE
    if paying.method not in {None, taken}:
        raise NotAllowed(why=f"what is due is paid by {taken}")
    return taken


def _item(wish: Wish) -> payments.Item:
    return payments.Item(
        offering_id=wish.offering,
        starts_at=wish.slot.starts_at,
        ends_at=wish.slot.ends_at,
        party_size=wish.party_size,
    )


def _item_of_row(row: Row) -> payments.Item:
    return payments.Item(
        offering_id=row["offering_id"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        party_size=row["party_size"],
    )

"""A reservation is moved, given to somebody else or given up, and its money goes with it."""

from __future__ import annotations

from cloud_controller.bookings.letters import write
from cloud_controller.flows import help as calls, letters, payments, reservations, rights
from cloud_controller.ports import NotAllowed, Row, Transaction
from common.rules.letters import LetterKind
from common.rules.payments import Method, Quote
from common.rules.reservations import Range, ReservationState
from common.rules.tickets import RecallWhy


def move(
    books: Transaction, link: str, slot: Range, device: str | None, provider: Method | None
) -> None:
    """Move a reservation to another slot; a difference in price is settled with it.

    Raises:
        NotAllowed: it costs more than was paid, and `provider` is paid elsewhere.
        NotFound, NotAllowed, SlotIsTaken, TicketIsHeld: as `reservations.reschedule` says.
    """
    known = reservations.ticket(books, link)
    reservations.reschedule(books, link, slot, device)
    if known["order_id"] is not None:
        _settle_price(books, known, slot, provider)
    facts = {"was_starts_at": known["starts_at"]}
    write(books, LetterKind.CHANGED, known["order_id"], known["reservation_id"], facts)


def more_cents(books: Transaction, known: Row, slot: Range) -> int:
    """Return what a slot costs more than a reservation has cost; below nought is paid back.

    Where both cost the same today nothing is settled, so that what a voucher took off stays off.
    """
    here = Range(starts_at=known["starts_at"], ends_at=known["ends_at"])
    now, then = (_quote(books, known, each).total_cents for each in (here, slot))
    if then > now:
        return int(then - known["price_cents"])
    paid = int(known["price_cents"])
    return paid * then // now - paid if now else 0


def give(books: Transaction, link: str, mail: str, language: str) -> str:
    """Give a reservation to somebody else and return its new link, which is sent to his address.

    Raises:
        NotFound, NotAllowed, TicketIsHeld: as `reservations.transfer` says.
    """
    known = reservations.ticket(books, link)
    write(books, LetterKind.GIVEN_AWAY, known["order_id"], known["reservation_id"])
    new_link = reservations.transfer(books, link)
    calls.give_away(books, known["reservation_id"])
    letters.queue(
        books,
        LetterKind.TRANSFERRED,
        to=mail,
        language=language,
        order=known["order_id"],
        reservation=known["reservation_id"],
    )
    return new_link


def give_up(books: Transaction, link: str, *, by_customer: bool = True) -> None:
    """Give a reservation up, and what was paid for it back.

    Where a terminal alone may redeem its ticket, that is asked for it: it counts when it is given
    back, and `ends.lapse_what_is_over` pays then.

    Raises:
        NotFound: there is no such ticket.
        NotAllowed: it has been used or given up already, or it begins too soon.
    """
    known = reservations.ticket(books, link)
    held = reservations.cancel(books, link, by_customer=by_customer)
    if held is not None:
        rights.recall(books, held, RecallWhy.CANCEL)
        return
    is_paid = known["state"] == ReservationState.CONFIRMED
    pay_back(books, known, known["price_cents"] if is_paid else 0)


def pay_back(books: Transaction, row: Row, most: int) -> None:
    """Give back what was paid for a reservation that was given up, at most so much; write so."""
    order, reservation = row["order_id"], row["reservation_id"]
    if order is None:
        return
    cents = payments.refund(books, order, reservation, most, "given up")
    facts = {"cents": cents, "currency": row["currency"]} if cents else None
    write(books, LetterKind.CANCELLED, order, reservation, facts)


def ask_back(books: Transaction, link: str) -> None:
    """Ask the terminal that alone may redeem a ticket for it, since it is to be changed."""
    rights.recall(books, reservations.ticket(books, link)["ticket_id"], RecallWhy.ELSEWHERE)


def _settle_price(books: Transaction, known: Row, slot: Range, provider: Method | None) -> None:
    order, reservation = known["order_id"], known["reservation_id"]
    more = more_cents(books, known, slot)
    if more == 0:
        return
    if more > 0 and provider is not None:
        raise NotAllowed(why="that time costs more: give this one up and book that")
    reservations.price(books, reservation, known["price_cents"] + more)
    if more < 0:
        payments.refund(books, order, reservation, -more, "moved to a cheaper time")
    else:
        payments.refund(books, order, reservation, known["price_cents"], "moved")
        payments.charge(books, order, _quote(books, known, slot), Method.FREE)


def _quote(books: Transaction, known: Row, slot: Range) -> Quote:
    item = payments.Item(
        offering_id=known["offering_id"],
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        party_size=known["party_size"],
    )
    return payments.quote(books, [item])

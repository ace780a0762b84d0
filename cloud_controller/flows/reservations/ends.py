"""How a claim ends before it is used: given up, expired, or nobody came."""

from __future__ import annotations

from typing import Final

from cloud_controller.flows.reservations import tickets
from cloud_controller.ports import NotAllowed, Row, Transaction
from common.rules.reservations import (
    RESERVATION,
    Range,
    ReservationEvent,
    ReservationState,
    is_in_time,
)
from common.rules.tickets import TICKET, TicketEvent, TicketState

LAPSE_BATCH_MAX: Final = 1_000
"""Claims that lapse in one transaction: as many as one peer may make between two."""


def cancel(books: Transaction, link: str, *, by_customer: bool = False) -> str | None:
    """Give a claim up: its slot is free at once and its ticket opens nothing any more.

    Returns the ticket's id where a terminal alone may redeem it: then giving it up counts when that
    terminal has given it back, and whoever calls this has it recalled.

    Raises:
        NotFound: there is no such ticket.
        NotAllowed: it has been used or given up already, or the customer comes too late for it.
    """
    known = tickets.ticket(books, link)
    claim_after = RESERVATION.step(ReservationState(known["state"]), ReservationEvent.CANCEL)
    ticket_after = TICKET.step(TicketState(known["ticket_state"]), TicketEvent.CANCEL)
    if claim_after is None or ticket_after is None:
        raise NotAllowed(why="this reservation is in use, over or cancelled")
    is_late = not is_in_time(known["cancel_seconds"], known["starts_at"], books.now)
    if by_customer and is_late and known["state"] == ReservationState.CONFIRMED:
        raise NotAllowed(why="it begins too soon to be given up")
    if known["is_held"]:
        books.reservations.ask_to_cancel(link=link, asked_at=books.now)
        books.enter("cancellation.asked", {}, reservation=known["reservation_id"])
        return str(known["ticket_id"])
    close(books, known, ReservationEvent.CANCEL)
    return None


def close(books: Transaction, row: Row, event: ReservationEvent) -> None:
    """End a claim that is held or confirmed, and its ticket with it."""
    before = ReservationState(row["state"])
    after = RESERVATION.step(before, event)
    assert after is not None, "whoever closes it has looked"
    reservation = row["reservation_id"]
    books.reservations.close(
        reservation_id=reservation, before=before, state=after, changed_at=books.now
    )
    tickets.void(books, reservation)
    books.enter(f"reservation.{after.value}", {}, reservation=reservation)


def clear(books: Transaction, device: str, place: Range, *, but: str = "") -> None:
    """End what is over by now and still blocks a device: holds and those who did not come.

    Looked at here, whenever somebody wants the place, so that no timer is waited for.
    """
    overdue = books.reservations.over_on(
        device_id=device, from_at=place.starts_at, to_at=place.ends_at, now=books.now
    )
    _lapse_each(books, [row for row in overdue if row["reservation_id"] != but])


def clear_offering(books: Transaction, offering: str, place: Range) -> bool:
    """End what is over by now on any device of an offering; say whether there was anything."""
    overdue = books.reservations.over_on_offering(
        offering_id=offering, from_at=place.starts_at, to_at=place.ends_at, now=books.now
    )
    return bool(_lapse_each(books, overdue))


def lapse(books: Transaction) -> list[Row]:
    """End holds and claims whose time is over and whose ticket never came; return them."""
    overdue = books.reservations.overdue(now=books.now, most=LAPSE_BATCH_MAX)
    return _lapse_each(books, list(overdue))


def given_up(books: Transaction) -> list[Row]:
    """Return, once, what was given up while a terminal held its ticket and counts by now."""
    return list(books.reservations.given_up(most=LAPSE_BATCH_MAX))


def forget_answers(books: Transaction, kept_seconds: int) -> None:
    """Drop the answers to idempotent calls that nobody repeats any more, and dead revocations."""
    books.reservations.forget_answers(before=books.now - kept_seconds * 1000)
    books.reservations.forget_revocations(before=books.now)


def _lapse_each(books: Transaction, overdue: list[Row]) -> list[Row]:
    for row in overdue:
        close(books, row, ReservationEvent.LAPSE)
    return overdue

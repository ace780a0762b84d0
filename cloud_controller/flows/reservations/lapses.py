"""What time alone does to claims, and to answers that nobody asks for again."""

from __future__ import annotations

from typing import Final

from cloud_controller.ports import Transaction

LAPSE_BATCH_MAX: Final = 200
"""Claims that lapse in one transaction, so that it stays short."""


def lapse(books: Transaction) -> int:
    """Mark claims whose time is over and whose ticket never came; return how many."""
    overdue = books.reservations.overdue(now=books.now, most=LAPSE_BATCH_MAX)
    for row in overdue:
        reservation = row["reservation_id"]
        books.reservations.lapse(reservation_id=reservation, changed_at=books.now)
        books.reservations.void_ticket(reservation_id=reservation)
        books.enter("reservation.no_show", {}, reservation=reservation)
    return len(overdue)


def forget_answers(books: Transaction, kept_seconds: int) -> None:
    """Drop the answers to idempotent calls that nobody repeats any more."""
    books.reservations.forget_answers(before=books.now - kept_seconds * 1000)

"""What another controller answers about its tickets, and what that makes of the scan that waits."""

from __future__ import annotations

from cloud_controller.flows.rights import borrowing
from cloud_controller.flows.rights.entrance import take_answered
from cloud_controller.flows.rights.exchange import take, take_refused
from cloud_controller.ports import Transaction
from common.messages.reservations import DenialTold, KeyTold, TicketFound
from common.rules.tickets import (
    BorrowingEvent,
    BorrowingState,
    DenialReason,
)


def hear_use(books: Transaction, ticket: str, claim: int, found: TicketFound | None) -> None:
    """Take the answer to a question for a ticket, and answer the terminal that waits for it.

    None: there was no answer. Then the customer is told to try again, and since nobody knows what
    the other side has made of it, the ticket goes back.
    """
    row = books.lending.borrowed(ticket_id=ticket)
    if row is None or (row["claim"], row["state"]) != (claim, BorrowingState.ASKED):
        return
    told: DenialTold | None
    if found is None:
        told = DenialTold(reason=DenialReason.BUSY_TRY_AGAIN)
        borrowing.begin_return(books, row, BorrowingEvent.RETURN)
    elif found.ticket is None or found.denied is not None:
        told = _known(found.denied)
        borrowing.begin_return(books, row, BorrowingEvent.DENY)
    else:
        reason = borrowing.keep_lent(books, row, found.ticket)
        told = DenialTold(reason=reason) if reason is not None else None
    waiting = borrowing.waiting_for(row)
    if told is not None:
        take_refused(books, waiting, told)
        return
    take(books, waiting)
    borrowing.return_unused(books)


def hear_shown(books: Transaction, scan: str, found: TicketFound | None) -> None:
    """Take the answer to what an entrance has read, and tell it, or the device it is for."""
    row = books.lending.shown_by(scan_id=scan)
    if row is None:
        return
    books.lending.forget_shown(scan_id=scan)
    ticket = None if found is None else found.ticket
    denied = None if found is None else found.denied
    told = None if ticket is not None and denied is None else _known(denied)
    device = None if ticket is None else ticket.device
    take_answered(books, borrowing.report_of(row), told, device)


def keep_keys(books: Transaction, keys: tuple[KeyTold, ...]) -> None:
    """Remember by which keys the tickets are signed that are sold for us."""
    for key in keys:
        books.lending.keep_server_key(key_id=key.key_id, public_key=key.public_key)


def _known(told: DenialTold | None) -> DenialTold:
    """Return a denial whose reason we know; any other is none that a customer could act on."""
    if told is None or told.reason not in set(DenialReason):
        return DenialTold(reason=DenialReason.BUSY_TRY_AGAIN)
    return told

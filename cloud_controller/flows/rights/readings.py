"""What was read, as the books know it, and what is entered of a reading that opens nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloud_controller.flows.rights.borrowing import has_vouched_for, is_of_our_server
from cloud_controller.flows.rights.codes import token_of
from cloud_controller.ports import Transaction
from common.rules.tickets import (
    Denial,
    DenialReason,
    TicketFacts,
    code_part,
    is_fresh,
    is_the_one_issued,
    short_code_in,
    sight,
)
from common.seals import ReadToken, TicketToken


def read_ticket(
    books: Transaction, text: str, *, scan: str, terminal: str
) -> tuple[TicketToken, TicketFacts | None] | Denial:
    """Return what stands in a ticket of ours and what is known of it, or why it is none.

    A short code stands for the ticket that it was issued with. `scan` is the reading, `terminal`
    whose it is.
    """
    code = short_code_in(text)
    if code is not None:
        found = token_of(books, code, scan=scan, terminal=terminal)
        if isinstance(found, Denial):
            return found
        text = found
    read = sight(text)
    if isinstance(read, Denial):
        return read
    ticket = books.rights.ticket(ticket_id=read.token.ticket)
    is_issued = is_the_one_issued(text, ticket) and books.keys.is_live(read.token.key_id)
    is_ours = is_issued or books.keys.have_signed(read)
    if not is_ours and not is_of_our_server(books, read):
        return Denial(reason=DenialReason.BAD_SIGNATURE)
    if read.token.rotates and not _is_shown_now(books, text, read, ticket):
        return Denial(reason=DenialReason.REVOKED)
    return read.token, ticket


def has_fresh_code(books: Transaction, text: str, token: TicketToken) -> bool:
    """Say whether a text shows the code that its token, which we have signed, asks for now."""
    key = books.keys.code_key(token.ticket, token.revision)
    return is_fresh(key, code_part(text), books.now)


def _is_shown_now(
    books: Transaction, text: str, read: ReadToken, ticket: TicketFacts | None
) -> bool:
    """Say whether whoever signed a token finds its code fresh; only he can."""
    if books.keys.have_signed(read):
        return has_fresh_code(books, text, read.token)
    return has_vouched_for(books, text, ticket)


def enter_denial(
    books: Transaction, terminal: str, ticket_id: str | None, facts: Mapping[str, Any]
) -> None:
    """Add a line to the ledger: this terminal's reading opened nothing."""
    known = books.rights.ticket(ticket_id=ticket_id) if ticket_id else None
    reservation = known.reservation if known else None
    books.enter("scan.denied", facts, terminal=terminal, reservation=reservation)

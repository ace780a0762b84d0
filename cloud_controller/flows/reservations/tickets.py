"""The ticket of a reservation: issued, issued anew after a change, and dead when it is revoked."""

from __future__ import annotations

from typing import Final

from cloud_controller.ports import NotFound, Row, Transaction
from common.rules.reservations import Range
from common.rules.tickets import TICKET, TicketEvent, TicketState, new_short_code
from common.seals import TicketToken, read_token

TICKET_DIGITS: Final = 16
"""Hex digits of a ticket's id: the token's eight bytes."""

REVISIONS_MAX: Final = 255
"""What the token's one byte can count: a ticket is changed no more often."""


def issue(
    books: Transaction, reservation: str, *, store_number: int, device_number: int, slot: Range
) -> None:
    """Issue the ticket of a new reservation; device number 0 opens any device of the offering."""
    token = TicketToken(
        key_id=books.keys.key_id,
        store_number=store_number,
        ticket=books.names.hex_digits(TICKET_DIGITS),
        device_number=device_number,
        starts_at=slot.starts_at,
        length_seconds=(slot.ends_at - slot.starts_at) // 1000,
        revision=0,
    )
    books.reservations.issue_ticket(
        ticket_id=token.ticket,
        reservation_id=reservation,
        device_number=token.device_number,
        revision=token.revision,
        token=books.keys.seal_token(token),
        short_code=new_short_code(books.names),
        issued_at=books.now,
    )


def reissue(books: Transaction, reservation: str) -> None:
    """Issue a ticket anew for what its reservation says now; the earlier one opens nothing more."""
    known = books.reservations.to_reissue(reservation_id=reservation)
    assert known["revision"] < REVISIONS_MAX, "whoever changes it has looked"
    after = TICKET.step(TicketState(known["ticket_state"]), TicketEvent.REISSUE)
    assert after is not None, "whoever changes it has looked"
    revoke(books, reservation)
    token = TicketToken(
        key_id=books.keys.key_id,
        store_number=known["store_number"],
        ticket=known["ticket_id"],
        device_number=0 if known["ticket_device_number"] == 0 else known["device_number"],
        starts_at=known["starts_at"],
        length_seconds=(known["ends_at"] - known["starts_at"]) // 1000,
        revision=known["revision"] + 1,
    )
    books.reservations.reissue_ticket(
        ticket_id=token.ticket,
        device_number=token.device_number,
        revision=token.revision,
        token=books.keys.seal_token(token),
        short_code=new_short_code(books.names),
        state=after,
        issued_at=books.now,
    )


def revoke(books: Transaction, reservation: str) -> None:
    """Note that a ticket as it is now is dead, for terminals that check signatures alone.

    Until the end that its token says: its reservation may be at another time by now.
    """
    text = books.reservations.token_to_revoke(reservation_id=reservation)
    if text is None:
        return
    token = read_token(text).token
    dies_at = token.starts_at + token.length_seconds * 1000
    books.reservations.revoke(reservation_id=reservation, dies_at=dies_at, revoked_at=books.now)


def void(books: Transaction, reservation: str) -> None:
    """Have a ticket open nothing any more."""
    revoke(books, reservation)
    books.reservations.void_ticket(reservation_id=reservation)


def ticket(books: Transaction, link: str) -> Row:
    """Return a ticket with its reservation and latest session by its link.

    Raises:
        NotFound: there is no such ticket.
    """
    row = books.reservations.by_link(link=link)
    if row is None:
        raise NotFound(what="ticket")
    return row


def story(books: Transaction, link: str) -> list[Row]:
    """Return the ledger of a ticket's reservation, oldest line first.

    Raises:
        NotFound: there is no such ticket.
    """
    reservation = ticket(books, link)["reservation_id"]
    return list(books.post.ledger_of(reservation_id=reservation))

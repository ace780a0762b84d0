"""The ticket of a reservation: issued, issued anew after a change, and dead when it is revoked."""

from __future__ import annotations

from typing import Final

from cloud_controller.ports import NotFound, Row, Transaction
from common.rules.reservations import Range
from common.rules.tickets import TICKET, TicketEvent, TicketState, code_at, new_short_code
from common.seals import ROTATES, TicketToken, read_token

TICKET_DIGITS: Final = 16
"""Hex digits of a ticket's id: the token's eight bytes."""

REVISIONS_MAX: Final = 255
"""What the token's one byte can count: a ticket is changed no more often."""


def issue(
    books: Transaction,
    reservation: str,
    *,
    store_number: int,
    device_number: int,
    slot: Range,
    rotates: bool,
) -> None:
    """Issue the ticket of a new reservation; device number 0 opens any device of the offering.

    `rotates`: it counts only with the code that its page shows at the time.
    """
    token = TicketToken(
        key_id=books.keys.key_id,
        store_number=store_number,
        ticket=books.names.hex_digits(TICKET_DIGITS),
        device_number=device_number,
        starts_at=slot.starts_at,
        length_seconds=(slot.ends_at - slot.starts_at) // 1000,
        revision=0,
        flags=ROTATES if rotates else 0,
    )
    books.reservations.issue_ticket(
        ticket_id=token.ticket,
        reservation_id=reservation,
        device_number=token.device_number,
        revision=token.revision,
        token=books.keys.seal_token(token),
        short_code=_short_code(books, token),
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
        flags=ROTATES if known["rotates_code"] else 0,
    )
    books.reservations.reissue_ticket(
        ticket_id=token.ticket,
        device_number=token.device_number,
        revision=token.revision,
        token=books.keys.seal_token(token),
        short_code=_short_code(books, token),
        state=after,
        issued_at=books.now,
    )


def text_to_show(books: Transaction, text: str) -> str:
    """Return what a ticket's QR says now: its token, and its code after it where that changes."""
    token = read_token(text).token
    if not token.rotates:
        return text
    return text + code_at(books.keys.code_key(token.ticket, token.revision), books.now)


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


def _short_code(books: Transaction, token: TicketToken) -> str | None:
    """Return a new short code; none where it would be a picture's way around the code's change."""
    return None if token.rotates else new_short_code(books.names)

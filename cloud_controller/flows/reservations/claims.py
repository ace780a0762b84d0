"""A customer books a free slot and gets its ticket; the database sells no slot twice (C2)."""

from __future__ import annotations

from typing import Final

from cloud_controller.flows.reservations.slots import Wish, choose, terms_of
from cloud_controller.ports import NotAllowed, NotFound, Row, Transaction
from common.rules.reservations import (
    RESERVATION,
    ReservationEvent,
    ReservationState,
    SlotTerms,
    blocked,
    is_a_slot,
)
from common.rules.tickets import TICKET, TicketEvent, TicketState
from common.seals import TicketToken

LINK_DIGITS: Final = 32
"""Hex digits of a ticket's link: 128 bits, so that it is the capability itself."""

TICKET_DIGITS: Final = 16
"""Hex digits of a ticket's id: the token's eight bytes."""


def book(books: Transaction, wish: Wish) -> str:
    """Claim a slot and issue its ticket; return the ticket's link.

    Raises:
        NotFound: there is no such offering, or the device is not one of its own.
        NotAllowed: that is no slot of the offering.
        SlotIsTaken: no device is free then.
    """
    length_seconds = (wish.slot.ends_at - wish.slot.starts_at) // 1000
    row, terms = terms_of(books, wish.offering, length_seconds)
    if not is_a_slot(terms, wish.slot, now=books.now):
        raise NotAllowed(why="this time is not one of the offering's slots, or it has passed")
    device = choose(books, row, terms, wish)
    return _claim(books, row, terms, wish, device)


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


def cancel(books: Transaction, link: str) -> str | None:
    """Give a claim up: its slot is free at once and its ticket opens nothing any more.

    Returns the ticket's id where a terminal alone may redeem it: then giving it up counts when that
    terminal has given it back, and whoever calls this has it recalled.

    Raises:
        NotFound: there is no such ticket.
        NotAllowed: it has been used or given up already.
    """
    known = ticket(books, link)
    claim_after = RESERVATION.step(ReservationState(known["state"]), ReservationEvent.CANCEL)
    ticket_after = TICKET.step(TicketState(known["ticket_state"]), TicketEvent.CANCEL)
    if claim_after is None or ticket_after is None:
        raise NotAllowed(why="this reservation is in use, over or cancelled")
    if known["is_held"]:
        books.reservations.ask_to_cancel(link=link, asked_at=books.now)
        books.enter("cancellation.asked", {}, reservation=known["reservation_id"])
        return str(known["ticket_id"])
    reservation = books.reservations.cancel(link=link, changed_at=books.now)
    books.reservations.void_ticket(reservation_id=reservation)
    books.enter("reservation.cancelled", {}, reservation=reservation)
    return None


def _claim(books: Transaction, row: Row, terms: SlotTerms, wish: Wish, device: Row) -> str:
    reservation = books.names.new("r")
    link = books.names.hex_digits(LINK_DIGITS)
    books.reservations.book(
        reservation_id=reservation,
        store_id=row["store_id"],
        offering_id=row["offering_id"],
        device_id=device["device_id"],
        starts_at=wish.slot.starts_at,
        ends_at=wish.slot.ends_at,
        blocked_until=blocked(wish.slot, terms.turnover_seconds).ends_at,
        price_cents=row["price_cents"],
        currency=row["currency"],
        link=link,
        made_at=books.now,
    )
    token = TicketToken(
        key_id=books.keys.key_id,
        store_number=row["store_number"],
        ticket=books.names.hex_digits(TICKET_DIGITS),
        device_number=0 if wish.device is None else device["number"],
        starts_at=wish.slot.starts_at,
        length_seconds=terms.length_seconds,
        revision=0,
    )
    books.reservations.issue_ticket(
        ticket_id=token.ticket,
        reservation_id=reservation,
        device_number=token.device_number,
        revision=token.revision,
        token=books.keys.seal_token(token),
        issued_at=books.now,
    )
    booked = {"device": device["device_id"]}
    books.enter("reservation.confirmed", booked, reservation=reservation)
    return link

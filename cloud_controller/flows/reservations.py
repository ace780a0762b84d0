"""A customer books a free slot and gets its ticket; the database sells no slot twice (C2)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from cloud_controller.ports import NotAllowed, NotFound, Row, SlotIsTaken, Transaction
from common.ids import OfferingId
from common.rules.reservations import (
    RESERVATION,
    Range,
    ReservationEvent,
    ReservationState,
    SlotTerms,
    blocked,
    is_a_slot,
    is_free,
    slots,
)
from common.rules.tickets import TICKET, TicketEvent, TicketState
from common.seals import TicketToken

LINK_DIGITS: Final = 32
"""Hex digits of a ticket's link: 128 bits, so that it is the capability itself."""

TICKET_DIGITS: Final = 16
"""Hex digits of a ticket's id: the token's eight bytes."""

LAPSE_BATCH_MAX: Final = 200
"""Claims that lapse in one transaction, so that it stays short."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What a customer asks for; `device` is None where any device of the offering will do."""

    offering: OfferingId
    slot: Range
    device: str | None = None


def free_slots(
    books: Transaction, offering: OfferingId, length_seconds: int, window: Range
) -> list[dict[str, Any]]:
    """Return the slots of an offering in a window, each with the devices that are free in it.

    Raises:
        NotFound: there is no such offering.
        NotAllowed: it is not sold in that length.
    """
    row, terms = _terms(books, offering, length_seconds)
    devices = list(books.offerings.devices(offering_id=row["offering_id"]))
    reach = blocked(window, terms.turnover_seconds)
    taken = {device["device_id"]: _taken(books, device["device_id"], reach) for device in devices}
    return [
        {"starts_at": slot.starts_at, "ends_at": slot.ends_at, "devices": free}
        for slot in slots(terms, window, now=books.now)
        if (free := _free_in(slot, terms, devices, taken))
    ]


def book(books: Transaction, wish: Wish) -> str:
    """Claim a slot and issue its ticket; return the ticket's link.

    Raises:
        NotFound: there is no such offering, or the device is not one of its own.
        NotAllowed: that is no slot of the offering.
        SlotIsTaken: no device is free then.
    """
    length_seconds = (wish.slot.ends_at - wish.slot.starts_at) // 1000
    row, terms = _terms(books, wish.offering, length_seconds)
    if not is_a_slot(terms, wish.slot, now=books.now):
        raise NotAllowed(why="this time is not one of the offering's slots, or it has passed")
    device = _choose(books, row, terms, wish)
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


def _terms(books: Transaction, offering: str, length_seconds: int) -> tuple[Row, SlotTerms]:
    row = books.offerings.terms(offering_id=offering)
    if row is None:
        raise NotFound(what="offering")
    if length_seconds not in json.loads(row["lengths_seconds"]):
        raise NotAllowed(why="the offering is not sold in this length")
    return row, SlotTerms(
        length_seconds=length_seconds,
        grid_seconds=row["grid_seconds"],
        turnover_seconds=row["turnover_seconds"],
    )


def _taken(books: Transaction, device: str, window: Range) -> list[Range]:
    rows = books.reservations.taken(
        device_id=device, from_at=window.starts_at, to_at=window.ends_at
    )
    return [Range(starts_at=row["starts_at"], ends_at=row["blocked_until"]) for row in rows]


def _free_in(
    slot: Range, terms: SlotTerms, devices: list[Row], taken: dict[str, list[Range]]
) -> list[dict[str, Any]]:
    return [
        {"device": device["device_id"], "number": device["number"], "title": device["title"]}
        for device in devices
        if is_free(slot, terms.turnover_seconds, taken[device["device_id"]])
    ]


def _choose(books: Transaction, row: Row, terms: SlotTerms, wish: Wish) -> Row:
    devices = list(books.offerings.devices(offering_id=row["offering_id"]))
    if wish.device is not None:
        devices = [device for device in devices if device["device_id"] == wish.device]
    if not devices:
        raise NotFound(what="device on offer")
    wanted = blocked(wish.slot, terms.turnover_seconds)
    for device in devices:
        taken = _taken(books, device["device_id"], wanted)
        if is_free(wish.slot, terms.turnover_seconds, taken):
            return device
    raise SlotIsTaken


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

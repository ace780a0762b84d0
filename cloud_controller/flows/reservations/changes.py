"""A claim that is changed: another time or device, or another customer; its place is never lost."""

from __future__ import annotations

from dataclasses import replace

from cloud_controller.flows.reservations import ends, tickets
from cloud_controller.flows.reservations.orders import LINK_DIGITS
from cloud_controller.flows.reservations.slots import Fit, Wish, fit
from cloud_controller.ports import NotAllowed, Row, SlotIsTaken, Transaction
from common.errors import RusubanError
from common.ids import OfferingId
from common.rules.reservations import Range, ReservationState, blocked, is_in_time
from common.rules.tickets import TicketState


class TicketIsHeld(RusubanError):
    """The booth keeps this ticket ready for a time without its line; it has been asked for it."""


def reschedule(books: Transaction, link: str, slot: Range, device: str | None = None) -> None:
    """Move a claim to another slot of its offering, in one change of its range.

    It stays on its device where that is free then, else it takes another; `device` asks for one.

    Raises:
        NotFound: there is no such ticket, or the device is not one of the offering.
        NotAllowed: it is used, over or cancelled, or it begins too soon to be changed, or the slot
            is none of the offering.
        SlotIsTaken: no device is free then; everything is as it was.
        TicketIsHeld: a terminal alone may redeem the ticket; whoever calls this has it recalled.
    """
    known = _changeable(books, link)
    if not is_in_time(known["cancel_seconds"], known["starts_at"], books.now):
        raise NotAllowed(why="it begins too soon to be given up, and so to be moved")
    _move(books, known, slot, device)


def give_device(books: Transaction, link: str, device: str) -> None:
    """Move a claim to another device of its offering at its own time; an operator is never late.

    Raises:
        NotFound: there is no such ticket, or the device is not one of the offering.
        NotAllowed: it is used, over or cancelled.
        SlotIsTaken: the device is not free then; everything is as it was.
        TicketIsHeld: as `reschedule` does.
    """
    known = _changeable(books, link, by_customer=False)
    slot = Range(starts_at=known["starts_at"], ends_at=known["ends_at"])
    _move(books, known, slot, device, is_now=slot.starts_at <= books.now)


def transfer(books: Transaction, link: str) -> str:
    """Give a claim to somebody else: a new link and ticket for him, the old ones are dead at once.

    Returns the new link.

    Raises:
        NotFound, NotAllowed, TicketIsHeld: as `reschedule` does.
    """
    known = _changeable(books, link)
    new_link = books.names.hex_digits(LINK_DIGITS)
    reservation = known["reservation_id"]
    books.reservations.give_link(reservation_id=reservation, link=new_link, changed_at=books.now)
    tickets.reissue(books, reservation)
    books.enter("reservation.transferred", {}, reservation=reservation)
    return new_link


def _changeable(books: Transaction, link: str, *, by_customer: bool = True) -> Row:
    known = tickets.ticket(books, link)
    is_claimed = known["state"] == ReservationState.CONFIRMED
    is_unused = known["ticket_state"] == TicketState.ISSUED and known["cancel_asked_at"] is None
    if not is_claimed or not is_unused:
        raise NotAllowed(why="this reservation is in use, over, cancelled or not paid")
    if by_customer and not is_in_time(known["change_seconds"], known["starts_at"], books.now):
        raise NotAllowed(why="it begins too soon to be changed")
    if known["revision"] >= tickets.REVISIONS_MAX:
        raise NotAllowed(why="it has been changed too often")
    if known["is_held"]:
        raise TicketIsHeld
    return known


def _move(
    books: Transaction, known: Row, slot: Range, device: str | None, *, is_now: bool = False
) -> None:
    wish = Wish(
        offering=OfferingId(known["offering_id"]),
        slot=slot,
        device=device or known["device_id"],
        party_size=known["party_size"],
        is_now=is_now,
    )
    reservation = known["reservation_id"]
    found = _fit_or_another(books, wish, reservation, is_fixed=device is not None)
    place = blocked(slot, found.terms.turnover_seconds)
    ends.clear(books, found.device["device_id"], place, but=reservation)
    books.reservations.move(
        reservation_id=reservation,
        device_id=found.device["device_id"],
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        blocked_until=place.ends_at,
        changed_at=books.now,
    )
    tickets.reissue(books, reservation)
    facts = {
        "device": found.device["device_id"],
        "from": [known["starts_at"], known["ends_at"]],
        "to": [slot.starts_at, slot.ends_at],
    }
    books.enter("reservation.changed", facts, reservation=reservation)


def _fit_or_another(books: Transaction, wish: Wish, reservation: str, *, is_fixed: bool) -> Fit:
    try:
        return fit(books, wish, instead_of=reservation)
    except SlotIsTaken:
        if is_fixed:
            raise
    return fit(books, replace(wish, device=None), instead_of=reservation)

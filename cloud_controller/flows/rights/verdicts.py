"""A ticket at a door, judged by all that the books know, and what there is to say of a no."""

from __future__ import annotations

from typing import Any, Final

from cloud_controller.ports import Row, Transaction
from common.messages.base import NOTHING_IN_PARTICULAR, Particulars
from common.rules.reservations import next_opening, read_hours
from common.rules.tickets import (
    Denial,
    DenialReason,
    DoorFacts,
    Moment,
    TicketFacts,
    why_not,
)
from common.seals import TicketToken

_ANOTHER_WILL_DO: Final = frozenset(
    {
        DenialReason.DEVICE_OUT_OF_ORDER,
        DenialReason.DEVICE_IN_USE,
        DenialReason.DEVICE_IN_TURNOVER,
        DenialReason.RESERVED_FOR_ANOTHER,
    }
)
"""What is in the way at one device and may not be at another one."""


def judge(
    books: Transaction, token: TicketToken, ticket: TicketFacts | None, door: DoorFacts
) -> Denial | None:
    """Say why a ticket whose signature is good does not open a door now, or None: it does."""
    if ticket is None:
        return why_not(token, ticket, door, Moment(now=books.now, store_opens_at=None))
    # One's own device may still be another's while one is early; any other while it is booked.
    is_taken = books.rights.is_taken(
        device_id=door.device,
        reservation_id=ticket.reservation,
        starts_at=min(books.now, ticket.starts_at),
        blocked_until=ticket.blocked_until,
    )
    opens_at = _store_opens_at(ticket, max(books.now, ticket.opens_at))
    moment = Moment(now=books.now, store_opens_at=opens_at, is_taken=bool(is_taken))
    return why_not(token, ticket, door, moment)


def particulars_of(
    books: Transaction,
    denial: Denial,
    token: TicketToken | None,
    ticket: TicketFacts | None,
    door: DoorFacts,
) -> tuple[Particulars, str | None]:
    """Return what there is to say of a denial, and the device to go to, if there is one.

    Of a ticket that is unknown, or not the newest of its reservation, there is nothing: whoever
    holds it may be a stranger.
    """
    if token is None or ticket is None or denial.reason is DenialReason.REVOKED:
        return NOTHING_IN_PARTICULAR, None
    said: dict[str, Any] = {
        "opens_at": denial.opens_at,
        "store_opens_at": denial.store_opens_at,
        "released_at": denial.released_at,
        "pay_by": denial.pay_by,
    }
    device = denial.device
    if denial.reason in _ANOTHER_WILL_DO:
        device = _another(books, token, ticket, door)
    if denial.reason is DenialReason.DEVICE_IN_USE:
        said["opens_at"] = books.sessions.in_use_until(device_id=door.device)
    if denial.reason is DenialReason.EXPIRED:
        said["free_now"] = books.offerings.free_now(offering_id=ticket.offering, now=books.now)
    if denial.reason is DenialReason.WRONG_STORE:
        said["store"] = books.offerings.whereabouts(device_id=ticket.device)["store_title"]
    if device is not None:
        said |= _directions(books.offerings.whereabouts(device_id=device))
    return Particulars(**said), device


def _store_opens_at(ticket: TicketFacts, at: int) -> int | None:
    """Return the first instant from `at` on at which a ticket's store is open."""
    if not ticket.hours:
        return at
    return next_opening(read_hours(ticket.hours), ticket.time_zone, at)


def _another(
    books: Transaction, token: TicketToken, ticket: TicketFacts, door: DoorFacts
) -> str | None:
    """Return another device that this ticket opens now and for all of its slot, or None."""
    is_broken = door.is_out_of_order and door.device == ticket.device
    if token.device_number != 0 and not is_broken and not ticket.device_is_out_of_order:
        return None
    found = books.offerings.free_device(
        offering_id=ticket.offering,
        device_id=door.device,
        reservation_id=ticket.reservation,
        now=books.now,
        free_from=min(books.now, ticket.starts_at),
        blocked_until=ticket.blocked_until,
    )
    return str(found["device_id"]) if found is not None else None


def _directions(row: Row) -> dict[str, Any]:
    return {"to": row["title"], "number": row["number"], "place": row["place"] or None}

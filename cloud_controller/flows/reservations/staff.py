"""An operator's own claim to a device: from now on, of any length, and asking nothing for it."""

from __future__ import annotations

from dataclasses import dataclass

from cloud_controller.flows.reservations import ends, tickets
from cloud_controller.flows.reservations.orders import LINK_DIGITS
from cloud_controller.ports import Row, SlotIsTaken, Transaction
from common.rules.reservations import Range, ReservationState, blocked


@dataclass(frozen=True, kw_only=True, slots=True)
class StaffClaim:
    """What is claimed: a device, for what it is offered as, until when, in whose order if anyone's.

    `device` is a row of it with its store, both with their numbers; `until_at` is in ms.
    """

    device: Row
    until_at: int
    order: str | None = None


def next_claim_at(books: Transaction, device: str, *, but: str = "") -> int | None:
    """Return when a device is claimed next, in ms, as soon as now; what is over is cleared away."""
    ahead = Range(starts_at=books.now, ends_at=books.now + 1)
    ends.clear(books, device, ahead, but=but)
    at = books.reservations.next_claim(device_id=device, from_at=books.now, but=but)
    return None if at is None else int(at)


def claim(books: Transaction, wanted: StaffClaim) -> str:
    """Claim a device from this second on, at no price; return the reservation's id.

    Neither opening hours nor what is kept from sale matter: nothing is sold.

    Raises:
        SlotIsTaken: somebody has claimed it within that time.
    """
    device = wanted.device
    terms = books.offerings.terms(offering_id=device["offering_id"])
    slot = Range(starts_at=books.now // 1000 * 1000, ends_at=wanted.until_at)
    place = blocked(slot, terms["turnover_seconds"])
    ends.clear(books, device["device_id"], place)
    next_at = next_claim_at(books, device["device_id"])
    if next_at is not None and next_at < slot.ends_at:
        raise SlotIsTaken
    reservation = books.names.new("r")
    books.reservations.book(
        reservation_id=reservation,
        order_id=wanted.order,
        store_id=device["store_id"],
        offering_id=device["offering_id"],
        device_id=device["device_id"],
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        blocked_until=place.ends_at if next_at is None else min(place.ends_at, next_at),
        state=ReservationState.CONFIRMED,
        hold_ends_at=None,
        party_size=1,
        price_cents=0,
        currency=terms["currency"],
        link=books.names.hex_digits(LINK_DIGITS),
        made_at=books.now,
    )
    tickets.issue(
        books,
        reservation,
        store_number=device["store_number"],
        device_number=device["number"],
        slot=slot,
        rotates=False,
    )
    told = {"device": device["device_id"]}
    books.enter("reservation.confirmed", told, reservation=reservation)
    return reservation

"""Which slots of an offering are free, and which device one of them would be on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from cloud_controller.ports import NotAllowed, NotFound, Row, SlotIsTaken, Transaction
from common.ids import OfferingId
from common.rules.offerings import seen_since
from common.rules.reservations import (
    Range,
    SlotTerms,
    blocked,
    is_a_slot,
    is_free,
    is_open,
    is_open_throughout,
    slots,
    terms_in,
)

BLACKOUTS_SEEN_MAX: Final = 200
"""Blackouts of a week and a store that are looked at: more than anybody makes."""

NOBODY: Final = ""
"""The holder of whoever does not say who he is: nothing is held for him."""

ANY_DEVICE: Final = ""
"""A query's word for a wish that names no device."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a customer asks for; `device` is None where any device of the offering will do.

    `is_now`: he stands there and begins at once, whatever the grid of slots says. `price_cents` is
    what it costs, where that is not simply the offering's price.
    """

    offering: OfferingId
    slot: Range
    device: str | None = None
    party_size: int = 1
    is_now: bool = False
    price_cents: int | None = None

    @property
    def length_seconds(self) -> int:
        """Return how long it lasts."""
        return (self.slot.ends_at - self.slot.starts_at) // 1000


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A wish that can be had: the offering with its terms, and the device it would be on."""

    offering: Row
    terms: SlotTerms
    device: Row


def free_slots(
    books: Transaction,
    offering: OfferingId,
    length_seconds: int,
    window: Range,
    holder: str = NOBODY,
) -> list[dict[str, Any]]:
    """Return the free slots of an offering in a window, each with the devices that are free in it.

    Raises:
        NotFound, NotAllowed: as `every_slot` does.
    """
    found = every_slot(books, offering, length_seconds, window, holder=holder)
    return [slot for slot in found if slot["devices"]]


def every_slot(
    books: Transaction,
    offering: OfferingId,
    length_seconds: int,
    window: Range,
    *,
    holder: str = NOBODY,
    instead_of: str = "",
) -> list[dict[str, Any]]:
    """Return the slots of an offering in a window, each with the devices that are free in it.

    What `holder` himself holds counts as free, he would take it anew; and so does what the
    reservation `instead_of` has, which would make way. A slot that is kept from sale on every
    device is none.

    Raises:
        NotFound: there is no such offering.
        NotAllowed: it is not sold in that length.
    """
    row, terms = terms_of(books, offering, length_seconds)
    since = _sold_since(books, terms)
    devices = list(books.offerings.devices(offering_id=row["offering_id"], seen_since=since))
    reach = blocked(window, terms.turnover_seconds)
    taken = {
        device["device_id"]: taken_on(
            books, device["device_id"], reach, instead_of=instead_of, holder=holder
        )
        for device in devices
    }
    shut = _shut(books, row["store_id"], window)
    found = []
    for slot in slots(terms, window, now=books.now):
        free = _free_in(slot, terms, devices, taken)
        if free or not _is_shut(slot, devices, shut):
            found.append({"starts_at": slot.starts_at, "ends_at": slot.ends_at, "devices": free})
    return found


def fit(books: Transaction, wish: Wish, *, instead_of: str = "", holder: str = NOBODY) -> Fit:
    """Return how a wish can be had; `instead_of` is the reservation that it would replace.

    Raises:
        NotFound: there is no such offering, or the device is not one of its own.
        NotAllowed: that is no slot of the offering, or too large a party.
        SlotIsTaken: no device is free then.
    """
    row, terms = terms_of(books, wish.offering, wish.length_seconds)
    if wish.party_size > row["party_max"]:
        raise NotAllowed(why=f"at most {row['party_max']} people fit in")
    if not _can_begin(terms, wish, books.now):
        raise NotAllowed(why="this time is not one of the offering's slots, or it has passed")
    device = _choose(books, row, terms, wish, instead_of=instead_of, holder=holder)
    return Fit(offering=row, terms=terms, device=device)


def terms_of(books: Transaction, offering: str, length_seconds: int) -> tuple[Row, SlotTerms]:
    """Return an offering, and how it is cut into slots of this length.

    Raises:
        NotFound: there is no such offering.
        NotAllowed: it is not sold in that length.
    """
    row = books.offerings.terms(offering_id=offering)
    if row is None:
        raise NotFound(what="offering")
    if length_seconds not in json.loads(row["lengths_seconds"]):
        raise NotAllowed(why="the offering is not sold in this length")
    return row, terms_in(row, length_seconds)


def taken_on(
    books: Transaction,
    device: str,
    window: Range,
    *,
    instead_of: str = "",
    holder: str = NOBODY,
) -> list[Range]:
    """Return what blocks a device in a stretch of time, but for one's own."""
    rows = books.reservations.taken(
        device_id=device,
        from_at=window.starts_at,
        to_at=window.ends_at,
        now=books.now,
        instead_of=instead_of,
        holder=holder,
    )
    return [Range(starts_at=row["starts_at"], ends_at=row["blocked_until"]) for row in rows]


def _can_begin(terms: SlotTerms, wish: Wish, now: int) -> bool:
    if wish.is_now:
        is_open = is_open_throughout(terms.hours, terms.time_zone, wish.slot)
        return is_open and wish.slot.starts_at <= now < wish.slot.ends_at
    return is_a_slot(terms, wish.slot, now=now)


def _choose(
    books: Transaction, row: Row, terms: SlotTerms, wish: Wish, *, instead_of: str, holder: str
) -> Row:
    wanted = blocked(wish.slot, terms.turnover_seconds)
    since = _sold_since(books, terms)
    device = books.reservations.free_device(
        offering_id=row["offering_id"],
        device_id=wish.device or ANY_DEVICE,
        seen_since=since,
        at_once=int(wish.is_now),
        from_at=wanted.starts_at,
        to_at=wanted.ends_at,
        now=books.now,
        instead_of=instead_of,
        holder=holder,
    )
    if device is not None:
        return device
    if not books.reservations.is_sold(
        offering_id=row["offering_id"], device_id=wish.device or ANY_DEVICE, seen_since=since
    ):
        raise NotFound(what="device on offer")
    raise SlotIsTaken


def _sold_since(books: Transaction, terms: SlotTerms) -> int:
    """Return since when a terminal that is away must have been here, to be sold all the same."""
    return seen_since(books.now, is_open=is_open(terms.hours, terms.time_zone, books.now))


def _free_in(
    slot: Range, terms: SlotTerms, devices: list[Row], taken: dict[str, list[Range]]
) -> list[dict[str, Any]]:
    return [
        {"device": device["device_id"], "number": device["number"], "title": device["title"]}
        for device in devices
        if is_free(slot, terms.turnover_seconds, taken[device["device_id"]])
    ]


def _shut(books: Transaction, store: str, window: Range) -> list[tuple[str | None, Range]]:
    """Return what is kept from sale in a window: a device, or None for all of them, and when."""
    rows = books.reservations.blackouts(
        store_id=store,
        from_at=window.starts_at,
        to_at=window.ends_at,
        after="",
        most=BLACKOUTS_SEEN_MAX,
    )
    return [
        (row["device_id"], Range(starts_at=row["starts_at"], ends_at=row["ends_at"]))
        for row in rows
    ]


def _is_shut(slot: Range, devices: list[Row], shut: list[tuple[str | None, Range]]) -> bool:
    """Say whether a slot is kept from sale on every device, so that nobody need wait for it."""
    there = {
        device
        for device, when in shut
        if when.starts_at < slot.ends_at and slot.starts_at < when.ends_at
    }
    return None in there or all(device["device_id"] in there for device in devices)

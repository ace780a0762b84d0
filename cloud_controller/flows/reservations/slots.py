"""Which slots of an offering are free, and which device one of them would be on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from cloud_controller.ports import NotAllowed, NotFound, Row, SlotIsTaken, Transaction
from common.ids import OfferingId
from common.rules.reservations import Range, SlotTerms, blocked, is_free, slots


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
    row, terms = terms_of(books, offering, length_seconds)
    devices = list(books.offerings.devices(offering_id=row["offering_id"]))
    reach = blocked(window, terms.turnover_seconds)
    taken = {device["device_id"]: _taken(books, device["device_id"], reach) for device in devices}
    return [
        {"starts_at": slot.starts_at, "ends_at": slot.ends_at, "devices": free}
        for slot in slots(terms, window, now=books.now)
        if (free := _free_in(slot, terms, devices, taken))
    ]


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
    return row, SlotTerms(
        length_seconds=length_seconds,
        grid_seconds=row["grid_seconds"],
        turnover_seconds=row["turnover_seconds"],
    )


def choose(books: Transaction, row: Row, terms: SlotTerms, wish: Wish) -> Row:
    """Return the device that a slot would be on: the one that is wished for, or any that is free.

    Raises:
        NotFound: the device is not one of the offering, or none of it is there.
        SlotIsTaken: no device is free then.
    """
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

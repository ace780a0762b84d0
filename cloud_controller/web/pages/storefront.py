"""What can be had now, and the way from there to a ticket: one tap on a time."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from cloud_controller.ports import NotAllowed, NotFound, SlotIsTaken, Transaction
from cloud_controller.web.faults import STATUS, Alternative
from cloud_controller.web.offerings import (
    LengthSeconds,
    Offering,
    Slot,
    SlotsWanted,
    choices,
    free_slots,
    offering_of,
)
from cloud_controller.web.orders import ReservationWanted, book_as, others
from cloud_controller.web.reservations import book_once
from cloud_controller.web.routes import Call, InstantText, Page
from common.ids import OfferingId

SOONEST_SHOWN: Final = 3
"""Times of an offering on the first page: one row on a phone."""

TIMES_SHOWN: Final = 24
"""Times on the page of one offering; later ones are a page further."""

KEY_DIGITS: Final = 32
"""Hex digits of the key that a form is made with, so that a second tap books nothing more."""

SEE_OTHER: Final = 303


class Notice(StrEnum):
    """Why a time that was tapped could not be had."""

    TAKEN = "taken"
    PASSED = "passed"


class TimesWanted(BaseModel):
    """Which times the page of an offering shows; a link may carry more than we asked for."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    length_seconds: LengthSeconds | None = None
    from_at: InstantText | None = Field(default=None, validation_alias="from")


class BookingForm(ReservationWanted):
    """The form behind each time; `key` was made with it."""

    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Time:
    """A time that one tap books."""

    starts_at: int
    ends_at: int
    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelf:
    """An offering with the times of one length."""

    offering: Offering
    length_seconds: int
    times: tuple[Time, ...]
    later_at: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Front:
    """What the storefront shows at one instant."""

    now: int
    shelves: tuple[Shelf, ...]


async def show_storefront(call: Call[None]) -> Page:
    """Show what can be had now, store by store."""
    front = await call.parts.books.read(_front)
    stores = [
        (title, list(shelves))
        for title, shelves in itertools.groupby(
            front.shelves, key=lambda shelf: shelf.offering.store_title
        )
    ]
    return Page(template="storefront.html", facts={"now": front.now, "stores": stores})


async def show_offering(call: Call[TimesWanted]) -> Page:
    """Show the times of an offering, in the length that was chosen."""
    offering = OfferingId(call.names["offering"])
    shown = await call.parts.books.read(_shown, offering, call.asked)
    return Page(template="offering.html", facts={"shown": shown, "notice": None})


async def book(call: Call[BookingForm]) -> Page | web.Response:
    """Book a time and lead to its ticket; where it cannot be had, offer the nearest that can."""
    wanted, parts = call.asked, call.parts

    def answer(books: Transaction) -> str:
        return book_as(books, wanted, parts)

    try:
        link = await book_once(call, answer)
    except (SlotIsTaken, NotAllowed) as fault:
        notice = Notice.TAKEN if isinstance(fault, SlotIsTaken) else Notice.PASSED
        shown = await parts.books.read(_shown_again, wanted)
        facts = {"shown": shown, "notice": notice}
        return Page(template="offering.html", facts=facts, status=STATUS[SlotIsTaken])
    return web.Response(status=SEE_OTHER, headers={"Location": f"/t/{link}"})


def _front(books: Transaction) -> Front:
    shelves = []
    for row in choices(books):
        offering = offering_of(row)
        wanted = SlotsWanted(length_seconds=offering.lengths_seconds[0])
        shelves.append(_shelf(books, offering, wanted, SOONEST_SHOWN))
    return Front(now=books.now, shelves=tuple(shelves))


def _shown(books: Transaction, offering: OfferingId, wanted: TimesWanted) -> Front:
    known = _offering(books, offering)
    slots = SlotsWanted(
        length_seconds=wanted.length_seconds or known.lengths_seconds[0], from_at=wanted.from_at
    )
    return Front(now=books.now, shelves=(_shelf(books, known, slots, TIMES_SHOWN),))


def _shown_again(books: Transaction, wanted: BookingForm) -> Front:
    known = _offering(books, OfferingId(wanted.offering))
    times = tuple(_time(books, slot) for slot in others(books, wanted))
    shelf = Shelf(offering=known, length_seconds=wanted.length_seconds, times=times, later_at=None)
    return Front(now=books.now, shelves=(shelf,))


def _offering(books: Transaction, wanted: OfferingId) -> Offering:
    for row in choices(books):
        if row["offering_id"] == wanted:
            return offering_of(row)
    raise NotFound(what="offering")


def _shelf(books: Transaction, offering: Offering, wanted: SlotsWanted, most: int) -> Shelf:
    slots = _soonest(books, offering, wanted, most)
    return Shelf(
        offering=offering,
        length_seconds=wanted.length_seconds,
        times=tuple(_time(books, slot) for slot in slots[:most]),
        later_at=slots[most].starts_at if len(slots) > most else None,
    )


def _soonest(
    books: Transaction, offering: Offering, wanted: SlotsWanted, most: int
) -> tuple[Slot, ...]:
    """Return more than `most` slots where there are as many; looks far only where it has to."""
    name = OfferingId(offering.offering)
    starts_at = books.now if wanted.from_at is None else wanted.from_at
    near_seconds = wanted.length_seconds + (most + 2) * offering.grid_seconds
    near = wanted.model_copy(update={"to_at": starts_at + near_seconds * 1000})
    slots = free_slots(books, name, near).slots
    return slots if len(slots) > most else free_slots(books, name, wanted).slots


def _time(books: Transaction, slot: Slot | Alternative) -> Time:
    return Time(
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        key=books.names.hex_digits(KEY_DIGITS),
    )

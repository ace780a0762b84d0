"""The pages on which a ticket's holder moves it to another time, or gives it to somebody else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from cloud_controller import bookings
from cloud_controller.flows import reservations
from cloud_controller.flows.reservations import TicketIsHeld
from cloud_controller.ports import NotAllowed, Row, SlotIsTaken, Transaction
from cloud_controller.web.changes import change
from cloud_controller.web.faults import STATUS
from cloud_controller.web.offerings import Slot, SlotsWanted, every_slot
from cloud_controller.web.orders import Mail
from cloud_controller.web.pages.offering import TIMES_SHOWN, Notice
from cloud_controller.web.pages.steps import Time, lead_to, new_key, time_of
from cloud_controller.web.reservations import Ticket, answer_once, ticket_of
from cloud_controller.web.routes import Call, InstantText, Page, Shape, WebParts
from common.ids import OfferingId
from common.rules.reservations import Range, is_in_time

NEAR: Final = 4
"""Times on each side of one that was taken: they are shown instead of it."""


class TimesWanted(BaseModel):
    """From when on times are shown; a link may carry more than we asked for."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    from_at: InstantText | None = Field(default=None, validation_alias="from")


class MovingForm(Shape):
    """The form behind each time that a reservation can be moved to."""

    starts_at: InstantText
    key: str


class GivingForm(Shape):
    """Who gets it: an address, or nobody yet who could be written to."""

    mail: Mail = ""
    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Changeable:
    """A ticket and whether it may be changed.

    Attributes:
        until_at: the last moment for it.
        is_late: whether that has passed.
        may: whether it can be changed now.
        key: of the page's form.
    """

    ticket: Ticket
    now: int
    until_at: int
    is_late: bool
    may: bool
    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Moving:
    """A ticket with the times that it can be moved to."""

    of: Changeable
    times: tuple[Time, ...]
    later_at: int | None


async def show_reschedule(call: Call[TimesWanted]) -> Page:
    """Show the times that a reservation can be moved to."""
    parts = call.parts
    moving = await parts.books.read(_moving, call.names["link"], call.asked.from_at, call)
    return _times_page(moving)


async def reschedule(call: Call[MovingForm]) -> Page | web.Response:
    """Move a reservation and lead back to its ticket; where it cannot be, show what can."""
    parts, link, asked = call.parts, call.names["link"], call.asked

    def act(books: Transaction) -> str:
        return answer_once(books, call, lambda books: _move(books, link, asked.starts_at, parts))

    try:
        path = await change(parts, link, act)
    except (SlotIsTaken, NotAllowed, TicketIsHeld) as fault:
        moving = await parts.books.read(_moving, link, None, call, near_at=asked.starts_at)
        return _times_page(moving, _notice_of(fault, moving.of))
    return lead_to(path)


async def show_transfer(call: Call[None]) -> Page:
    """Ask to whom a reservation is given."""
    found = await call.parts.books.read(_changeable, call.names["link"], call)
    return Page(template="transfer.html", facts={"of": found, "notice": None})


async def transfer(call: Call[GivingForm]) -> Page:
    """Give a reservation to somebody else and say how he gets it; the old link is dead."""
    parts, link, asked = call.parts, call.names["link"], call.asked

    def act(books: Transaction) -> str:
        return answer_once(books, call, lambda books: _give(books, link, asked.mail, call))

    try:
        told = json.loads(await change(parts, link, act))
    except (NotAllowed, TicketIsHeld) as fault:
        found = await parts.books.read(_changeable, link, call)
        facts = {"of": found, "notice": _notice_of(fault, found)}
        return Page(template="transfer.html", facts=facts, status=STATUS[NotAllowed])
    url = f"{parts.public_url}/t/{told['link']}" if told["link"] else None
    return Page(template="given.html", facts={"mail": asked.mail, "url": url})


def _times_page(moving: Moving, notice: Notice | None = None) -> Page:
    return Page(
        template="reschedule.html",
        facts={"moving": moving, "of": moving.of, "notice": notice},
        status=200 if notice is None else STATUS[SlotIsTaken],
    )


def _notice_of(fault: Exception, found: Changeable) -> Notice:
    """Return why a change could not be made, in what its holder can act on."""
    match fault:
        case SlotIsTaken():
            return Notice.TAKEN
        case TicketIsHeld():
            return Notice.HELD
        case _:
            return Notice.PASSED if found.may else Notice.LATE


def _move(books: Transaction, link: str, starts_at: int, parts: WebParts) -> str:
    known = reservations.ticket(books, link)
    length = known["ends_at"] - known["starts_at"]
    slot = Range(starts_at=starts_at, ends_at=starts_at + length)
    bookings.move(books, link, slot, None, parts.provider)
    return f"/t/{link}"


def _give(books: Transaction, link: str, mail: str, call: Call[GivingForm]) -> str:
    new_link = bookings.give(books, link, mail, call.language.code)
    return json.dumps({"link": "" if mail else new_link})


def _changeable(books: Transaction, link: str, call: Call[Any]) -> Changeable:
    known = reservations.ticket(books, link)
    until_at = known["starts_at"] - known["change_seconds"] * 1000
    is_unused = known["state"] == "confirmed" and known["ticket_state"] == "issued"
    is_late = not is_in_time(known["change_seconds"], known["starts_at"], books.now)
    return Changeable(
        ticket=ticket_of(books, link, call.parts.public_url, call.language.code),
        now=books.now,
        until_at=until_at,
        is_late=is_late,
        may=is_unused and known["cancel_asked_at"] is None and not is_late,
        key=new_key(books),
    )


def _moving(
    books: Transaction,
    link: str,
    from_at: int | None,
    call: Call[Any],
    *,
    near_at: int | None = None,
) -> Moving:
    """Return the times that a reservation can be moved to; `near_at` is one that was taken."""
    found = _changeable(books, link, call)
    if not found.may:
        return Moving(of=found, times=(), later_at=None)
    known = reservations.ticket(books, link)
    length = known["ends_at"] - known["starts_at"]
    if near_at is not None:
        from_at = max(near_at - NEAR * length, books.now)
    slots = [
        (slot, more)
        for slot in _free(books, known, from_at)
        if (more := _more_cents(books, known, slot)) <= 0 or call.parts.provider is None
    ]
    most = TIMES_SHOWN if near_at is None else 2 * NEAR + 1
    return Moving(
        of=found,
        times=tuple(time_of(slot, new_key(books), more_cents=more) for slot, more in slots[:most]),
        later_at=slots[most][0].starts_at if len(slots) > most else None,
    )


def _free(books: Transaction, known: Row, from_at: int | None) -> list[Slot]:
    """Return the slots that are free for a reservation, but for the one that it has."""
    wanted = SlotsWanted(
        length_seconds=(known["ends_at"] - known["starts_at"]) // 1000, from_at=from_at
    )
    try:
        found = every_slot(
            books,
            OfferingId(known["offering_id"]),
            wanted,
            instead_of=known["reservation_id"],
        )
    except NotAllowed:
        return []  # it was extended to a length in which the offering is not sold
    return [slot for slot in found.slots if slot.devices and slot.starts_at != known["starts_at"]]


def _more_cents(books: Transaction, known: Row, slot: Slot) -> int:
    if known["order_id"] is None:
        return 0
    place = Range(starts_at=slot.starts_at, ends_at=slot.ends_at)
    return bookings.more_cents(books, known, place)

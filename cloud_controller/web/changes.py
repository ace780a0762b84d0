"""A ticket's holder moves his reservation or gives it to somebody else, without losing it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from cloud_controller import bookings
from cloud_controller.flows import reservations
from cloud_controller.flows.reservations import TicketIsHeld
from cloud_controller.ports import SlotIsTaken, Transaction
from cloud_controller.web.offerings import LengthSeconds
from cloud_controller.web.orders import Mail, Spoken
from cloud_controller.web.reservations import Ticket, alternatives, ticket_of
from cloud_controller.web.routes import Call, InstantText, Shape, WebParts
from common.ids import OfferingId
from common.messages.base import INSTANT_MAX, Name
from common.rules.reservations import Range

GIVEN_BACK_SECONDS_MAX: Final = 5.0
"""How long a change waits for the booth to give the ticket back; with its line up it takes 0.1."""

LOOK_SECONDS: Final = 0.1

T = TypeVar("T")


class ChangeWanted(Shape):
    """Another time; without a device it stays on its own where that is free then."""

    starts_at: InstantText
    length_seconds: LengthSeconds
    device: Name | None = None


class TransferWanted(Shape):
    """Who gets it; with an address the new ticket is sent there and shown to nobody else."""

    mail: Mail = ""
    language: Spoken = "ja"


class Transferred(Shape):
    """Where the new ticket is, where it was not sent."""

    ticket_url: str | None


async def reschedule(call: Call[ChangeWanted]) -> Ticket:
    """Move a reservation in one step and return its new ticket; the old one opens nothing more."""
    link, parts = call.names["link"], call.parts
    try:
        await change(parts, link, lambda books: _move(books, link, call.asked, parts))
    except SlotIsTaken:
        near = await parts.books.read(_others, link, call.asked)
        raise SlotIsTaken(alternatives=near) from None
    return await parts.books.read(ticket_of, link, parts.public_url)


async def transfer(call: Call[TransferWanted]) -> Transferred:
    """Give a reservation to somebody else; the old link and ticket are dead at once."""
    link, parts = call.names["link"], call.parts
    mail, language = call.asked.mail, call.asked.language
    new_link = await change(parts, link, lambda books: bookings.give(books, link, mail, language))
    url = None if call.asked.mail else f"{parts.public_url}/t/{new_link}"
    return Transferred(ticket_url=url)


async def change(parts: WebParts, link: str, act: Callable[[Transaction], T]) -> T:
    """Make a change; where a terminal alone may redeem the ticket, ask for it and wait for it.

    Raises:
        TicketIsHeld: it does not come: that terminal has no line now.
    """
    waited = 0.0
    while True:
        try:
            return await parts.books.transact(act)
        except TicketIsHeld:
            if waited >= GIVEN_BACK_SECONDS_MAX:
                raise
        if waited == 0.0:
            await parts.books.transact(bookings.ask_back, link)
        await asyncio.sleep(LOOK_SECONDS)
        waited += LOOK_SECONDS


def _move(books: Transaction, link: str, wanted: ChangeWanted, parts: WebParts) -> None:
    bookings.move(books, link, _slot_of(wanted), wanted.device, parts.provider)


def _slot_of(wanted: ChangeWanted) -> Range:
    ends_at = min(wanted.starts_at + wanted.length_seconds * 1000, INSTANT_MAX)
    return Range(starts_at=wanted.starts_at, ends_at=ends_at)


def _others(books: Transaction, link: str, wanted: ChangeWanted) -> tuple[object, ...]:
    known = reservations.ticket(books, link)
    wish = reservations.Wish(
        offering=OfferingId(known["offering_id"]), slot=_slot_of(wanted), device=wanted.device
    )
    return alternatives(books, wish)

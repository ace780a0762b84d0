"""What comes with a ticket: its calendar entry, its print, and how one that is lost is found."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import Field

from cloud_controller.flows import letters
from cloud_controller.ports import NotAllowed, Transaction
from cloud_controller.web import calendar
from cloud_controller.web.language import Language
from cloud_controller.web.offerings import NO_LANGUAGE
from cloud_controller.web.paper import MEDIA_TYPE as PDF, TicketPaper, ticket_pdf
from cloud_controller.web.reservations import Ticket, ticket_of
from cloud_controller.web.routes import Call, Shape
from common.rules.letters import ADDRESS_LENGTH_MAX
from common.seals import read_token

ACCEPTED: Final = 202

_GOOD: Final = frozenset({"issued", "reserved"})


class MailGiven(Shape):
    """The mail address that tickets were booked with."""

    mail: Annotated[str, Field(max_length=ADDRESS_LENGTH_MAX)]


class Looking(Shape):
    """What is answered to whoever looks for a ticket: the same for every address."""

    answer: str = "if something is booked for this address, a letter is on its way"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A ticket with what its page and papers say besides.

    Attributes:
        revision: from 1; raised whenever what it says changes.
        hold_ends_at: until when a reservation that is only held waits for its customer.
        order: the order it belongs to, if to one.
        order_link: the link of that.
    """

    ticket: Ticket
    reservation: str
    revision: int
    short_code: str
    directions: str
    party_size: int
    hold_ends_at: int | None
    order: str | None
    order_link: str | None

    @property
    def rotates(self) -> bool:
        """Say whether its code changes by itself, so that only its page can show it."""
        return read_token(self.ticket.token).token.rotates

    @property
    def is_good(self) -> bool:
        """Say whether the ticket opens its device, now or when its time comes."""
        ticket = self.ticket
        is_awaited = ticket.state == "confirmed" and not ticket.is_being_cancelled
        return is_awaited and ticket.ticket_state in _GOOD


def look(books: Transaction, link: str, public_url: str, language: str = NO_LANGUAGE) -> Shown:
    """Return a ticket with what is shown besides, its offering called as in a language.

    Raises:
        NotFound: there is no such ticket.
    """
    row = letters.besides(books, link)
    return Shown(
        ticket=ticket_of(books, link, public_url, language),
        reservation=row["reservation_id"],
        revision=row["revision"],
        short_code=row["short_code"] or "",
        directions=row["directions"],
        party_size=row["party_size"],
        hold_ends_at=row["hold_ends_at"],
        order=row["order_id"],
        order_link=row["order_link"],
    )


async def show_calendar(call: Call[None]) -> web.Response:
    """Return a ticket as a calendar entry; of one that was given up, its taking back."""
    parts = call.parts
    shown = await parts.books.read(look, call.names["link"], parts.public_url, call.language.code)
    entry = entry_of(shown, call.language, parts.public_url, parts.clock.now_ms())
    method = calendar.method_of(entry)
    return web.Response(
        body=calendar.calendar_of(entry),
        headers={
            "Content-Type": f"{calendar.MEDIA_TYPE}; charset=utf-8; method={method}",
            "Content-Disposition": 'inline; filename="ticket.ics"',
        },
    )


async def show_pdf(call: Call[None]) -> web.Response:
    """Return a ticket to print.

    Raises:
        NotFound: there is no such ticket.
        NotAllowed: it opens nothing, or nothing any more.
    """
    parts = call.parts
    shown = await parts.books.read(look, call.names["link"], parts.public_url, call.language.code)
    if not shown.is_good:
        raise NotAllowed(why="this ticket opens nothing now: there is nothing to print")
    now = parts.clock.now_ms()
    body = await asyncio.to_thread(ticket_pdf, paper_of(shown), call.language, now)
    return web.Response(
        body=body,
        content_type=PDF,
        headers={"Content-Disposition": 'inline; filename="ticket.pdf"'},
    )


async def find(call: Call[MailGiven]) -> Looking:
    """Have the links of what is booked for an address mailed there; always the same answer."""
    await call.parts.books.transact(letters.find_again, call.asked.mail, call.language.code)
    return Looking()


def entry_of(shown: Shown, language: Language, public_url: str, now: int) -> calendar.Entry:
    """Return a ticket as its calendar entry."""
    ticket = shown.ticket
    host = urlsplit(public_url).hostname or "localhost"
    where = language.say("calendar.place", store=ticket.store_title, number=ticket.device.number)
    lines = [
        language.say("calendar.opens", opens=language.time(ticket.opens_at, ticket.time_zone)),
        ticket.ticket_url,
        *([shown.directions] if shown.directions else []),
    ]
    return calendar.Entry(
        uid=f"{shown.reservation}@{host}",
        revision=shown.revision,
        state=ticket.state,
        written_at=now,
        starts_at=ticket.starts_at,
        ends_at=ticket.ends_at,
        title=ticket.offering_title,
        place=where,
        text="\n\n".join(lines),
        url=ticket.ticket_url,
        organizer=f"noreply@{host}",
        organizer_name=ticket.store_title,
    )


def paper_of(shown: Shown) -> TicketPaper:
    """Return a ticket as it is printed."""
    ticket = shown.ticket
    return TicketPaper(
        token=None if shown.rotates else ticket.token,
        short_code=shown.short_code,
        store_title=ticket.store_title,
        time_zone=ticket.time_zone,
        offering_title=ticket.offering_title,
        device_title=ticket.device.title,
        device_number=ticket.device.number,
        starts_at=ticket.starts_at,
        ends_at=ticket.ends_at,
        opens_at=ticket.opens_at,
        price_cents=ticket.price_cents,
        currency=ticket.currency,
        party_size=shown.party_size,
        directions=shown.directions,
        url=ticket.ticket_url,
    )

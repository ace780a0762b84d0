"""A reservation's ticket and its story over HTTP; a call said twice with one key acts once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field

from cloud_controller import bookings
from cloud_controller.flows import reservations, sessions
from cloud_controller.ports import Transaction
from cloud_controller.web.faults import Alternative, IdempotencyKeyReused
from cloud_controller.web.offerings import NO_LANGUAGE, SlotsWanted, free_slots, title_in
from cloud_controller.web.qr import ticket_png, ticket_svg
from cloud_controller.web.routes import API, Call, InstantText, Shape
from common.rules.sessions import LIVE

ALTERNATIVES_MAX: Final = 3
"""Other times that a refusal offers: as many as one reads at a glance."""

ALTERNATIVES_WITHIN: Final = 8
"""How far around the time that was taken they may lie, in its lengths."""

PNG_MODULE_PIXELS: Final = 12
"""588 pixels a side: sharp on any phone, and still a small file."""

CREATED: Final = 201


class DeviceBooked(Shape):
    """The device a ticket is for; `number` is what stands on the booth."""

    device: str
    number: int
    title: str


class SessionSeen(Shape):
    """The use that the ticket has led to."""

    session: str
    state: str
    running_at: InstantText | None
    deadline_at: InstantText | None
    ended_at: InstantText | None
    end_reason: str | None
    delivered_seconds: float | None


class Ticket(Shape):
    """A reservation with its ticket and what has become of it; whoever has the link may use it."""

    link: str
    ticket_url: str
    qr_url: str
    token: Annotated[str, Field(description="what the QR says")]
    state: str
    ticket_state: str
    store: str
    store_title: str
    time_zone: str
    offering: str
    offering_title: str
    device: DeviceBooked
    starts_at: InstantText
    ends_at: InstantText
    opens_at: InstantText
    price_cents: int
    currency: str
    party_size: int
    hold_ends_at: Annotated[
        InstantText | None, Field(description="until when it is held and not yet confirmed")
    ]
    is_being_cancelled: Annotated[
        bool, Field(description="given up, which counts when the booth has confirmed it")
    ]
    compensated_cents: Annotated[
        int, Field(description="of the price, for what was granted and not delivered")
    ]
    session: SessionSeen | None
    remaining_seconds: float | None


class StoryLine(Shape):
    """One line of the ledger."""

    at: InstantText
    type: str
    facts: dict[str, Any]


class Story(Shape):
    """What has happened to a reservation, the oldest line first."""

    lines: tuple[StoryLine, ...]


async def show_ticket(call: Call[None]) -> Ticket:
    """Return a ticket by its link."""
    return await call.parts.books.read(ticket_of, call.names["link"], call.parts.public_url)


async def show_svg(call: Call[None]) -> web.Response:
    """Return a ticket's QR as a drawing."""
    text = await call.parts.books.read(_text_of, call.names["link"])
    return web.Response(text=ticket_svg(text), content_type="image/svg+xml")


async def show_png(call: Call[None]) -> web.Response:
    """Return a ticket's QR as a picture to keep."""
    text = await call.parts.books.read(_text_of, call.names["link"])
    picture = ticket_png(text, module_pixels=PNG_MODULE_PIXELS)
    return web.Response(body=picture, content_type="image/png")


def _text_of(books: Transaction, link: str) -> str:
    return reservations.text_to_show(books, reservations.ticket(books, link)["token"])


async def tell_story(call: Call[None]) -> Story:
    """Return what has happened to a reservation."""
    rows = await call.parts.books.read(reservations.story, call.names["link"])
    return Story(lines=tuple(_line_of(row) for row in rows))


async def cancel(call: Call[None]) -> Ticket:
    """Give a reservation up and return its ticket, which opens nothing any more."""
    return await call.parts.books.transact(_cancel, call.names["link"], call.parts.public_url)


async def end(call: Call[None]) -> Ticket:
    """Have what runs ended because its holder wishes it; return its ticket as it stands then."""
    return await call.parts.books.transact(_end, call.names["link"], call.parts.public_url)


async def book_once(call: Call[Any], answer: Callable[[Transaction], str]) -> str:
    """Return the answer to a booking, kept with it in one transaction and given again for its key.

    A refusal is not kept: nothing has happened, so that asking again asks anew.

    Raises:
        SlotIsTaken: no device is free then.
        IdempotencyKeyReused: the key came with something else before.
    """
    return await call.parts.books.transact(answer_once, call, answer)


def alternatives(books: Transaction, wish: reservations.Wish) -> tuple[Alternative, ...]:
    """Return the free slots nearest to the one that was taken, in the order of the clock."""
    length = wish.slot.ends_at - wish.slot.starts_at
    around = SlotsWanted(
        length_seconds=length // 1000,
        from_at=max(wish.slot.starts_at - ALTERNATIVES_WITHIN * length, books.now),
        to_at=wish.slot.ends_at + ALTERNATIVES_WITHIN * length,
    )
    found = [
        slot
        for slot in free_slots(books, wish.offering, around).slots
        if wish.device is None or wish.device in {device.device for device in slot.devices}
    ]
    nearest = sorted(found, key=lambda slot: abs(slot.starts_at - wish.slot.starts_at))
    near = sorted(nearest[:ALTERNATIVES_MAX], key=lambda slot: slot.starts_at)
    return tuple(Alternative(starts_at=slot.starts_at, ends_at=slot.ends_at) for slot in near)


def ticket_of(
    books: Transaction, link: str, public_url: str, language: str = NO_LANGUAGE
) -> Ticket:
    """Return a ticket as it is answered, its offering called as in a language.

    Raises:
        NotFound: there is no such ticket.
    """
    row = reservations.ticket(books, link)
    return Ticket(
        link=row["link"],
        ticket_url=f"{public_url}/t/{link}",
        qr_url=f"{public_url}{API}/tickets/{link}/qr.svg",
        token=row["token"],
        state=row["state"],
        ticket_state=row["ticket_state"],
        store=row["store_id"],
        store_title=row["store_title"],
        time_zone=row["time_zone"],
        offering=row["offering_id"],
        offering_title=title_in(row, language),
        device=DeviceBooked(
            device=row["device_id"], number=row["device_number"], title=row["device_title"]
        ),
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        opens_at=row["starts_at"] - row["early_seconds"] * 1000,
        price_cents=row["price_cents"],
        currency=row["currency"],
        party_size=row["party_size"],
        hold_ends_at=row["hold_ends_at"] if row["state"] == "held" else None,
        is_being_cancelled=row["state"] == "confirmed" and row["cancel_asked_at"] is not None,
        compensated_cents=row["compensated_cents"],
        session=_session_of(row),
        remaining_seconds=_remaining(row, books.now),
    )


def answer_once(books: Transaction, call: Call[Any], answer: Callable[[Transaction], str]) -> str:
    """Return what was answered to a call's key, or answer it and keep that.

    Raises:
        IdempotencyKeyReused: the key came with something else before.
    """
    given = books.reservations.answer_given(key=call.key, route=call.route)
    if given is not None:
        if given["body_digest"] != call.digest:
            raise IdempotencyKeyReused
        return str(given["body"])
    body = answer(books)
    books.reservations.keep_answer(
        key=call.key,
        route=call.route,
        body_digest=call.digest,
        status=CREATED,
        body=body,
        made_at=books.now,
    )
    return body


def _cancel(books: Transaction, link: str, public_url: str) -> Ticket:
    bookings.give_up(books, link)
    return ticket_of(books, link, public_url)


def _end(books: Transaction, link: str, public_url: str) -> Ticket:
    sessions.end_for_holder(books, link)
    return ticket_of(books, link, public_url)


def _session_of(row: Any) -> SessionSeen | None:  # noqa: ANN401 - a row
    if row["session_id"] is None:
        return None
    return SessionSeen(
        session=row["session_id"],
        state=row["session_state"],
        running_at=row["running_at"],
        deadline_at=row["deadline_at"],
        ended_at=row["ended_at"],
        end_reason=row["end_reason"],
        delivered_seconds=row["delivered_seconds"],
    )


def _remaining(row: Any, now: int) -> float | None:  # noqa: ANN401 - a row
    if row["session_state"] not in LIVE:
        return None
    return max(0.0, (int(row["deadline_at"]) - now) / 1000)


def _line_of(row: Any) -> StoryLine:  # noqa: ANN401 - a row
    return StoryLine(at=row["at"], type=row["type"], facts=json.loads(row["body"]))

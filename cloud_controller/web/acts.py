"""What an operator does to a device from afar, for programs and for the console's forms alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Concatenate, Final, Literal, ParamSpec, TypeVar

from aiohttp import web
from pydantic import Field

from cloud_controller import bookings
from cloud_controller.bookings import By
from cloud_controller.flows import acts
from cloud_controller.flows.acts import Saying
from cloud_controller.flows.reservations import TicketIsHeld
from cloud_controller.ports import Row, Transaction
from cloud_controller.web.faults import InvalidBody
from cloud_controller.web.reservations import CREATED, answer_once
from cloud_controller.web.routes import Call, InstantText, Shape, WebParts
from common.messages.base import Name, ShortText
from common.messages.devices import MESSAGE_TEXT_MAX
from common.rules.acts import (
    MAINTENANCE_SECONDS_MAX,
    MESSAGE_SECONDS,
    MESSAGE_SECONDS_MAX,
    START_SECONDS_MAX,
    START_SECONDS_MIN,
    ActNo,
    Sentence,
)
from common.rules.help import clean_line
from common.rules.sessions import EXTENSION_SECONDS_MAX

T = TypeVar("T")
P = ParamSpec("P")

Reason = Annotated[ShortText, Field(description="why, for the audit")]
Words = Annotated[str, Field(max_length=MESSAGE_TEXT_MAX)]


class StartWanted(Shape):
    """For how long a device is begun for somebody who sits there; he owes us nothing."""

    seconds: Annotated[int, Field(ge=START_SECONDS_MIN, le=START_SECONDS_MAX)]
    reason: Reason = ""


class MaintenanceWanted(Shape):
    """For how long a device is opened that nobody is served on: it is shut again by itself."""

    seconds: Annotated[int, Field(ge=START_SECONDS_MIN, le=MAINTENANCE_SECONDS_MAX)]
    reason: Reason = ""


class GiftWanted(Shape):
    """By how much whoever uses a device goes on; it costs him nothing."""

    seconds: Annotated[int, Field(ge=60, le=EXTENSION_SECONDS_MAX)]
    reason: Reason = ""


class MessageWanted(Shape):
    """What is said to whoever is at a device: a quick sentence, or words of your own."""

    sentence: Sentence | None = None
    text: Annotated[Words, Field(description="where there is no sentence")] = ""
    seconds: Annotated[
        int, Field(ge=5, le=MESSAGE_SECONDS_MAX, description="how long it stays, and is waited for")
    ] = MESSAGE_SECONDS


class ScreenMessage(Shape):
    """What was said: `waiting` until its page has shown it, or it is stale."""

    message: str
    device: str
    operator: str
    sentence: Sentence | None
    text: str
    state: Literal["waiting", "shown", "expired"]
    made_at: InstantText
    expires_at: InstantText
    shown_at: InstantText | None


class ScreenMessages(Shape):
    """The latest messages of a device, the newest first."""

    messages: tuple[ScreenMessage, ...]


class ActWanted(Shape):
    """Why it is done."""

    reason: Reason = ""


class InOrderWanted(Shape):
    """Whether it opens without being made ready first: somebody has seen that it is."""

    skip_turnover: bool = False
    reason: Reason = ""


class MoveWanted(Shape):
    """On which device a reservation is served from now on."""

    device: Name
    reason: Reason = ""


class Begun(Shape):
    """What was begun: the claim that it stands on, and when it ends."""

    device: str
    reservation: str
    ends_at: InstantText


class Stopped(Shape):
    """The session that was told to stop; it is over when its terminal has said so."""

    device: str
    session: str


class Extended(Shape):
    """When the session ends now."""

    device: str
    ends_at: InstantText


class OrderNow(Shape):
    """Whether a device is kept from being used."""

    device: str
    out_of_order: bool


class Moved(Shape):
    """Where a reservation is served; what is in use begins there before it stops here."""

    reservation: str
    device: str


async def start_device(call: Call[StartWanted]) -> Begun:
    """Begin a device's program for somebody who sits there.

    Raises:
        NotFound, ActIsRefused: as `bookings.start` says.
    """
    device = call.names["device"]
    begun = await _do(call, bookings.start, device, call.asked.seconds, by_of(call))
    return Begun(device=device, reservation=begun.reservation, ends_at=begun.ends_at)


async def open_device(call: Call[MaintenanceWanted]) -> Begun:
    """Open a device that nobody is served on.

    Raises:
        NotFound, ActIsRefused: as `bookings.open_for_maintenance` says.
    """
    device = call.names["device"]
    act = bookings.open_for_maintenance
    begun = await _do(call, act, device, call.asked.seconds, by_of(call))
    return Begun(device=device, reservation=begun.reservation, ends_at=begun.ends_at)


async def stop_device(call: Call[ActWanted]) -> Stopped:
    """End what runs on a device.

    Raises:
        NotFound, ActIsRefused: as `bookings.stop` says.
    """
    device = call.names["device"]
    return Stopped(device=device, session=await _do(call, bookings.stop, device, by_of(call)))


async def extend_device(call: Call[GiftWanted]) -> web.Response:
    """Give whoever uses a device more time; the same key again gives it once.

    Raises:
        NotFound, ActIsRefused: as `bookings.extend_on` says.
    """
    device, seconds, by = call.names["device"], call.asked.seconds, by_of(call)

    def answer(books: Transaction) -> str:
        ends_at = bookings.extend_on(books, device, seconds, by)
        return Extended(device=device, ends_at=ends_at).model_dump_json()

    body = await call.parts.books.transact(answer_once, call, answer)
    return web.Response(status=CREATED, text=body, content_type="application/json")


async def send_message(call: Call[MessageWanted]) -> ScreenMessage:
    """Say something to whoever is at a device.

    Raises:
        InvalidBody: nothing is said.
        NotFound, ActIsRefused: as `bookings.tell_screen` says.
    """
    asked = call.asked
    saying = saying_of(call, asked.sentence, asked.text, asked.seconds)
    if saying is None:
        raise InvalidBody(field="text", why="say a sentence, or words of your own")
    message = await _do(call, bookings.tell_screen, saying)
    found = await list_messages(call)
    return next(each for each in found.messages if each.message == message)


async def list_messages(call: Call[Any]) -> ScreenMessages:
    """Return what was said to whoever was at a device, the newest first.

    Raises:
        NotFound: there is no such device.
    """
    rows, now = await call.parts.books.read(_messages, call.names["device"])
    return ScreenMessages(messages=tuple(_message_of(row, now) for row in rows))


async def put_out_of_order(call: Call[ActWanted]) -> OrderNow:
    """Have a device open for nobody.

    Raises:
        NotFound: there is no such device.
    """
    device = call.names["device"]
    await _do(call, bookings.put_out_of_order, device, by_of(call))
    return OrderNow(device=device, out_of_order=True)


async def put_in_order(call: Call[InOrderWanted]) -> OrderNow:
    """Have a device open again.

    Raises:
        NotFound: there is no such device.
    """
    device = call.names["device"]
    skips = call.asked.skip_turnover
    await _do(call, bookings.put_in_order, device, by_of(call), skips=skips)
    return OrderNow(device=device, out_of_order=False)


async def move_reservation(call: Call[MoveWanted]) -> Moved:
    """Have a reservation served on another device.

    Raises:
        NotFound, ActIsRefused, NotAllowed, SlotIsTaken, TicketIsHeld: as `bookings.move_to` says.
    """
    reservation, device = call.names["reservation"], call.asked.device
    await move_to(call.parts, reservation, device, by_of(call))
    return Moved(reservation=reservation, device=device)


async def move_to(parts: WebParts, reservation: str, device: str, by: By) -> None:
    """Move a reservation; where a terminal holds its ticket, that is asked for it.

    Raises:
        NotFound, ActIsRefused, NotAllowed, SlotIsTaken, TicketIsHeld: as `bookings.move_to` says.
    """
    try:
        await parts.books.transact(bookings.move_to, reservation, device, by)
    except TicketIsHeld:
        await parts.books.transact(bookings.ask_back_of, reservation)
        raise


def _messages(books: Transaction, device: str) -> tuple[list[Row], int]:
    acts.device(books, device)
    return acts.messages(books, device), books.now


def _message_of(row: Row, now: int) -> ScreenMessage:
    is_over = row["expires_at"] <= now
    return ScreenMessage(
        message=row["message_id"],
        device=row["device_id"],
        operator=row["operator"],
        sentence=Sentence(row["sentence"]) if row["sentence"] else None,
        text=row["text"],
        state="shown" if row["shown_at"] is not None else "expired" if is_over else "waiting",
        made_at=row["made_at"],
        expires_at=row["expires_at"],
        shown_at=row["shown_at"],
    )


def saying_of(call: Call[Any], sentence: Sentence | None, text: str, seconds: int) -> Saying | None:
    """Return what is to be said, or None: nothing that could be read."""
    words = "" if sentence is not None else clean_line(" ".join(text.split()))
    if sentence is None and not words:
        return None
    return Saying(
        device=call.names["device"],
        operator=call.operator.name,
        sentence=sentence,
        text=words,
        seconds=seconds,
    )


async def _do(
    call: Call[Any],
    act: Callable[Concatenate[Transaction, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    return await call.parts.books.transact(act, *args, **kwargs)


def by_of(call: Call[Any]) -> By:
    """Return who calls, and why."""
    return By(operator=call.operator.name, reason=call.asked.reason)


SAID: Final[Mapping[str, str]] = {
    **dict.fromkeys(("started", "opened", "stopped", "extended"), "good"),
    **dict.fromkeys(("put_out", "put_in", "moved", "messaged"), "good"),
    "no_words": "bad",
    **dict.fromkeys((f"no_{each.value}" for each in ActNo), "bad"),
}
"""What a page may tell of an act, `acts.said.…`, each with its tone; see `pieces.told`."""

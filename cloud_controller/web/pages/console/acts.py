"""The console's forms by which devices are acted on; each leads back to the page it stands on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from aiohttp import web
from pydantic import Field

from cloud_controller import bookings
from cloud_controller.bookings import ActIsRefused, IsNotExtended
from cloud_controller.flows.reservations import TicketIsHeld
from cloud_controller.ports import NotAllowed, SlotIsTaken, Transaction
from cloud_controller.web.acts import Words, by_of, list_messages, move_to, saying_of
from cloud_controller.web.pages.steps import lead_to
from cloud_controller.web.routes import Call, Shape
from common.messages.base import Name, ShortText
from common.rules.acts import (
    MAINTENANCE_SECONDS_MAX,
    MESSAGE_SECONDS,
    START_SECONDS_MAX,
    ActNo,
    Sentence,
)
from common.rules.sessions import EXTENSION_SECONDS_MAX

Minutes = Annotated[int, Field(ge=1, le=START_SECONDS_MAX // 60)]

BACK: Final = r"^/operator(/[A-Za-z0-9_.-]+)*$"
"""Where a form leads back to: a page of the console, and nowhere else."""


class DeviceForm(Shape):
    """What every form about a device says.

    Attributes:
        reason: why, for the audit.
        back: the page that it was sent from.
        store: which store that page shows.
    """

    reason: ShortText = ""
    back: Annotated[str, Field(pattern=BACK, max_length=200)] = "/operator"
    store: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]*$", max_length=64)] = ""


class LengthForm(DeviceForm):
    """For how many minutes."""

    minutes: Minutes


class InOrderForm(DeviceForm):
    """Whether somebody has seen that it is ready: then any text stands in `ready`."""

    ready: ShortText = ""


class MessageForm(DeviceForm):
    """A quick sentence by its name, or words, which stand before it where there are some."""

    sentence: Sentence | Literal[""] = ""
    text: Words = ""


class MoveForm(DeviceForm):
    """To which device."""

    device: Name


Act = Callable[[Transaction], object]


async def start_form(call: Call[LengthForm]) -> web.Response:
    """Begin a device's program, and show the page again."""
    seconds = call.asked.minutes * 60
    return await _formed(
        call, "started", lambda books: bookings.start(books, _device(call), seconds, by_of(call))
    )


async def maintenance_form(call: Call[LengthForm]) -> web.Response:
    """Open a device for maintenance, and show the page again."""
    seconds = min(call.asked.minutes * 60, MAINTENANCE_SECONDS_MAX)
    act = bookings.open_for_maintenance
    return await _formed(
        call, "opened", lambda books: act(books, _device(call), seconds, by_of(call))
    )


async def stop_form(call: Call[DeviceForm]) -> web.Response:
    """End what runs on a device, and show the page again."""
    return await _formed(
        call, "stopped", lambda books: bookings.stop(books, _device(call), by_of(call))
    )


async def extend_form(call: Call[LengthForm]) -> web.Response:
    """Give more time, and show the page again."""
    seconds = min(call.asked.minutes * 60, EXTENSION_SECONDS_MAX)
    return await _formed(
        call,
        "extended",
        lambda books: bookings.extend_on(books, _device(call), seconds, by_of(call)),
    )


async def out_of_order_form(call: Call[DeviceForm]) -> web.Response:
    """Put a device out of order, and show the page again."""
    act = bookings.put_out_of_order
    return await _formed(call, "put_out", lambda books: act(books, _device(call), by_of(call)))


async def in_order_form(call: Call[InOrderForm]) -> web.Response:
    """Put a device in order, and show the page again."""
    skips = bool(call.asked.ready)
    act = bookings.put_in_order
    return await _formed(
        call, "put_in", lambda books: act(books, _device(call), by_of(call), skips=skips)
    )


async def message_form(call: Call[MessageForm]) -> web.Response:
    """Say something to whoever is at a device, and show the page again."""
    sentence = None if call.asked.text.strip() else call.asked.sentence or None
    saying = saying_of(call, sentence, call.asked.text, MESSAGE_SECONDS)
    if saying is None:
        await list_messages(call)  # of a device that is none, nothing is told back
        return _back(call, "no_words")
    return await _formed(call, "messaged", lambda books: bookings.tell_screen(books, saying))


async def move_form(call: Call[MoveForm]) -> web.Response:
    """Move a reservation to another device, and show the page again."""
    try:
        await move_to(call.parts, call.names["reservation"], call.asked.device, by_of(call))
    except (ActIsRefused, NotAllowed, SlotIsTaken, TicketIsHeld) as fault:
        return _back(call, no_of(fault))
    return _back(call, "moved")


def no_of(fault: Exception) -> str:
    """Return by which word a page tells why an act was refused."""
    match fault:
        case ActIsRefused():
            return f"no_{fault.facts['why']}"
        case TicketIsHeld():
            return f"no_{ActNo.HELD_THERE.value}"
        case IsNotExtended():
            return f"no_{ActNo.NO_MORE_TIME.value}"
        case SlotIsTaken():
            return f"no_{ActNo.BOOKED.value}"
        case _:
            return f"no_{ActNo.NOT_MOVABLE.value}"


def _device(call: Call[Any]) -> str:
    return call.names["device"]


async def _formed(call: Call[Any], said: str, act: Act) -> web.Response:
    """Do what a form asks, and lead back to its page, which tells what was done or why not."""
    try:
        await call.parts.books.transact(act)
    except (ActIsRefused, NotAllowed, SlotIsTaken) as fault:
        return _back(call, no_of(fault))
    return _back(call, said)


def _back(call: Call[Any], said: str) -> web.Response:
    return lead_to(call.asked.back, store=call.asked.store, said=said)

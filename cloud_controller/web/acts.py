"""What an operator does to a device from afar, for programs and for the console's forms alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Concatenate, Final, ParamSpec, TypeVar

from aiohttp import web
from pydantic import Field

from cloud_controller import bookings
from cloud_controller.bookings import ActIsRefused, By, IsNotExtended
from cloud_controller.flows.reservations import TicketIsHeld
from cloud_controller.ports import NotAllowed, SlotIsTaken, Transaction
from cloud_controller.web.reservations import CREATED, answer_once
from cloud_controller.web.routes import Call, InstantText, Shape, WebParts
from common.messages.base import Name, ShortText
from common.rules.acts import (
    MAINTENANCE_SECONDS_MAX,
    START_SECONDS_MAX,
    START_SECONDS_MIN,
    ActNo,
)
from common.rules.sessions import EXTENSION_SECONDS_MAX

SEE_OTHER: Final = 303

T = TypeVar("T")
P = ParamSpec("P")

Reason = Annotated[ShortText, Field(description="why, for the audit")]
Minutes = Annotated[int, Field(ge=1, le=START_SECONDS_MAX // 60)]


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
    begun = await _do(call, bookings.start, device, call.asked.seconds, _by(call))
    return Begun(device=device, reservation=begun.reservation, ends_at=begun.ends_at)


async def open_device(call: Call[MaintenanceWanted]) -> Begun:
    """Open a device that nobody is served on.

    Raises:
        NotFound, ActIsRefused: as `bookings.open_for_maintenance` says.
    """
    device = call.names["device"]
    act = bookings.open_for_maintenance
    begun = await _do(call, act, device, call.asked.seconds, _by(call))
    return Begun(device=device, reservation=begun.reservation, ends_at=begun.ends_at)


async def stop_device(call: Call[ActWanted]) -> Stopped:
    """End what runs on a device.

    Raises:
        NotFound, ActIsRefused: as `bookings.stop` says.
    """
    device = call.names["device"]
    return Stopped(device=device, session=await _do(call, bookings.stop, device, _by(call)))


async def extend_device(call: Call[GiftWanted]) -> web.Response:
    """Give whoever uses a device more time; the same key again gives it once.

    Raises:
        NotFound, ActIsRefused: as `bookings.extend_on` says.
    """
    device, seconds, by = call.names["device"], call.asked.seconds, _by(call)

    def answer(books: Transaction) -> str:
        ends_at = bookings.extend_on(books, device, seconds, by)
        return Extended(device=device, ends_at=ends_at).model_dump_json()

    body = await call.parts.books.transact(answer_once, call, answer)
    return web.Response(status=CREATED, text=body, content_type="application/json")


async def put_out_of_order(call: Call[ActWanted]) -> OrderNow:
    """Have a device open for nobody.

    Raises:
        NotFound: there is no such device.
    """
    device = call.names["device"]
    await _do(call, bookings.put_out_of_order, device, _by(call))
    return OrderNow(device=device, out_of_order=True)


async def put_in_order(call: Call[InOrderWanted]) -> OrderNow:
    """Have a device open again.

    Raises:
        NotFound: there is no such device.
    """
    device = call.names["device"]
    skips = call.asked.skip_turnover
    await _do(call, bookings.put_in_order, device, _by(call), skips=skips)
    return OrderNow(device=device, out_of_order=False)


async def move_reservation(call: Call[MoveWanted]) -> Moved:
    """Have a reservation served on another device.

    Raises:
        NotFound, ActIsRefused, NotAllowed, SlotIsTaken, TicketIsHeld: as `bookings.move_to` says.
    """
    reservation, device = call.names["reservation"], call.asked.device
    await move_to(call.parts, reservation, device, _by(call))
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


async def _do(
    call: Call[Any],
    act: Callable[Concatenate[Transaction, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    return await call.parts.books.transact(act, *args, **kwargs)


def _by(call: Call[Any]) -> By:
    return By(operator=call.operator.name, reason=call.asked.reason)


# --- the console's forms --------------------------------------------------------------------------

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


class MoveForm(DeviceForm):
    """To which device."""

    device: Name


Act = Callable[[Transaction], object]


async def start_form(call: Call[LengthForm]) -> web.Response:
    """Begin a device's program, and show the page again."""
    seconds = call.asked.minutes * 60
    return await _formed(
        call, "started", lambda books: bookings.start(books, _device(call), seconds, _by(call))
    )


async def maintenance_form(call: Call[LengthForm]) -> web.Response:
    """Open a device for maintenance, and show the page again."""
    seconds = min(call.asked.minutes * 60, MAINTENANCE_SECONDS_MAX)
    act = bookings.open_for_maintenance
    return await _formed(
        call, "opened", lambda books: act(books, _device(call), seconds, _by(call))
    )


async def stop_form(call: Call[DeviceForm]) -> web.Response:
    """End what runs on a device, and show the page again."""
    return await _formed(
        call, "stopped", lambda books: bookings.stop(books, _device(call), _by(call))
    )


async def extend_form(call: Call[LengthForm]) -> web.Response:
    """Give more time, and show the page again."""
    seconds = min(call.asked.minutes * 60, EXTENSION_SECONDS_MAX)
    return await _formed(
        call, "extended", lambda books: bookings.extend_on(books, _device(call), seconds, _by(call))
    )


async def out_of_order_form(call: Call[DeviceForm]) -> web.Response:
    """Put a device out of order, and show the page again."""
    act = bookings.put_out_of_order
    return await _formed(call, "put_out", lambda books: act(books, _device(call), _by(call)))


async def in_order_form(call: Call[InOrderForm]) -> web.Response:
    """Put a device in order, and show the page again."""
    skips = bool(call.asked.ready)
    act = bookings.put_in_order
    return await _formed(
        call, "put_in", lambda books: act(books, _device(call), _by(call), skips=skips)
    )


async def move_form(call: Call[MoveForm]) -> web.Response:
    """Move a reservation to another device, and show the page again."""
    try:
        await move_to(call.parts, call.names["reservation"], call.asked.device, _by(call))
    except (ActIsRefused, NotAllowed, SlotIsTaken, TicketIsHeld) as fault:
        return _back(call, no_of(fault))
    return _back(call, "moved")


SAID: Final[Mapping[str, str]] = {
    **dict.fromkeys(("started", "opened", "stopped", "extended"), "good"),
    **dict.fromkeys(("put_out", "put_in", "moved", "messaged"), "good"),
    **dict.fromkeys((f"no_{each.value}" for each in ActNo), "bad"),
}
"""What a page may tell of an act, `acts.said.…`, each with its tone; see `pieces.told`."""


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
    store = f"store={call.asked.store}&" if call.asked.store else ""
    where = f"{call.asked.back}?{store}said={said}"
    return web.Response(status=SEE_OTHER, headers={"Location": where})

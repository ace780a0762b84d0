"""Programs as the controller knows them, and what a PC may carry of them once it is confirmed."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from pydantic import Field

from cloud_controller import bookings
from cloud_controller.flows import service
from cloud_controller.flows.service import DeviceTold, Explanation
from cloud_controller.web.faults import InvalidBody
from cloud_controller.web.routes import Call, Shape
from common.messages.base import ShortText
from common.messages.service import Program
from common.rules.service import Explained


class Programs(Shape):
    """All programs, by name."""

    programs: tuple[Program, ...]


class AllowedDevice(Shape):
    """A device and the programs it may carry; without one of them it is not sold."""

    key: str
    title: str
    program: str
    programs: tuple[str, ...]


class Allowed(Shape):
    """What a specification allows: every program in or out and why, and the devices."""

    programs: tuple[Explained, ...]
    devices: tuple[AllowedDevice, ...]


class DeviceWanted(Shape):
    """What an operator says of a device; what is left out stays as it is."""

    place: Annotated[
        ShortText | None, Field(description="where it stands, as a customer is told it")
    ] = None
    out_of_order: bool | None = None
    skip_turnover: Annotated[
        bool, Field(description="it opens without being made ready first: you have seen that it is")
    ] = False
    reason: ShortText = ""


class DeviceNow(Shape):
    """A device as it is known now."""

    device: str
    store: str
    number: int
    title: str
    place: str
    out_of_order: bool


async def tell_of_device(call: Call[DeviceWanted]) -> DeviceNow:
    """Say where a device stands, or that it is out of order, or in order again.

    Its terminal is told, and makes it ready before it opens for anybody, unless that is skipped.

    Raises:
        NotFound: there is no such device.
    """
    told = DeviceTold(
        device=call.names["device"],
        place=call.asked.place,
        is_out_of_order=call.asked.out_of_order,
        reason=call.asked.reason,
    )
    tell = partial(bookings.tell_of_device, skips=call.asked.skip_turnover)
    row = await call.parts.books.transact(tell, told, call.operator.name)
    return DeviceNow(
        device=row["device_id"],
        store=row["store_id"],
        number=row["number"],
        title=row["title"],
        place=row["place"],
        out_of_order=bool(row["is_out_of_order"]),
    )


async def list_programs(call: Call[None]) -> Programs:
    """Return every program that the controller has been told of."""
    known = await call.parts.books.read(service.programs)
    return Programs(programs=tuple(known.values()))


async def keep_program(call: Call[Program]) -> Program:
    """Have a program ask of PCs what is said now, and return it.

    Raises:
        InvalidBody: the address names another program.
    """
    if call.asked.program != call.names["program"]:
        raise InvalidBody(field="program", why="the address names another one")
    await call.parts.books.transact(bookings.keep_program, call.asked, call.operator.name)
    return call.asked


def allowed_by(explanation: Explanation) -> Allowed:
    """Return what confirming a terminal as it is now would let it carry."""
    return Allowed(
        programs=explanation.programs,
        devices=tuple(
            AllowedDevice(
                key=found.key, title=found.title, program=found.program, programs=programs
            )
            for found, programs in explanation.devices
        ),
    )

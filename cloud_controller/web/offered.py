"""What an operator says of a store's offerings, and sees of them: on or off, where and why."""

from __future__ import annotations

import re

from pydantic import ConfigDict

from cloud_controller.flows import offerings
from cloud_controller.flows.offerings import Registered, Teller
from cloud_controller.ports import Row
from cloud_controller.web.faults import InvalidBody
from cloud_controller.web.routes import Call, Shape
from common.ids import NAME_PATTERN
from common.messages.offerings import OfferingSaid
from common.rules.offerings import OfferState
from common.rules.presence import Presence


class OfferingWanted(OfferingSaid):
    """What an offering is to be; what is left out is easy on the customer."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ServingDevice(Shape):
    """A device that serves an offering, whether that is on, and why not."""

    device: str
    number: int
    title: str
    state: OfferState
    reason: str
    presence: Presence
    out_of_order: bool


class StoreOffering(OfferingSaid):
    """An offering of a store as it is registered, and whose words these are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    offering: str
    key: str
    told_by: Teller
    devices: tuple[ServingDevice, ...]


class StoreOfferings(Shape):
    """All that is registered in a store, by key."""

    offerings: tuple[StoreOffering, ...]


async def list_registered(call: Call[None]) -> StoreOfferings:
    """Return all that is registered in a store, whether it can be had or not.

    Raises:
        NotFound: there is no such store.
    """
    found = await call.parts.books.read(offerings.registered, call.names["store"])
    return StoreOfferings(offerings=tuple(_shown(each) for each in found))


async def say_offering(call: Call[OfferingWanted]) -> StoreOffering:
    """Have an offering be what is said here, whatever its terminals say of it.

    Raises:
        NotFound: there is no such store.
        InvalidBody: the address names it by no key.
        NotAllowed: a picture is not kept here, or the store has too many offerings.
    """
    store, key = call.names["store"], call.names["key"]
    if not re.fullmatch(NAME_PATTERN, key):
        raise InvalidBody(field="key", why="it is no short name of letters, digits and dashes")
    said = await call.parts.books.transact(
        offerings.say, store, key, call.asked, call.operator.name
    )
    return _shown(said)


async def hand_back(call: Call[None]) -> StoreOffering:
    """Let an offering's terminals say again what it is.

    Raises:
        NotFound: there is no such store or offering, or its words are its terminals'.
    """
    store, key = call.names["store"], call.names["key"]
    given = await call.parts.books.transact(offerings.hand_back, store, key, call.operator.name)
    return _shown(given)


def _shown(found: Registered) -> StoreOffering:
    return StoreOffering(
        **dict(found.said),
        offering=found.offering,
        key=found.key,
        told_by=found.teller,
        devices=tuple(_device(row) for row in found.devices),
    )


def _device(row: Row) -> ServingDevice:
    return ServingDevice(
        device=row["device_id"],
        number=row["number"],
        title=row["title"],
        state=OfferState(row["state"]),
        reason=row["reason"],
        presence=Presence(row["presence"]),
        out_of_order=bool(row["is_out_of_order"]),
    )

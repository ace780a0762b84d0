"""What is on offer now, and when it is free."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from cloud_controller.flows import reservations
from cloud_controller.ports import Transaction
from cloud_controller.web.routes import Call, InstantText, Shape
from common.ids import OfferingId
from common.messages.base import Name
from common.rules.reservations import Range

WINDOW_SECONDS: Final = 86_400
"""What is shown where nobody says until when: a day."""

WINDOW_SECONDS_MAX: Final = 7 * 86_400
"""What is shown at once at most; a later week is another call."""

LENGTH_SECONDS_MAX: Final = 2**24 - 1
"""The longest length that a ticket's three bytes can say."""

LengthSeconds = Annotated[int, Field(ge=1, le=LENGTH_SECONDS_MAX)]


class Offering(Shape):
    """Something that can be had now."""

    offering: str
    store: str
    store_title: str
    time_zone: str
    title: str
    content: str
    price_cents: int
    currency: str
    lengths_seconds: tuple[int, ...]
    grid_seconds: int
    devices_on: int
    devices_free: int
    party_max: int


class Offerings(Shape):
    """Everything that can be had now; what is off, or whose terminal is gone, is not in it."""

    offerings: tuple[Offering, ...]


class OfferingsWanted(Shape):
    """Which offerings to list."""

    store: Name | None = None


class SlotsWanted(Shape):
    """Which slots to list; without times, those of the next day."""

    model_config = ConfigDict(populate_by_name=True)

    length_seconds: LengthSeconds
    from_at: InstantText | None = Field(default=None, validation_alias="from")
    to_at: InstantText | None = Field(default=None, validation_alias="to")


class DeviceFree(Shape):
    """A device that is free in a slot."""

    device: str
    number: int
    title: str


class Slot(Shape):
    """A stretch of time `[starts_at, ends_at)` and the devices that are free in it."""

    starts_at: InstantText
    ends_at: InstantText
    devices: tuple[DeviceFree, ...]


class Slots(Shape):
    """The free slots of an offering, the soonest first."""

    slots: tuple[Slot, ...]


class LengthFree(Shape):
    """A length in which an offering can be used from this moment on."""

    length_seconds: int
    ends_at: InstantText


class NowFree(Shape):
    """In which lengths somebody who stands there can begin at once; none: he cannot."""

    lengths: tuple[LengthFree, ...]


async def list_now(call: Call[None]) -> NowFree:
    """Return the lengths in which an offering can be used from now on."""
    offering = OfferingId(call.names["offering"])
    found = await call.parts.books.read(reservations.free_now, offering)
    lengths = (
        LengthFree(length_seconds=each.length_seconds, ends_at=each.ends_at) for each in found
    )
    return NowFree(lengths=tuple(lengths))


async def list_offerings(call: Call[OfferingsWanted]) -> Offerings:
    """Return what can be had now."""
    rows = await call.parts.books.read(choices)
    wanted = call.asked.store
    shown = [row for row in rows if wanted in {None, row["store_id"]}]
    return Offerings(offerings=tuple(offering_of(row) for row in shown))


async def list_slots(call: Call[SlotsWanted]) -> Slots:
    """Return the free slots of an offering in a window of time."""
    offering = OfferingId(call.names["offering"])
    return await call.parts.books.read(free_slots, offering, call.asked)


def choices(books: Transaction) -> list[Any]:
    """Return the rows of what can be had now."""
    return list(books.offerings.choices())


def free_slots(
    books: Transaction, offering: OfferingId, wanted: SlotsWanted, holder: str = ""
) -> Slots:
    """Return the free slots of an offering in a window, cut to what is shown at once.

    Raises:
        NotFound: there is no such offering.
        NotAllowed: it is not sold in that length.
    """
    found = every_slot(books, offering, wanted, holder=holder)
    return Slots(slots=tuple(slot for slot in found.slots if slot.devices))


def every_slot(
    books: Transaction,
    offering: OfferingId,
    wanted: SlotsWanted,
    *,
    holder: str = "",
    instead_of: str = "",
) -> Slots:
    """Return the free and the full slots of an offering in a window, cut to what is shown at once.

    What `holder` holds counts as free, and what the reservation `instead_of` has.

    Raises:
        NotFound: there is no such offering.
        NotAllowed: it is not sold in that length.
    """
    starts_at = books.now if wanted.from_at is None else wanted.from_at
    ends_at = starts_at + WINDOW_SECONDS * 1000 if wanted.to_at is None else wanted.to_at
    window = Range(starts_at=starts_at, ends_at=min(ends_at, starts_at + WINDOW_SECONDS_MAX * 1000))
    found = reservations.every_slot(
        books, offering, wanted.length_seconds, window, holder=holder, instead_of=instead_of
    )
    return Slots(slots=tuple(Slot(**slot) for slot in found))


def offering_of(row: Any) -> Offering:  # noqa: ANN401 - a row
    """Return a row of the choices as it is answered."""
    return Offering(
        offering=row["offering_id"],
        store=row["store_id"],
        store_title=row["store_title"],
        time_zone=row["time_zone"],
        title=row["title"],
        content=row["content"],
        price_cents=row["price_cents"],
        currency=row["currency"],
        lengths_seconds=json.loads(row["lengths_seconds"]),
        grid_seconds=row["grid_seconds"],
        devices_on=row["devices_on"],
        devices_free=row["devices_free"],
        party_max=row["party_max"],
    )

"""What is on offer, and when it is free."""

from __future__ import annotations

import json
from typing import Annotated, Final

from pydantic import ConfigDict, Field

from cloud_controller.flows import offerings, reservations
from cloud_controller.flows.offerings import Shelved
from cloud_controller.ports import Row, Transaction
from cloud_controller.web.routes import Call, InstantText, Shape
from common.ids import OfferingId
from common.messages.base import Name
from common.rules import offerings as offering_rules
from common.rules.reservations import Range

WINDOW_SECONDS: Final = 86_400
"""What is shown where nobody says until when: a day."""

WINDOW_SECONDS_MAX: Final = 7 * 86_400
"""What is shown at once at most; a later week is another call."""

LENGTH_SECONDS_MAX: Final = 2**24 - 1
"""The longest length that a ticket's three bytes can say."""

NO_LANGUAGE: Final = ""
"""For programs: an offering is called as it is for whoever reads none of its languages."""

LengthSeconds = Annotated[int, Field(ge=1, le=LENGTH_SECONDS_MAX)]


class OfferingWords(Shape):
    """What an offering is called and what it is, in one language."""

    title: str
    content: str


class OfferingPicture(Shape):
    """A picture of an offering: where it is, and what is to be seen in it, by language."""

    url: str
    alt: dict[str, str]


class Availability(Shape):
    """How an offering can be had: `free_now`, `free_at`, `closed_until` or `full`.

    `at` is when the first is free, or the store opens; it stands with `free_at`, `closed_until`.
    """

    state: offering_rules.Availability
    at: InstantText | None = None


class Reliability(Shape):
    """Of the latest `uses` of an offering, how many began `on_time`."""

    on_time: int
    uses: int


class Offering(Shape):
    """Something that can be had, now or from the store's next opening on."""

    offering: str
    store: str
    store_title: str
    time_zone: str
    title: str
    content: str
    texts: dict[str, OfferingWords]
    pictures: tuple[OfferingPicture, ...]
    price_cents: int
    currency: str
    lengths_seconds: tuple[int, ...]
    grid_seconds: int
    availability: Availability
    devices_on: int
    devices_free: int
    reliability: Reliability | None
    party_max: int


class Offerings(Shape):
    """Everything that can be had; what is off, or whose terminal is gone, is not in it."""

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
    found = await call.parts.books.read(offerings.front, call.asked.store or "")
    return Offerings(offerings=tuple(offering_of(each) for each in found))


async def list_slots(call: Call[SlotsWanted]) -> Slots:
    """Return the free slots of an offering in a window of time."""
    offering = OfferingId(call.names["offering"])
    return await call.parts.books.read(free_slots, offering, call.asked)


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


def offering_of(shown: Shelved) -> Offering:
    """Return what can be had as it is answered."""
    at, record = shown.available.at, shown.reliability
    return Offering(
        offering=shown.offering,
        store=shown.store.store,
        store_title=shown.store.title,
        time_zone=shown.store.time_zone,
        title=shown.title,
        content=shown.content,
        texts={
            code: OfferingWords(title=words.title, content=words.content)
            for code, words in shown.texts.items()
        },
        pictures=tuple(
            OfferingPicture(url=picture_path(each.sha256), alt=dict(each.alt))
            for each in shown.pictures
        ),
        price_cents=shown.price_cents,
        currency=shown.currency,
        lengths_seconds=shown.lengths_seconds,
        grid_seconds=shown.grid_seconds,
        availability=Availability(state=shown.available.state, at=at),
        devices_on=shown.devices_on,
        devices_free=shown.devices_free,
        reliability=None
        if record is None
        else Reliability(on_time=record.on_time, uses=record.uses),
        party_max=shown.party_max,
    )


def title_in(row: Row, language: str) -> str:
    """Return what a row's offering is called in a language; where it has none, as it is called."""
    told = json.loads(row["offering_texts"]).get(language)
    return str(told["title"] if told else row["offering_title"])


def picture_path(sha256: str) -> str:
    """Return where a picture is read."""
    return f"/pictures/{sha256}.webp"

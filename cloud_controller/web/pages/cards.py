"""What the storefront shows of an offering: a card of facts that are the same for everybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from cloud_controller.flows import offerings, reservations
from cloud_controller.ports import Transaction
from cloud_controller.web.language import FALLBACK
from cloud_controller.web.offerings import (
    Offering,
    Slot,
    SlotsWanted,
    free_slots,
    offering_of,
)
from cloud_controller.web.pages.steps import Time, new_key, time_of
from common.ids import OfferingId

SOONEST_SHOWN: Final = 3
"""Times of an offering on its card: one row on a phone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """What an offering is called and what it is, in one language."""

    title: str
    content: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A picture of an offering, by its digest, and what is to be seen in it by language."""

    sha256: str
    alt: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """An offering as it is shown at one instant; two that are equal look the same.

    Attributes:
        day_at: the begin of the store's day (UTC ms): what a day is called hangs on it, and nothing
            on the hour.
        texts: its words by language; under `""` those for every other language.
        length_seconds: the length that its times have, its shortest.
        state: a word of `Availability`.
        devices_free: how many are free, where it is `free_now`.
        at: when the first is free, or the store opens (UTC ms), where it is not now.
        at_once: whether one tap can begin it now, in that length.
        now_key: the key of that tap's form; empty where the card is everybody's.
        reliability: of how many of its latest sessions how many began on time, if that is known.
    """

    offering: str
    store: str
    time_zone: str
    day_at: int
    texts: Mapping[str, Words]
    pictures: tuple[Picture, ...] = ()
    price_cents: int
    currency: str
    length_seconds: int
    lengths: int
    devices_on: int
    party_max: int
    state: str
    devices_free: int = 0
    at: int | None = None
    at_once: bool = False
    now_key: str = ""
    times: tuple[Time, ...] = ()
    reliability: tuple[int, int] | None = None
    store_title: str = field(default="", compare=False)

    def words(self, language: str) -> Words:
        """Return its words in a language, or those it has."""
        for code in (language, "", FALLBACK):
            if code in self.texts:
                return self.texts[code]
        return next(iter(self.texts.values()))


def cards(books: Transaction) -> tuple[Card, ...]:
    """Return the cards that everybody sees, store by store: nothing in them is one viewer's own."""
    return _cards(books, "", _no_key)


def cards_for(books: Transaction, holder: str) -> tuple[Card, ...]:
    """Return the cards for one viewer: what he holds is free to him, and each form has its key."""
    return _cards(books, holder, new_key)


def day_of(at: int, time_zone: str) -> int:
    """Return the begin of an instant's day in a zone (UTC ms)."""
    moment = datetime.fromtimestamp(at // 1000, ZoneInfo(time_zone))
    return int(moment.replace(hour=0, minute=0, second=0).timestamp()) * 1000


def _cards(books: Transaction, holder: str, key: Callable[[Transaction], str]) -> tuple[Card, ...]:
    shown = (offering_of(each) for each in offerings.front(books))
    return tuple(_card(books, offering, holder, key) for offering in shown)


def _card(
    books: Transaction, offering: Offering, holder: str, key: Callable[[Transaction], str]
) -> Card:
    length_seconds = offering.lengths_seconds[0]
    slots = _soonest(books, offering, length_seconds, holder)
    at_once = _begins_now(books, offering, length_seconds)
    state = "free_now" if offering.devices_free else "free_at" if slots else "full"
    return Card(
        offering=offering.offering,
        store=offering.store,
        store_title=offering.store_title,
        time_zone=offering.time_zone,
        day_at=day_of(books.now, offering.time_zone),
        texts={"": Words(title=offering.title, content=offering.content)},
        price_cents=offering.price_cents,
        currency=offering.currency,
        length_seconds=length_seconds,
        lengths=len(offering.lengths_seconds),
        devices_on=offering.devices_on,
        party_max=offering.party_max,
        state=state,
        devices_free=offering.devices_free,
        at=slots[0].starts_at if slots and state == "free_at" else None,
        at_once=at_once,
        now_key=key(books) if at_once else "",
        times=tuple(time_of(slot, key(books)) for slot in slots),
    )


def _no_key(_: Transaction) -> str:
    return ""


def _begins_now(books: Transaction, offering: Offering, length_seconds: int) -> bool:
    found = reservations.free_now(books, OfferingId(offering.offering))
    return any(each.length_seconds == length_seconds for each in found)


def _soonest(
    books: Transaction, offering: Offering, length_seconds: int, holder: str
) -> tuple[Slot, ...]:
    """Return the first free slots; looks far only where it has to."""
    name = OfferingId(offering.offering)
    wanted = SlotsWanted(length_seconds=length_seconds)
    near_seconds = length_seconds + (SOONEST_SHOWN + 2) * offering.grid_seconds
    near = wanted.model_copy(update={"to_at": books.now + near_seconds * 1000})
    slots = free_slots(books, name, near, holder).slots
    if len(slots) < SOONEST_SHOWN:
        slots = free_slots(books, name, wanted, holder).slots
    return slots[:SOONEST_SHOWN]

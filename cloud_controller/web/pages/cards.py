"""What the storefront shows of an offering: a card of facts that are the same for everybody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from cloud_controller.flows import offerings, payments
from cloud_controller.flows.offerings import Shelved
from cloud_controller.ports import Transaction
from cloud_controller.web.offerings import Slot, SlotsWanted, free_slots
from cloud_controller.web.pages.steps import Time, new_key, time_of

SOONEST_SHOWN: Final = 3
"""Times of an offering on its card: one row on a phone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """An offering as it is shown at one instant; two that are equal look the same.

    Attributes:
        day_at: the begin of the store's day (UTC ms): what a day is called hangs on it, and nothing
            on the hour.
        length_seconds: the length that its times have, its shortest.
        price_cents: what its first time costs, for one.
        price_varies: whether its times cost differently, by their hour or length or people.
        now_key: the key of the form that begins at once; empty where the card is everybody's.
    """

    of: Shelved
    day_at: int
    length_seconds: int
    price_cents: int
    price_varies: bool
    times: tuple[Time, ...] = ()
    now_key: str = ""

    @property
    def offering(self) -> str:
        """Return its id."""
        return self.of.offering

    @property
    def store(self) -> str:
        """Return its store's id."""
        return self.of.store.store

    @property
    def store_title(self) -> str:
        """Return what its store is called."""
        return self.of.store.title

    @property
    def time_zone(self) -> str:
        """Return the zone that its times are told in."""
        return self.of.store.time_zone

    @property
    def begins_now(self) -> bool:
        """Say whether one tap can begin it at this moment."""
        return self.of.devices_free > 0


Key = Callable[[Transaction], str]


def card(books: Transaction, offering: str) -> Card | None:
    """Return the card of one offering as everybody sees it; None: it is not to be had.

    Nothing in it is one viewer's own.
    """
    shown = offerings.shelf(books, offering)
    return _card(books, shown, "", _no_key) if shown is not None else None


def cards_for(books: Transaction, holder: str, store: str) -> tuple[Card, ...]:
    """Return the cards for one viewer: what he holds is free to him, and each form has its key."""
    return tuple(_card(books, each, holder, new_key) for each in offerings.front(books, store))


def day_of(at: int, time_zone: str) -> int:
    """Return the begin of an instant's day in a zone (UTC ms)."""
    moment = datetime.fromtimestamp(at // 1000, ZoneInfo(time_zone))
    return int(moment.replace(hour=0, minute=0, second=0).timestamp()) * 1000


def price_of(
    books: Transaction, shown: Shelved, starts_at: int, length_seconds: int, party_size: int = 1
) -> int:
    """Return what a time of an offering costs a party of so many, in minor units."""
    item = payments.Item(
        offering_id=shown.offering,
        starts_at=starts_at,
        ends_at=starts_at + length_seconds * 1000,
        party_size=party_size,
    )
    return payments.quote(books, [item]).total_cents


def _card(books: Transaction, shown: Shelved, holder: str, key: Key) -> Card:
    length_seconds = min(shown.lengths_seconds)
    slots = _soonest(books, shown, length_seconds, holder)
    starts = [slot.starts_at for slot in slots] or [books.now // 1000 * 1000]
    longest = price_of(books, shown, starts[0], max(shown.lengths_seconds))
    prices = [price_of(books, shown, at, length_seconds) for at in starts]
    return Card(
        of=shown,
        day_at=day_of(books.now, shown.store.time_zone),
        length_seconds=length_seconds,
        price_cents=min(prices),
        price_varies=len({*prices, longest}) > 1,
        times=tuple(time_of(slot, key(books)) for slot in slots),
        now_key=key(books) if shown.devices_free else "",
    )


def _no_key(_: Transaction) -> str:
    return ""


def _soonest(
    books: Transaction, shown: Shelved, length_seconds: int, holder: str
) -> tuple[Slot, ...]:
    """Return the first free slots, of a closed store from its opening on; looks far if it must."""
    from_at = max(books.now, shown.store.opens_at or 0)
    wanted = SlotsWanted(length_seconds=length_seconds, from_at=from_at)
    near_seconds = length_seconds + (SOONEST_SHOWN + 2) * shown.grid_seconds
    near = wanted.model_copy(update={"to_at": from_at + near_seconds * 1000})
    slots = free_slots(books, shown.offering, near, holder).slots
    if len(slots) < SOONEST_SHOWN:
        slots = free_slots(books, shown.offering, wanted, holder).slots
    return slots[:SOONEST_SHOWN]

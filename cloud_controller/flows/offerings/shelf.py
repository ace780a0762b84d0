"""What pages show of what can be had: one reading, the same for everybody who looks (E3).

Its law: nothing of one viewer is in it, so that a picture of it may be pushed to all of them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cloud_controller.ports import Row, Transaction
from common.ids import OfferingId
from common.rules.offerings import (
    ON_TIME_SECONDS,
    RECORD_MAX,
    WINDOW_SECONDS,
    Available,
    OfferState,
    Reliability,
    Served,
    available,
    is_sold,
    reliability,
    seen_since,
)
from common.rules.presence import Presence
from common.rules.reservations import (
    OpeningHours,
    Range,
    SlotTerms,
    closing_after,
    is_free,
    is_open,
    is_open_throughout,
    next_opening,
    read_hours,
    slots,
    terms_in,
)

ALL: Final = ""
"""A query's word for every store, or every offering."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """What an offering is called, and what it is."""

    title: str
    content: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureShown:
    """A picture by the SHA-256 of its bytes, and what is to be seen in it, by language."""

    sha256: str
    alt: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreShown:
    """A store, and whether it is open.

    Attributes:
        opens_at: when it opens next (UTC ms), where it is closed; None: not within a year.
        closes_at: when it closes next (UTC ms), where it is open; None: not within a year.
    """

    store: str
    number: int
    title: str
    time_zone: str
    directions: str
    is_open: bool
    opens_at: int | None
    closes_at: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelved:
    """An offering that can be had, now or from the store's next opening on.

    Attributes:
        texts: its words by language; where one is missing, `title` and `content` stand.
        devices_on: how many devices can be booked.
        devices_free: on how many of them somebody who stands there can begin now.
        reliability: of its latest uses, how many began on time; None: too few to say.
        lead_seconds: and the other terms, as it was registered with them.
    """

    offering: OfferingId
    key: str
    store: StoreShown
    title: str
    content: str
    texts: Mapping[str, Words]
    pictures: tuple[PictureShown, ...]
    price_cents: int
    currency: str
    lengths_seconds: tuple[int, ...]
    grid_seconds: int
    turnover_seconds: int
    early_seconds: int
    lead_seconds: int
    horizon_seconds: int
    change_seconds: int
    cancel_seconds: int
    hold_seconds: int
    grace_seconds: int | None
    party_max: int
    available: Available
    devices_on: int
    devices_free: int
    reliability: Reliability | None

    def words(self, language: str) -> Words:
        """Return its words in a language, such as `ja`, or those without one."""
        return self.texts.get(language) or Words(title=self.title, content=self.content)


def front(books: Transaction, store: str = ALL) -> tuple[Shelved, ...]:
    """Return what can be had, of one store or of all, by the stores' numbers."""
    return _shelved(books, store, ALL)


def shelf(books: Transaction, offering: str) -> Shelved | None:
    """Return one offering, or None: it is not to be had."""
    return next(iter(_shelved(books, ALL, offering)), None)


def stores(books: Transaction) -> tuple[StoreShown, ...]:
    """Return every store, by its number, whether there is anything to be had in it or not."""
    return tuple(_store(row, books.now) for row in books.offerings.stores())


def _shelved(books: Transaction, store: str, offering: str) -> tuple[Shelved, ...]:
    rows = list(books.offerings.shelves(store_id=store, offering_id=offering))
    known = {row["store_id"]: _store(row, books.now) for row in rows}
    served = _by(books.offerings.served(store_id=store, offering_id=offering), "offering_id")
    ends_at = books.now + sum(
        max((each(row) for row in rows), default=0) * 1000 for each in _LOOKED_AHEAD
    )
    taken = _by(
        books.offerings.taken(store_id=store, offering_id=offering, now=books.now, to_at=ends_at),
        "device_id",
    )
    found = []
    for row in rows:
        at = known[row["store_id"]]
        since = seen_since(books.now, is_open=at.is_open)
        devices = [each for each in served[row["offering_id"]] if is_sold(_served(each), since)]
        blocks = {each["device_id"]: _ranges(taken[each["device_id"]]) for each in devices}
        shown = _shown(books, row, at, devices, blocks) if devices else None
        if shown is not None:
            found.append(shown)
    return tuple(found)


_LOOKED_AHEAD: Sequence[Callable[[Row], int]] = (
    lambda _: WINDOW_SECONDS,
    lambda row: min(json.loads(row["lengths_seconds"])),
    lambda row: row["turnover_seconds"],
)
"""Seconds from now on in which what is taken may stand in the way of what is shown."""


def _shown(
    books: Transaction,
    row: Row,
    store: StoreShown,
    devices: Sequence[Row],
    blocks: Mapping[str, Sequence[Range]],
) -> Shelved | None:
    terms = terms_in(row, min(json.loads(row["lengths_seconds"])))  # free is where that fits
    free = _free_now(terms, devices, blocks, books.now)
    how = available(
        is_open=store.is_open,
        opens_at=store.opens_at,
        devices_free=free,
        free_at=None if free or not store.is_open else _free_at(terms, blocks, books.now),
    )
    if how is None:
        return None
    return Shelved(
        store=store,
        texts={code: Words(**words) for code, words in json.loads(row["texts"]).items()},
        pictures=_pictures(books, row),
        lengths_seconds=tuple(json.loads(row["lengths_seconds"])),
        available=how,
        devices_on=len(devices),
        devices_free=free,
        reliability=_record(books, row["offering_id"], len(devices)),
        offering=OfferingId(row["offering_id"]),
        **{name: row[name] for name in _AS_THEY_STAND},
    )


_AS_THEY_STAND: Final = (
    *("key", "title", "content", "price_cents", "currency", "grid_seconds", "turnover_seconds"),
    *("early_seconds", "lead_seconds", "horizon_seconds", "change_seconds", "cancel_seconds"),
    *("hold_seconds", "grace_seconds", "party_max"),
)
"""Columns that are shown as they are kept."""


def _free_now(
    terms: SlotTerms, devices: Sequence[Row], blocks: Mapping[str, Sequence[Range]], now: int
) -> int:
    """Count the devices on which somebody can begin in this second, until the end of his length."""
    starts_at = now // 1000 * 1000
    use = Range(starts_at=starts_at, ends_at=starts_at + terms.length_seconds * 1000)
    if not is_open_throughout(terms.hours, terms.time_zone, use):
        return 0
    return sum(
        not each["is_busy"] and is_free(use, terms.turnover_seconds, blocks[each["device_id"]])
        for each in devices
    )


def _free_at(terms: SlotTerms, blocks: Mapping[str, Sequence[Range]], now: int) -> int | None:
    """Return when the first free slot begins within the window (UTC ms)."""
    window = Range(starts_at=now, ends_at=now + WINDOW_SECONDS * 1000)
    free = (
        slot.starts_at
        for slot in slots(terms, window, now=now)
        if any(is_free(slot, terms.turnover_seconds, taken) for taken in blocks.values())
    )
    return next(free, None)


def _pictures(books: Transaction, row: Row) -> tuple[PictureShown, ...]:
    """Return those of the pictures it names that are here: one may still be on its way."""
    return tuple(
        PictureShown(sha256=each["sha256"], alt=each["alt"])
        for each in json.loads(row["pictures"])
        if books.offerings.has_picture(sha256=each["sha256"])
    )


def _record(books: Transaction, offering: str, devices: int) -> Reliability | None:
    row = books.offerings.record(
        offering_id=offering,
        most=max(RECORD_MAX // devices, 1),
        on_time_ms=ON_TIME_SECONDS * 1000,
    )
    return reliability(on_time=int(row["on_time"]), uses=row["uses"])


def _served(row: Row) -> Served:
    return Served(
        state=OfferState(row["state"]),
        reason=row["reason"],
        is_gone=row["presence"] == Presence.GONE,
        presence_at=row["presence_at"],
        is_out_of_order=bool(row["is_out_of_order"]),
    )


def _store(row: Row, now: int) -> StoreShown:
    hours: OpeningHours | None = read_hours(row["hours"])
    zone = row["time_zone"]
    opened = is_open(hours, zone, now)
    return StoreShown(
        store=row["store_id"],
        number=row["store_number"],
        title=row["store_title"],
        time_zone=zone,
        directions=row["directions"],
        is_open=opened,
        opens_at=None if opened else next_opening(hours, zone, now),
        closes_at=closing_after(hours, zone, now) if opened else None,
    )


def _ranges(rows: Sequence[Row]) -> list[Range]:
    return [Range(starts_at=row["starts_at"], ends_at=row["blocked_until"]) for row in rows]


def _by(rows: Sequence[Row], column: str) -> Mapping[str, list[Row]]:
    found = defaultdict[str, list[Row]](list)
    for row in rows:
        found[row[column]].append(row)
    return found

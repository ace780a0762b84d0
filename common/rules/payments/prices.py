"""What a slot costs: flat, or by the hour in bands of the store's wall clock, or as a package.

Its law: an amount is rounded once, when all of it is added up (docs/decisions/0035).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Annotated, Final, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from common.rules.payments.bands import DAY_MINUTES, WallRange, pieces, wall_at
from common.rules.payments.shares import rounded, shared

CENTS_MAX: Final = 100_000_000
"""The highest price that can be said, in minor units: a typing mistake ends somewhere."""

BANDS_MAX: Final = 20
HOUR_MS: Final = 3_600_000

_CLOCK: Final = r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$"

Cents = Annotated[int, Field(ge=0, le=CENTS_MAX)]
ClockText = Annotated[str, Field(pattern=_CLOCK, examples=["18:00"])]
"""A wall clock's time in the store's zone; 24:00 is the end of the day."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _When(_Part):
    """Hours of some weekdays; without any, always."""

    weekdays: Annotated[
        tuple[Annotated[int, Field(ge=0, le=6)], ...],
        Field(max_length=7, description="Monday is 0; none are all"),
    ] = ()
    from_time: ClockText = "00:00"
    until_time: Annotated[ClockText, Field(description="before `from_time`: past midnight")] = (
        "24:00"
    )

    @property
    def wall_range(self) -> WallRange:
        """Return the same in minutes."""
        return WallRange(
            weekdays=frozenset(self.weekdays or range(7)),
            from_minute=_minute(self.from_time),
            until_minute=_minute(self.until_time),
        )


class Band(_When):
    """What an hour costs at some time of the week."""

    cents_per_hour: Cents


class Package(_When):
    """So much time for so much, for a slot that lies in its hours as a whole."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    length_seconds: Annotated[int, Field(ge=1, lt=2**24)]
    cents: Cents


class Prices(_Part):
    """What an offering costs.

    Without `cents_per_hour` the price is the flat one that its terminal registered, whatever the
    length. The first band that holds counts; where none does, `cents_per_hour`. A package pays for
    the beginning of a slot and the hours for the rest of it, where that is cheaper.
    """

    cents_per_hour: Cents | None = None
    bands: Annotated[tuple[Band, ...], Field(max_length=BANDS_MAX)] = ()
    packages: Annotated[tuple[Package, ...], Field(max_length=BANDS_MAX)] = ()
    is_per_person: Annotated[bool, Field(description="times the party's size")] = False
    tax_basis_points: Annotated[
        int, Field(ge=0, le=10_000, description="the tax within the price: 1000 is ten per cent")
    ] = 0

    @model_validator(mode="after")
    def _is_by_the_hour(self) -> Self:
        if self.cents_per_hour is None and (self.bands or self.packages):
            message = "bands and packages need `cents_per_hour` for all other times"
            raise ValueError(message)
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A part of a price, with what it is for: a package's title, or an hour's price."""

    title: str
    length_seconds: int
    cents_per_hour: int | None
    cents: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Stay:
    """A slot `[starts_at, ends_at)` in ms, by the store's clock, for a party of so many."""

    starts_at: int
    ends_at: int
    zone: ZoneInfo
    party_size: int = 1


def price_of(prices: Prices, flat_cents: int, stay: Stay) -> tuple[Part, ...]:
    """Return the parts of a price; their sum is the price, and the cheapest there is."""
    people = stay.party_size if prices.is_per_person else 1
    if prices.cents_per_hour is None:
        seconds = (stay.ends_at - stay.starts_at) // 1000
        cents = flat_cents * people
        return (Part(title="", length_seconds=seconds, cents_per_hour=None, cents=cents),)
    ways = [_by_the_hour(prices, stay, stay.starts_at, people)]
    for package in prices.packages:
        ends_at = stay.starts_at + package.length_seconds * 1000
        if ends_at <= stay.ends_at and _holds(package, stay, ends_at):
            first = Part(
                title=package.title,
                length_seconds=package.length_seconds,
                cents_per_hour=None,
                cents=package.cents * people,
            )
            ways.append((first, *_by_the_hour(prices, stay, ends_at, people)))
    return min(ways, key=lambda way: sum(part.cents for part in way))


def price_of_more(
    prices: Prices, flat_cents: int, stay: Stay, ends_at: int, shortest_seconds: int
) -> Part:
    """Return what it costs that a stay goes on until `ends_at` (ms), beyond its own price.

    By the hour it is the difference of the two, and nothing where the longer is no dearer. A flat
    price is for the shortest length that is sold: of that, as much as is added.
    """
    added_ms = ends_at - stay.ends_at
    assert added_ms > 0, "it goes on"
    if prices.cents_per_hour is None:
        people = stay.party_size if prices.is_per_person else 1
        cents = rounded(flat_cents * people * added_ms, shortest_seconds * 1000)
    else:
        longer = price_of(prices, flat_cents, replace(stay, ends_at=ends_at))
        before = price_of(prices, flat_cents, stay)
        cents = max(0, sum(part.cents for part in longer) - sum(part.cents for part in before))
    return Part(title="", length_seconds=added_ms // 1000, cents_per_hour=None, cents=cents)


def _by_the_hour(prices: Prices, stay: Stay, begin: int, people: int) -> tuple[Part, ...]:
    """Return a part for each price of an hour; the sum is rounded, then shared among them."""
    ranges = [(band.wall_range, band.cents_per_hour) for band in prices.bands]
    edges = [edge for range_, _ in ranges for edge in (range_.from_minute, range_.until_minute)]
    lengths: defaultdict[int, int] = defaultdict(int)
    for starts_at, ends_at in pieces(stay.zone, begin, stay.ends_at, edges):
        wall = wall_at(stay.zone, starts_at)
        rate = next((cents for range_, cents in ranges if range_.holds(wall)), None)
        lengths[prices.cents_per_hour or 0 if rate is None else rate] += ends_at - starts_at
    if not lengths:
        return ()
    exact = [length * rate * people for rate, length in lengths.items()]
    cents = shared(rounded(sum(exact), HOUR_MS), exact)
    return tuple(
        Part(title="", length_seconds=length // 1000, cents_per_hour=rate * people, cents=share)
        for (rate, length), share in zip(lengths.items(), cents, strict=True)
    )


def _holds(package: Package, stay: Stay, ends_at: int) -> bool:
    """Say whether a package's hours hold the whole of what it would pay for."""
    hours = package.wall_range
    edges = (hours.from_minute, hours.until_minute)
    return all(
        hours.holds(wall_at(stay.zone, starts_at))
        for starts_at, _ in pieces(stay.zone, stay.starts_at, ends_at, edges)
    )


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    minute = int(hours) * 60 + int(minutes)
    assert 0 <= minute <= DAY_MINUTES
    return minute

"""A store's opening hours as a person says them: local wall times, by weekday and by date."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Annotated, Any, Final, LiteralString

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError
from typing_extensions import override

from common.errors import RusubanError

DAY_MINUTES: Final = 24 * 60

RANGES_MAX: Final = 8
"""Ranges a day: more breaks than any store has."""

DATES_MAX: Final = 400
"""Dates with hours of their own: more than a year of them."""

HOURS_BYTES_MAX: Final = 131_072
"""Bytes of hours as they are kept: twice what all the dates and ranges there may be come to."""

PARSED_MAX: Final = 256
"""Hours kept as read: one for each store of a chain; the books say them anew with each sale."""

_RANGE: Final = re.compile(r"(\d\d):([0-5]\d)-(\d\d):([0-5]\d)", re.ASCII)


class HoursFault(StrEnum):
    """What can be wrong with hours besides what pydantic says; a word keeps its meaning."""

    RANGE_UNREADABLE = "range_unreadable"
    RANGE_EMPTY = "range_empty"
    RANGE_TOO_LONG = "range_too_long"
    RANGES_OVERLAP = "ranges_overlap"
    DATE_TWICE = "date_twice"
    HOURS_TOO_LONG = "hours_too_long"


_WHY: Final[Mapping[HoursFault, LiteralString]] = {
    HoursFault.RANGE_UNREADABLE: "a range is said as 09:00-22:00, from before 24:00",
    HoursFault.RANGE_EMPTY: "it opens and closes at once; a whole day is 00:00-24:00",
    HoursFault.RANGE_TOO_LONG: "a range is 24 hours at most",
    HoursFault.RANGES_OVERLAP: "ranges of a day do not overlap",
    HoursFault.DATE_TWICE: "a date is said once",
    HoursFault.HOURS_TOO_LONG: "they are too long",
}


class HoursAreWrong(RusubanError):
    """These opening hours cannot be read: {where}: {why}."""


@dataclass(frozen=True, slots=True)
class WallRange:
    """From opening to closing in minutes of the local wall clock since the date's midnight.

    `closes` is past `DAY_MINUTES` where the store is open past midnight, and at most a day on.
    """

    opens: int
    closes: int

    @override
    def __str__(self) -> str:
        """Return it as it is written: `22:00-02:00` closes on the day after."""
        closes = self.closes - DAY_MINUTES if self._wraps else self.closes
        return f"{_clock(self.opens)}-{_clock(closes)}"

    @property
    def _wraps(self) -> bool:
        """Say whether the closing is written as a time of the next day, which is the shorter."""
        return DAY_MINUTES < self.closes < self.opens + DAY_MINUTES


def wall_range(said: object) -> WallRange:
    """Return `HH:MM-HH:MM` as a range; a closing not after its opening is on the next day.

    `00:00-24:00` is the whole day; a closing may also be said as hours past 24, as `18:00-26:00`.

    Raises:
        PydanticCustomError: of the type `range_unreadable`, `range_empty` or `range_too_long`.
    """
    if isinstance(said, WallRange):
        return said
    found = _RANGE.fullmatch(said) if isinstance(said, str) else None
    if found is None:
        raise _wrong(HoursFault.RANGE_UNREADABLE)
    hour, minute, closing_hour, closing_minute = map(int, found.groups())
    opens, closes = hour * 60 + minute, closing_hour * 60 + closing_minute
    if opens >= DAY_MINUTES:
        raise _wrong(HoursFault.RANGE_UNREADABLE)
    if closes == opens:
        raise _wrong(HoursFault.RANGE_EMPTY)
    if closes < opens:
        closes += DAY_MINUTES
    if closes > opens + DAY_MINUTES:
        raise _wrong(HoursFault.RANGE_TOO_LONG)
    return WallRange(opens, closes)


def _in_order(ranges: tuple[WallRange, ...]) -> tuple[WallRange, ...]:
    """Return a day's ranges in order; one may begin where another ends."""
    ordered = tuple(sorted(ranges, key=lambda each: each.opens))
    for one, other in pairwise(ordered):
        if other.opens < one.closes:
            raise _wrong(HoursFault.RANGES_OVERLAP)
    return ordered


RangeText = Annotated[
    WallRange,
    BeforeValidator(wall_range),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _RANGE.pattern, "examples": ["09:00-22:00"]}),
]
"""A range: `09:00-22:00` outside, minutes inside."""

DayHours = Annotated[tuple[RangeText, ...], Field(max_length=RANGES_MAX), AfterValidator(_in_order)]
"""The ranges that begin on one date, in order; none is closed."""


def _each_once(dates: tuple[Any, ...]) -> tuple[Any, ...]:
    days = [each.date if isinstance(each, OnDate) else each for each in dates]
    if len(set(days)) < len(days):
        raise _wrong(HoursFault.DATE_TWICE)
    return dates


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Week(_Part):
    """The hours of each weekday; a day that is not said is closed."""

    mon: DayHours = ()
    tue: DayHours = ()
    wed: DayHours = ()
    thu: DayHours = ()
    fri: DayHours = ()
    sat: DayHours = ()
    sun: DayHours = ()

    @property
    def days(self) -> tuple[tuple[WallRange, ...], ...]:
        """Return the weekdays' hours from Monday on, as `date.weekday` counts."""
        return (self.mon, self.tue, self.wed, self.thu, self.fri, self.sat, self.sun)


class OnDate(_Part):
    """A date that is unlike its weekday; without hours, closed."""

    date: date
    hours: DayHours = ()


class Holidays(_Part):
    """Dates that share hours of their own; without hours, closed."""

    dates: Annotated[tuple[date, ...], Field(max_length=DATES_MAX), AfterValidator(_each_once)] = ()
    hours: DayHours = ()


class OpeningHours(_Part):
    """When a store is open: an exception counts before a holiday, a holiday before the weekday.

    A date's hours are those that begin on it: open until 02:00 on New Year's Eve is said there.
    """

    week: Week = Week()
    holidays: Holidays = Holidays()
    exceptions: Annotated[
        tuple[OnDate, ...], Field(max_length=DATES_MAX), AfterValidator(_each_once)
    ] = ()

    @override
    def __hash__(self) -> int:
        """Return what was computed once: hours are looked up with each sale."""
        return self._digest

    def on(self, day: date) -> tuple[WallRange, ...]:
        """Return the ranges that begin on a date."""
        said = self._dates.get(day)
        return self.week.days[day.weekday()] if said is None else said

    @cached_property
    def _digest(self) -> int:
        return hash((self.week, self.holidays, self.exceptions))

    @cached_property
    def _dates(self) -> Mapping[date, tuple[WallRange, ...]]:
        of_holidays = dict.fromkeys(self.holidays.dates, self.holidays.hours)
        return {**of_holidays, **{each.date: each.hours for each in self.exceptions}}


@lru_cache(maxsize=PARSED_MAX)
def read_hours(text: str) -> OpeningHours | None:
    """Return hours from the JSON that is kept of them, or None for nothing: always open.

    Raises:
        HoursAreWrong: with its `code`, a `HoursFault` or a word of pydantic's such as
            `extra_forbidden`, `json_invalid`, `too_long`; and `where`, the path to it.
    """
    if not text:
        return None
    if len(text.encode()) > HOURS_BYTES_MAX:
        fault = HoursFault.HOURS_TOO_LONG
        raise HoursAreWrong(where="the whole", code=fault.value, why=_WHY[fault])
    try:
        return OpeningHours.model_validate_json(text, strict=True)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise HoursAreWrong(where=where, code=first["type"], why=first["msg"]) from None


def hours_text(hours: OpeningHours | None) -> str:
    """Return hours as they are kept; always open is nothing."""
    return "" if hours is None else hours.model_dump_json(exclude_defaults=True)


def _wrong(fault: HoursFault) -> PydanticCustomError:
    return PydanticCustomError(fault.value, _WHY[fault])


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"

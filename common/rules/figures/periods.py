"""Periods of whole days by a store's own calendar, and those that are asked for by a name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from common.errors import RusubanError

PERIOD_DAYS_MAX: Final = 366
"""The longest period: a year, so that one reading thread has read it in a second or two."""

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 9000
"""Between these every zone has its midnight within our time."""


class PeriodIsWrong(RusubanError):
    """A report's period is of 1 to 366 days, and its last day is not before its first."""


class Choice(StrEnum):
    """Periods that have a name; each is counted back from today, by the store's calendar."""

    WEEK = "week"
    """The last seven days, today among them."""
    MONTH = "month"
    """The last thirty."""
    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"
    YEAR = "year"
    """The last 365."""


_DAYS: Final = {Choice.WEEK: 7, Choice.MONTH: 30, Choice.YEAR: 365}


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """Whole days, the last one included, in a zone."""

    first: date
    last: date
    time_zone: str

    @property
    def days(self) -> tuple[date, ...]:
        """Return each of its days."""
        count = (self.last - self.first).days + 1
        return tuple(self.first + timedelta(days=day) for day in range(count))

    @property
    def starts_at(self) -> int:
        """Return the midnight at which it begins (UTC ms)."""
        return self.midnight(self.first)

    @property
    def ends_at(self) -> int:
        """Return the midnight at which it ends (UTC ms)."""
        return self.midnight(self.last + timedelta(days=1))

    def midnight(self, day: date) -> int:
        """Return when a day begins, by the clock of the zone (UTC ms)."""
        moment = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.time_zone))
        return int(moment.timestamp() * 1000)

    def day_of(self, at: int) -> date:
        """Return the date that the zone's calendar shows at an instant."""
        return self._local(at).date()

    def by_hour(self, starts_at: int, ends_at: int) -> Iterator[tuple[int, int, float]]:
        """Yield the seconds of a stretch by weekday (0 is Monday) and hour of the wall clock."""
        at = max(starts_at, self.starts_at)
        end = min(ends_at, self.ends_at)
        while at < end:
            local = self._local(at)
            into_ms = (local.minute * 60 + local.second) * 1000 + at % 1000
            until = min(end, at + 3_600_000 - into_ms)
            yield local.weekday(), local.hour, (until - at) / 1000
            at = until

    def _local(self, at: int) -> datetime:
        return datetime.fromtimestamp(at // 1000, UTC).astimezone(ZoneInfo(self.time_zone))


def period_of(first: date, last: date, time_zone: str) -> Period:
    """Return a period that is asked for by its days.

    Raises:
        PeriodIsWrong: it is longer than a year, ends before it begins, or is out of our time.
    """
    is_ours = first.year >= FIRST_YEAR and last.year <= LAST_YEAR
    if not is_ours or not 0 <= (last - first).days < PERIOD_DAYS_MAX:
        raise PeriodIsWrong
    return Period(first=first, last=last, time_zone=time_zone)


def chosen(choice: Choice, time_zone: str, now: int) -> Period:
    """Return a period by its name; it ends today, or at the last month's end."""
    today = datetime.fromtimestamp(now // 1000, UTC).astimezone(ZoneInfo(time_zone)).date()
    first, last = today.replace(day=1), today
    if choice is Choice.LAST_MONTH:
        last = first - timedelta(days=1)
        first = last.replace(day=1)
    elif choice is not Choice.THIS_MONTH:
        first = today - timedelta(days=_DAYS[choice] - 1)
    return Period(first=first, last=last, time_zone=time_zone)

"""Cut a stretch of time where the store's wall clock crosses an edge, to the millisecond.

Its law: the pieces are the whole stretch, also on the days on which the clock is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

DAY_MINUTES: Final = 1_440

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_MINUTE_MS: Final = 60_000
_DAY_MS: Final = DAY_MINUTES * _MINUTE_MS


@dataclass(frozen=True, kw_only=True, slots=True)
class Wall:
    """What the store's clock shows: the weekday, Monday nought, and milliseconds since midnight."""

    weekday: int
    day_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class WallRange:
    """Hours of some weekdays: `[from_minute, until_minute)`, past midnight where it ends first."""

    weekdays: frozenset[int]
    from_minute: int
    until_minute: int

    def holds(self, wall: Wall) -> bool:
        """Say whether it is that time; what goes past midnight belongs to the day it began on."""
        minute = wall.day_ms // _MINUTE_MS
        if self.from_minute < self.until_minute:
            return wall.weekday in self.weekdays and self.from_minute <= minute < self.until_minute
        if minute >= self.from_minute:
            return wall.weekday in self.weekdays
        return minute < self.until_minute and (wall.weekday - 1) % 7 in self.weekdays


def wall_at(zone: ZoneInfo, at: int) -> Wall:
    """Return what a clock in this zone shows at an instant."""
    local = (_EPOCH + at * _MILLISECOND).astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return Wall(
        weekday=local.weekday(), day_ms=(local.replace(tzinfo=None) - midnight) // _MILLISECOND
    )


def pieces(
    zone: ZoneInfo, starts_at: int, ends_at: int, edges: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Yield `[starts_at, ends_at)` cut at each midnight and edge, in minutes of the local day."""
    all_edges = sorted({edge % DAY_MINUTES * _MINUTE_MS for edge in edges} | {0})
    at = starts_at
    while at < ends_at:
        after = min(_next_edge(zone, at, all_edges), ends_at)
        yield at, after
        at = after


def _next_edge(zone: ZoneInfo, at: int, edges: Sequence[int]) -> int:
    """Return when the wall clock reaches the next edge, or is changed before it does."""
    now_ms = wall_at(zone, at).day_ms
    ahead = next((edge for edge in edges if edge > now_ms), _DAY_MS) - now_ms
    if _offset(zone, at) == _offset(zone, at + ahead):
        return at + ahead
    return _first(lambda later: _offset(zone, later) != _offset(zone, at), at, at + ahead)


def _first(is_so: Callable[[int], bool], before: int, after: int) -> int:
    """Return the first instant for which it is so: not for `before`, and for `after`."""
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (before, middle) if is_so(middle) else (middle, after)
    return after


def _offset(zone: ZoneInfo, at: int) -> timedelta:
    offset = (_EPOCH + at * _MILLISECOND).astimezone(zone).utcoffset()
    assert offset is not None, "every zone has an offset"
    return offset

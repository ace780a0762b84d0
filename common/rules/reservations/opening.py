"""When a store is open, in instants: its wall times through gaps and hours that come twice.

A wall time that a clock skips is the instant at which it skips. One that comes twice is its first
for an opening and its second for a closing; midnight as the end of a day is its first, since the
next day begins there. So whatever is open around the clock has no hole and no overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from common.messages.base import INSTANT_MAX
from common.rules.reservations.hours import DAY_MINUTES, OpeningHours, WallRange
from common.rules.reservations.ranges import Range

LOOK_AHEAD_DAYS: Final = 400
"""How far ahead the next opening or closing is looked for: a year, and some."""

DAYS_KEPT: Final = 8_192
"""Days whose openings are kept: two months of a hundred stores."""

ZONES_KEPT: Final = 640
"""Time zones kept: all there are."""

_BACK: Final = 2
_ON: Final = 1
"""Days around a window whose openings may touch it: a range lasts past midnight, and a clock that
goes back may take the date with it."""

_WHOLE_DAY: Final = (WallRange(0, DAY_MINUTES),)
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock that shows UTC
_FIRST_DAY: Final = date(1970, 1, 1).toordinal() - 1
_LAST_DAY: Final = date(9999, 12, 29).toordinal()


def openings(hours: OpeningHours | None, time_zone: str, window: Range) -> list[Range]:
    """Return the openings that touch a window, in order, each whole and as it begins.

    They do not overlap; one may begin where another ends, and does at each midnight of a store that
    never closes. Where hours of two dates overlap, the later opening goes on for both.

    Args:
        hours: when it opens; None is always.
        time_zone: the IANA name of the store's zone, checked where it came in.
        window: UTC milliseconds.
    """
    if window.starts_at >= window.ends_at:
        return []
    first = _day_at(time_zone, window.starts_at) - _BACK
    last = _day_at(time_zone, window.ends_at - 1) + _ON
    found = _parted(_begun(hours, time_zone, first, last))
    return [each for each in found if each.overlaps(window)]


def open_ranges(hours: OpeningHours | None, time_zone: str, window: Range) -> list[Range]:
    """Return when a store is open within a window, in order; none of them adjoin (UTC ms)."""
    clipped = (
        Range(
            starts_at=max(each.starts_at, window.starts_at),
            ends_at=min(each.ends_at, window.ends_at),
        )
        for each in openings(hours, time_zone, window)
    )
    return list(_merged(clipped))


def is_open(hours: OpeningHours | None, time_zone: str, at: int) -> bool:
    """Say whether a store is open at an instant."""
    return bool(openings(hours, time_zone, Range(starts_at=at, ends_at=at + 1)))


def is_open_throughout(hours: OpeningHours | None, time_zone: str, stretch: Range) -> bool:
    """Say whether a store is open for the whole of a stretch of time (UTC ms)."""
    return open_ranges(hours, time_zone, stretch) == [stretch]


def next_opening(hours: OpeningHours | None, time_zone: str, at: int) -> int | None:
    """Return the first instant from `at` on at which it is open: `at` itself if it is open then.

    None where it does not open within `LOOK_AHEAD_DAYS`.
    """
    run = next(_runs_after(hours, time_zone, at), None)
    return None if run is None else max(run.starts_at, at)


def closing_after(hours: OpeningHours | None, time_zone: str, at: int) -> int | None:
    """Return the first instant from `at` on at which it is closed: `at` itself if it is closed.

    None where it does not close within `LOOK_AHEAD_DAYS`, as a store that is always open.
    """
    if hours is None:
        return None
    run = next(_runs_after(hours, time_zone, at), None)
    if run is None or run.starts_at > at:
        return at
    return run.ends_at if run.ends_at < at + LOOK_AHEAD_DAYS * 86_400_000 else None


def _runs_after(hours: OpeningHours | None, time_zone: str, at: int) -> Iterator[Range]:
    """Yield what is open without a break, beginning with what is at or after an instant."""
    first = _day_at(time_zone, at)
    days = _begun(hours, time_zone, first - _BACK, first + LOOK_AHEAD_DAYS)
    return (run for run in _merged(_parted(days)) if run.ends_at > at)


def _begun(hours: OpeningHours | None, time_zone: str, first: int, last: int) -> Iterator[Range]:
    for day in range(max(first, _FIRST_DAY), min(last, _LAST_DAY) + 1):
        yield from _openings_on(hours, time_zone, day)


def _parted(found: Iterable[Range]) -> Iterator[Range]:
    """Yield openings so that each ends where a later one begins, if it has not ended before."""
    last: Range | None = None
    for each in found:
        opening = each
        if last is not None and each.starts_at < last.ends_at:
            opening = Range(starts_at=each.starts_at, ends_at=max(each.ends_at, last.ends_at))
            last = Range(starts_at=last.starts_at, ends_at=each.starts_at)
        if last is not None and last.starts_at < last.ends_at:
            yield last
        last = opening
    if last is not None:
        yield last


def _merged(found: Iterable[Range]) -> Iterator[Range]:
    """Yield what is open without a break."""
    run: Range | None = None
    for each in found:
        if run is not None and each.starts_at == run.ends_at:
            run = Range(starts_at=run.starts_at, ends_at=each.ends_at)
            continue
        if run is not None:
            yield run
        run = each
    if run is not None:
        yield run


@lru_cache(maxsize=DAYS_KEPT)
def _openings_on(hours: OpeningHours | None, time_zone: str, ordinal: int) -> tuple[Range, ...]:
    """Return the openings that begin on a date, in order; what lies in a gap is none."""
    day = date.fromordinal(ordinal)
    zone = _zone(time_zone)
    ranges = _WHOLE_DAY if hours is None else hours.on(day)
    found = (
        Range(starts_at=_opening(zone, day, each.opens), ends_at=_closing(zone, day, each.closes))
        for each in ranges
    )
    return tuple(each for each in found if each.starts_at < each.ends_at)


def _opening(zone: ZoneInfo, day: date, minutes: int) -> int:
    return _instant(zone, _wall(day, minutes), is_second=False)


def _closing(zone: ZoneInfo, day: date, minutes: int) -> int:
    return _instant(zone, _wall(day, minutes), is_second=minutes != DAY_MINUTES)


def _wall(day: date, minutes: int) -> datetime:
    return datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)  # noqa: DTZ001 - wall


def _instant(zone: ZoneInfo, wall: datetime, *, is_second: bool) -> int:
    """Return when a wall clock shows this: its first or its second time; in a gap, its end."""
    first, second = (_read(zone, wall, fold) for fold in (0, 1))
    if second < first:
        return _end_of_gap(zone, wall, second, first)
    return second if is_second else first


def _read(zone: ZoneInfo, wall: datetime, fold: int) -> int:
    """Return an instant by the offset that counts before (0) or after (1) a changeover."""
    offset = wall.replace(tzinfo=zone, fold=fold).utcoffset()
    assert offset is not None, "every zone has its offset"
    return (wall - offset - _EPOCH) // timedelta(milliseconds=1)


def _end_of_gap(zone: ZoneInfo, wall: datetime, before: int, after: int) -> int:
    """Return when a clock skips a wall time: offsets change on whole seconds, between these two."""
    low, high = before // 1000, after // 1000
    while low < high:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).replace(tzinfo=None) >= wall:
            high = middle
        else:
            low = middle + 1
    return low * 1000


def _day_at(time_zone: str, at: int) -> int:
    """Return the ordinal of the date that the store's calendar shows."""
    within = min(max(at, 0), INSTANT_MAX - 2 * 86_400_000)
    return datetime.fromtimestamp(within // 1000, _zone(time_zone)).toordinal()


@lru_cache(maxsize=ZONES_KEPT)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)

"""A store's day as lanes: where each bar lies, in hundredths of what is shown of the day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cloud_controller.flows.board import DayOf, short
from cloud_controller.ports import Row
from common.rules.reservations import Range

HOUR_MS: Final = 3_600_000

NARROWEST_HOURS: Final = 8
"""Hours that are shown at the least: a bar of half an hour keeps its code."""

NAMED_HOURS_MAX: Final = 18
"""Hours that have their names side by side in the narrowest lane without touching."""

EDGE_HOURS: Final = 1
"""Hours that are shown before the first opening and after the last closing."""

KINDS: Final = (
    *("running", "coming", "awaited", "held", "done", "missed", "failed"),
    *("turnover", "shut", "out", "closed"),
)
"""What a bar can be; each has a drawing of its own and a word."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One stretch of a lane.

    Attributes:
        kind: one of `KINDS`.
        starts_at, ends_at: what it stands for, UTC ms; also beyond what is shown.
        x, width: where it lies, in hundredths of the lane.
        code: by what its ticket is told; empty: it has none.
        about: what it is for: an offering's title, or why nothing is sold.
    """

    kind: str
    starts_at: int
    ends_at: int
    x: float
    width: float
    code: str = ""
    about: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """One device's day; `bars` in the order in which they are drawn, what is beneath first."""

    row: Row
    bars: Sequence[Bar]

    @property
    def told(self) -> list[Bar]:
        """Return the bars that tell something of this device, by the clock."""
        found = [bar for bar in self.bars if bar.kind not in ("closed", "turnover")]
        return sorted(found, key=lambda bar: bar.starts_at)


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """A store's day as it is drawn.

    Attributes:
        shown: from where to where, UTC ms: when the store is open, and whatever else there is.
        hours: each full hour within it and where it lies.
        now_x: where the present lies; None: on another day.
    """

    shown: Range
    hours: Sequence[tuple[int, float]]
    lanes: Sequence[Lane]
    now_x: float | None

    @property
    def named(self) -> Sequence[tuple[int, float]]:
        """Return the hours whose names are written: of a long day every other one."""
        return self.hours if len(self.hours) <= NAMED_HOURS_MAX else self.hours[::2]

    @property
    def kinds(self) -> list[str]:
        """Return what there is to be told apart, in the order of `KINDS`."""
        found = {bar.kind for lane in self.lanes for bar in lane.bars}
        return [kind for kind in KINDS if kind in found]


def drawn(day: DayOf, now: int) -> Drawn:
    """Return a day as it is drawn."""
    shown = _shown(day, now)
    begins = range(-(-shown.starts_at // HOUR_MS) * HOUR_MS, shown.ends_at, HOUR_MS)
    is_now = shown.starts_at <= now < shown.ends_at
    return Drawn(
        shown=shown,
        hours=[(at, _x(at, shown)) for at in begins],
        lanes=[Lane(row=row, bars=list(_bars(row, day, shown, now))) for row in day.devices],
        now_x=_x(now, shown) if is_now else None,
    )


def _shown(day: DayOf, now: int) -> Range:
    """Return what of the day is drawn: the hours of the store, and those of whatever is sold."""
    whole = day.window
    claims = [row for rows in day.claims.values() for row in rows]
    starts = [each.starts_at for each in day.open] + [row["starts_at"] for row in claims]
    ends = [each.ends_at for each in day.open] + [row["blocked_until"] for row in claims]
    if whole.starts_at <= now < whole.ends_at:
        starts, ends = [*starts, now], [*ends, now]
    if not starts:
        return whole
    edge = EDGE_HOURS * HOUR_MS
    first = max((min(starts) - whole.starts_at) // HOUR_MS * HOUR_MS + whole.starts_at - edge, 0)
    last = -(-(max(ends) - whole.starts_at) // HOUR_MS) * HOUR_MS + whole.starts_at + edge
    last = max(last, first + NARROWEST_HOURS * HOUR_MS)
    return Range(
        starts_at=max(min(first, whole.ends_at - NARROWEST_HOURS * HOUR_MS), whole.starts_at),
        ends_at=min(last, whole.ends_at),
    )


def _bars(device: Row, day: DayOf, shown: Range, now: int) -> Iterator[Bar]:
    for closed in _gaps(day.open, shown):
        yield from _bar("closed", closed.starts_at, closed.ends_at, shown)
    name = device["device_id"]
    for row in (*day.blackouts.get("", ()), *day.blackouts.get(name, ())):
        yield from _bar("shut", row["starts_at"], row["ends_at"], shown, about=row["reason"])
    if device["is_out_of_order"] and shown.starts_at <= now < shown.ends_at:
        since = device["state_at"] or now
        yield from _bar("out", since, shown.ends_at, shown)
    for row in day.claims.get(name, ()):
        yield from _of_claim(row, shown, now)


def _of_claim(row: Row, shown: Range, now: int) -> Iterator[Bar]:
    kind = _kind(row, now)
    starts_at, ends_at = row["starts_at"], row["ends_at"]
    if row["blocked_until"] > ends_at and kind not in ("missed", "held"):
        yield from _bar("turnover", ends_at, row["blocked_until"], shown)
    yield from _bar(
        kind,
        starts_at,
        ends_at,
        shown,
        code=short(row["short_code"]),
        about=row["offering_title"],
    )


def _kind(row: Row, now: int) -> str:
    if row["session_state"] == "failed":
        return "failed"
    if row["state"] == "confirmed":
        return "coming" if row["starts_at"] > now else "awaited"
    kinds = {"in_use": "running", "completed": "done", "no_show": "missed", "held": "held"}
    return kinds[row["state"]]


def _bar(
    kind: str, starts_at: int, ends_at: int, shown: Range, *, code: str = "", about: str = ""
) -> Iterator[Bar]:
    """Return a stretch as a bar, unless nothing of it is shown."""
    first, last = max(starts_at, shown.starts_at), min(ends_at, shown.ends_at)
    if first < last:
        x = _x(first, shown)
        yield Bar(
            kind=kind,
            starts_at=starts_at,
            ends_at=ends_at,
            x=x,
            width=round(_x(last, shown) - x, 3),
            code=code,
            about=about,
        )


def _x(at: int, shown: Range) -> float:
    return round(100 * (at - shown.starts_at) / (shown.ends_at - shown.starts_at), 3)


def _gaps(open_: Iterable[Range], shown: Range) -> Iterator[Range]:
    """Return when a store is closed within what is shown."""
    at = shown.starts_at
    for each in open_:
        if at < each.starts_at:
            yield Range(starts_at=at, ends_at=min(each.starts_at, shown.ends_at))
        at = max(at, each.ends_at)
    if at < shown.ends_at:
        yield Range(starts_at=at, ends_at=shown.ends_at)

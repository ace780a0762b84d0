"""When can a device be booked? Slots are stepped in UTC through each opening of its store.

They begin at the opening instant and at each grid step after it, so that a day of 23 or 25 hours
has 46 or 50 half hours. A slot may run on into the opening that follows without a break.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from common.rules.reservations.hours import OpeningHours, read_hours
from common.rules.reservations.opening import openings
from common.rules.reservations.ranges import Range

SLOTS_MAX: Final = 500
"""Slots listed at once: more than a day of five-minute slots."""

HORIZON_SECONDS: Final = 60 * 86_400
"""How far ahead a slot can be booked where its offering says nothing else."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SlotTerms:
    """How an offering is cut into slots, and from when until when one can be booked.

    Attributes:
        length_seconds: of a slot.
        grid_seconds: from one slot's begin to the next one's, counted from each opening.
        turnover_seconds: kept free after a slot; it may last past closing.
        lead_seconds: how long before its begin a slot can be booked at the latest.
        horizon_seconds: how far ahead a slot may end at the most.
        hours: when the store is open; None is always.
        time_zone: the IANA name of the store's zone.
    """

    length_seconds: int
    grid_seconds: int
    turnover_seconds: int
    lead_seconds: int = 0
    horizon_seconds: int = HORIZON_SECONDS
    hours: OpeningHours | None = None
    time_zone: str = "UTC"


def terms_in(row: Mapping[str, Any], length_seconds: int) -> SlotTerms:
    """Return how an offering is cut into slots of a length, as its row and its store's say."""
    return SlotTerms(
        length_seconds=length_seconds,
        grid_seconds=row["grid_seconds"],
        turnover_seconds=row["turnover_seconds"],
        lead_seconds=row["lead_seconds"],
        horizon_seconds=row["horizon_seconds"],
        hours=read_hours(row["hours"]),
        time_zone=row["time_zone"],
    )


def blocked(slot: Range, turnover_seconds: int) -> Range:
    """Return the slot with the turnover that follows it."""
    return Range(starts_at=slot.starts_at, ends_at=slot.ends_at + turnover_seconds * 1000)


def slots(terms: SlotTerms, window: Range, *, now: int) -> Iterator[Range]:
    """Yield the slots inside a window that can still be booked, at most `SLOTS_MAX`, in order."""
    length, grid = terms.length_seconds * 1000, terms.grid_seconds * 1000
    earliest = max(window.starts_at, now + terms.lead_seconds * 1000)
    latest_end = min(window.ends_at, now + terms.horizon_seconds * 1000)
    bookable = Range(starts_at=earliest, ends_at=latest_end)
    left = SLOTS_MAX
    for opening, run_ends_at in _with_their_runs(terms, bookable):
        steps = max(0, -(-(earliest - opening.starts_at) // grid))
        first = opening.starts_at + steps * grid
        last = min(opening.ends_at - 1, min(run_ends_at, latest_end) - length)
        for starts_at in range(first, last + 1, grid)[:left]:
            yield Range(starts_at=starts_at, ends_at=starts_at + length)
            left -= 1


def is_a_slot(terms: SlotTerms, slot: Range, *, now: int) -> bool:
    """Say whether a slot asked for begins on a step, is of the right length and bookable now."""
    return next(slots(terms, slot, now=now), None) == slot


def is_free(slot: Range, turnover_seconds: int, taken: Sequence[Range]) -> bool:
    """Say whether nothing taken overlaps the slot with its turnover."""
    wanted = blocked(slot, turnover_seconds)
    return not any(wanted.overlaps(other) for other in taken)


def is_in_time(cut_off_seconds: int, starts_at: int, now: int) -> bool:
    """Say whether a claim can be changed, or given up, still: so long before its slot (ms)."""
    return now + cut_off_seconds * 1000 <= starts_at


def _with_their_runs(terms: SlotTerms, window: Range) -> list[tuple[Range, int]]:
    """Return the openings that touch a window, each with when the store closes after it."""
    found = openings(terms.hours, terms.time_zone, window)
    ends_at, runs_end_at = -1, list[int]()
    for opening, following in zip(reversed(found), [None, *reversed(found)], strict=False):
        goes_on = following is not None and following.starts_at == opening.ends_at
        ends_at = ends_at if goes_on else opening.ends_at
        runs_end_at.append(ends_at)
    return list(zip(found, reversed(runs_end_at), strict=True))

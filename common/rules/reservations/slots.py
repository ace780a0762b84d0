"""When can a device be booked? Slots are stepped in UTC; each blocks its turnover too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

SLOTS_MAX: Final = 500
"""Slots listed at once: more than a day of five-minute slots."""

HORIZON_SECONDS: Final = 60 * 86_400
"""How far ahead a slot can be booked."""

LEAD_SLACK_SECONDS: Final = 0
"""A slot may be booked until the moment it begins."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """A stretch of time `[starts_at, ends_at)` in ms; what follows at once does not overlap."""

    starts_at: int
    ends_at: int

    def overlaps(self, other: Range) -> bool:
        """Say whether the two share an instant."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


@dataclass(frozen=True, kw_only=True, slots=True)
class SlotTerms:
    """How an offering is cut into slots."""

    length_seconds: int
    grid_seconds: int
    turnover_seconds: int


def blocked(slot: Range, turnover_seconds: int) -> Range:
    """Return the slot with the turnover that follows it."""
    return Range(starts_at=slot.starts_at, ends_at=slot.ends_at + turnover_seconds * 1000)


def slots(terms: SlotTerms, window: Range, *, now: int) -> Iterator[Range]:
    """Yield the grid's slots inside a window that can still be booked, at most `SLOTS_MAX`."""
    grid = terms.grid_seconds * 1000
    length = terms.length_seconds * 1000
    starts_at = -(-max(window.starts_at, now - LEAD_SLACK_SECONDS * 1000) // grid) * grid
    last = min(window.ends_at, now + HORIZON_SECONDS * 1000) - length
    for _ in range(SLOTS_MAX):
        if starts_at > last:
            return
        yield Range(starts_at=starts_at, ends_at=starts_at + length)
        starts_at += grid


def is_a_slot(terms: SlotTerms, slot: Range, *, now: int) -> bool:
    """Say whether a slot asked for is on the grid, of the right length and bookable now."""
    window = Range(starts_at=slot.starts_at, ends_at=slot.ends_at)
    return next(slots(terms, window, now=now), None) == slot


def is_free(slot: Range, turnover_seconds: int, taken: Sequence[Range]) -> bool:
    """Say whether nothing taken overlaps the slot with its turnover."""
    wanted = blocked(slot, turnover_seconds)
    return not any(wanted.overlaps(other) for other in taken)

"""A stretch of time, in instants."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """A stretch of time `[starts_at, ends_at)` in ms; what follows at once does not overlap."""

    starts_at: int
    ends_at: int

    def overlaps(self, other: Range) -> bool:
        """Say whether the two share an instant."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

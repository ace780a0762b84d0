"""Heartbeats of a session: how often, and how many were left out between two of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SESSION_HEARTBEAT_SECONDS: Final = 60.0
"""How often a terminal says what was given of a session: seldom enough to cost nothing."""

MISSED_MIN: Final = 2
"""Heartbeats left out from which on it is a gap: one may be as late as another is early."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Heartbeat:
    """One word of a terminal about a session; seconds are the runner's, since the program ran."""

    number: int
    at: int
    delivered_seconds: float
    lost_seconds: float

    @property
    def measured_seconds(self) -> float:
        """Return how long the session has gone on, by the clock that cannot be set."""
        return self.delivered_seconds + self.lost_seconds


def missed_heartbeats(before: Heartbeat | None, heard: Heartbeat) -> int:
    """Return how many were left out since the one before, or since the program ran: 0, or a gap.

    Those that were made while the line was down are not: only the newest of them is told, and its
    number counts them. Money does not depend on it: what was given is told in full at the end.
    """
    since_seconds = heard.measured_seconds - (before.measured_seconds if before else 0.0)
    made = heard.number - (before.number if before else 0)
    missed = round(since_seconds / SESSION_HEARTBEAT_SECONDS) - made
    return missed if missed >= MISSED_MIN else 0

"""Is a terminal here? Judged by the silence since its last heartbeat: here → late → gone."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

HEARTBEAT_SECONDS: Final = 5.0
"""Between two heartbeats of a terminal."""

LATE_AFTER_SECONDS: Final = 8.0
"""One heartbeat missed, and a little for the road."""

GONE_AFTER_SECONDS: Final = 15.0
"""The presence lease: two heartbeats missed and the third due."""


class LineMode(StrEnum):
    """What a terminal can do for a customer now, as its screen says it."""

    ASKS = "asks"
    """The line is up: the controller is asked about every ticket."""
    ALONE = "alone"
    """The line is down: the tickets that are held here are opened all the same."""
    UNSURE = "unsure"
    """The line is down and no clock can be trusted: nothing is opened."""
    STOPPED = "stopped"
    """It serves nobody."""


class Presence(StrEnum):
    """How sure the controller is that a terminal is there."""

    HERE = "here"
    LATE = "late"
    GONE = "gone"


def presence_after(silence_seconds: float) -> Presence:
    """Return what this much silence means."""
    if silence_seconds < LATE_AFTER_SECONDS:
        return Presence.HERE
    return Presence.LATE if silence_seconds < GONE_AFTER_SECONDS else Presence.GONE


def seconds_to_next_change(silence_seconds: float) -> float | None:
    """Return how long until this silence means something else, or None: it is gone already."""
    for limit in (LATE_AFTER_SECONDS, GONE_AFTER_SECONDS):
        if silence_seconds < limit:
            return limit - silence_seconds
    return None

"""A session that its PC's end has interrupted: whether it goes on, and with how much.

Its law: a customer never gets more than the last checkpoint left him, and nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.machine import Machine


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut:
    """What is known of a session whose PC was without power, or was restarted.

    Attributes:
        remaining_seconds: as of its last checkpoint.
        checkpoint_at: when that was, in milliseconds; None: no clock could be trusted then.
        was_interrupted: it went on once before, or waited to; a second time it does not.
    """

    remaining_seconds: float
    checkpoint_at: int | None
    was_interrupted: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Chance:
    """With how much it may go on, and how long that is possible; both from now on."""

    remaining_seconds: float
    within_seconds: float


def chance(cut: Cut, *, trusted_now: int | None, limit_seconds: float) -> Chance | None:
    """Say whether an interrupted session may go on; None: it is over.

    What passed meanwhile counts against it. Where a clock then or now cannot be trusted nobody
    knows how much that is, and it counts 0: the slot's end, and that it goes on once only, hold
    that within bounds.
    """
    elapsed_seconds = 0.0
    if trusted_now is not None and cut.checkpoint_at is not None:
        elapsed_seconds = max(0.0, (trusted_now - cut.checkpoint_at) / 1000)
    remaining_seconds = cut.remaining_seconds - elapsed_seconds
    within_seconds = min(limit_seconds - elapsed_seconds, remaining_seconds)
    if cut.was_interrupted or within_seconds <= 0:
        return None
    return Chance(remaining_seconds=remaining_seconds, within_seconds=within_seconds)


class InterruptionState(StrEnum):
    """What a terminal knows of a session's interruption."""

    NONE = "none"
    WAITING = "waiting"
    """Its program is gone with the power; its customer is to show the ticket again."""
    SCANNED = "scanned"
    """He has; the runner is to go on with it."""
    RESUMED = "resumed"


class InterruptionEvent(StrEnum):
    """What happens to it."""

    CUT = "cut"
    SCAN = "scan"
    RESUME = "resume"


INTERRUPTION: Final = Machine(
    name="interruption",
    first=InterruptionState.NONE,
    table={
        (InterruptionState.NONE, InterruptionEvent.CUT): InterruptionState.WAITING,
        (InterruptionState.NONE, InterruptionEvent.RESUME): InterruptionState.RESUMED,
        (InterruptionState.WAITING, InterruptionEvent.SCAN): InterruptionState.SCANNED,
        (InterruptionState.WAITING, InterruptionEvent.RESUME): InterruptionState.RESUMED,
        (InterruptionState.SCANNED, InterruptionEvent.RESUME): InterruptionState.RESUMED,
    },
)

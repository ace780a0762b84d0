"""What a scanner makes of what it sees: a hint for whoever holds a ticket, without flicker."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

HINT_LOOKS: Final = 3
"""Looks in a row that must agree before another hint is shown: at ten a second, a third of one."""

READS_LOOKS: Final = 10
"""Looks for which a code that was read is shown as read, whatever is seen next: a second."""


class ScannerHint(StrEnum):
    """What to tell whoever stands before a scanner."""

    NOTHING = "nothing"
    """Nothing is before it: say how a ticket is held."""
    READS = "reads"
    """A code was read just now."""
    UNREADABLE = "unreadable"
    """Something is there, and nothing says why it cannot be read."""
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    GLARE = "glare"
    """A lamp is mirrored in the glass over the code."""
    TOO_FAR = "too_far"
    TOO_NEAR = "too_near"
    """So near that it is out of focus, or not wholly in the picture; or it moves too fast."""
    AWAY = "away"
    """The scanner itself is not there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Steadied:
    """The hint that is shown, and for how many looks another one has been waiting."""

    shown: ScannerHint = ScannerHint.NOTHING
    next: ScannerHint = ScannerHint.NOTHING
    looks: int = 0


def steadied(before: Steadied, seen: ScannerHint) -> Steadied:
    """Return what is shown after one more look, so that nothing flickers.

    A code that is read, and a scanner that goes, show at once.
    """
    if seen in {ScannerHint.READS, ScannerHint.AWAY}:
        return Steadied(shown=seen, next=seen)
    if seen is before.shown:
        return Steadied(shown=seen, next=seen)
    looks = before.looks + 1 if seen is before.next else 1
    needed = READS_LOOKS if before.shown is ScannerHint.READS else HINT_LOOKS
    if looks >= needed:
        return Steadied(shown=seen, next=seen)
    return Steadied(shown=before.shown, next=seen, looks=looks)

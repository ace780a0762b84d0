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


DARK_LEVEL: Final = 40
"""Grey levels of 255; where hardly anything is lighter, a sensor's noise hides the code."""

SOMETHING_EDGES: Final = 60
"""Soft edges in a picture of 160 by 120; an empty counter has up to 20, a far code 180."""

CODE_PART: Final = 0.05
"""Of the picture; a code that is near enough to be read has more than this of fine edges."""

BURNT_PART: Final = 0.7
"""Of the picture; where so much is burnt out, the exposure itself is too long."""

BURNT_SCREEN_PART: Final = 0.1
"""Of the picture; a telephone's screen has more, the mirror of a lamp less."""

GLARE_PART: Final = 0.015
"""Of the picture; the mirror of a lamp that covers enough of a code to hide it."""

FILLED_EDGES: Final = 3_500
"""Soft edges in a picture of 160 by 120; so many only where a code fills it."""

FAR_SIDE_PART: Final = 0.3
"""Of the picture's width; fine edges within so little of it are a code far away."""

FAR_CODE_PART: Final = 0.004
"""Of the picture; fine edges on less are dirt, or noise."""

BLURRED_EDGES: Final = 500
"""Soft edges in a picture of 160 by 120; so many and hardly a fine one are out of focus."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measures:
    """What a cheap look at a picture says of it; parts are of 1.

    Attributes:
        light_level: grey level that 2 % of the picture reach.
        burnt_part: how much of it is white without any drawing.
        soft_edges: neighbours three apart that differ by a quarter of the contrast, in 160 by 120.
        fine_part: how much of it is full of fine edges, as a code in focus is.
        fine_side_part: the width or height that these take up, the larger of both.
    """

    light_level: int
    burnt_part: float
    soft_edges: int
    fine_part: float
    fine_side_part: float


def hint_of(picture: Measures) -> ScannerHint:
    """Say why nothing could be read in a picture before which something has come."""
    if picture.light_level < DARK_LEVEL:
        return ScannerHint.TOO_DARK
    if picture.burnt_part >= BURNT_PART:
        return ScannerHint.TOO_BRIGHT
    if picture.soft_edges < SOMETHING_EDGES:
        return ScannerHint.NOTHING
    if picture.soft_edges >= FILLED_EDGES:
        return ScannerHint.TOO_NEAR
    if picture.fine_part < CODE_PART:
        return _hint_of_few_fine_edges(picture)
    return ScannerHint.GLARE if picture.burnt_part >= GLARE_PART else ScannerHint.UNREADABLE


def _hint_of_few_fine_edges(picture: Measures) -> ScannerHint:
    if picture.burnt_part >= BURNT_SCREEN_PART:
        return ScannerHint.TOO_BRIGHT
    is_sharp = picture.fine_part >= FAR_CODE_PART
    if is_sharp and picture.fine_side_part <= FAR_SIDE_PART:
        return ScannerHint.TOO_FAR
    if picture.soft_edges >= BLURRED_EDGES:
        return ScannerHint.TOO_NEAR
    return ScannerHint.UNREADABLE

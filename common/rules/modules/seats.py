"""What a seat of a licence is counted by, and why there is none."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

RENEW_AT_SHARE: Final = 0.5
"""A lease is renewed when so much of it is over: the line may be down for the other half."""


class Basis(StrEnum):
    """What takes a seat of a module's licence, and until when."""

    INSTALLED = "installed"
    """Each terminal that has it from us, until its uninstall is confirmed or its lease is over."""
    EVER_ISSUED = "ever_issued"
    """Each terminal that ever got it from us, for ever: the licence counts downloads."""
    CONCURRENT = "concurrent"
    """Each run of a program that needs it, until the run or its lease is over."""


class OverLimit(StrEnum):
    """What becomes of a program's start while there is no seat: the licence says it."""

    REFUSE = "refuse"
    RUN_AND_REPORT = "run_and_report"


class SeatRefusal(StrEnum):
    """Why a request for seats is not granted; stored like a right, and repeated."""

    MALFORMED = "malformed"
    NO_SEAT_LEFT = "no_seat_left"
    """Anywhere: the licence is used up, as far as this controller and its root can tell."""
    NO_SEAT_LEFT_HERE = "no_seat_left_here"
    """This controller has given out all that it has, and its root was not heard to have none."""
    NOT_ON_OFFER = "not_on_offer"
    """It was never published here, or is withdrawn."""
    POOL_IN_DOUBT = "pool_in_doubt"
    """Our root takes us for a copy: what we have from it is given to nobody."""
    NEVER_GIVEN = "never_given"
    """More is returned than was ever given."""


def seats_taken(basis: Basis) -> int:
    """Return how many seats a terminal takes by having a module from us: none where runs do.

    >>> seats_taken(Basis.INSTALLED), seats_taken(Basis.CONCURRENT)
    (1, 0)
    """
    return 0 if basis is Basis.CONCURRENT else 1

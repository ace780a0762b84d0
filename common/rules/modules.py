"""Licensed modules: why there is no seat for one."""

from __future__ import annotations

from enum import StrEnum


class SeatRefusal(StrEnum):
    """Why a request for seats is not granted; stored like a right, and repeated."""

    MALFORMED = "malformed"
    NO_SEAT_LEFT = "no_seat_left"
    POOL_IN_DOUBT = "pool_in_doubt"
    """Our root takes us for a copy: what we have from it is given to nobody."""
    NEVER_GIVEN = "never_given"
    """More is returned than was ever given."""

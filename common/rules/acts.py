"""What whoever runs a store does to a device from afar, how long that may last, and why it may not.

Its law: nobody who has booked is kept waiting by it, and whatever it opens ends by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

START_SECONDS_MIN: Final = 60
"""The shortest use that is begun for somebody: less is over before he sits."""

START_SECONDS_MAX: Final = 12 * 3_600
"""The longest use that is begun for somebody: a day's work in the store."""

MAINTENANCE_SECONDS_MAX: Final = 4 * 3_600
"""After so long a device that was opened for maintenance is shut again, whoever forgot it."""

BEGIN_WITHIN_SECONDS: Final = 45
"""What was begun from afar and is not on the device by then did not come about: it is taken back.
A scan is taken within 10 s, and a program started within 30."""

MOVE_SECONDS_MIN: Final = 60
"""With less left to use, nobody is moved to another device any more."""


MESSAGE_SECONDS_MAX: Final = 900
"""The longest that a message stays on a screen, and is waited for."""

MESSAGE_SECONDS: Final = 60
"""How long one stays where nobody says otherwise: it is read by whoever looks up."""

MESSAGES_WAITING_MAX: Final = 5
"""Messages to one screen that nobody has seen yet: more would hide each other."""


class Sentence(StrEnum):
    """What is said with one touch, in the language of whoever stands there."""

    COMING = "coming"
    LEAVE_SOON = "leave_soon"
    QUIET = "quiet"
    CLOSING = "closing"
    FIXED = "fixed"
    FOUND = "found"


class Purpose(StrEnum):
    """What a use is for that an operator has begun."""

    START = "start"
    """Somebody sits there already, and pays nothing to us."""
    MAINTENANCE = "maintenance"
    """Nobody is served: it is looked after, and counts neither as sold nor as a leak."""
    MOVED = "moved"
    """Whoever uses another device goes on here."""


class ActNo(StrEnum):
    """Why an act is not done."""

    NOT_REGISTERED = "not_registered"
    """Its terminal is not in service."""
    OFFLINE = "offline"
    """Its terminal is gone: nothing reaches it."""
    IN_USE = "in_use"
    NOT_READY = "not_ready"
    """It is being ended, or made ready."""
    OUT_OF_ORDER = "out_of_order"
    BOOKED = "booked"
    """Somebody has booked it within that time."""
    NOT_OFFERED = "not_offered"
    """Nothing is offered on it, so there is nothing to start."""
    NOTHING_RUNS = "nothing_runs"
    NEARLY_OVER = "nearly_over"
    """There is too little left to be moved."""
    SAME_DEVICE = "same_device"
    NOT_MOVABLE = "not_movable"
    """It is over, cancelled, or kept by another controller."""
    HELD_THERE = "held_there"
    """Its terminal holds the ticket for a time without its line; it has been asked for it."""
    NO_MORE_TIME = "no_more_time"
    """Who comes next, or closing time, leaves no room."""
    WAITING_FULL = "waiting_full"
    """So many messages wait for this screen that one more would not be read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A device as it stands before something is begun on it.

    Attributes:
        is_registered: whether its terminal is confirmed and in service.
        is_here: whether its terminal is.
        is_used: whether it has a session that is not over.
        is_ready: whether its terminal says that it opens for somebody.
        is_out_of_order: whether the books keep it from being used.
        is_offered: whether there is an offering that it serves, on or off.
        next_at: when the next claim to it begins, in ms; None: none is known.
    """

    is_registered: bool
    is_here: bool
    is_used: bool
    is_ready: bool
    is_out_of_order: bool
    is_offered: bool
    next_at: int | None


def why_not_begun(place: Place, *, until_at: int, is_maintenance: bool = False) -> ActNo | None:
    """Return why nothing is begun on a device until an instant (ms), or None: it may be.

    For maintenance a device may be out of order, or not made ready: that is what it is for.
    """
    found = (
        (not place.is_registered, ActNo.NOT_REGISTERED),
        (not place.is_here, ActNo.OFFLINE),
        (place.is_used, ActNo.IN_USE),
        (place.is_out_of_order and not is_maintenance, ActNo.OUT_OF_ORDER),
        (not place.is_ready and not is_maintenance, ActNo.NOT_READY),
        (not place.is_offered, ActNo.NOT_OFFERED),
        (place.next_at is not None and place.next_at < until_at, ActNo.BOOKED),
    )
    return next((no for is_so, no in found if is_so), None)


def share_cents(price_cents: int, *, left_seconds: float, whole_seconds: float) -> int:
    """Return what of a price goes with the time that is left, to the nearest cent."""
    if whole_seconds <= 0 or left_seconds <= 0:
        return 0
    return min(price_cents, round(price_cents * left_seconds / whole_seconds))

"""What is on offer: registered first, then on and off as the terminal can provide (E1-E3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.machine import Machine
from common.messages.offerings import OffReason

SEEN_WITHIN_SECONDS: Final = 3 * 86_400
"""How lately a terminal must have been here for its device to be sold while its store is closed:
a long weekend; one that is away for longer may not come back with the next opening."""

NEVER: Final = 2**62
"""Later than every instant, UTC milliseconds: nobody was here since."""

WINDOW_SECONDS: Final = 86_400
"""How far ahead it is looked for a free time before an offering is called full: a day."""

ON_TIME_SECONDS: Final = 60
"""How long a use may take to begin, from its slot or its scan on, and still be on time."""

RECORD_MAX: Final = 50
"""How many of its latest uses an offering's record is of."""

RECORD_MIN: Final = 10
"""Of fewer uses nothing is said: one that failed would say too much."""


class OfferState(StrEnum):
    """Whether a device's part in an offering can be had now."""

    REGISTERED = "registered"
    ON = "on"
    OFF = "off"


class OfferEvent(StrEnum):
    """What the terminal, or its silence, says of it."""

    TURN_ON = "turn_on"
    TURN_OFF = "turn_off"


OFFER: Final = Machine(
    name="offering",
    first=OfferState.REGISTERED,
    table={
        (OfferState.REGISTERED, OfferEvent.TURN_ON): OfferState.ON,
        (OfferState.ON, OfferEvent.TURN_ON): OfferState.ON,
        (OfferState.OFF, OfferEvent.TURN_ON): OfferState.ON,
        (OfferState.ON, OfferEvent.TURN_OFF): OfferState.OFF,
        (OfferState.REGISTERED, OfferEvent.TURN_OFF): OfferState.OFF,
        (OfferState.OFF, OfferEvent.TURN_OFF): OfferState.OFF,
    },
)


class Availability(StrEnum):
    """How an offering on the page can be had."""

    FREE_NOW = "free_now"
    FREE_AT = "free_at"
    CLOSED_UNTIL = "closed_until"
    FULL = "full"


@dataclass(frozen=True, kw_only=True, slots=True)
class Available:
    """How an offering can be had, with what belongs to it.

    Attributes:
        state: which of the four.
        at: when the first is free, or the store opens (UTC ms), where it is not now.
    """

    state: Availability
    at: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """What is known of a device that serves an offering, of a terminal that is confirmed.

    Attributes:
        state: what its terminal says of it, and the `reason` where it is off.
        is_gone: whether its terminal is, and since when that is so, or not so (UTC ms).
    """

    state: OfferState
    reason: str
    is_gone: bool
    presence_at: int
    is_out_of_order: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Reliability:
    """How many of an offering's latest `uses` began `on_time`."""

    on_time: int
    uses: int


def seen_since(now: int, *, is_open: bool) -> int:
    """Return since when a terminal must have been here, if it is away, to be sold all the same.

    While the store is open, who is away is sold to nobody; closed, he may just have been put out.
    """
    return NEVER if is_open else now - SEEN_WITHIN_SECONDS * 1000


def is_sold(device: Served, since: int) -> bool:
    """Say whether a device can be booked; the storage's queries ask for the same.

    It is on and its terminal not gone; or it was seen since an instant (`seen_since`), and is not
    off for a reason that lasts.
    """
    if device.is_out_of_order:
        return False
    if device.state is OfferState.ON and not device.is_gone:
        return True
    lasts = device.state is OfferState.OFF and device.reason != OffReason.STOPPING
    return device.presence_at >= since and not lasts


def available(
    *, is_open: bool, opens_at: int | None, devices_free: int, free_at: int | None
) -> Available | None:
    """Return how an offering can be had that has a device which can be booked.

    Args:
        is_open: whether its store is open now.
        opens_at: when it opens, where it is closed; None: it does not.
        devices_free: on which somebody who stands there can begin now.
        free_at: the begin of its first free slot within `WINDOW_SECONDS`, or None.

    Returns:
        None where its store does not open any more: then it cannot be had at all.
    """
    if not is_open:
        if opens_at is None:
            return None
        return Available(state=Availability.CLOSED_UNTIL, at=opens_at)
    if devices_free:
        return Available(state=Availability.FREE_NOW)
    if free_at is not None:
        return Available(state=Availability.FREE_AT, at=free_at)
    return Available(state=Availability.FULL)


def reliability(*, on_time: int, uses: int) -> Reliability | None:
    """Return what is said of an offering's latest uses; of too few, nothing."""
    return Reliability(on_time=on_time, uses=uses) if uses >= RECORD_MIN else None

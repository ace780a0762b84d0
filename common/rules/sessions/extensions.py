"""How much longer a session may go on, in which steps, and why it may not.

Its law: a session's end with its turnover never reaches into the next claim to its device, nor its
end past the closing of its store. Whoever comes next is owed that; whoever sits there is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.machine import Machine

EXTENSION_SECONDS_MAX: Final = 12 * 3_600
"""The most that is added at once, in seconds: half a day; who wants more asks again."""

EXTENSION_SECONDS_MIN: Final = 60
"""What is offered at least, in seconds, unless the offering itself is sold in shorter pieces."""

EXTENSION_LATEST_SECONDS: Final = 3.0
"""So long before its end a session can be extended at the latest: its terminal must still hear it
and have its runner move the deadline, which takes two round trips and two commits."""

STEPS_MAX: Final = 6
"""Choices on a screen that are still read at a glance."""


class ExtensionNo(StrEnum):
    """Why a session is not extended, or not for longer: a closed list, each with words for it."""

    ANOTHER_HAS_BOOKED = "another_has_booked"
    STORE_CLOSES = "store_closes"
    SOMEBODY_WAITS = "somebody_waits"
    """Only where it would be extended by itself: whoever waits for a place is asked first."""
    SESSION_IS_ENDING = "session_is_ending"
    NOT_PAID = "not_paid"
    """It costs money, which is taken on the ticket's page and nowhere else."""
    COSTS_MORE = "costs_more"
    """It costs more by now than its customer was shown."""
    NOT_ALLOWED = "not_allowed"
    """It is booked elsewhere, or nobody has agreed to it."""
    NO_LINE = "no_line"
    """The terminal cannot ask anybody."""
    NO_ANSWER = "no_answer"
    """It has asked, and has not been told in time."""


class WishState(StrEnum):
    """Where a wish to go on stands at its terminal; there is one of each device at a time."""

    WANTED = "wanted"
    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"


class WishEvent(StrEnum):
    """What happens to it. `GRANT` also comes to one that nobody waits for any more."""

    ASK = "ask"
    GRANT = "grant"
    REFUSE = "refuse"


WISH: Final = Machine(
    name="extension",
    first=WishState.WANTED,
    table={
        (WishState.WANTED, WishEvent.ASK): WishState.ASKED,
        (WishState.WANTED, WishEvent.REFUSE): WishState.REFUSED,
        (WishState.ASKED, WishEvent.GRANT): WishState.GRANTED,
        (WishState.ASKED, WishEvent.REFUSE): WishState.REFUSED,
        (WishState.REFUSED, WishEvent.GRANT): WishState.GRANTED,
    },
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """What lies after a session on its device, in ms.

    Attributes:
        ends_at: when the session ends now.
        turnover_ms: what has to stay free after it.
        next_at: when the device is next claimed or kept from sale; None: not for days.
        closes_at: when the store closes after `ends_at`; None: not for days.
    """

    ends_at: int
    turnover_ms: int
    next_at: int | None
    closes_at: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Longest:
    """How many whole seconds there are, and what it is that ends them; None: only our own limit."""

    seconds: int
    bound: ExtensionNo | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionFacts:
    """What the books know of a session that is to be extended, and when it is asked (ms).

    `is_ours`: its reservation is kept in these books. `is_running`: it runs, and nobody has asked
    it to stop.
    """

    is_running: bool
    is_ours: bool
    now: int


def longest(room: Room) -> Longest:
    """Return how long a session can go on: up to the next claim less turnover, or the closing."""
    ends_at, bound = room.ends_at + EXTENSION_SECONDS_MAX * 1000, None
    if room.closes_at is not None and room.closes_at < ends_at:
        ends_at, bound = room.closes_at, ExtensionNo.STORE_CLOSES
    if room.next_at is not None and room.next_at - room.turnover_ms < ends_at:
        ends_at, bound = room.next_at - room.turnover_ms, ExtensionNo.ANOTHER_HAS_BOOKED
    return Longest(seconds=max(0, (ends_at - room.ends_at) // 1000), bound=bound)


def possible_seconds(asked_seconds: int, room: Room) -> int:
    """Return min(asked, next claim less turnover, closing) less the present end, in seconds."""
    return max(0, min(asked_seconds, longest(room).seconds))


def steps(grid_seconds: int, lengths_seconds: Sequence[int], most_seconds: int) -> tuple[int, ...]:
    """Return by how many seconds a session can be extended, `most_seconds` at most, in order.

    They are one and two steps of the offering's grid and the lengths it is sold in; what does not
    fit is cut to what does, unless that is next to nothing.
    """
    wanted = {grid_seconds, 2 * grid_seconds, *lengths_seconds}
    least = min(EXTENSION_SECONDS_MIN, *wanted)
    fitting = sorted({min(each, most_seconds, EXTENSION_SECONDS_MAX) for each in wanted})
    return tuple(each for each in fitting if each >= least)[:STEPS_MAX]


def why_none(facts: SessionFacts, room: Room, choices: Sequence[int]) -> ExtensionNo | None:
    """Return why a session cannot be extended at all, or None: it can, by one of these steps."""
    if not facts.is_running or facts.now > room.ends_at - EXTENSION_LATEST_SECONDS * 1000:
        return ExtensionNo.SESSION_IS_ENDING
    if not facts.is_ours:
        return ExtensionNo.NOT_ALLOWED
    if not choices:
        return longest(room).bound or ExtensionNo.NOT_ALLOWED
    return None


def why_not_by_itself(
    room: Room, step_seconds: int, *, is_agreed: bool, somebody_waits: bool
) -> ExtensionNo | None:
    """Return why a session does not go on by itself for a whole step, or None: it does.

    Its customer has to have agreed, nobody may wait for a place, and the step has to fit uncut:
    what is left before the next claim is for whoever asks for it himself.
    """
    if not is_agreed:
        return ExtensionNo.NOT_ALLOWED
    if somebody_waits:
        return ExtensionNo.SOMEBODY_WAITS
    most = longest(room)
    return most.bound if most.seconds < step_seconds else None

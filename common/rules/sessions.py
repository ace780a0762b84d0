"""How a session goes from granted to ended or failed; its end is a deadline, not a message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.machine import Machine

START_WITHIN_SECONDS: Final = 30.0
"""A right that has led to no running program by then leads to none: a late start does nothing."""

STOP_ACCEPT_SECONDS: Final = 10.0
"""A stop not accepted by then shows as `stop_unconfirmed`."""

CLOCK_TOLERANCE_SECONDS: Final = 5.0
"""After its deadline and this, a session that we have lost sight of is presumed stopped."""


START_TRIES: Final = 3
"""How often a program that does not come up is started for one session."""

START_AGAIN_SECONDS: Final = 2.0
"""Between two of them: whatever was in its way may be gone by then."""


class SessionState(StrEnum):
    """The actual use of a device."""

    GRANTED = "granted"
    STARTING = "starting"
    RUNNING = "running"
    ENDING = "ending"
    ENDED = "ended"
    FAILED = "failed"


class SessionEvent(StrEnum):
    """What is known to have happened."""

    START = "start"
    RUN = "run"
    STOP = "stop"
    END = "end"
    FAIL = "fail"


class EndReason(StrEnum):
    """Why a session ended: the closed list of the vocabulary."""

    TIME_UP = "time_up"
    CUSTOMER_ENDED = "customer_ended"
    STAFF_ENDED = "staff_ended"
    START_TIMEOUT = "start_timeout"
    PROGRAM_FAILED = "program_failed"
    DEVICE_FAILED = "device_failed"
    POWER_LOSS = "power_loss"
    REBOOT = "reboot"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    EMERGENCY = "emergency"
    UNKNOWN = "unknown"


class Notice(StrEnum):
    """What a customer in the store is told besides the verdict on a scan."""

    OPENED = "opened"
    """To the entrance: the device has opened."""
    DENIED = "denied"
    """To the entrance: it has not, and why."""
    SHOW_IT_THERE = "show_it_there"
    """The device's own terminal cannot be asked from here."""
    DID_NOT_START = "did_not_start"
    GO_TO_DEVICE = "go_to_device"
    """Another device of the offering is free: the same ticket opens it now."""
    NO_DEVICE_FREE = "no_device_free"
    """The ticket stays good; what is not delivered is paid back."""


class CommandState(StrEnum):
    """How far a command has got."""

    QUEUED = "queued"
    ACCEPTED = "accepted"
    EXECUTING = "executing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"
    EXPIRED = "expired"


class CommandEvent(StrEnum):
    """What happens to a command."""

    ACCEPT = "accept"
    EXECUTE = "execute"
    SUCCEED = "succeed"
    FAIL = "fail"
    REJECT = "reject"
    EXPIRE = "expire"


SESSION: Final = Machine(
    name="session",
    first=SessionState.GRANTED,
    table={
        (SessionState.GRANTED, SessionEvent.START): SessionState.STARTING,
        (SessionState.GRANTED, SessionEvent.RUN): SessionState.RUNNING,
        (SessionState.GRANTED, SessionEvent.FAIL): SessionState.FAILED,
        (SessionState.STARTING, SessionEvent.RUN): SessionState.RUNNING,
        (SessionState.STARTING, SessionEvent.FAIL): SessionState.FAILED,
        (SessionState.RUNNING, SessionEvent.STOP): SessionState.ENDING,
        (SessionState.RUNNING, SessionEvent.END): SessionState.ENDED,
        (SessionState.ENDING, SessionEvent.END): SessionState.ENDED,
    },
)

LIVE: Final = frozenset(
    {SessionState.GRANTED, SessionState.STARTING, SessionState.RUNNING, SessionState.ENDING}
)
"""States in which a session holds its device."""

COMMAND: Final = Machine(
    name="command",
    first=CommandState.QUEUED,
    table={
        (CommandState.QUEUED, CommandEvent.ACCEPT): CommandState.ACCEPTED,
        (CommandState.QUEUED, CommandEvent.REJECT): CommandState.REJECTED,
        (CommandState.QUEUED, CommandEvent.EXPIRE): CommandState.EXPIRED,
        (CommandState.QUEUED, CommandEvent.SUCCEED): CommandState.SUCCEEDED,
        (CommandState.ACCEPTED, CommandEvent.EXECUTE): CommandState.EXECUTING,
        (CommandState.ACCEPTED, CommandEvent.SUCCEED): CommandState.SUCCEEDED,
        (CommandState.ACCEPTED, CommandEvent.FAIL): CommandState.FAILED,
        (CommandState.EXECUTING, CommandEvent.SUCCEED): CommandState.SUCCEEDED,
        (CommandState.EXECUTING, CommandEvent.FAIL): CommandState.FAILED,
    },
)


DEVICE_IS_TO_BLAME: Final = frozenset(
    {EndReason.PROGRAM_FAILED, EndReason.DEVICE_FAILED, EndReason.START_TIMEOUT}
)
"""Failures after which the same device would most likely fail again."""

CUSTOMER_LEFT: Final = frozenset({EndReason.CUSTOMER_ENDED})
"""Ends after which what is left is nobody's debt: the customer did not want it."""


OWED_FROM_SECONDS: Final = 1.0
"""What a start takes, and no more than we promise to be exact by: less than this is not owed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """One session of a reservation; `delivered_seconds` is None while nobody has said it."""

    granted_seconds: float
    delivered_seconds: float | None
    end_reason: EndReason | None


def owed_seconds(uses: Sequence[Use]) -> float:
    """Return the seconds that a customer was granted and has not been given; `uses` in their order.

    The first scan that opened is the promise: from then to the slot's end. What was delivered
    since, on whichever device, counts against it, and what the customer left by his own will does.
    Of a session that was lost sight of while it ran nothing is owed before its terminal has spoken.
    """
    if not uses or any(use.delivered_seconds is None for use in uses):
        return 0.0
    delivered = sum(use.delivered_seconds or 0.0 for use in uses)
    last = uses[-1]
    left = 0.0
    if last.end_reason in CUSTOMER_LEFT:
        left = last.granted_seconds - (last.delivered_seconds or 0.0)
    owed = uses[0].granted_seconds - delivered - left
    return owed if owed >= OWED_FROM_SECONDS else 0.0


def owed_cents(price_cents: int, booked_seconds: float, uses: Sequence[Use]) -> int:
    """Return what a slot's undelivered seconds cost, to the nearest cent and its price at most.

    It is the whole price where nothing was delivered to one who came in time; who comes when the
    slot is nearly over has left the rest of it by himself.
    """
    seconds = owed_seconds(uses)
    came_in_time = bool(uses) and uses[0].granted_seconds >= booked_seconds - START_WITHIN_SECONDS
    if came_in_time and seconds > 0 and not any(use.delivered_seconds for use in uses):
        return price_cents
    return min(price_cents, round(price_cents * seconds / booked_seconds))

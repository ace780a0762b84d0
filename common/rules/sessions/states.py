"""How a session goes from granted to ended or failed; its end is a deadline, not a message."""

from __future__ import annotations

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
    SCAN_TO_GO_ON = "scan_to_go_on"
    """The power was gone: the session goes on when its ticket is shown again."""
    GOES_ON = "goes_on"
    """The session goes on after a power cut."""
    NO_DEVICE_FREE = "no_device_free"
    """The ticket stays good; what is not delivered is paid back."""
    MOVED = "moved"
    """Whoever is here goes on at another device, which opens for him by itself."""
    MESSAGE = "message"
    """Something that the store says in its own words."""


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

"""Sessions: the states they go through, and what is owed when one delivers less than granted."""

from common.rules.sessions.debts import (
    CUSTOMER_LEFT,
    OWED_FROM_SECONDS,
    Use,
    owed_cents,
    owed_seconds,
)
from common.rules.sessions.states import (
    CLOCK_TOLERANCE_SECONDS,
    COMMAND,
    DEVICE_IS_TO_BLAME,
    LIVE,
    SESSION,
    START_AGAIN_SECONDS,
    START_TRIES,
    START_WITHIN_SECONDS,
    STOP_ACCEPT_SECONDS,
    CommandEvent,
    CommandState,
    EndReason,
    Notice,
    SessionEvent,
    SessionState,
)

__all__ = [
    "CLOCK_TOLERANCE_SECONDS",
    "COMMAND",
    "CUSTOMER_LEFT",
    "DEVICE_IS_TO_BLAME",
    "LIVE",
    "OWED_FROM_SECONDS",
    "SESSION",
    "START_AGAIN_SECONDS",
    "START_TRIES",
    "START_WITHIN_SECONDS",
    "STOP_ACCEPT_SECONDS",
    "CommandEvent",
    "CommandState",
    "EndReason",
    "Notice",
    "SessionEvent",
    "SessionState",
    "Use",
    "owed_cents",
    "owed_seconds",
]

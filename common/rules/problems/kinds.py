"""What an operator must look at, by kind, and which of them a terminal may report itself."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class ProblemKind(StrEnum):
    """Why somebody has to look; each has words for the operator, and what to do next."""

    REGISTRATION_WAITING = "registration_waiting"
    SPECIFICATION_FORGED = "specification_forged"
    TERMINAL_MOVED = "terminal_moved"
    IDENTITY_COPIED = "identity_copied"
    IDENTITY_TAKEN_OVER = "identity_taken_over"
    KEY_ENROLLED_TWICE = "key_enrolled_twice"
    STALE_CONFIRMATION = "stale_confirmation"
    SERVICE_TOO_EARLY = "service_too_early"
    PROTOCOL_UNSPOKEN = "protocol_unspoken"
    PROGRAM_DID_NOT_START = "program_did_not_start"
    CODES_GUESSED = "codes_guessed"
    OFFLINE_START_DOUBTED = "offline_start_doubted"
    RESERVATION_WITHOUT_DEVICE = "reservation_without_device"
    DEVICE_OUT_OF_ORDER = "device_out_of_order"
    TURNOVER_OVERDUE = "turnover_overdue"
    RESERVATION_SHUT_OUT = "reservation_shut_out"
    PEER_COPIED = "peer_copied"
    MODULE_LOG_SET_BACK = "module_log_set_back"
    MODULE_LOG_FORKED = "module_log_forked"
    SEATS_OVERDRAWN = "seats_overdrawn"
    SEATS_RUN_OUT = "seats_run_out"
    SEATS_UNSETTLED = "seats_unsettled"
    LOAN_OVERDUE = "loan_overdue"
    STORE_NOT_TAKEN = "store_not_taken"
    LETTER_REFUSED = "letter_refused"
    MAIL_NOT_TAKEN = "mail_not_taken"
    PAYMENT_DOUBTED = "payment_doubted"
    PAYMENT_DISPUTED = "payment_disputed"
    PAYMENT_REFUSED = "payment_refused"
    PAID_BACK_ELSEWHERE = "paid_back_elsewhere"
    HELP_ASKED = "help_asked"
    HOOK_FAILING = "hook_failing"
    PACKAGES_STALE = "packages_stale"
    PACKAGE_FAILED = "package_failed"
    SWITCH_DID_NOT_ANSWER = "switch_did_not_answer"
    PROMISE_BROKEN = "promise_broken"
    LEAK_FOUND = "leak_found"
    START_LATE = "start_late"
    PROGRAM_FAILED = "program_failed"
    COMPENSATION_MADE = "compensation_made"
    LICENCE_LOW = "licence_low"
    TERMINAL_OFFLINE = "terminal_offline"
    CLOCK_UNTRUSTED = "clock_untrusted"


class Severity(StrEnum):
    """How soon somebody has to look."""

    NOTE = "note"
    """To be known, and read some day: nobody waits for it."""
    SOON = "soon"
    """Within the day: somebody will be let down if nobody looks."""
    URGENT = "urgent"
    """Now: a customer stands there, or somebody speaks in another's name."""


TOLD_BY_TERMINALS: Final = frozenset(
    {
        ProblemKind.IDENTITY_TAKEN_OVER,
        ProblemKind.STALE_CONFIRMATION,
        ProblemKind.SERVICE_TOO_EARLY,
    }
)
"""What a terminal itself may say it has met; every other kind the controller finds out."""

_URGENT: Final = frozenset(
    {
        ProblemKind.IDENTITY_COPIED,
        ProblemKind.IDENTITY_TAKEN_OVER,
        ProblemKind.SPECIFICATION_FORGED,
        ProblemKind.PROGRAM_DID_NOT_START,
        ProblemKind.PROGRAM_FAILED,
        ProblemKind.START_LATE,
        ProblemKind.RESERVATION_WITHOUT_DEVICE,
        ProblemKind.TURNOVER_OVERDUE,
        ProblemKind.SEATS_RUN_OUT,
        ProblemKind.TERMINAL_OFFLINE,
        ProblemKind.HELP_ASKED,
        ProblemKind.PEER_COPIED,
        ProblemKind.CLOCK_UNTRUSTED,
        ProblemKind.LEAK_FOUND,
    }
)

_NOTES: Final = frozenset(
    {
        ProblemKind.COMPENSATION_MADE,
        ProblemKind.LETTER_REFUSED,
        ProblemKind.STALE_CONFIRMATION,
    }
)

NOT_BY_MAIL: Final = frozenset({ProblemKind.LETTER_REFUSED, ProblemKind.MAIL_NOT_TAKEN})
"""Of these no letter tells: a letter about a letter that is refused would be refused for ever."""

SEVERITIES: Final[Mapping[ProblemKind, Severity]] = MappingProxyType(
    {
        kind: Severity.URGENT
        if kind in _URGENT
        else Severity.NOTE
        if kind in _NOTES
        else Severity.SOON
        for kind in ProblemKind
    }
)
"""How soon somebody has to look at each kind."""

_ORDER: Final = tuple(Severity)


def is_at_least(severity: Severity, least: Severity) -> bool:
    """Say whether something is as pressing as this, or more."""
    return _ORDER.index(severity) >= _ORDER.index(least)


START_LATE_SECONDS: Final = 10
"""A program that is not there so long after its scan is late: mostly it takes less than two."""

AWAY_SECONDS: Final = 120
"""A terminal that is away for so long is not only restarting: its customers stand before it."""

CLOCK_CALM_SECONDS: Final = 600
"""After so long without a ticket refused for the clock, with the line up, it is right again."""

NOTED_SECONDS: Final = 7 * 86_400
"""A note that nobody has closed is read by then."""


def seats_are_low(owned: int, used: int) -> bool:
    """Say whether the seats of a module run out: of at least two, one in ten or less is free."""
    return owned > 1 and (owned - used) * 10 <= owned


def seats_are_plenty(owned: int, used: int) -> bool:
    """Say whether there is no lack of seats any more: more than one in five is free."""
    return (owned - used) * 5 > owned

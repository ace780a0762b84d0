"""What an operator must look at, by kind, and which of them a terminal may report itself."""

from __future__ import annotations

from enum import StrEnum
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
    PACKAGES_STALE = "packages_stale"
    PACKAGE_FAILED = "package_failed"
    SWITCH_DID_NOT_ANSWER = "switch_did_not_answer"
    PROMISE_BROKEN = "promise_broken"
    LEAK_FOUND = "leak_found"


TOLD_BY_TERMINALS: Final = frozenset(
    {
        ProblemKind.IDENTITY_TAKEN_OVER,
        ProblemKind.STALE_CONFIRMATION,
        ProblemKind.SERVICE_TOO_EARLY,
    }
)
"""What a terminal itself may say it has met; every other kind the controller finds out."""

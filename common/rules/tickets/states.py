"""The closed lists about tickets, and the two tables: a ticket's own states, and who holds it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from common.machine import Machine


class DenialReason(StrEnum):
    """Why a scan does not open a device: the closed list of the vocabulary."""

    UNKNOWN_TICKET = "unknown_ticket"
    BAD_SIGNATURE = "bad_signature"
    EXPIRED = "expired"
    TOO_EARLY = "too_early"
    ALREADY_USED = "already_used"
    IN_USE_ELSEWHERE = "in_use_elsewhere"
    CANCELLED = "cancelled"
    REVOKED = "revoked"
    WRONG_STORE = "wrong_store"
    WRONG_DEVICE = "wrong_device"
    DEVICE_IN_USE = "device_in_use"
    DEVICE_OUT_OF_ORDER = "device_out_of_order"
    DEVICE_IN_TURNOVER = "device_in_turnover"
    RESERVED_FOR_ANOTHER = "reserved_for_another"
    STORE_CLOSED = "store_closed"
    UNPAID = "unpaid"
    NOT_REGISTERED = "not_registered"
    NOT_ON_OFFLINE_LIST = "not_on_offline_list"
    CLOCK_UNTRUSTED = "clock_untrusted"
    BUSY_TRY_AGAIN = "busy_try_again"


class TicketState(StrEnum):
    """A right issued for a ticket reserves it; the program that verifiably runs spends it."""

    ISSUED = "issued"
    RESERVED = "reserved"
    SPENT = "spent"
    VOID = "void"


class RecallWhy(StrEnum):
    """Why a ticket is called back from the terminal that alone may redeem it."""

    CANCEL = "cancel"
    """Its customer gives it up: that counts when nobody can use it any more."""
    MOVE = "move"
    """Its program did not start there: it is to be used on another device."""
    ELSEWHERE = "elsewhere"
    """It was shown to another terminal, whose device it may open as well."""
    LAPSE = "lapse"
    """Its time is over: whether it was used, only the terminal knows."""


class Admission(StrEnum):
    """By what a session was begun."""

    RIGHT = "right"
    """By the controller's right for this very scan."""
    HELD = "held"
    """By the terminal, which held this ticket, with the line down."""
    SIGNATURE = "signature"
    """By nothing but the ticket's good signature: the operator allows it, and it is flagged."""


class TicketEvent(StrEnum):
    """What happens to a ticket."""

    GRANT = "grant"
    RUN = "run"
    GIVE_BACK = "give_back"
    CANCEL = "cancel"
    REISSUE = "reissue"
    """Its reservation was changed, or is good again: the ticket has a new revision."""


TICKET: Final = Machine(
    name="ticket",
    first=TicketState.ISSUED,
    table={
        (TicketState.ISSUED, TicketEvent.GRANT): TicketState.RESERVED,
        (TicketState.RESERVED, TicketEvent.RUN): TicketState.SPENT,
        (TicketState.RESERVED, TicketEvent.GIVE_BACK): TicketState.ISSUED,
        (TicketState.ISSUED, TicketEvent.CANCEL): TicketState.VOID,
        (TicketState.ISSUED, TicketEvent.REISSUE): TicketState.ISSUED,
        (TicketState.VOID, TicketEvent.REISSUE): TicketState.ISSUED,
        (TicketState.VOID, TicketEvent.RUN): TicketState.SPENT,
    },
)


class HoldState(StrEnum):
    """Whether one terminal alone may redeem a ticket."""

    HELD = "held"
    RECALLED = "recalled"
    RELEASED = "released"


class HoldEvent(StrEnum):
    """What happens to a hold."""

    HOLD = "hold"
    RECALL = "recall"
    KEEP = "keep"
    RELEASE = "release"


HOLD: Final = Machine(
    name="hold",
    first=HoldState.HELD,
    table={
        (HoldState.HELD, HoldEvent.HOLD): HoldState.HELD,
        (HoldState.HELD, HoldEvent.RECALL): HoldState.RECALLED,
        (HoldState.HELD, HoldEvent.RELEASE): HoldState.RELEASED,
        (HoldState.RECALLED, HoldEvent.RECALL): HoldState.RECALLED,
        (HoldState.RECALLED, HoldEvent.KEEP): HoldState.HELD,
        (HoldState.RECALLED, HoldEvent.RELEASE): HoldState.RELEASED,
        (HoldState.RELEASED, HoldEvent.HOLD): HoldState.HELD,
    },
)

HOLD_AHEAD_SECONDS: Final = 4 * 3_600
"""How far ahead a terminal holds its devices' tickets: an outage of an evening."""

_RECALLS: Final = (RecallWhy.LAPSE, RecallWhy.ELSEWHERE, RecallWhy.MOVE, RecallWhy.CANCEL)


def outranks(why: RecallWhy, other: RecallWhy) -> bool:
    """Say whether a reason to call a ticket back counts for more than another."""
    return _RECALLS.index(why) > _RECALLS.index(other)

"""When can a device be booked, and what becomes of the claim?"""

from common.rules.reservations.slots import (
    HORIZON_SECONDS,
    LEAD_SLACK_SECONDS,
    SLOTS_MAX,
    Range,
    SlotTerms,
    blocked,
    is_a_slot,
    is_free,
    slots,
)
from common.rules.reservations.states import RESERVATION, ReservationEvent, ReservationState
from common.rules.reservations.waiting import WAITING, WaitingEvent, WaitingState

__all__ = [
    "HORIZON_SECONDS",
    "LEAD_SLACK_SECONDS",
    "RESERVATION",
    "SLOTS_MAX",
    "WAITING",
    "Range",
    "ReservationEvent",
    "ReservationState",
    "SlotTerms",
    "WaitingEvent",
    "WaitingState",
    "blocked",
    "is_a_slot",
    "is_free",
    "slots",
]

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

__all__ = [
    "HORIZON_SECONDS",
    "LEAD_SLACK_SECONDS",
    "RESERVATION",
    "SLOTS_MAX",
    "Range",
    "ReservationEvent",
    "ReservationState",
    "SlotTerms",
    "blocked",
    "is_a_slot",
    "is_free",
    "slots",
]

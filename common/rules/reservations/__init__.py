"""When can a device be booked, and what becomes of the claim?"""

from common.rules.reservations.hours import (
    Holidays,
    HoursAreWrong,
    OnDate,
    OpeningHours,
    Week,
    hours_text,
    read_hours,
)
from common.rules.reservations.opening import (
    closing_after,
    is_open,
    is_open_throughout,
    next_opening,
    open_ranges,
    openings,
)
from common.rules.reservations.ranges import Range
from common.rules.reservations.slots import (
    HORIZON_SECONDS,
    SLOTS_MAX,
    SlotTerms,
    blocked,
    is_a_slot,
    is_free,
    is_in_time,
    slots,
    terms_in,
)
from common.rules.reservations.states import RESERVATION, ReservationEvent, ReservationState
from common.rules.reservations.waiting import WAITING, WaitingEvent, WaitingState

__all__ = [
    "HORIZON_SECONDS",
    "RESERVATION",
    "SLOTS_MAX",
    "WAITING",
    "Holidays",
    "HoursAreWrong",
    "OnDate",
    "OpeningHours",
    "Range",
    "ReservationEvent",
    "ReservationState",
    "SlotTerms",
    "WaitingEvent",
    "WaitingState",
    "Week",
    "blocked",
    "closing_after",
    "hours_text",
    "is_a_slot",
    "is_free",
    "is_in_time",
    "is_open",
    "is_open_throughout",
    "next_opening",
    "open_ranges",
    "openings",
    "read_hours",
    "slots",
    "terms_in",
]

"""What becomes of a customer's claim: held, confirmed, in use, completed, or one of three ends."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from common.machine import Machine


class ReservationState(StrEnum):
    """A customer's claim to a device."""

    HELD = "held"
    CONFIRMED = "confirmed"
    IN_USE = "in_use"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    NO_SHOW = "no_show"


class ReservationEvent(StrEnum):
    """What happens to a claim. `REVIVE`: paid after its hold was over, while its slot is free."""

    CONFIRM = "confirm"
    CANCEL = "cancel"
    LAPSE = "lapse"
    REVIVE = "revive"
    START = "start"
    FINISH = "finish"


RESERVATION: Final = Machine(
    name="reservation",
    first=ReservationState.HELD,
    table={
        (ReservationState.HELD, ReservationEvent.CONFIRM): ReservationState.CONFIRMED,
        (ReservationState.HELD, ReservationEvent.CANCEL): ReservationState.CANCELLED,
        (ReservationState.HELD, ReservationEvent.LAPSE): ReservationState.EXPIRED,
        (ReservationState.EXPIRED, ReservationEvent.REVIVE): ReservationState.CONFIRMED,
        (ReservationState.CONFIRMED, ReservationEvent.CANCEL): ReservationState.CANCELLED,
        (ReservationState.CONFIRMED, ReservationEvent.LAPSE): ReservationState.NO_SHOW,
        (ReservationState.CONFIRMED, ReservationEvent.START): ReservationState.IN_USE,
        (ReservationState.CANCELLED, ReservationEvent.START): ReservationState.IN_USE,
        (ReservationState.IN_USE, ReservationEvent.FINISH): ReservationState.COMPLETED,
    },
)

"""What is on offer: registered first, then on and off as the terminal can provide (E1-E3)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from common.machine import Machine


class OfferState(StrEnum):
    """Whether a device's part in an offering can be had now."""

    REGISTERED = "registered"
    ON = "on"
    OFF = "off"


class OfferEvent(StrEnum):
    """What the terminal, or its silence, says of it."""

    TURN_ON = "turn_on"
    TURN_OFF = "turn_off"


OFFER: Final = Machine(
    name="offering",
    first=OfferState.REGISTERED,
    table={
        (OfferState.REGISTERED, OfferEvent.TURN_ON): OfferState.ON,
        (OfferState.ON, OfferEvent.TURN_ON): OfferState.ON,
        (OfferState.OFF, OfferEvent.TURN_ON): OfferState.ON,
        (OfferState.ON, OfferEvent.TURN_OFF): OfferState.OFF,
        (OfferState.REGISTERED, OfferEvent.TURN_OFF): OfferState.OFF,
        (OfferState.OFF, OfferEvent.TURN_OFF): OfferState.OFF,
    },
)

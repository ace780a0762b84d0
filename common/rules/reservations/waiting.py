"""What becomes of a place in the waiting list."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from common.machine import Machine


class WaitingState(StrEnum):
    """Where somebody who waits for a full slot stands."""

    WAITING = "waiting"
    OFFERED = "offered"
    TAKEN = "taken"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


class WaitingEvent(StrEnum):
    """What happens to a place in the list."""

    OFFER = "offer"
    TAKE = "take"
    LAPSE = "lapse"
    WITHDRAW = "withdraw"


WAITING: Final = Machine(
    name="waiting",
    first=WaitingState.WAITING,
    table={
        (WaitingState.WAITING, WaitingEvent.OFFER): WaitingState.OFFERED,
        (WaitingState.OFFERED, WaitingEvent.TAKE): WaitingState.TAKEN,
        (WaitingState.OFFERED, WaitingEvent.LAPSE): WaitingState.LAPSED,
        (WaitingState.WAITING, WaitingEvent.LAPSE): WaitingState.LAPSED,
        (WaitingState.WAITING, WaitingEvent.WITHDRAW): WaitingState.WITHDRAWN,
        (WaitingState.OFFERED, WaitingEvent.WITHDRAW): WaitingState.WITHDRAWN,
    },
)

"""What is owed of a session: granted, not delivered, and not left by the customer's own will."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from common.rules.sessions.states import START_WITHIN_SECONDS, EndReason

CUSTOMER_LEFT: Final = frozenset({EndReason.CUSTOMER_ENDED})
"""Ends after which what is left is nobody's debt: the customer did not want it."""


OWED_FROM_SECONDS: Final = 1.0
"""What a start takes, and no more than we promise to be exact by: less than this is not owed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """One session of a reservation; `delivered_seconds` is None while nobody has said it.

    `extended_seconds` are those of the granted that were added while it ran.
    """

    granted_seconds: float
    delivered_seconds: float | None
    end_reason: EndReason | None
    extended_seconds: float = 0.0


def owed_seconds(uses: Sequence[Use]) -> float:
    """Return the seconds that a customer was granted and has not been given; `uses` in their order.

    The first scan that opened is the promise: from then to the slot's end, and whatever was added
    later. What was delivered since, on whichever device, counts against it, and what the customer
    left by his own will does.
    Of a session that was lost sight of while it ran nothing is owed before its terminal has spoken.
    """
    if not uses or any(use.delivered_seconds is None for use in uses):
        return 0.0
    delivered = sum(use.delivered_seconds or 0.0 for use in uses)
    last = uses[-1]
    left = 0.0
    if last.end_reason in CUSTOMER_LEFT:
        left = last.granted_seconds - (last.delivered_seconds or 0.0)
    owed = _promised_seconds(uses) - delivered - left
    return owed if owed >= OWED_FROM_SECONDS else 0.0


def owed_cents(price_cents: int, booked_seconds: float, uses: Sequence[Use]) -> int:
    """Return what a slot's undelivered seconds cost, to the nearest cent and its price at most.

    It is the whole price where nothing was delivered to one who came in time; who comes when the
    slot is nearly over has left the rest of it by himself.
    """
    seconds = owed_seconds(uses)
    came_in_time = bool(uses) and _promised_seconds(uses) >= booked_seconds - START_WITHIN_SECONDS
    if came_in_time and seconds > 0 and not any(use.delivered_seconds for use in uses):
        return price_cents
    return min(price_cents, round(price_cents * seconds / booked_seconds))


def _promised_seconds(uses: Sequence[Use]) -> float:
    return uses[0].granted_seconds + sum(use.extended_seconds for use in uses[1:])

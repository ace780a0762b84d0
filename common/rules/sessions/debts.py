"""What a customer was given of what was promised, and what is owed for the rest.

The rule, in one place; `docs/compensation.md` has it as a table of cases:

1. **Promised** is the time from the first scan that opened to the end of the slot, and what was
   extended since.
2. **Delivered** is what the runner measured while the program verifiably ran, on every device.
3. **Left** is what was still to come when the customer himself ended it. Nobody owes him that.
4. **Lost** is all the rest: what a start takes, a program that went and came back, a cut of the
   power, another device's start, an end that was not his. So promised = delivered + left + lost,
   always, whatever has happened: nothing is reckoned twice, and nothing falls between two rules.
5. What is lost is **owed**, from a second on; less is what a start takes and a clock may err by.
6. A second costs what the whole slot, its extensions included, costs on the average; what is owed
   is rounded once, to the nearest cent, and never more than the price. Where nothing at all was
   delivered to one who came in time, it is the price.
7. Of what nobody has told yet nothing is owed: a session that was lost sight of counts when its
   terminal speaks again, and what was paid back before is corrected by the difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from common.rules.sessions.states import START_WITHIN_SECONDS, EndReason

CUSTOMER_LEFT: Final = frozenset({EndReason.CUSTOMER_ENDED})
"""Ends after which what is left is nobody's debt: the customer did not want it."""


OWED_FROM_SECONDS: Final = 1.0
"""What a start takes, and no more than we promise to be exact by: less than this is not owed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """One session of a reservation; `delivered_seconds` is None while nobody has said it.

    Attributes:
        granted_seconds: what it was granted, with what it was extended by since.
        extended_seconds: how much of that was not granted at its beginning.
        remaining_seconds: what was still to come at its end; None where its terminal did not say.
        lost_seconds: what the runner knows to have been lost while it went on.
    """

    granted_seconds: float
    delivered_seconds: float | None
    end_reason: EndReason | None
    extended_seconds: float = 0.0
    remaining_seconds: float | None = None
    lost_seconds: float = 0.0


def use_in(row: Mapping[str, Any]) -> Use:
    """Return a session as its row has it; a reason of another version is none that is known."""
    reason = row["end_reason"]
    return Use(
        granted_seconds=row["granted_seconds"],
        delivered_seconds=row["delivered_seconds"],
        remaining_seconds=row["remaining_seconds"],
        lost_seconds=row["lost_seconds"],
        end_reason=EndReason(reason) if reason in set(EndReason) else None,
        extended_seconds=row["extended_seconds"],
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """What became of what was promised; the four are always balanced.

    While `is_known` is false, nobody has told yet what was delivered of one of the sessions:
    `lost_seconds` is then what is not accounted for, and nothing of it is owed.
    """

    promised_seconds: float
    delivered_seconds: float
    left_seconds: float
    is_known: bool

    @property
    def lost_seconds(self) -> float:
        """Return what was neither delivered nor left by the customer's own will."""
        return max(0.0, self.promised_seconds - self.delivered_seconds - self.left_seconds)

    @property
    def owed_seconds(self) -> float:
        """Return what of it is owed."""
        is_owed = self.is_known and self.lost_seconds >= OWED_FROM_SECONDS
        return self.lost_seconds if is_owed else 0.0


def given_of(uses: Sequence[Use]) -> Given:
    """Return what was given of a reservation; `uses` are its sessions in their order."""
    if not uses:
        return Given(promised_seconds=0.0, delivered_seconds=0.0, left_seconds=0.0, is_known=True)
    return Given(
        promised_seconds=uses[0].granted_seconds + sum(use.extended_seconds for use in uses[1:]),
        delivered_seconds=sum(use.delivered_seconds or 0.0 for use in uses),
        left_seconds=_left(uses[-1]),
        is_known=all(use.delivered_seconds is not None for use in uses),
    )


def owed_seconds(uses: Sequence[Use]) -> float:
    """Return the seconds that a customer was promised and has not been given."""
    return given_of(uses).owed_seconds


def owed_cents(price_cents: int, booked_seconds: float, uses: Sequence[Use]) -> int:
    """Return what a slot's undelivered seconds cost, to the nearest cent and its price at most.

    It is the whole price where nothing was delivered to one who came in time; who comes when the
    slot is nearly over has left the rest of it by himself.
    """
    given = given_of(uses)
    came_in_time = given.promised_seconds >= booked_seconds - START_WITHIN_SECONDS
    has_nothing = not given.delivered_seconds and not given.left_seconds
    if came_in_time and has_nothing and given.owed_seconds > 0:
        return price_cents
    return min(price_cents, round(price_cents * given.owed_seconds / booked_seconds))


def _left(last: Use) -> float:
    """Return what the customer did not want any more, if it was he who ended it."""
    if last.end_reason not in CUSTOMER_LEFT or last.delivered_seconds is None:
        return 0.0
    most = last.granted_seconds - last.delivered_seconds - last.lost_seconds
    left = most if last.remaining_seconds is None else min(most, last.remaining_seconds)
    return max(0.0, left)

"""May this terminal have service information? A changed specification starts again (A8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from common.machine import Machine
from common.topics import BrokerRole

REASON_LENGTH_MAX: Final = 200
"""Characters of the reason that goes with a standing."""

CONFIRMED_LATELY_MAX: Final = 20
"""What changes more often in an hour is not confirmed by a policy: a camera that comes and goes
makes six changes, and each confirmation is a line in the audit."""


class Standing(StrEnum):
    """Where a terminal's registration stands."""

    CLAIMED = "claimed"
    PENDING = "pending"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    SUSPENDED = "suspended"
    RETIRED = "retired"


class StandingEvent(StrEnum):
    """What happens to a registration."""

    ENROL = "enrol"
    SPECIFY = "specify"
    CONFIRM = "confirm"
    REJECT = "reject"
    SUSPEND = "suspend"
    RESUME = "resume"
    RETIRE = "retire"


OperatorsWord = Literal[
    StandingEvent.CONFIRM,
    StandingEvent.REJECT,
    StandingEvent.SUSPEND,
    StandingEvent.RESUME,
    StandingEvent.RETIRE,
]
"""What an operator may say of a registration; the rest happens by itself."""


class Policy(StrEnum):
    """Who confirms a specification in this store."""

    MANUAL = "manual"
    AUTOMATIC = "automatic"
    RULES = "rules"


STANDING: Final = Machine(
    name="registration",
    first=Standing.CLAIMED,
    table={
        (Standing.CLAIMED, StandingEvent.SPECIFY): Standing.PENDING,
        (Standing.PENDING, StandingEvent.SPECIFY): Standing.PENDING,
        (Standing.CONFIRMED, StandingEvent.SPECIFY): Standing.PENDING,
        (Standing.REJECTED, StandingEvent.SPECIFY): Standing.PENDING,
        (Standing.PENDING, StandingEvent.CONFIRM): Standing.CONFIRMED,
        (Standing.SUSPENDED, StandingEvent.RESUME): Standing.CONFIRMED,
        (Standing.PENDING, StandingEvent.REJECT): Standing.REJECTED,
        (Standing.CONFIRMED, StandingEvent.SUSPEND): Standing.SUSPENDED,
        (Standing.PENDING, StandingEvent.ENROL): Standing.CLAIMED,
        (Standing.CONFIRMED, StandingEvent.ENROL): Standing.CLAIMED,
        (Standing.REJECTED, StandingEvent.ENROL): Standing.CLAIMED,
        (Standing.SUSPENDED, StandingEvent.ENROL): Standing.CLAIMED,
        (Standing.CLAIMED, StandingEvent.ENROL): Standing.CLAIMED,
        (Standing.CLAIMED, StandingEvent.RETIRE): Standing.RETIRED,
        (Standing.PENDING, StandingEvent.RETIRE): Standing.RETIRED,
        (Standing.CONFIRMED, StandingEvent.RETIRE): Standing.RETIRED,
        (Standing.REJECTED, StandingEvent.RETIRE): Standing.RETIRED,
        (Standing.SUSPENDED, StandingEvent.RETIRE): Standing.RETIRED,
    },
)


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownStanding:
    """Where a terminal stands when a specification comes in, and for which gate digest.

    `confirmed_lately` is how often it was confirmed in the last hour.
    """

    standing: Standing
    gate_digest: str | None
    confirmed_lately: int = 0


def after_specification(
    known: KnownStanding, gate_digest: str, policy: Policy, unmet: Sequence[str], *, is_moved: bool
) -> tuple[Standing, str] | None:
    """Return the standing after this specification and why, or None: nothing changes.

    The same gate digest again changes nothing: an upgrade of the agent closes no gate.

    Args:
        known: where the registration stands.
        gate_digest: what the terminal says it is now.
        policy: who confirms in this store.
        unmet: what the store's rules ask for and this specification does not have.
        is_moved: whether it seems to be another PC than the one registered.
    """
    is_same = known.gate_digest == gate_digest and known.standing is not Standing.CLAIMED
    if is_same and not is_moved:
        return None
    pending = STANDING.step(known.standing, StandingEvent.SPECIFY)
    if pending is None:
        return None
    why = _why_not_by_itself(known, policy, unmet, is_moved=is_moved)
    if why is not None:
        return pending, why[:REASON_LENGTH_MAX]
    return Standing.CONFIRMED, f"the store confirms by its policy, {policy}"


def role_for(standing: Standing, *, has_to_settle: bool) -> BrokerRole:
    """Return the broker role that goes with a standing.

    Closed while sessions still run there, or tickets are held there, is `settling`.
    """
    if standing is Standing.CONFIRMED:
        return BrokerRole.SERVICE
    return BrokerRole.SETTLING if has_to_settle else BrokerRole.GATE


def gate_is_open(standing: str | None, confirmed_digest: str | None, own_digest: str) -> bool:
    """Say whether the terminal may take service information (A4): confirmed, for what it is now."""
    return standing == Standing.CONFIRMED and confirmed_digest == own_digest


def _why_not_by_itself(
    known: KnownStanding, policy: Policy, unmet: Sequence[str], *, is_moved: bool
) -> str | None:
    """Return why an operator has to look, or None: the policy is word enough."""
    if is_moved:
        return "it seems to be another PC: an operator has to look at it"
    if known.standing is Standing.REJECTED:
        return "it was rejected before: an operator has to look at it"
    if policy is Policy.MANUAL:
        return "an operator has to look at the specification"
    if known.confirmed_lately >= CONFIRMED_LATELY_MAX:
        return "it changes too often: an operator has to look at it"
    if policy is Policy.RULES and unmet:
        return f"it does not meet the store's rules: {'; '.join(unmet)}"
    return None

"""The first hour of a store, from nothing to its first sold slot: which stage is next, and why.

Its law: each stage follows from what is in the books; nobody ticks anything off.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """What has to be done, in this order."""

    STORE = "store"
    HOURS = "hours"
    ENROL = "enrol"
    CONFIRM = "confirm"
    DEVICE = "device"
    OFFERING = "offering"
    PRICE = "price"
    OPEN = "open"
    SOLD = "sold"


class StageState(StrEnum):
    """Where a stage stands."""

    DONE = "done"
    NEXT = "next"
    """Somebody has to do it now."""
    LATER = "later"
    """Another one comes first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstHour:
    """What the books say of a store that is being set up; without one, nothing is there.

    Attributes:
        says_hours: whether it has hours, or somebody has said that it is always open.
        enrolled: terminals that are not sent away; `confirmed` of them may serve.
        devices: devices of confirmed terminals.
        offerings: what their terminals have registered.
        is_priced: whether one of them costs something, or an operator has said that it does not.
        on_offer: devices that can be had now.
        sold: slots that somebody has booked.
    """

    has_store: bool = False
    says_hours: bool = False
    enrolled: int = 0
    confirmed: int = 0
    devices: int = 0
    offerings: int = 0
    is_priced: bool = False
    on_offer: int = 0
    sold: int = 0


def first_hour(facts: FirstHour) -> tuple[tuple[Stage, StageState], ...]:
    """Return every stage with its state; the first that is not done is the next."""
    done = {
        Stage.STORE: facts.has_store,
        Stage.HOURS: facts.says_hours or facts.sold > 0,
        Stage.ENROL: facts.enrolled > 0,
        Stage.CONFIRM: facts.confirmed > 0,
        Stage.DEVICE: facts.devices > 0,
        Stage.OFFERING: facts.offerings > 0,
        Stage.PRICE: facts.is_priced or facts.sold > 0,
        Stage.OPEN: facts.on_offer > 0 or facts.sold > 0,
        Stage.SOLD: facts.sold > 0,
    }
    following = next((stage for stage in Stage if not done[stage]), None)
    return tuple((stage, _state(stage, following, is_done=done[stage])) for stage in Stage)


def is_set_up(facts: FirstHour) -> bool:
    """Say whether there is nothing left to guide anybody through."""
    return all(state is StageState.DONE for _, state in first_hour(facts))


def _state(stage: Stage, following: Stage | None, *, is_done: bool) -> StageState:
    if is_done:
        return StageState.DONE
    return StageState.NEXT if stage is following else StageState.LATER

"""Of all that is in the way, the reason that is told is the one closest to what can be done (C4).

Every combination of facts is walked through; and whoever does what he is told, in the worst of the
worlds that may follow, is never told anything that stands before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest

from common.rules.tickets import CLOSEST_FIRST, Denial, DenialReason, Moment, Showing, why_not
from tests.rules.ticket_kit import DOOR, HOUR_MS, NOW, TICKET, TOKEN

MINUTE_MS = 60_000
RELEASED_AT = NOW - 7 * MINUTE_MS
PAY_BY = NOW + 8 * MINUTE_MS
NEVER_HELD = None

Claim = tuple[str, str, bool, str | None, int | None]
"""States of ticket and reservation, whether it is being cancelled, who uses it, its hold's end."""

GOOD: Claim = ("issued", "confirmed", False, None, NEVER_HELD)
CLAIMS: tuple[Claim, ...] = (
    GOOD,
    ("issued", "confirmed", True, None, NEVER_HELD),
    ("issued", "held", False, None, PAY_BY),
    ("issued", "held", False, None, RELEASED_AT),
    ("issued", "held", False, None, NEVER_HELD),
    ("issued", "cancelled", False, None, NEVER_HELD),
    ("issued", "completed", False, None, NEVER_HELD),
    ("void", "cancelled", False, None, NEVER_HELD),
    ("void", "expired", False, None, RELEASED_AT),
    ("void", "no_show", False, None, NEVER_HELD),
    ("void", "confirmed", False, None, NEVER_HELD),
    ("void", "held", False, None, PAY_BY),
    ("reserved", "confirmed", False, "t-1", NEVER_HELD),
    ("reserved", "in_use", False, "t-2", NEVER_HELD),
    ("spent", "in_use", False, None, NEVER_HELD),
    ("spent", "completed", False, None, NEVER_HELD),
)
TIMES = {"before": -HOUR_MS, "early": -4 * MINUTE_MS, "in it": MINUTE_MS, "over": HOUR_MS}
OPENINGS = {"open": 0, "soon": 20 * MINUTE_MS, "too late": 2 * HOUR_MS}
DOORS = ("its own", "another", "any will do", "of another offering", "its own is broken")


@dataclass(frozen=True)
class World:
    """One combination of all the facts that there are."""

    is_newest: bool
    claim: Claim
    time: str
    is_its_store: bool
    where: str
    opening: str
    is_out_of_order: bool
    is_taken: bool
    is_in_use: bool
    is_in_turnover: bool
    held_by: str | None

    def showing(self) -> Showing:
        ticket_state, reservation_state, is_given_up, live, hold_ends_at = self.claim
        now = NOW + TIMES[self.time]
        ticket = replace(
            TICKET,
            revision=0 if self.is_newest else 1,
            ticket_state=ticket_state,
            reservation_state=reservation_state,
            cancel_asked_at=NOW if is_given_up else None,
            live_terminal=live,
            hold_ends_at=hold_ends_at,
            changed_at=RELEASED_AT,
            held_by=self.held_by,
            device_is_out_of_order=self.where == "its own is broken",
        )
        delay = OPENINGS.get(self.opening)
        opens_at = None if delay is None else max(now, ticket.opens_at) + delay
        door = replace(
            DOOR,
            store_number=7 if self.is_its_store else 8,
            device="d-3" if self.where == "its own" else "d-4",
            offering="o-2" if self.where == "of another offering" else "o-1",
            is_out_of_order=self.is_out_of_order,
            is_in_use=self.is_in_use,
            ready_at=now + MINUTE_MS if self.is_in_turnover else now,
        )
        names_none = self.where in {"any will do", "of another offering"}
        token = replace(TOKEN, device_number=0 if names_none else 3)
        moment = Moment(now=now, store_opens_at=opens_at, is_taken=self.is_taken)
        return Showing(token=token, ticket=ticket, door=door, moment=moment)


def every_world() -> Iterator[World]:
    flags = (False, True)
    facts: list[Iterable[Any]] = [(True, False), CLAIMS, TIMES, (True, False), DOORS, OPENINGS]
    yield from (World(*each) for each in product(*facts, *[flags] * 4, (None, "t-1", "t-2")))


def first_in_the_way(world: World) -> int | None:
    showing = world.showing()
    stands = (number for number, each in enumerate(CLOSEST_FIRST) if each.stands(showing))
    return next(stands, None)


def denial_in(world: World) -> Denial | None:
    showing = world.showing()
    return why_not(showing.token, showing.ticket, showing.door, showing.moment)


def a_new_ticket(world: World) -> Iterator[World]:
    """Whatever was booked anew, it is good; its time may be any that is to come."""
    for time, opening in product(("before", "early", "in it"), ("open", "soon")):
        yield replace(world, is_newest=True, claim=GOOD, time=time, opening=opening)


def the_newer_one(world: World) -> Iterator[World]:
    yield replace(world, is_newest=True)


def ended_there(world: World) -> Iterator[World]:
    yield replace(world, claim=("spent", "completed", False, None, NEVER_HELD))


def paid(world: World) -> Iterator[World]:
    yield replace(world, claim=GOOD)


def a_time_when_it_is_open(world: World) -> Iterator[World]:
    for time in ("before", "early", "in it"):
        yield replace(world, time=time, opening="open")


def before_another_door(world: World, where: str) -> Iterator[World]:
    """Whatever stands at the other door, one does not know before."""
    flags = (False, True)
    for broken, taken, used, turned in product(flags, flags, flags, flags):
        yield replace(
            world,
            is_its_store=True,
            where=where,
            is_out_of_order=broken,
            is_taken=taken,
            is_in_use=used,
            is_in_turnover=turned,
        )


def gone_to_its_store(world: World) -> Iterator[World]:
    for where in DOORS:
        yield from before_another_door(world, where)


def gone_to_its_device(world: World) -> Iterator[World]:
    yield from before_another_door(world, "its own")


def come_when_it_opens(world: World) -> Iterator[World]:
    time = "early" if world.opening == "open" else "in it"
    yield from before_another_door(replace(world, time=time, opening="open"), world.where)


def gone_to_the_free_one(world: World) -> Iterator[World]:
    for where in ("any will do", "its own is broken"):
        yield replace(world, where=where, is_out_of_order=False, is_taken=False, is_in_use=False)


def waited_for_the_other(world: World) -> Iterator[World]:
    for is_in_turnover in (False, True):
        yield replace(world, is_in_use=False, is_in_turnover=is_in_turnover)


def waited_until_it_is_ready(world: World) -> Iterator[World]:
    yield replace(world, is_in_turnover=False)


def come_when_it_begins(world: World) -> Iterator[World]:
    """No claim is within another one, so that nobody else has one from then on."""
    yield replace(world, time="in it", is_taken=False)


def scanned_again(world: World) -> Iterator[World]:
    yield replace(world, held_by=None)


DONE: tuple[Callable[[World], Iterator[World]], ...] = (
    the_newer_one,
    a_new_ticket,
    ended_there,
    a_new_ticket,
    a_new_ticket,
    a_new_ticket,
    a_new_ticket,
    paid,
    a_time_when_it_is_open,
    gone_to_its_store,
    gone_to_its_device,
    come_when_it_opens,
    come_when_it_opens,
    gone_to_the_free_one,
    gone_to_the_free_one,
    waited_for_the_other,
    waited_until_it_is_ready,
    come_when_it_begins,
    scanned_again,
)
"""What a customer does who is told of each obstacle, in their order, and what may follow."""


@pytest.fixture(scope="module")
def worlds() -> dict[World, int | None]:
    """Return every combination of facts, and which obstacle is the first in the way."""
    return {world: first_in_the_way(world) for world in every_world()}


def test_c4_every_combination_of_facts_has_one_reason_or_opens_the_door(worlds):
    assert len(worlds) > 150_000
    for world, number in worlds.items():
        denial = denial_in(world)
        told = None if denial is None else denial.reason
        assert told is (None if number is None else CLOSEST_FIRST[number].reason)


def test_every_obstacle_is_the_first_in_the_way_of_somebody(worlds):
    assert set(worlds.values()) == {None, *range(len(CLOSEST_FIRST))}


def test_who_does_what_he_is_told_meets_nothing_that_stands_before_it(worlds):
    assert len(DONE) == len(CLOSEST_FIRST)
    followed: dict[World, int | None] = {}
    for world, told in worlds.items():
        for after in DONE[told](world) if told is not None else ():
            if after not in followed:
                followed[after] = first_in_the_way(after)
            later = followed[after]
            assert later is None or later > told, (CLOSEST_FIRST[told].reason, world, after)


def test_who_does_what_he_is_told_is_let_in_at_last(worlds):
    """From any world one comes through the door in as many steps as there are obstacles."""
    for start in list(worlds)[::997]:
        world = start
        for _ in CLOSEST_FIRST:
            told = first_in_the_way(world)
            if told is None:
                break
            world = next(DONE[told](world))
        assert first_in_the_way(world) is None, start


def test_what_makes_the_code_useless_is_said_before_anybody_is_sent_anywhere():
    reasons = [each.reason for each in CLOSEST_FIRST]
    place = reasons.index(DenialReason.WRONG_STORE)
    useless = {
        DenialReason.REVOKED,
        DenialReason.CANCELLED,
        DenialReason.ALREADY_USED,
        DenialReason.EXPIRED,
    }
    assert useless <= set(reasons[:place])
    assert not useless & set(reasons[place:])


def a_world(**facts: Any) -> World:
    world = World(
        is_newest=True,
        claim=GOOD,
        time="in it",
        is_its_store=True,
        where="its own",
        opening="open",
        is_out_of_order=False,
        is_taken=False,
        is_in_use=False,
        is_in_turnover=False,
        held_by=None,
    )
    return replace(world, **facts)


def test_a_denial_says_when_and_where_as_far_as_the_rule_knows():
    opens_at = TICKET.opens_at
    in_it = NOW + TIMES["in it"]
    told: dict[DenialReason, tuple[World, dict[str, Any]]] = {
        DenialReason.EXPIRED: (a_world(claim=CLAIMS[3]), {"released_at": RELEASED_AT}),
        DenialReason.UNPAID: (a_world(claim=CLAIMS[2]), {"pay_by": PAY_BY}),
        DenialReason.TOO_EARLY: (a_world(time="before"), {"opens_at": opens_at}),
        DenialReason.WRONG_DEVICE: (
            a_world(where="another", time="before"),
            {"device": "d-3", "opens_at": opens_at},
        ),
        DenialReason.DEVICE_IN_TURNOVER: (
            a_world(is_in_turnover=True),
            {"opens_at": in_it + MINUTE_MS},
        ),
    }
    for reason, (world, facts) in told.items():
        assert denial_in(world) == Denial(reason=reason, **facts)


def test_a_store_that_is_closed_is_told_with_its_opening_or_for_good():
    soon = NOW + TIMES["in it"] + OPENINGS["soon"]
    closed = DenialReason.STORE_CLOSED
    assert denial_in(a_world(opening="soon")) == Denial(reason=closed, opens_at=soon)
    too_late = denial_in(a_world(opening="too late"))
    assert too_late is not None
    assert too_late.opens_at is None, "nobody is told to come then: his time will be over"
    assert too_late.store_opens_at is not None
    assert denial_in(a_world(opening="never")) == Denial(reason=closed)


def test_one_who_is_early_at_a_store_that_opens_later_is_told_when_both_let_him_in():
    early = denial_in(a_world(time="before", opening="soon"))
    opens_at = TICKET.opens_at + OPENINGS["soon"]
    assert early == Denial(reason=DenialReason.TOO_EARLY, opens_at=opens_at)


def test_a_ticket_whose_own_device_is_broken_opens_another_one_of_its_offering():
    assert denial_in(a_world(where="its own is broken")) is None
    assert denial_in(a_world(where="another")) is not None

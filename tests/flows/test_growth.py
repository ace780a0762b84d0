"""A branch's seats grow before there are none, and go back; cut off, it serves from what it has."""

from __future__ import annotations

import pytest

from cloud_controller.flows import rights
from cloud_controller.flows.rights.seats import LEASE_TOLERANCE_MS
from common.messages.rights import Refused, Right
from common.rules.modules import SeatRefusal
from common.rules.modules.growth import FRESH_SECONDS, RETRY_SECONDS, SPARE_SECONDS
from tests.fakes.controllers import OWNED, PHYSICS, BranchInHand
from tests.flows.module_kit import publish

LEASE_MS = 86_400_000


def grown(branch: BranchInHand) -> int:
    """Let it grow until it wants nothing; return what it owns then."""
    while branch.grow():
        branch.settle()
    return branch.owned()


def reason(answer: Right | Refused) -> str:
    assert isinstance(answer, Refused)
    return answer.reason


def free_what_has_ended(branch: BranchInHand) -> None:
    branch.clock.now += LEASE_MS + LEASE_TOLERANCE_MS + 1
    branch.do(rights.free_leases)


def test_d11_a_branch_takes_seats_ahead_of_need_and_never_more_than_there_are(root, branch):
    assert grown(branch) == 2
    for number in range(OWNED):
        assert isinstance(branch.seat(f"t-{number}"), Right), "there was one free before it asked"
        grown(branch)
        assert branch.owned() <= root.used() <= OWNED
    assert (branch.owned(), branch.used(), root.used()) == (OWNED, OWNED, OWNED)
    assert reason(branch.seat("t-one-more")) == SeatRefusal.NO_SEAT_LEFT
    assert reason(root.seat("t-at-the-root")) == SeatRefusal.NO_SEAT_LEFT


def test_it_takes_fewer_where_the_root_has_fewer(root, branch, other_branch):
    other_branch.take(OWNED - 1)
    assert grown(branch) == 1
    assert root.used() == OWNED
    assert branch.grow() == 0, "and leaves the root alone for a while"
    branch.clock.now += RETRY_SECONDS * 1000
    other_branch.take(-3)
    assert grown(branch) == 3


def test_d11_cut_off_it_serves_from_what_it_has_and_says_that_only_here_is_none_left(root, branch):
    grown(branch)
    assert branch.grow() == 0
    assert isinstance(branch.seat("t-1"), Right)
    assert branch.grow() == 2, "it asks, and nobody hears it"
    assert isinstance(branch.seat("t-2"), Right)
    assert reason(branch.seat("t-3")) == SeatRefusal.NO_SEAT_LEFT_HERE
    assert isinstance(branch.seat("t-1", 2), Right), "a renewal needs no second seat"
    assert (branch.owned(), branch.used(), root.used()) == (2, 2, 2)
    branch.settle()
    assert isinstance(branch.seat("t-3", 2), Right), "the line is back"


def test_that_none_is_left_anywhere_is_true_as_long_as_the_root_has_just_said_so(root, branch):
    root.do(lambda books: books.rights.take_seats(module="physics", seats=OWNED))
    assert branch.grow() == 2
    assert reason(branch.seat("t-1")) == SeatRefusal.NO_SEAT_LEFT_HERE
    branch.settle()
    assert reason(branch.seat("t-1", 2)) == SeatRefusal.NO_SEAT_LEFT
    branch.clock.now += FRESH_SECONDS * 1000
    assert reason(branch.seat("t-1", 3)) == SeatRefusal.NO_SEAT_LEFT_HERE


def test_a_refusal_of_more_than_the_root_has_does_not_say_that_it_has_none(branch):
    branch.take(1)
    branch.take(OWNED)
    assert branch.owned() == 1
    branch.seat("t-1")
    assert reason(branch.seat("t-2")) == SeatRefusal.NO_SEAT_LEFT_HERE


def test_what_a_day_has_not_used_goes_back_and_is_not_asked_for_again(root, branch):
    branch.take(OWNED)
    branch.clock.now += SPARE_SECONDS * 1000 - 1
    assert branch.grow() == 0
    branch.clock.now += 1
    assert branch.grow() == -(OWNED - 4)
    branch.settle()
    assert (branch.owned(), root.used(), branch.grow()) == (4, 4, 0)


def test_what_was_used_within_a_day_stays(branch):
    branch.take(OWNED)
    assert isinstance(branch.seat("t-1"), Right)
    assert isinstance(branch.seat("t-2"), Right)
    free_what_has_ended(branch)
    assert (branch.used(), branch.grow()) == (0, 0)
    branch.clock.now += SPARE_SECONDS * 1000 + 1
    assert branch.grow() < 0


def test_of_a_licence_that_counts_every_issue_only_what_was_never_issued_goes_back(root, branch):
    release = {"version": "1.0", "sha256": publish(branch, PHYSICS, basis="ever_issued")}
    branch.take(OWNED)
    for terminal in ("t-1", "t-2", "t-3"):
        assert isinstance(branch.seat(terminal, **release), Right)
    free_what_has_ended(branch)
    branch.clock.now += SPARE_SECONDS * 1000
    assert (branch.used(), branch.grow()) == (3, 0), "7 are free, and not more than 4 times 2"
    branch.take(-5)
    assert (branch.owned(), root.used()) == (5, 5)
    assert isinstance(branch.seat("t-1", 2, **release), Right)
    assert branch.used() == 3, "fetched again, it is the same seat"


def test_an_hour_of_new_terminals_is_asked_for_twice_and_renewals_are_not_new(branch):
    branch.take(4)
    for number in range(3):
        branch.seat(f"t-{number}")
    branch.clock.now += 1
    for number in range(3):
        branch.seat(f"t-{number}", 2)
    assert branch.grow() == 6
    branch.give_up()
    branch.settle()
    branch.clock.now += 3_600_001
    for number in range(3):
        branch.seat(f"t-{number}", 3)
    assert branch.grow() == 2


@pytest.mark.parametrize("how", ["quarantined", "its own"])
def test_what_is_shut_or_its_own_is_left_alone(branch, how):
    if how == "its own":
        branch.own(1)
    else:
        branch.take(1)
        branch.do(lambda b: b.escrow.quarantine_own(epoch=branch.who.epoch, state=how))
    assert branch.grow() == 0

"""Seats move between controllers exactly once: the same exchange, its client in a controller."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_controller.flows.rights import peers, pools
from cloud_controller.ports import NotAllowed
from common.ids import CommId
from common.messages.rights import (
    Aborted,
    Announce,
    Announced,
    Complete,
    Completed,
    Refused,
    Request,
    Right,
    SeatsRequest,
    Troubled,
)
from common.rules.modules import SeatRefusal
from common.rules.rights import Trouble
from common.seals import check_document, digest_of
from tests.fakes.controllers import OWNED, PHYSICS, BranchInHand, ControllerInHand, ask_root


def free(root: ControllerInHand) -> int:
    return root.owned() - root.used()


def test_b1_b3_each_message_is_in_the_books_before_it_is_sent(branch):
    branch.want(3)
    (announce,) = branch.owes()
    assert isinstance(announce, Announce)
    comm_id = CommId.parse(announce.comm_id)
    assert (comm_id.party, comm_id.epoch, comm_id.kind) == (
        "osaka",
        branch.who.epoch,
        "seats:physics",
    )
    branch.kill()
    assert branch.owes() == [announce]
    branch.step()
    (request,) = branch.owes()
    assert isinstance(request, Request)
    assert request.digest == digest_of(request.request)
    branch.kill()
    assert branch.owes() == [request]


def test_b4_to_b10_seats_change_pools_with_the_two_records(root, branch):
    branch.want(3)
    assert isinstance(branch.step(), Announced)
    assert (root.used(), branch.owned()) == (0, 0)
    right = branch.step()
    assert isinstance(right, Right)
    (key,) = root.keys.verifying_keys().values()
    check_document(right.document, right.signature, key)
    assert right.document["holds"] == 3
    assert (root.used(), branch.owned()) == (3, 3)
    assert branch.state() == "completing"
    branch.kill()
    assert branch.owes() == [Complete(comm_id=right.comm_id, digest=right.digest())]
    assert isinstance(branch.step(), Completed)
    assert branch.owes() == []
    assert root.books.one("exchanges")["mark_seq"] == 1


def test_d11_no_more_seats_than_the_root_owns_whoever_asks(root, branch, other_branch):
    branch.take(7)
    other_branch.take(7)
    assert (branch.owned(), other_branch.owned(), root.used()) == (7, 0, 7)
    other_branch.take(3)
    assert (other_branch.owned(), free(root)) == (3, 0)


def test_d10_the_root_knows_what_each_controller_has(root, branch, other_branch):
    branch.take(4)
    other_branch.take(3)
    branch.take(-1)
    known = {each.name: dict(each.holds) for each in root.do(peers.peers)}
    assert known == {"osaka": {PHYSICS: 3}, "nara": {PHYSICS: 3}}
    (pool,) = root.do(pools.pools, "")
    assert (pool.owned, pool.used, pool.given, pool.under_way) == (OWNED, 6, 6, None)
    branch.want(2)
    (pool,) = branch.do(pools.pools, branch.who.epoch)
    assert (pool.owned, pool.under_way) == (3, (2, "announcing"))


def test_a_refusal_is_stored_repeated_and_completed_like_a_right(root, branch):
    branch.want(OWNED + 1)
    branch.step()
    (request,) = branch.owes()
    refused = branch.ask(request)
    assert isinstance(refused, Refused)
    assert refused.reason == SeatRefusal.NO_SEAT_LEFT
    root.own(OWNED + 5)
    assert branch.ask(request) == refused, "what was decided stands"
    branch.settle()
    assert (branch.owned(), root.used()) == (0, 0)
    branch.take(OWNED + 1)
    assert branch.owned() == OWNED + 1


def test_a_return_lowers_our_pool_when_it_is_frozen_and_the_root_s_when_it_is_decided(root, branch):
    branch.take(8)
    branch.want(-3)
    assert branch.owned() == 8
    branch.step()
    assert (branch.owned(), root.used()) == (5, 8)
    branch.settle()
    assert (branch.owned(), root.used()) == (5, 5)


def test_seats_that_are_used_are_not_returned(branch):
    branch.take(4)
    branch.do(lambda books: books.rights.take_seats(module=PHYSICS, seats=3))
    with pytest.raises(NotAllowed):
        branch.want(-2)
    branch.want(-1)
    branch.do(lambda books: books.rights.take_seats(module=PHYSICS, seats=1))
    branch.settle()
    assert branch.owned() == 4, "the last free one was used before the request was frozen"
    assert branch.state() == "idle"


@pytest.mark.parametrize("refusal", ["refused", "given up"])
def test_a_return_that_comes_to_nothing_comes_back_once(root, branch, refusal):
    branch.take(5)
    if refusal == "refused":
        root.do(pools.settle_seats, PHYSICS, "osaka", 1, "tests")
    branch.want(-4)
    branch.step()
    assert branch.owned() == 1
    if refusal == "given up":
        branch.give_up()
    answer = branch.step()
    assert isinstance(answer, Refused | Aborted)
    assert not branch.hear(answer), "heard twice, it comes back once"
    branch.settle()
    assert branch.owned() == 5


def test_what_is_given_up_after_it_was_decided_is_fetched(root, branch):
    branch.take(5)
    for seats, left in ((-2, 3), (4, 7)):
        branch.want(seats)
        branch.step()
        (request,) = branch.owes()
        assert isinstance(branch.ask(request), Right)
        branch.give_up()
        branch.settle()
        assert (branch.owned(), root.used()) == (left, left)


def test_seats_returned_are_no_more_than_were_given(root, branch):
    """D11: else seats would be made of nothing; a peer that lies is told no."""
    branch.take(2)
    asked = SeatsRequest(module=PHYSICS, seats=-3).model_dump()
    assert raw(root, branch, asked, seq=2) == SeatRefusal.NEVER_GIVEN
    assert root.used() == 2


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"module": PHYSICS, "seats": 0}, SeatRefusal.MALFORMED),
        ({"module": "other", "seats": 1}, SeatRefusal.MALFORMED),
        ({"module": PHYSICS, "seats": 1.5}, SeatRefusal.MALFORMED),
        ({"module": PHYSICS, "seats": 10**9}, SeatRefusal.MALFORMED),
        ({"seats": 1}, SeatRefusal.MALFORMED),
        ({}, SeatRefusal.MALFORMED),
    ],
)
def test_a_request_that_is_none_is_refused_and_changes_no_pool(root, branch, asked, reason):
    before = root.pool()
    assert raw(root, branch, asked) == reason
    assert root.pool() == before


def raw(root: ControllerInHand, branch: BranchInHand, asked: dict[str, Any], seq: int = 1) -> str:
    """Ask for anything in an exchange of our own making; return the reason it is refused for."""
    comm_id = f"{branch.name}/{branch.who.epoch}/seats:{PHYSICS}/{seq}/{seq:032x}"
    ask_root(root, branch.name, Announce(comm_id=comm_id))
    request = Request(comm_id=comm_id, request=asked, digest=digest_of(asked))
    answer = ask_root(root, branch.name, request)
    assert isinstance(answer, Refused)
    return answer.reason


def test_a_module_that_the_root_does_not_know_leaves_no_mark_and_can_be_given_up(root, branch):
    branch.want(1, "unheard-of")
    assert branch.step() == Troubled(comm_id=branch.owes()[0].comm_id, trouble=Trouble.BUSY)
    assert root.books.rows("exchanges") == []
    branch.give_up("unheard-of")
    branch.settle()
    assert branch.state("unheard-of") == "idle"
    assert root.books.rows("exchanges") == []


def test_a_peer_gets_nothing_but_seats_in_escrow(root, branch):
    for kind in ("module:physics", "session:d-1", "offline:d-1"):
        comm_id = f"osaka/{branch.who.epoch}/{kind}/1/{'a' * 32}"
        assert ask_root(root, "osaka", Announce(comm_id=comm_id)) is None
    assert root.books.rows("exchanges") == []


@pytest.mark.usefixtures("other_branch")
def test_a_peer_cannot_speak_in_the_name_of_another(root, branch):
    branch.want(2)
    (announce,) = branch.owes()
    assert ask_root(root, "nara", announce) is None
    assert ask_root(root, "nobody", announce) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"seats": 9},
        {"module": "other"},
        {"terminal": "nara"},
        {"epoch": "0" * 16},
        {"kind": "seats:other"},
        {"comm_id": "osaka/0/seats:physics/1/" + "0" * 32},
    ],
)
def test_a_right_that_is_not_for_what_was_asked_is_not_taken(root, branch, changed):
    branch.want(3)
    branch.step()
    right = branch.ask(branch.owes()[0])
    assert isinstance(right, Right)
    document = right.document | changed
    forged = right.model_copy(
        update={"document": document, "signature": root.keys.seal_document(document)}
    )
    unsigned = right.model_copy(update={"signature": "0" * 128})
    assert not branch.hear(forged)
    assert not branch.hear(unsigned)
    assert branch.owned() == 0
    assert branch.hear(right)


def test_one_exchange_of_a_module_at_a_time(branch):
    branch.want(1)
    with pytest.raises(NotAllowed):
        branch.want(1)


@pytest.mark.parametrize("module", ["", "a b", "a:b", "../x", "x" * 65])
def test_what_is_no_module_s_name_is_refused_before_anything_is_written(root, branch, module):
    with pytest.raises(NotAllowed):
        branch.want(1, module)
    with pytest.raises(NotAllowed):
        root.own(1, module)


def test_a_module_is_owned_here_or_comes_from_the_root(branch):
    branch.take(1)
    with pytest.raises(NotAllowed):
        branch.own(5)
    branch.own(5, "own-one")
    with pytest.raises(NotAllowed):
        branch.want(1, "own-one")


def test_a_root_never_owns_fewer_than_are_used(root, branch):
    branch.take(4)
    with pytest.raises(NotAllowed):
        root.own(3)
    root.own(4)
    assert free(root) == 0

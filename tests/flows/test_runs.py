"""A seat counted by runs: it follows the run, and comes back with its end or its lease's (D11)."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from cloud_controller.flows import rights
from cloud_controller.flows.rights.seats import LEASE_TOLERANCE_MS
from common.ids import CommId
from common.messages.modules import ModuleRunEnded
from common.messages.rights import Announce, Complete, Refused, Request, Right, Troubled
from common.rules.modules import Basis, SeatRefusal
from common.seals import digest_of
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import TerminalInHand
from tests.flows.module_kit import PHYSICS, own, publish, used

LEASE_MS = 86_400_000


@pytest.fixture
def licensed(house: HouseInHand) -> HouseInHand:
    """Return a house that owns two seats of a module that is counted by runs."""
    publish(house, PHYSICS, basis=Basis.CONCURRENT)
    own(house)
    return house


def run_asked(
    house: HouseInHand, terminal: TerminalInHand, device: str, run: str, seq: int = 1
) -> Any:
    """Go through one exchange for a run; return what it was answered."""
    who, request = terminal.who, {"module": PHYSICS, "device": device, "run": run}
    kind = f"run:{PHYSICS}.{device}"
    name = CommId(party=who.terminal, epoch=who.epoch, kind=kind, seq=seq, nonce=f"{seq:032x}")
    comm_id = str(name)
    (announced,) = house.ask(terminal, Announce(comm_id=comm_id))
    if isinstance(announced, Troubled):
        return announced
    said = Request(comm_id=comm_id, request=request, digest=digest_of(request))
    (answer,) = house.ask(terminal, said)
    assert isinstance(answer, Right | Refused)
    house.ask(terminal, Complete(comm_id=comm_id, digest=answer.digest()))
    return answer


def ended(house: HouseInHand, terminal: TerminalInHand, device: str, run: str) -> None:
    message = ModuleRunEnded(module=PHYSICS, device=device, run=run, at=house.clock.now)
    house.books.do(rights.note_run_ended, house.received(terminal, message))


def test_d11_there_are_no_more_runs_than_seats_and_a_seat_comes_back_with_its_end(licensed):
    terminal = licensed.confirmed("a", "b", "c")
    one, two, three = licensed.devices_of(terminal)
    right = run_asked(licensed, terminal, one, "u-1")
    assert isinstance(right, Right)
    assert right.document["run"] == "u-1"
    assert right.document["ends_at"] == licensed.clock.now + LEASE_MS
    assert isinstance(run_asked(licensed, terminal, two, "u-2"), Right)
    refused = run_asked(licensed, terminal, three, "u-3")
    assert isinstance(refused, Refused)
    assert refused.reason == SeatRefusal.NO_SEAT_LEFT
    assert used(licensed) == 2
    ended(licensed, terminal, one, "u-1")
    ended(licensed, terminal, one, "u-1")
    assert used(licensed) == 1, "it comes back once"
    assert isinstance(run_asked(licensed, terminal, three, "u-3", seq=2), Right)


def test_the_operator_is_called_when_seats_run_out_and_not_when_there_are_some(licensed):
    terminal = licensed.confirmed("a", "b", "c")
    one, two, three = licensed.devices_of(terminal)
    for device in (one, two, three):
        run_asked(licensed, terminal, device, f"u-{device}")
    (problem,) = licensed.books.rows("problems")
    assert (problem["kind"], problem["subject"]) == ("seats_run_out", PHYSICS)
    ended(licensed, terminal, one, f"u-{one}")
    run_asked(licensed, terminal, three, "u-9", seq=2)
    (problem,) = licensed.books.rows("problems")
    assert problem["solved_at"] == licensed.clock.now


def test_a_renewal_takes_no_second_seat(licensed):
    terminal = licensed.confirmed("a")
    (device,) = licensed.devices_of(terminal)
    for seq in (1, 2, 3):
        licensed.clock.move(600)
        right = run_asked(licensed, terminal, device, "u-1", seq)
        assert right.document["ends_at"] == licensed.clock.now + LEASE_MS
        assert used(licensed) == 1
    ended(licensed, terminal, device, "u-1")
    assert used(licensed) == 0


def test_the_next_run_takes_the_seat_over_and_a_late_end_of_the_one_before_frees_nothing(licensed):
    terminal = licensed.confirmed("a")
    (device,) = licensed.devices_of(terminal)
    run_asked(licensed, terminal, device, "u-1")
    run_asked(licensed, terminal, device, "u-2", seq=2)
    assert used(licensed) == 1
    ended(licensed, terminal, device, "u-1")
    assert used(licensed) == 1
    ended(licensed, terminal, device, "u-2")
    assert used(licensed) == 0


def test_after_a_crash_a_seat_comes_back_after_its_lease_and_the_tolerance_and_never_before(
    licensed,
):
    terminal = licensed.confirmed("a")
    (device,) = licensed.devices_of(terminal)
    run_asked(licensed, terminal, device, "u-1")
    licensed.clock.now += LEASE_MS + LEASE_TOLERANCE_MS
    licensed.books.do(rights.free_leases)
    assert used(licensed) == 1
    licensed.clock.now += 1
    licensed.books.do(rights.free_leases)
    licensed.books.do(rights.free_leases)
    assert used(licensed) == 0
    ended(licensed, terminal, device, "u-1")
    assert used(licensed) == 0, "and not a second time when the PC is back"


def test_a_run_of_another_terminal_ends_nothing(licensed):
    mine, other = licensed.confirmed("a"), licensed.confirmed("b")
    (device,) = licensed.devices_of(mine)
    run_asked(licensed, mine, device, "u-1")
    ended(licensed, other, device, "u-1")
    assert used(licensed) == 1


def test_nobody_leaves_a_mark_for_a_device_or_a_module_that_is_none(licensed):
    terminal, other = licensed.confirmed("a"), licensed.confirmed("b")
    (strange,) = licensed.devices_of(other)
    publish(licensed, "optics", basis=Basis.INSTALLED)
    assert isinstance(run_asked(licensed, terminal, strange, "u-1"), Troubled)
    assert licensed.books.rows("exchanges") == []
    assert used(licensed) == 0


def test_a_request_about_another_run_than_its_class_names_is_malformed(licensed):
    terminal = licensed.confirmed("a", "b")
    one, two = licensed.devices_of(terminal)
    who = terminal.who
    name = partial(CommId, party=who.terminal, epoch=who.epoch, seq=1, nonce="0" * 32)
    comm_id = str(name(kind=f"run:{PHYSICS}.{one}"))
    licensed.ask(terminal, Announce(comm_id=comm_id))
    request = {"module": PHYSICS, "device": two, "run": "u-1"}
    said = Request(comm_id=comm_id, request=request, digest=digest_of(request))
    (answer,) = licensed.ask(terminal, said)
    assert isinstance(answer, Refused)
    assert answer.reason == SeatRefusal.MALFORMED
    assert used(licensed) == 0


def test_the_leases_of_runs_that_end_are_found_without_looking_at_any_others(house):
    plan = house.books.connection.execute(
        "EXPLAIN QUERY PLAN SELECT right_id FROM rights WHERE freed_at IS NULL"
        " AND lease_ends_at < 5 AND kind >= 'run:' AND kind < 'run;' ORDER BY lease_ends_at"
    ).fetchall()
    assert ["runs_to_free" in row["detail"] for row in plan] == [True]

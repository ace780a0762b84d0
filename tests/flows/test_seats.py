"""A seat of a module is a lease: one a terminal, back at its end and never before (D4, D11)."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from cloud_controller.flows import rights
from cloud_controller.flows.rights import pools
from cloud_controller.flows.rights.seats import BATCH_MAX, LEASE_TOLERANCE_MS
from common.messages.rights import (
    Abort,
    Aborted,
    Announce,
    Complete,
    Refused,
    Right,
    Troubled,
)
from common.rules.modules import SeatRefusal
from common.system import SystemNames
from tests.fakes.books import BooksInHand
from tests.fakes.controllers import PHYSICS, ControllerInHand, seat_asked, take_as
from tests.fakes.house import HouseInHand
from tests.fakes.store import ClockInHand
from tests.fakes.terminal import TerminalInHand

LEASE_MS = 86_400_000


@pytest.fixture
def owner(house: HouseInHand) -> HouseInHand:
    """Return a house that owns two seats."""
    house.books.do(pools.own_seats, PHYSICS, 2, "tests")
    return house


def ask(house: HouseInHand, terminal: TerminalInHand, seq: int) -> Right | Refused:
    who = terminal.who
    return seat_asked(partial(house.ask, terminal), (who.terminal, who.epoch), seq)


def pool(house: HouseInHand) -> tuple[int, int, int]:
    row = house.books.one("seat_pools")
    return row["owned"], row["used"], row["short"]


def test_d11_there_are_no_more_leases_than_seats(owner):
    first, second, third = (owner.confirmed(key) for key in "abc")
    right = ask(owner, first, 1)
    assert isinstance(right, Right)
    assert right.document["ends_at"] == owner.clock.now + LEASE_MS
    assert isinstance(ask(owner, second, 1), Right)
    refused = ask(owner, third, 1)
    assert isinstance(refused, Refused)
    assert refused.reason == SeatRefusal.NO_SEAT_LEFT
    assert pool(owner) == (2, 2, 0)


def test_d4_a_renewal_takes_no_second_seat(owner):
    terminal = owner.confirmed("a")
    for seq in range(1, 5):
        owner.clock.move(40_000)
        assert isinstance(ask(owner, terminal, seq), Right)
        assert pool(owner) == (2, 1, 0)
    held = [row for row in owner.books.rows("rights") if row["freed_at"] is None]
    assert [row["issued_at"] for row in held] == [owner.clock.now]


def test_a_seat_comes_back_after_its_lease_and_the_tolerance_and_never_before(owner):
    ask(owner, owner.confirmed("a"), 1)
    owner.clock.now += LEASE_MS + LEASE_TOLERANCE_MS
    owner.books.do(rights.free_leases)
    assert pool(owner) == (2, 1, 0)
    owner.clock.now += 1
    owner.books.do(rights.free_leases)
    assert pool(owner) == (2, 0, 0)
    owner.books.do(rights.free_leases)
    assert pool(owner) == (2, 0, 0), "it comes back once"


def test_b9_the_end_of_a_lease_frees_the_seat_and_never_the_record(owner):
    terminal = owner.confirmed("a")
    ask(owner, terminal, 1)
    before = owner.books.rows("exchanges")
    owner.clock.now += 10 * LEASE_MS
    owner.books.do(rights.free_leases)
    assert owner.books.rows("exchanges") == before
    (right,) = owner.books.rows("rights")
    assert right["freed_at"] == owner.clock.now
    assert isinstance(ask(owner, terminal, 2), Right)
    assert pool(owner) == (2, 1, 0)


def test_a_lease_that_was_renewed_does_not_end_with_the_one_before(owner):
    terminal = owner.confirmed("a")
    ask(owner, terminal, 1)
    owner.clock.now += LEASE_MS // 2
    ask(owner, terminal, 2)
    owner.clock.now += LEASE_MS // 2 + LEASE_TOLERANCE_MS + 1
    owner.books.do(rights.free_leases)
    assert pool(owner) == (2, 1, 0)
    owner.clock.now += LEASE_MS // 2
    owner.books.do(rights.free_leases)
    assert pool(owner) == (2, 0, 0)


def test_what_ends_together_is_freed_in_short_transactions(house):
    owned = BATCH_MAX + 3
    house.books.do(pools.own_seats, PHYSICS, owned, "tests")
    house.books.do(lambda books: books.rights.take_seats(module=PHYSICS, seats=owned))
    for number in range(owned):
        house.books.do(partial(add_lease, number=number))
    house.clock.now += LEASE_MS
    for left in (3, 0, 0):
        house.books.do(rights.free_leases)
        assert house.books.one("seat_pools")["used"] == left


def add_lease(books, number: int) -> None:
    books.rights.add_right(
        right_id=f"g-{number}",
        comm_id=f"c-{number}",
        party=f"t-{number}",
        epoch="e0",
        kind=f"module:{PHYSICS}",
        session_id=None,
        amount=1,
        issued_at=0,
        lease_ends_at=books.now,
    )


def test_the_leases_that_end_are_found_without_looking_at_any_others(house):
    plan = house.books.connection.execute(
        "EXPLAIN QUERY PLAN SELECT right_id FROM rights WHERE freed_at IS NULL"
        " AND lease_ends_at < 5 AND kind >= 'module:' AND kind < 'module;' ORDER BY lease_ends_at"
    ).fetchall()
    assert ["leases_to_free" in row["detail"] for row in plan] == [True]


def test_a_terminal_gets_no_seats_to_hand_out(owner):
    """Found in the first version: any confirmed terminal could take the whole pool in escrow."""
    terminal = owner.confirmed("a")
    who = terminal.who
    comm_id = f"{who.terminal}/{who.epoch}/seats:{PHYSICS}/1/{'a' * 32}"
    assert owner.ask(terminal, Announce(comm_id=comm_id)) == []
    assert pool(owner) == (2, 0, 0)


def test_no_terminal_leaves_marks_of_classes_that_are_none(owner):
    """Found in the first version: an abort of anything left a row for ever."""
    terminal = owner.confirmed("a")
    who = terminal.who
    before = owner.books.rows("exchanges")
    for kind in ("module:unheard-of", "session:d-nobody", "offline:d-nobody"):
        comm_id = f"{who.terminal}/{who.epoch}/{kind}/7/{'a' * 32}"
        assert owner.ask(terminal, Abort(comm_id=comm_id)) == [Aborted(comm_id=comm_id)]
        busy = Troubled(comm_id=comm_id, trouble="busy")
        assert owner.ask(terminal, Announce(comm_id=comm_id)) == [busy]
    assert owner.books.rows("exchanges") == before


def test_a_seat_that_an_old_backup_forgot_is_counted_though_none_is_left(owner, tmp_path):
    """Found in the first version: its lease's end gave back a seat that was never counted."""
    first, second, third = (owner.confirmed(key) for key in "abc")
    ask(owner, first, 1)
    backup = tmp_path / "old.sqlite"
    owner.books.copy_to(backup)
    forgotten = ask(owner, second, 1)
    assert isinstance(forgotten, Right)
    owner.books.close()
    put_back(owner, backup)
    assert isinstance(ask(owner, third, 1), Right)
    present(owner, second, forgotten)
    assert pool(owner) == (2, 2, 1), "three are in use"
    assert [row["kind"] for row in owner.books.rows("problems")][-1:] == ["seats_overdrawn"]
    ask(owner, second, 2)
    assert pool(owner) == (2, 2, 1), "a renewal takes its own seat over"
    owner.clock.now += 2 * LEASE_MS
    owner.books.do(rights.free_leases)
    assert pool(owner) == (2, 0, 0)


def test_a_forgotten_renewal_that_is_shown_counts_no_second_seat(owner, tmp_path):
    terminal = owner.confirmed("a")
    ask(owner, terminal, 1)
    backup = tmp_path / "old.sqlite"
    owner.books.copy_to(backup)
    renewed = ask(owner, terminal, 2)
    assert isinstance(renewed, Right)
    owner.books.close()
    put_back(owner, backup)
    present(owner, terminal, renewed)
    assert pool(owner) == (2, 1, 0)
    owner.clock.now += 2 * LEASE_MS
    owner.books.do(rights.free_leases)
    assert pool(owner) == (2, 0, 0)


def put_back(house: HouseInHand, backup: Path) -> None:
    file = BooksInHand(backup, clock=house.clock, names=house.names, keys=house.keys)
    house.books.__dict__.update(file.__dict__)


def present(house: HouseInHand, terminal: TerminalInHand, right: Right) -> None:
    complete = Complete(comm_id=right.comm_id, digest=right.digest(), presented=right)
    (answer,) = house.ask(terminal, complete)
    assert answer.type == "rights.completed"


THREADS, SEATS, ASKS = 32, 200, 600


def test_d11_in_a_race_of_many_writers_no_seat_is_taken_twice(migrated: Path, tmp_path: Path):
    """D11: 32 connections, 200 seats, 600 asks of 600 terminals: 200 get one, and nobody else."""
    clock = ClockInHand()
    root = ControllerInHand(tmp_path / "root", migrated, clock)
    root.own(SEATS)
    ids = iter(range(ASKS))
    lock, start, answers = threading.Lock(), threading.Barrier(THREADS), []

    def race(_: int) -> None:
        own = ControllerInHand.__new__(ControllerInHand)
        own.__dict__.update(root.__dict__)
        own.names = SystemNames()
        own.open()
        start.wait()
        while (number := next_of(ids, lock)) is not None:
            take = partial(take_as, own, f"t-{number}")
            answers.append(seat_asked(take, (f"t-{number}", "e0"), 1))
        own.books.close()

    with ThreadPoolExecutor(THREADS) as pool_of_threads:
        list(pool_of_threads.map(race, range(THREADS)))
    given = [answer for answer in answers if isinstance(answer, Right)]
    assert (len(answers), len(given), root.used()) == (ASKS, SEATS, SEATS)
    assert len({answer.document["right"] for answer in given}) == SEATS
    with pytest.raises(sqlite3.IntegrityError):
        root.books.connection.execute("UPDATE seat_pools SET used = used + 1")
    root.books.close()


def next_of(ids, lock: threading.Lock) -> int | None:
    with lock:
        return next(ids, None)

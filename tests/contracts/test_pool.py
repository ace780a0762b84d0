"""What books on PostgreSQL promise besides: others in the way, a cut line, waits that end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cloud_controller.storage import pool, postgres
from cloud_controller.storage.pool import PostgresBooks
from cloud_controller.storage.postgres import Database, in_percents
from common.errors import CannotStart, StorageIsAway, TooManyWaiting
from common.ids import TerminalId
from common.messages.registration import Acknowledged
from common.topics import Channel
from tests.contracts.engines import POSTGRES, database_of, enter, entered, opened
from tests.fakes.postgres import PASSWORD, do, rows, server

T_1 = TerminalId("t-1")
OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
OF_THIS = OTHERS + " AND datname = current_database()"


@asynccontextmanager
async def several(folder: Path, count: int, told: Callable[..., None] = lambda _: None):
    """Open a database as so many processes would: each has writers of its own."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(opened(POSTGRES, folder, told)) for _ in range(count)
        ]


def sell_the_last(books: Any, name: str) -> int:
    """Write a line unless there is one: as long as each sees the others, one is written."""
    if books.post.ledger_of(reservation_id="r-1"):
        return 0
    books.post.enter(
        at=1, type=name, terminal_id=None, reservation_id="r-1", session_id=None, body="{}"
    )
    return 1


async def test_what_was_read_and_written_beside_others_is_as_if_each_had_been_alone(tmp_path: Path):
    """Two that read the same and write apart is what snapshots alone do not see."""
    async with several(tmp_path, 4) as processes:
        calls = [books.transact(sell_the_last, "x") for books in processes for _ in range(20)]
        sold = await asyncio.gather(*calls)
    assert sum(sold) == 1
    assert len(entered(POSTGRES, tmp_path)) == 1


def count_up(books: Any, meet: Callable[[], object] = lambda: None) -> None:
    mark = books.post.mark(terminal_id="t-1", epoch="e0") or 0
    meet()
    books.post.raise_mark(terminal_id="t-1", epoch="e0", applied_up_to=mark + 1)
    books.say(T_1, Channel.ACKS, Acknowledged(epoch="e0", up_to=mark + 1))


async def test_one_that_others_were_in_the_way_of_is_called_again_and_said_once(tmp_path: Path):
    said: list[Any] = []
    calls = itertools.count(1)
    all_have_read = threading.Barrier(4)

    def meet() -> None:
        if next(calls) <= 4:
            all_have_read.wait(20)

    async with several(tmp_path, 4, said.extend) as processes:
        await asyncio.gather(
            *(books.transact(count_up, meet) for books in processes for _ in range(25))
        )
    assert next(calls) > 101, "they were in each other's way"
    assert sorted(each.message.up_to for each in said) == list(range(1, 101))


async def test_what_is_done_for_the_same_one_is_done_and_told_in_order(tmp_path: Path):
    said: list[Any] = []

    def tell(books: Any, whose: str, number: int) -> None:
        books.post.raise_mark(terminal_id=whose, epoch="e0", applied_up_to=number)
        books.say(TerminalId(whose), Channel.ACKS, Acknowledged(epoch="e0", up_to=number))

    async with opened(POSTGRES, tmp_path, said.extend) as books:
        calls = [
            books.transact_for(f"t-{number % 7}", tell, f"t-{number % 7}", number)
            for number in range(210)
        ]
        await asyncio.gather(*calls)
    for whose in range(7):
        heard = [each.message.up_to for each in said if each.terminal == f"t-{whose}"]
        assert heard == list(range(whose, 210, 7))


async def test_what_changes_the_same_row_is_told_in_the_order_it_became_true(tmp_path: Path):
    """The lanes of two go on side by side, and the last word about a third is the last told."""
    said: list[Any] = []
    async with opened(POSTGRES, tmp_path, said.extend) as books:
        await asyncio.gather(
            *(books.transact_for(f"t-{number}", count_up) for number in range(150))
        )
    assert [each.message.up_to for each in said] == list(range(1, 151))


async def test_one_that_is_never_let_through_is_told_to_come_back(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(pool, "PAUSE_SECONDS_MAX", 0.001)
    async with opened(POSTGRES, tmp_path) as books:
        database = database_of(tmp_path)

        def be_overtaken(transaction: Any) -> None:
            transaction.post.mark(terminal_id="t-1", epoch="e0")
            do(
                database,
                "INSERT INTO inbox_marks VALUES ('t-1', 'e0', 1) ON CONFLICT (terminal_id, epoch)"
                " DO UPDATE SET applied_up_to = inbox_marks.applied_up_to + 1",
            )
            transaction.post.raise_mark(terminal_id="t-1", epoch="e0", applied_up_to=1)

        with pytest.raises(TooManyWaiting):
            await books.transact(be_overtaken)
        assert await books.transact(enter, 2) == 2
    assert rows(database, "SELECT applied_up_to FROM inbox_marks") == [(pool.ATTEMPTS,)]
    assert entered(POSTGRES, tmp_path) == [2]


async def test_a_line_that_was_cut_between_two_is_only_made_anew(tmp_path: Path):
    async with opened(POSTGRES, tmp_path) as books:
        await books.transact(enter, 1)
        assert await books.read(lambda b: b.registration.highest_store_number()) == 0
        do(database_of(tmp_path), OF_THIS)
        assert await books.transact(enter, 2) == 2
        assert await books.read(lambda b: b.registration.highest_store_number()) == 0
    assert entered(POSTGRES, tmp_path) == [1, 2]


async def test_a_line_that_is_cut_within_one_undoes_it_and_it_is_called_again(tmp_path: Path):
    cuts = iter((True, False))
    async with opened(POSTGRES, tmp_path) as books:

        def lose_the_line(transaction: Any) -> None:
            enter(transaction, 1)
            if next(cuts):
                do(database_of(tmp_path), OF_THIS)
            enter(transaction, 2)

        await books.transact(lose_the_line)
    assert entered(POSTGRES, tmp_path) == [1, 2]


async def test_a_line_that_is_cut_at_the_commit_calls_nothing_again(tmp_path: Path):
    """Whether it was committed nobody knows then: its caller is told so, once, and asks again."""
    calls: Counter[str] = Counter()
    async with opened(POSTGRES, tmp_path) as books:
        await books.transact(enter, 1)

        def cut_the_commit(transaction: Any) -> None:
            calls["calls"] += 1
            enter(transaction, 2)
            connection = books._writers[0]._connection
            original = connection.commit

            def commit() -> None:
                connection.commit = original
                do(database_of(tmp_path), OF_THIS)
                original()

            connection.commit = commit

        with pytest.raises(StorageIsAway):
            await books.transact(cut_the_commit)
        assert calls["calls"] == 1
        assert await books.transact(enter, 3) == 3
    assert entered(POSTGRES, tmp_path) == [1, 3]


async def test_a_server_that_is_away_is_said_and_used_again_when_it_is_back(tmp_path: Path):
    async with opened(POSTGRES, tmp_path) as books:
        await books.transact(enter, 1)
        server().kill()
        try:
            faults = await asyncio.gather(
                *(books.transact(enter, number) for number in range(10, 50)),
                books.read(lambda b: b.registration.highest_store_number()),
                return_exceptions=True,
            )
        finally:
            server().start()
        assert {type(fault) for fault in faults} == {StorageIsAway}
        assert books.is_alive()
        assert books.waiting() == 0
        assert await books.transact(enter, 2) == 2
    assert entered(POSTGRES, tmp_path) == [1, 2]


async def test_who_waits_too_long_for_a_row_is_told_so_and_blocks_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(postgres, "LOCK_SECONDS", 1)
    async with opened(POSTGRES, tmp_path) as books:
        database = database_of(tmp_path)
        do(database, "INSERT INTO inbox_marks VALUES ('t-1', 'e0', 1)")
        with psycopg.connect(database.conninfo()) as other:
            other.execute("UPDATE inbox_marks SET applied_up_to = 2")
            with pytest.raises(TooManyWaiting):
                await books.transact(count_up)
            assert await books.transact(enter, 1) == 1
    assert entered(POSTGRES, tmp_path) == [1]


async def test_a_statement_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(postgres, "STATEMENT_SECONDS", 1)
    async with opened(POSTGRES, tmp_path) as books:

        def sleep(_: Any) -> None:
            books._writers[0]._connection.execute("SELECT pg_sleep(30)")

        with pytest.raises(TooManyWaiting):
            await books.transact(sleep)
        assert await books.transact(enter, 1) == 1


async def test_a_fault_that_a_function_hides_undoes_it_all_the_same(tmp_path: Path):
    async with opened(POSTGRES, tmp_path) as books:

        def hide(transaction: Any) -> str:
            enter(transaction, 1)
            with contextlib.suppress(psycopg.Error):  # what no function may do, nor can: psycopg
                enter(transaction, None)  # type: ignore[arg-type] # is storage's alone
            return "done"

        with pytest.raises(AssertionError, match="a fault was hidden"):
            await books.transact(hide)
        with pytest.raises(AssertionError, match="a fault was hidden"):
            await asyncio.gather(*(books.transact(hide) for _ in range(3)))
        assert await books.transact(enter, 2) == 2
    assert entered(POSTGRES, tmp_path) == [2]


async def test_values_are_those_that_sqlite_gives(tmp_path: Path):
    async with opened(POSTGRES, tmp_path) as books:
        execute = books._writers[0]._connection.execute
        row = execute(
            "SELECT EXISTS (SELECT 1) AS a, sum(x) AS b, avg(y) AS c, %(flag)s + 0 AS d,"
            " sum(CAST(x AS DOUBLE PRECISION)) AS e FROM (VALUES (2, 1.5), (3, 2.5)) AS t (x, y)",
            {"flag": True},
        ).fetchone()
        books._writers[0]._connection.rollback()
    assert row == {"a": 1, "b": 5, "c": 2.0, "d": 1, "e": 5.0}
    assert [type(value) for value in row.values()] == [int, int, float, int, float]


@pytest.mark.parametrize(
    ("query", "rewritten"),
    [
        ("SELECT :a, :b_2", "SELECT %(a)s, %(b_2)s"),
        ("SELECT 'session:x', ':a', 'it''s :b'", "SELECT 'session:x', ':a', 'it''s :b'"),
        ("SELECT CAST(:a AS TEXT), :a::TEXT", "SELECT CAST(%(a)s AS TEXT), %(a)s::TEXT"),
        ("SELECT x LIKE 'a%', x % 2", "SELECT x LIKE 'a%%', x %% 2"),
        ("SELECT 1 -- it's :a, 5 %\nWHERE :b", "SELECT 1 -- it's :a, 5 %%\nWHERE %(b)s"),
    ],
)
def test_parameters_are_found_and_texts_left_alone(query: str, rewritten: str):
    assert in_percents(query) == rewritten


@pytest.mark.parametrize("where", ["rusuban@127.0.0.1:9/x", "nobody@{}/x", "rusuban@{}/no"])
async def test_a_database_that_cannot_be_had_is_one_sentence_without_its_password(where, tmp_path):
    there = Database(
        url=f"postgresql://{where}".format(f"127.0.0.1:{server().port}"), password=PASSWORD
    )
    assert there.password not in repr(there)
    (tmp_path / "database").write_text(there.url, "utf-8")
    books = PostgresBooks(there, clock=None, names=None, keys=None, on_said=lambda _: None)  # type: ignore[arg-type] # never asked
    with pytest.raises(CannotStart) as told:
        await books.open()
    await books.close()
    assert there.password not in str(told.value)
    assert "\n" not in str(told.value)


async def test_a_schema_that_is_being_moved_is_served_by_nobody(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(postgres, "LOCK_SECONDS", 1)
    with psycopg.connect(database_of(tmp_path).conninfo()) as mover:
        mover.execute("SELECT pg_advisory_xact_lock(%s)", [postgres._SERVING])
        with pytest.raises(CannotStart):
            async with opened(POSTGRES, tmp_path):
                pass

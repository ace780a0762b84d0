"""What every engine keeps of its promises under a kill and with the disk full (promise 13)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from common.errors import StorageIsFull
from common.ids import TerminalId
from common.messages.registration import Acknowledged
from common.topics import Channel
from tests.contracts.engines import ENGINES, SQLITE, Engine, enter, entered, opened
from tests.contracts.killed import acknowledged_before_the_kill

EACH = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
TEXT = "x" * 200_000


@EACH
@pytest.mark.parametrize("lines", [1, 40, 333])
async def test_promise_13_what_was_acknowledged_survives_a_kill(engine, tmp_path: Path, lines: int):
    async with opened(engine, tmp_path):
        pass  # made here, the database outlives its writer
    acknowledged = acknowledged_before_the_kill(engine.name, tmp_path, lines=lines)
    async with opened(engine, tmp_path) as books:
        await books.transact(enter, 0)
    *written, last = entered(engine, tmp_path)
    assert written == list(range(1, len(written) + 1)), "in order and without holes"
    assert len(written) >= acknowledged >= lines
    assert last == 0


def enter_much(books: Any, number: int) -> None:
    enter(books, number)
    books.say(TerminalId("t-1"), Channel.ACKS, Acknowledged(epoch="e0", up_to=number))
    books.post.enter(
        at=number, type=TEXT, terminal_id=None, reservation_id=None, session_id=None, body="{}"
    )


@EACH
async def test_a_full_disk_is_said_and_the_books_go_on_after_it(engine: Engine, tmp_path: Path):
    told: list[Any] = []
    async with opened(engine, tmp_path, told.extend) as books:
        await books.transact(enter, 1)
        with engine.full(tmp_path):
            calls = [books.transact(enter_much, number) for number in range(100, 110)]
            faults = await asyncio.gather(*calls, return_exceptions=True)
            assert await books.read(lambda b: b.registration.highest_store_number()) == 0
        assert {type(fault) for fault in faults} == {StorageIsFull}
        assert await books.transact(enter, 2) == 2
        assert books.is_alive()
    assert entered(engine, tmp_path) == [1, 2]
    assert told == []


async def test_a_full_database_fails_who_fills_it_and_says_why(tmp_path: Path):
    async with opened(SQLITE, tmp_path) as books:
        await books.transact(enter, 1)
        pages = books._connection.execute("PRAGMA page_count").fetchone()[0]
        books._connection.execute(f"PRAGMA max_page_count={pages + 2}")
        with pytest.raises(StorageIsFull, match="full"):
            await books.transact(enter_much, 2)
        assert await books.transact(enter, 3) == 3
        books._connection.execute("PRAGMA max_page_count=1073741823")
        await books.transact(enter_much, 4)
    assert entered(SQLITE, tmp_path) == [1, 3, 4, 4]

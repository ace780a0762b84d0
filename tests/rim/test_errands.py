"""What is owed to a keeper is said until it is answered, and a customer waits for nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cloud_controller.flows import rights
from cloud_controller.ports import NotAllowed
from cloud_controller.reservations import Errands, errands
from common.errors import RusubanError
from common.messages.reservations import (
    KeyTold,
    StoreHeard,
    StoreSaid,
    TicketAsked,
    TicketFound,
    UseAsked,
)
from common.system import SystemClock
from tests.fakes.store import StoreKit, store_kit
from tests.waiting import until_told

KEY = KeyTold(key_id=3, public_key="ab" * 32)


class Away(RusubanError):
    """Nobody answers."""


@dataclass
class KeeperInHand:
    """Answers as a test says, and keeps what it was told; it hangs where it is to."""

    said: list[StoreSaid] = field(default_factory=list)
    fault: RusubanError | None = None
    knows: bool = False
    hangs: bool = False

    async def tell_store(self, said: StoreSaid) -> StoreHeard:
        if self.fault is not None:
            raise self.fault
        self.said.append(said)
        self.knows = self.knows or said.directory is not None
        return StoreHeard(is_known=self.knows, keys=(KEY,))

    async def mark_used(self, _asked: UseAsked) -> TicketFound:
        if self.hangs:
            await asyncio.sleep(60)
        raise Away

    async def verify(self, _asked: TicketAsked) -> TicketFound:
        raise Away


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "SHORTEST_SECONDS", 0.02)
    monkeypatch.setattr(errands, "LONGEST_SECONDS", 0.1)
    monkeypatch.setattr(errands, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(errands, "TELL_SECONDS", 0.2)
    monkeypatch.setattr(errands, "QUESTION_SECONDS", 0.1)


@asynccontextmanager
async def at_work(folder: Path, keeper: KeeperInHand) -> AsyncIterator[tuple[StoreKit, Errands]]:
    """Run a store's errands to a keeper in hand."""
    async with store_kit(folder) as store:
        await store.open()
        port: Any = keeper
        running = Errands(store.books, port, SystemClock(), lambda: 0.5, keys={1: "cd" * 32})
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(running.run(), name="errands")
            try:
                yield store, running
            finally:
                task.cancel()


async def rows(store: StoreKit, query: str) -> list[Any]:
    def look(books: Any) -> list[Any]:
        return list(getattr(books.lending, query)())

    return await store.books.read(look)


async def test_a_store_is_told_whole_once_and_then_in_short_for_as_long_as_it_is_here(
    tmp_path: Path,
):
    keeper = KeeperInHand()
    async with at_work(tmp_path, keeper) as (store, _):

        async def is_told() -> bool:
            return len(keeper.said) >= 4

        await until_told(is_told)
        whole = [said for said in keeper.said if said.directory is not None]
        assert len(whole) == 1
        assert {said.digest for said in keeper.said} == {whole[0].digest}
        assert all(said.here for said in keeper.said)

        def keys(books: Any) -> list[Any]:
            return [books.lending.server_key(key_id=number) for number in (1, 3)]

        assert await store.books.read(keys) == ["cd" * 32, KEY.public_key]


async def test_a_keeper_that_has_forgotten_a_store_is_told_it_again(tmp_path: Path):
    keeper = KeeperInHand()
    async with at_work(tmp_path, keeper):

        async def is_told() -> bool:
            return bool(keeper.said)

        await until_told(is_told)
        keeper.knows = False
        keeper.said.clear()

        async def is_whole() -> bool:
            return any(said.directory is not None for said in keeper.said)

        await until_told(is_whole)


async def test_a_store_that_is_not_taken_is_shown_to_the_operator_until_it_is(tmp_path: Path):
    keeper = KeeperInHand(fault=NotAllowed(why="its number is another's"))
    async with at_work(tmp_path, keeper) as (store, _):

        async def is_open() -> bool:
            return "store_not_taken" in await open_problems(store)

        await until_told(is_open)
        keeper.fault = None

        async def is_solved() -> bool:
            return "store_not_taken" not in await open_problems(store)

        await until_told(is_solved)


async def open_problems(store: StoreKit) -> list[str]:
    def look(books: Any) -> list[str]:
        return [row["kind"] for row in books.problems.latest(most=20) if not row["solved_at"]]

    return await store.books.read(look)


@pytest.mark.parametrize("hangs", [True, False], ids=["hangs", "is away"])
async def test_c1_a_keeper_that_does_not_answer_keeps_nobody_waiting(tmp_path: Path, hangs: bool):  # noqa: FBT001 - a parameter of the test
    """C1: without an answer in time the claim is on its way back, and the customer was told."""
    keeper = KeeperInHand(hangs=hangs)
    async with at_work(tmp_path, keeper) as (store, running):
        await store.books.transact(_ask)
        running.nudge()

        async def is_back() -> bool:
            return bool(await store.books.read(rights.returns))

        await until_told(is_back)
        assert await store.books.read(rights.questions) == {}


def _ask(books: Any) -> None:
    books.lending.ask(
        ticket_id="ab" * 8,
        claim=7,
        token="RSB1" + "0" * 140,
        device_id="d-1",
        terminal_id="t-1",
        epoch="e",
        corr="c",
        request='{"comm_id": "t-1/e/session:d-1/1/ab", "request": {}, "digest": "'
        + "ab" * 32
        + '"}',
        asked_at=books.now,
    )

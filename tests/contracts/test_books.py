"""What every engine promises of the books: all or nothing for each, in order, said only if so."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from cloud_controller.courier import unsent
from cloud_controller.ports import RoleGiven, Said
from cloud_controller.storage.books import GROUP_MAX
from cloud_controller.storage.waiting import WAITING_MAX
from common.errors import TooManyWaiting
from common.ids import TerminalId
from common.messages.registration import Acknowledged
from common.topics import BrokerRole, Channel
from tests.contracts.engines import ENGINES, SQLITE, Engine, enter, entered, opened

T_1 = TerminalId("t-1")
SECRET = "5e" * 32
EACH = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)


class SpoiltError(Exception):
    """Raised by functions that are to fail."""


def spoil(books: Any, number: int) -> None:
    enter(books, number)
    books.say(T_1, Channel.ACKS, Acknowledged(epoch="e0", up_to=number), kept=True)
    raise SpoiltError(number)


def tell(books: Any, number: int, *, kept: bool = False) -> int:
    enter(books, number)
    books.say(T_1, Channel.ACKS, Acknowledged(epoch="e0", up_to=number), kept=kept)
    return number


def add_store(books: Any, store: str, number: int) -> None:
    books.registration.add_store(
        store_id=store,
        number=number,
        title="",
        time_zone="",
        policy="manual",
        rules="{}",
        made_at=0,
    )


def numbers(said: list[Said | RoleGiven]) -> list[int]:
    messages = [each.message for each in said if isinstance(each, Said)]
    return [message.up_to for message in messages if isinstance(message, Acknowledged)]


class Gate:
    """A function that holds the writer until it is let go."""

    def __init__(self) -> None:
        self.is_held = threading.Event()
        self._let_go = threading.Event()

    def __call__(self, _books: Any) -> None:
        self.is_held.set()
        assert self._let_go.wait(20)

    def let_go(self) -> None:
        self._let_go.set()


@EACH
async def test_what_a_function_returns_comes_back_to_its_caller(engine: Engine, tmp_path: Path):
    async with opened(engine, tmp_path) as books:
        results = await asyncio.gather(*(books.transact(enter, n) for n in range(300)))
        assert results == list(range(300))
        assert entered(engine, tmp_path) == list(range(300))


@EACH
async def test_one_that_raises_undoes_only_itself(engine: Engine, tmp_path: Path):
    said: list[Said | RoleGiven] = []
    async with opened(engine, tmp_path, said.extend) as books:
        flows = [tell if number % 3 else spoil for number in range(200)]
        calls = [books.transact(flow, number) for number, flow in enumerate(flows)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        await books.transact(enter, 999)
    good = [number for number in range(200) if number % 3]
    assert entered(engine, tmp_path) == [*good, 999]
    assert numbers(said) == good, "nothing is said for what did not happen"
    for number, result in enumerate(results):
        assert result == number if number % 3 else isinstance(result, SpoiltError)
        assert number % 3 or result.args == (number,)
    assert engine.look(tmp_path, "SELECT count(*) FROM outbox") == [(0,)]


@EACH
async def test_what_the_database_refuses_undoes_only_itself(engine: Engine, tmp_path: Path):
    async with opened(engine, tmp_path) as books:

        def take_the_same_name(transaction: Any, number: int) -> None:
            enter(transaction, number)
            add_store(transaction, f"s-{number}", 1)

        calls = [books.transact(take_the_same_name, number) for number in range(5)]
        results = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(result, Exception) for result in results] == [False] + [True] * 4
    assert entered(engine, tmp_path) == [0]


@EACH
async def test_a_function_sees_what_those_before_it_wrote(engine: Engine, tmp_path: Path):
    def next_number(transaction: Any) -> int:
        number: int = transaction.registration.highest_store_number() + 1
        transaction.registration.add_store(
            store_id=f"s-{number}",
            number=number,
            title="",
            time_zone="",
            policy="manual",
            rules="{}",
            made_at=0,
        )
        return number

    async with opened(engine, tmp_path) as books:
        results = await asyncio.gather(*(books.transact(next_number) for _ in range(150)))
    assert results == list(range(1, 151))


@EACH
async def test_what_is_said_is_true_by_then_and_in_the_order_of_commits(engine, tmp_path: Path):
    seen: list[tuple[int, int]] = []

    def look(said: Any) -> None:
        lines = set(entered(engine, tmp_path))
        seen.extend((each.message.up_to, each.message.up_to in lines) for each in said)

    async with opened(engine, tmp_path, look) as books:
        await asyncio.gather(*(books.transact(tell, number) for number in range(100)))
        await asyncio.sleep(0)
    assert seen == [(number, True) for number in range(100)]


@EACH
async def test_who_has_its_answer_has_it_also_when_nobody_can_be_told(engine, tmp_path: Path):
    def fail(_said: Any) -> None:
        raise SpoiltError

    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: reported.append(what))
    async with opened(engine, tmp_path, fail) as books:
        assert await books.transact(tell, 1) == 1
        assert await books.transact(tell, 2) == 2
        await asyncio.sleep(0)
    assert len(reported) == 2


@EACH
async def test_kept_messages_survive_until_they_are_sent(engine: Engine, tmp_path: Path):
    async with opened(engine, tmp_path) as books:
        for number in range(5):
            await books.transact(tell, number, kept=bool(number % 2))
        await books.transact(lambda b: b.tell_broker(T_1, BrokerRole.SERVICE))
        await books.transact(lambda b: b.tell_broker(T_1, BrokerRole.GATE, secret=SECRET))
    async with opened(engine, tmp_path) as books:
        kept = await books.read(unsent)
        assert numbers(kept) == [1, 3]
        assert [each.role for each in kept if isinstance(each, RoleGiven)] == ["service"]
        await books.transact(lambda b: b.post.sent(outbox_id=kept[0].outbox_id))
        assert numbers(await books.read(unsent)) == [3]
        await books.transact(tell, 9, kept=True)
        assert numbers(await books.read(unsent)) == [3, 9]


@EACH
async def test_a_reader_never_waits_for_the_writer(engine: Engine, tmp_path: Path):
    gate = Gate()
    async with opened(engine, tmp_path) as books:
        await books.transact(enter, 1)
        held, waiting = books.transact(gate), books.transact(enter, 2)
        await asyncio.to_thread(gate.is_held.wait, 20)
        async with asyncio.timeout(5):
            count = await books.read(lambda b: b.registration.highest_store_number())
        assert count == 0
        assert not held.done()
        assert not waiting.done()
        gate.let_go()
        assert await waiting == 2


@EACH
async def test_a_reader_can_change_nothing(engine: Engine, tmp_path: Path):
    async with opened(engine, tmp_path) as books:
        with pytest.raises(Exception, match=r"(?i)read.?only"):
            await books.read(enter, 1)
        assert await books.transact(enter, 2) == 2
    assert entered(engine, tmp_path) == [2]


@EACH
async def test_the_queue_before_the_writer_has_an_end(engine: Engine, tmp_path: Path):
    gate = Gate()
    async with opened(engine, tmp_path) as books:
        calls = [books.transact(gate)]
        await asyncio.to_thread(gate.is_held.wait, 20)
        calls += [books.transact(enter, number) for number in range(WAITING_MAX - 1)]
        assert books.waiting() == WAITING_MAX
        with pytest.raises(TooManyWaiting):
            books.transact(enter, 0)
        gate.let_go()
        await asyncio.gather(*calls)
        assert books.waiting() == 0
        assert await books.transact(enter, -1) == -1
    assert entered(engine, tmp_path) == [*range(WAITING_MAX - 1), -1]


@EACH
async def test_a_caller_that_has_gone_away_stops_nobody(engine: Engine, tmp_path: Path):
    gate = Gate()
    async with opened(engine, tmp_path) as books:
        books.transact(gate)
        gone, stays = books.transact(enter, 1), books.transact(enter, 2)
        gone.cancel()
        gate.let_go()
        assert await stays == 2


@EACH
async def test_closing_finishes_what_is_waiting(engine: Engine, tmp_path: Path):
    async with opened(engine, tmp_path) as books:
        calls = [books.transact(enter, number) for number in range(500)]
    assert all(call.done() for call in calls) or await asyncio.gather(*calls)
    assert entered(engine, tmp_path) == list(range(500))


@EACH
async def test_one_transaction_has_one_instant(engine: Engine, tmp_path: Path):
    async with opened(engine, tmp_path) as books:
        instants = await books.transact(lambda b: {b.now for _ in range(100)})
    assert len(instants) == 1


async def test_what_waits_is_committed_as_one_group(tmp_path: Path):
    gate, statements = Gate(), list[str]()
    async with opened(SQLITE, tmp_path) as books:
        books._connection.set_trace_callback(statements.append)
        calls = [books.transact(gate)]
        await asyncio.to_thread(gate.is_held.wait, 20)
        calls += [books.transact(enter, number) for number in range(GROUP_MAX)]
        gate.let_go()
        await asyncio.gather(*calls)
        books._connection.set_trace_callback(None)
    assert statements.count("COMMIT") == 2
    assert entered(SQLITE, tmp_path) == list(range(GROUP_MAX))

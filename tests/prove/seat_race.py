"""Many workers of several controllers on one database, after few seats: never one too many."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cloud_controller.flows.rights import pools
from cloud_controller.keys import FileKeys
from cloud_controller.ports import Books
from common.errors import TooManyWaiting
from common.ids import CommId
from common.messages.base import Message
from common.messages.rights import Announce, ModuleRequest, Refused, Request, Right
from common.rules.modules import SeatRefusal
from common.seals import digest_of
from common.system import SystemNames
from tests.contracts.engines import POSTGRES, Engine, opened_for
from tests.fakes.controllers import PHYSICS, answer_to
from tests.fakes.store import ClockInHand

PROCESSES: Final = 4
"""Controllers on one PostgreSQL; a file is one controller's."""

WORKERS: Final = 32
SEATS: Final = 200
ASKS: Final = 600


@dataclass(frozen=True, kw_only=True)
class Raced:
    """What came of a race.

    Attributes:
        given: rights that somebody was answered with.
        refused: terminals that were told that no seat is left.
        names: different rights among the given.
        used: seats in use by the pool, and
        kept: by the table of rights.
    """

    given: int
    refused: int
    names: int
    used: int
    kept: int

    def wrongs(self) -> Iterator[str]:
        """Yield what broke its promise."""
        if self != JUST_RIGHT:
            yield f"not {SEATS} of {ASKS}: {self}"


JUST_RIGHT: Final = Raced(given=SEATS, refused=ASKS - SEATS, names=SEATS, used=SEATS, kept=SEATS)


async def raced(engine: Engine, folder: Path) -> Raced:
    """Have 600 terminals ask for 200 seats at once."""
    names = SystemNames()
    keys = FileKeys(folder / "keys", names)
    async with AsyncExitStack() as stack:
        processes: list[Books] = [
            await stack.enter_async_context(opened_for(engine, folder, ClockInHand(), names, keys))
            for _ in range(PROCESSES if engine is POSTGRES else 1)
        ]
        await processes[0].transact(_prepare)
        answers = await _asked_by_all(processes)
        used, kept = await processes[0].read(_counted)
    rights = [each for each in answers if isinstance(each, Right)]
    refused = [each for each in answers if isinstance(each, Refused)]
    assert {each.reason for each in refused} <= {SeatRefusal.NO_SEAT_LEFT}
    return Raced(
        given=len(rights),
        refused=len(refused),
        names=len({right.document["right"] for right in rights}),
        used=used,
        kept=kept,
    )


def _prepare(books: Any) -> None:
    """Own the seats, and have every terminal announce its exchange."""
    pools.own_seats(books, PHYSICS, SEATS, "tests")
    for number in range(ASKS):
        answer_to(books, f"t-{number}", Announce(comm_id=_comm_id(number)))


async def _asked_by_all(processes: Sequence[Books]) -> list[Message]:
    numbers = iter(range(ASKS))
    answers: list[Message] = []

    async def work(books: Books) -> None:
        answers.extend([await _asked(books, number) for number in numbers])

    async with asyncio.TaskGroup() as tasks:
        for number in range(WORKERS):
            tasks.create_task(work(processes[number % len(processes)]), name=f"worker-{number}")
    return answers


async def _asked(books: Books, number: int) -> Message:
    """Ask until it is answered, as a terminal does."""
    request = ModuleRequest(module=PHYSICS).model_dump(mode="json")
    asked = Request(comm_id=_comm_id(number), request=request, digest=digest_of(request))
    while True:
        with suppress(TooManyWaiting):
            answer: Message = await books.transact(answer_to, f"t-{number}", asked)
            return answer


def _comm_id(number: int) -> str:
    terminal = CommId(
        party=f"t-{number}", epoch="e0", kind=f"module:{PHYSICS}", seq=1, nonce=f"{number:032x}"
    )
    return str(terminal)


def _counted(books: Any) -> tuple[int, int]:
    kept = sum(
        int(books.rights.seats_in_use_of(party=f"t-{number}", kind=f"module:{PHYSICS}"))
        for number in range(ASKS)
    )
    return int(books.rights.pool(module=PHYSICS)["used"]), kept

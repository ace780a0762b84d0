"""A program that writes for ever and says what is safe, so that it can be killed while it does."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from edge_agent.journal import SqliteJournal
from tests.contracts.engines import ENGINES, enter, opened
from tests.fakes.names import CountedNames
from tests.fakes.store import ClockInHand
from tests.fakes.terminal import say_number

AT_ONCE = 8
"""Functions before the writer at any time, so that a kill falls into a group."""


async def write_books(engine: str, folder: Path) -> None:
    """Write numbers in order; say each when it is safe."""
    (made,) = [each for each in ENGINES if each.name == engine]
    async with opened(made, folder) as books:
        under_way: list[asyncio.Future[int]] = []
        for number in range(1, 1_000_000):
            under_way.append(books.transact(enter, number))
            if len(under_way) == AT_ONCE:
                os.write(1, b"%d\n" % await under_way.pop(0))


def write_journal(folder: Path) -> None:
    """Say numbers as events; say each on the pipe when it is safe."""
    journal = SqliteJournal(
        folder / "journal.sqlite", clock=ClockInHand(), names=CountedNames(), boot_id="b"
    )
    for number in range(1, 1_000_000):
        journal.transact(say_number, number)
        os.write(1, b"%d\n" % number)


if __name__ == "__main__":
    what, where = sys.argv[1], Path(sys.argv[2])
    if what == "journal":
        write_journal(where)
    else:
        asyncio.run(write_books(what, where))

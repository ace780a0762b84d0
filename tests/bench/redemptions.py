"""Redemptions a second through the whole flow, 32 waiting, beside raw SQL in groups and beside an async ORM."""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from cloud_controller.flows import rights
from common.rules.tickets import sight
from tests.bench import by_orm, by_statements
from tests.bench.counter import Counter, books_in, counter_in, used_sessions_rights
from tests.bench.figures import Figure, Measured, at_least, median

COUNT = 1_024
"""Redemptions of one run of the flow or of its floor: 32 full groups."""

COUNT_BY_ORM = 256
"""The ORM is so much slower that fewer say as much."""

WAITING = 32
REPETITIONS = 5

Run = Callable[[Path, Counter, int], Awaitable[float]]


async def by_flow(folder: Path, counter: Counter, count: int) -> float:
    """Return the seconds that so many redemptions take, each ticket read at the door as it comes in."""
    books = books_in(folder)
    await books.open()
    keys = dict(books_keys(folder))
    waiting = iter(counter.redemptions[:count])

    async def redeem() -> None:
        for each in waiting:
            await books.transact(rights.request, each.said, sight(each.token, keys))

    try:
        began = time.perf_counter()
        await asyncio.gather(*(redeem() for _ in range(WAITING)))
        return time.perf_counter() - began
    finally:
        await books.close()


async def measure() -> Measured:
    """Run the three in turn, so that each repetition sees the same machine."""
    with tempfile.TemporaryDirectory(prefix="rusuban-bench-") as name:
        counter = await counter_in(Path(name) / "books", COUNT)
        script = by_statements.recorded(counter)
        flows, floors, orms = [], [], []
        for _ in range(REPETITIONS):
            flows.append(await _rate(by_flow, counter, COUNT))
            floors.append(await _rate(partial(by_statements.replay, script), counter, COUNT))
            orms.append(await _rate(by_orm.redeem_all, counter, COUNT_BY_ORM))
        return Measured(
            figures=(
                _figure("redemptions", flows, floors, "raw groups of 32", at_least(0.5)),
                _figure("redemptions_by_orm", flows, orms, "async ORM", at_least(10)),
            ),
            parts=await _parts(counter),
        )


async def _rate(run: Run, counter: Counter, count: int) -> float:
    """Return redemptions a second of one run on fresh books, which must hold each exactly once."""
    with counter.fresh() as folder:
        gc.collect()
        seconds = await run(folder, counter, count)
        found = used_sessions_rights(folder)
        assert found == (count, count, count), f"used, sessions, rights: {found} of {count}"
        return count / seconds

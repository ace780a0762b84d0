"""Redemptions a second through the whole flow, beside raw SQL in groups and an async ORM."""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from tests.bench import by_orm
from tests.bench.books import books_in, fresh
from tests.bench.by_statements import Script, replay
from tests.bench.counter import Counter, counter_in, recorded, redeem, used_sessions_rights
from tests.bench.figures import Measured, at_least, compared, median

COUNT = 1_024
"""Redemptions of one run of the flow or of its floor: 32 full groups."""

COUNT_BY_ORM = 256
"""The ORM is so much slower that fewer say as much."""

WAITING = 32
REPETITIONS = 5

Run = Callable[[Path, Counter, int], Awaitable[float]]


async def measure() -> Measured:
    """Run the three in turn, so that each repetition sees the same machine."""
    with tempfile.TemporaryDirectory(prefix="rusuban-bench-") as name:
        counter = await counter_in(Path(name) / "books", COUNT)
        script = recorded(counter)
        bare, sealed = partial(_replay, script), partial(_replay, script, is_sealed=True)
        flows, floors, sealed_floors, orms = [], [], [], []
        for _ in range(REPETITIONS):
            flows.append(await _rate(_redeem_all, counter, COUNT))
            floors.append(await _rate(bare, counter, COUNT))
            sealed_floors.append(await _rate(sealed, counter, COUNT))
            orms.append(await _rate(by_orm.redeem_all, counter, COUNT_BY_ORM))
        return Measured(
            figures=(
                compared("redemptions", flows, "1/s", floors, "raw groups of 32", at_least(0.5)),
                compared("redemptions_by_orm", flows, "1/s", orms, "async ORM", at_least(10)),
            ),
            parts={"the floor with the right's signature": median(sealed_floors)},
        )


async def _redeem_all(folder: Path, counter: Counter, count: int) -> float:
    """Return the seconds that so many redemptions take, each from its message on."""
    books = books_in(folder)
    await books.open()
    waiting = iter(counter.redemptions[:count])

    async def redeem_next() -> None:
        for each in waiting:
            await books.transact(redeem, each)

    try:
        began = time.perf_counter()
        await asyncio.gather(*(redeem_next() for _ in range(WAITING)))
        return time.perf_counter() - began
    finally:
        await books.close()


async def _replay(
    script: Script, folder: Path, _: Counter, count: int, *, is_sealed: bool = False
) -> float:
    return replay(script[:count], folder, is_sealed=is_sealed)


async def _rate(run: Run, counter: Counter, count: int) -> float:
    """Return redemptions a second of one run on fresh books, which then hold each just once."""
    with fresh(counter.folder) as folder:
        gc.collect()
        seconds = await run(folder, counter, count)
        found = used_sessions_rights(folder)
        assert found == (count, count, count), f"used, sessions, rights: {found} of {count}"
        return count / seconds

"""Redemptions a second through the whole flow, beside raw SQL in groups and an async ORM."""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

from cloud_controller.flows import rights
from tests.bench import by_orm
from tests.bench.by_statements import recorded, replay
from tests.bench.counter import Counter, books_in, counter_in, used_sessions_rights
from tests.bench.figures import Figure, Measured, Promise, at_least, median

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
        bare, sealed = partial(replay, script), partial(replay, script, is_sealed=True)
        flows, floors, sealed_floors, orms = [], [], [], []
        for _ in range(REPETITIONS):
            flows.append(await _rate(_redeem_all, counter, COUNT))
            floors.append(await _rate(bare, counter, COUNT))
            sealed_floors.append(await _rate(sealed, counter, COUNT))
            orms.append(await _rate(by_orm.redeem_all, counter, COUNT_BY_ORM))
        return Measured(
            figures=(
                _figure("redemptions", flows, floors, "raw groups of 32", at_least(0.5)),
                _figure("redemptions_by_orm", flows, orms, "async ORM", at_least(10)),
            ),
            parts={"the floor with the right's signature": median(sealed_floors)},
        )


async def _redeem_all(folder: Path, counter: Counter, count: int) -> float:
    """Return the seconds that so many redemptions take, each from its message on."""
    books = books_in(folder)
    await books.open()
    waiting = iter(counter.redemptions[:count])

    async def redeem() -> None:
        for each in waiting:
            await books.transact(rights.request, each.said)

    try:
        began = time.perf_counter()
        await asyncio.gather(*(redeem() for _ in range(WAITING)))
        return time.perf_counter() - began
    finally:
        await books.close()


async def _rate(run: Run, counter: Counter, count: int) -> float:
    """Return redemptions a second of one run on fresh books, which then hold each just once."""
    with counter.fresh() as folder:
        gc.collect()
        seconds = await run(folder, counter, count)
        found = used_sessions_rights(folder)
        assert found == (count, count, count), f"used, sessions, rights: {found} of {count}"
        return count / seconds


def _figure(
    name: str, values: Sequence[float], floors: Sequence[float], floor_name: str, promise: Promise
) -> Figure:
    return Figure(
        name=name,
        value=median(values),
        unit="1/s",
        floor=median(floors),
        floor_name=floor_name,
        ratio=median([value / floor for value, floor in zip(values, floors, strict=True)]),
        promise=promise,
    )

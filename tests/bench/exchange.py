"""Whole exchanges of rights a second over MQTT, durable on both sides, beside bare round trips."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

from tests.bench.books import FILE
from tests.bench.exchange_terminal import TerminalOfABench, taken
from tests.bench.figures import Figure, Measured, at_least, at_most, compared, quantile
from tests.fakes.store import Offer, store_kit
from tests.fakes.terminal import an_answer

TERMINALS = 16
"""As many as ask at once: a chain of stores when the doors open."""

EXCHANGES = 40
"""Of each terminal in a repetition."""

ALONE = 200
"""Of one terminal with nobody else there: the fewest of which a p99 says something."""

FIRST = 10
"""Exchanges of each terminal after which what is stored is counted first."""

REPETITIONS = 5
WHAT = ("exchange", "bare", "committed")

Terminals = Sequence[TerminalOfABench]
Samples = Mapping[str, Sequence[float]]


async def measure() -> Measured:
    """Time all three in turn, first all terminals at once, then one alone; then count the rows."""
    with tempfile.TemporaryDirectory(prefix="rusuban-bench-") as name:
        folder = Path(name)
        async with _terminals(folder) as terminals:
            await taken(terminals, "exchange", FIRST)
            first_rows = _rows(folder)
            rates = [await _rates(terminals) for _ in range(REPETITIONS)]
            alone = [await _alone(terminals[0]) for _ in range(REPETITIONS)]
            done = TERMINALS * (FIRST + REPETITIONS * EXCHANGES) + REPETITIONS * ALONE
            assert _rights(folder) == done, "each exchange has made one right"
            rows = _rows(folder)
    return Measured(
        figures=(
            _rate_figure("exchange", rates, "bare", "bare round trips, by threes", 0.08),
            _rate_figure("exchange_beside_commits", rates, "committed", "a commit each side", 0.3),
            _time_figure("exchange_p50", alone, 0.5),
            _time_figure("exchange_p99", alone, 0.99),
            Figure(
                name="exchange_rows",
                value=rows,
                unit="rows",
                floor=first_rows,
                floor_name=f"rows after {FIRST} each",
                ratio=rows / first_rows,
                promise=at_most(1),
            ),
        )
    )


@asynccontextmanager
async def _terminals(folder: Path) -> AsyncIterator[Terminals]:
    """Give terminals that the controller knows, linked to it over a broker of their own."""
    async with store_kit(folder / "books") as kit:
        opened = [
            await kit.open(Offer(key=f"vr-{number}", title=f"VR {number}", devices=1))
            for number in range(TERMINALS)
        ]
        keys = kit.keys.public_keys()
    command = ["-m", "tests.bench.exchange_controller", str(folder)]
    command += [each.terminal for each in opened]
    controller = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdin=PIPE, stdout=PIPE
    )
    assert controller.stdin
    assert controller.stdout
    try:
        port = json.loads(await controller.stdout.readline())["port"]
        terminals = [
            TerminalOfABench(
                folder,
                an_answer(keys, terminal=each.terminal, epoch=each.epoch, port=port),
                each.devices[0],
            )
            for each in opened
        ]
        for terminal in terminals:
            await terminal.start()
        yield terminals
        for terminal in terminals:
            await terminal.stop()
    finally:
        controller.stdin.close()
        await controller.wait()


async def _rates(terminals: Terminals) -> Mapping[str, float]:
    """Return how many a second are done of each, all terminals at once."""
    rates = {}
    for what in WHAT:
        began = time.perf_counter()
        await taken(terminals, what, EXCHANGES)
        rates[what] = TERMINALS * EXCHANGES / (time.perf_counter() - began)
    return rates


async def _alone(terminal: TerminalOfABench) -> Samples:
    """Return the milliseconds of each, in turns, with nobody else there."""
    samples: dict[str, list[float]] = {what: [] for what in WHAT}
    for _ in range(ALONE):
        for what in WHAT:
            samples[what] += await taken([terminal], what, 1)
    return samples


def _rate_figure(
    name: str,
    rates: Sequence[Mapping[str, float]],
    floor: str,
    floor_name: str,
    least: float,
) -> Figure:
    return compared(
        name,
        [each["exchange"] for each in rates],
        "1/s",
        [each[floor] for each in rates],
        floor_name,
        at_least(least),
    )


def _time_figure(name: str, alone: Sequence[Samples], part: float) -> Figure:
    values, floors = (
        [quantile(samples[what], part) for samples in alone] for what in ("exchange", "bare")
    )
    return compared(name, values, "ms", floors, "three bare round trips")


def _rows(folder: Path) -> int:
    """Count the rows of both sides, but for the register of the rights that were issued."""
    journals = [file for file in folder.glob("t-*.sqlite") if "kept" not in file.stem]
    assert len(journals) == TERMINALS
    return sum(_rows_in(file) for file in (folder / "books" / FILE, *journals))


def _rows_in(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        named = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        tables = [name for (name,) in named if name != "rights"]
        return sum(_count(connection, table) for table in tables)


def _rights(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "books" / FILE)) as connection:
        return _count(connection, "rights")


def _count(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - named by the schema

"""Attempts a second to book in one hot hour, beside the same statements in raw groups of 32."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from cloud_controller import bookings
from cloud_controller.flows.reservations import ANYBODY, Wish
from cloud_controller.ports import SlotIsTaken, Transaction
from common.rules.reservations import Range
from tests.bench.books import FILE, books_in, fresh
from tests.bench.by_statements import Script, ear_in, replay
from tests.bench.figures import Measured, at_least, compared, median
from tests.fakes.store import MORNING_AT, Offer, store_kit

ATTEMPTS = 2_048
WAITING = 32
REPETITIONS = 5
DEVICES = 32
LENGTH_MS = 1_800_000
HOUR_MS = 3_600_000
MINUTE_MS = 60_000
SEED = 5

PAYING = bookings.Paying()


async def measure() -> Measured:
    """Run both in turn, so that each repetition sees the same machine."""
    with tempfile.TemporaryDirectory(prefix="rusuban-bench-") as name:
        folder = Path(name) / "books"
        wishes = await _hot_hour(folder)
        script, sold = _recorded(folder, wishes)
        flows, floors = [], []
        for _ in range(REPETITIONS):
            with fresh(folder) as copy:
                gc.collect()
                flows.append(ATTEMPTS / await _attempt_all(copy, wishes))
                assert abs(_sold(copy) - sold) <= WAITING, "as much is sold in any order"
                assert _overlaps(copy) == 0
            with fresh(folder) as copy:
                gc.collect()
                floors.append(ATTEMPTS / replay(script, copy))
        return Measured(
            figures=(
                compared("bookings", flows, "1/s", floors, "raw groups of 32", at_least(1.0)),
            ),
            parts={"sold of all attempts": float(sold), "attempts a second": median(flows)},
        )


def attempt(books: Transaction, wish: Wish) -> bool:
    """Try to book, as the web does; say whether it could be had."""
    try:
        bookings.place(books, [wish], ANYBODY, PAYING)
    except SlotIsTaken:
        return False
    return True


async def _hot_hour(folder: Path) -> list[Wish]:
    """Open a store, and wish for half hours that begin at any minute of the next hour."""
    async with store_kit(folder) as kit:
        opened = await kit.open(Offer(devices=DEVICES, grid_seconds=60))
    dice = random.Random(SEED)
    begins = [MORNING_AT + dice.randrange(60) * MINUTE_MS for _ in range(ATTEMPTS)]
    return [
        Wish(offering=opened.offering, slot=Range(starts_at=begin, ends_at=begin + LENGTH_MS))
        for begin in begins
    ]


def _recorded(folder: Path, wishes: Sequence[Wish]) -> tuple[Script, int]:
    with ear_in(folder) as ear:
        sold = sum(ear.do(attempt, wish) for wish in wishes)
        return ear.script, sold


async def _attempt_all(folder: Path, wishes: Sequence[Wish]) -> float:
    """Return the seconds that all attempts take, with 32 waiting at any time."""
    books = books_in(folder)
    await books.open()
    waiting = iter(wishes)

    async def try_next() -> None:
        for wish in waiting:
            await books.transact(attempt, wish)

    try:
        began = time.perf_counter()
        await asyncio.gather(*(try_next() for _ in range(WAITING)))
        return time.perf_counter() - began
    finally:
        await books.close()


def _sold(folder: Path) -> int:
    return _count(folder, "SELECT count(*) FROM reservations WHERE state = 'confirmed'")


def _overlaps(folder: Path) -> int:
    return _count(
        folder,
        """SELECT count(*) FROM reservations AS a JOIN reservations AS b USING (device_id)
        WHERE a.reservation_id < b.reservation_id AND a.state = 'confirmed'
            AND b.state = 'confirmed' AND a.starts_at < b.blocked_until
            AND b.starts_at < a.blocked_until""",
    )


def _count(folder: Path, query: str) -> int:
    with contextlib.closing(sqlite3.connect(folder / FILE)) as connection:
        return int(connection.execute(query).fetchone()[0])

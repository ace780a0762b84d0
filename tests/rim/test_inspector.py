"""The inspector looks at this PC beside the loop: what hangs or fails there stops nobody."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from common.messages.specification import Specification
from common.system import SystemClock, SystemNames
from edge_agent.inspector import Inspector
from edge_agent.journal import SqliteJournal
from tests.fakes.house import a_specification
from tests.waiting import until

ONE = a_specification("vr")


@asynccontextmanager
async def inspecting(
    folder: Path, look: Callable[[], Specification], **limits: float
) -> AsyncIterator[tuple[SqliteJournal, list[str]]]:
    """Run an inspector over a journal; count how often it said that it has looked."""
    clock, names = SystemClock(), SystemNames()
    journal = SqliteJournal(folder / "journal", clock=clock, names=names, boot_id="boot-1")
    looked: list[str] = []
    inspector = Inspector(journal, look, lambda: looked.append("looked"), **limits)
    task = asyncio.create_task(inspector.run(), name="inspector")
    try:
        yield journal, looked
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        journal.close()


async def test_a_part_that_hangs_holds_up_nobody_and_is_waited_for(tmp_path: Path):
    goes_on, looks = threading.Event(), []

    def look() -> Specification:
        looks.append("look")
        goes_on.wait(20)
        return ONE

    async with inspecting(tmp_path, look, each_seconds=0.01, seconds_max=0.01) as (journal, looked):
        await until(lambda: len(looked) >= 5)
        assert looks == ["look"], "one at a time"
        goes_on.set()
        await until(lambda: len(looks) >= 3)
        assert journal._connection.execute("SELECT count(*) FROM inventory").fetchone()[0] == 1


@pytest.mark.parametrize("fault", [OSError("gone"), ValueError("odd"), TimeoutError("slow")])
async def test_a_look_that_fails_is_made_again(tmp_path: Path, fault: Exception):
    looks: list[str] = []

    def look() -> Specification:
        looks.append("look")
        if len(looks) < 3:
            raise fault
        return ONE

    async with inspecting(tmp_path, look, each_seconds=0.01) as (journal, _):
        await until(lambda: len(looks) > 3)
        assert journal._connection.execute("SELECT count(*) FROM inventory").fetchone()[0] == 1

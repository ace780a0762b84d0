"""The log of modules on every engine: no number twice or left out, and copies across engines."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from cloud_controller.flows import modules
from cloud_controller.keys import FileKeys
from common.rules.modules import ModuleEvent, ModuleEventKind
from tests.contracts.engines import ENGINES, Engine, opened, opened_for
from tests.fakes.names import CountedNames
from tests.fakes.store import ClockInHand
from tests.flows.log_kit import NamesOfOne

WRITERS, LINES = 8, 60


def write(books: Any, number: int) -> None:
    event = ModuleEvent(
        kind=ModuleEventKind.ISSUED, module="physics", client=f"t-{number:03}", facts={"n": number}
    )
    books.log_module(event)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
async def test_d4_d10_numbers_have_no_gaps_whoever_writes_at_once(engine: Engine, tmp_path: Path):
    async with opened(engine, tmp_path) as books:
        writing = (
            books.transact_for(f"t-{number % WRITERS}", write, number) for number in range(LINES)
        )
        await asyncio.gather(*writing)
        numbers = engine.look(tmp_path, "SELECT lseq FROM module_events ORDER BY lseq")
        assert [number for (number,) in numbers] == list(range(1, LINES + 1))
        assert len(engine.look(tmp_path, "SELECT origin FROM module_origins")) == 1
        assert await books.read(modules.downloads_count, "physics") == LINES


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
async def test_d10_one_engine_takes_what_the_other_has_and_goes_on_under_a_new_origin(
    engine: Engine, tmp_path: Path
):
    (other,) = (each for each in ENGINES if each is not engine)
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    clock, names = ClockInHand(), NamesOfOne("there")
    keys = FileKeys(tmp_path / "there" / "keys", CountedNames())
    async with (
        opened(engine, tmp_path / "here") as here,
        opened_for(other, tmp_path / "there", clock, names, keys) as there,
    ):
        await here.transact(modules.begin, ["https://there"])
        await here.transact(write, 1)
        await here.transact(modules.begin, ["https://there"])
        assert await here.read(modules.known_up_to) == 0
        await here.transact(write, 2)
        said = heard = None
        for _ in range(3):
            said = await here.read(modules.say_log, heard)
            heard = await there.transact(modules.answer_log, "here", said)
            await here.transact(modules.take_log, "https://there", heard)
        assert await there.read(modules.downloads_count, "physics") == 2
        assert len(await there.read(modules.origins)) == 2
        now = await here.read(lambda books: books.now)
        assert await here.read(modules.known_up_to) == now
        assert await there.read(modules.is_in_download_log, "physics", "t-002")
        page = await here.read(modules.downloads, "physics", "t-001", 5)
        assert [row["client"] for row in page] == ["t-002"]

"""An operator says over HTTP what is to go from a terminal."""

from __future__ import annotations

from pathlib import Path

from cloud_controller.web.routes import API
from common.rules.modules import ModuleEvent, ModuleEventKind
from tests.rim.web_kit import assert_problem, web_kit


async def test_d7_an_operator_says_what_is_to_go_and_takes_it_back(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        address = f"{API}/terminals/{opened.terminal}/modules/physics"
        assert_problem(await kit.told(f"{address}/uninstall", {}), 404, "not_found")
        used = ModuleEvent(kind=ModuleEventKind.USED, module="physics", client=opened.terminal)
        await kit.store.books.transact(lambda books: books.log_module(used))
        for number, wish in enumerate(("uninstall", "install"), 1):
            wished = await kit.told(f"{address}/{wish}", {})
            assert wished.json == {
                "terminal": opened.terminal,
                "package": "physics",
                "wish": wish,
                "number": number,
            }

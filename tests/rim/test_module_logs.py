"""What the operator reads of the log of modules: over the API page by page, and by commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cloud_controller.commands import beside
from cloud_controller.main import EXIT_CANNOT_START, command_line
from cloud_controller.settings import ControllerSettings
from common.rules.modules import ModuleEvent, ModuleEventKind
from tests.rim.test_web_api import API
from tests.rim.web_kit import assert_problem, web_kit

ISSUED, USED = ModuleEventKind.ISSUED, ModuleEventKind.USED
AT = 1_760_000_000_000


def some_lines(books: Any) -> None:
    for number in (3, 1, 2, 1):
        at = AT + number * 1_000 if number > 1 else None
        event = ModuleEvent(kind=ISSUED, module="physics", client=f"t-{number}", at=at)
        books.log_module(event)
    for client in ("t-3", "t-9"):
        books.log_module(ModuleEvent(kind=USED, module="physics", client=client, at=AT))


async def test_d4_d5_both_logs_are_listed_page_by_page(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.books.transact(some_lines)
        log = f"{API}/modules/physics/log"
        first = (await kit.told(f"{log}/downloads?limit=2")).json
        assert (first["issued"], first["next"]) == (3, "t-2")
        assert first["downloads"][0]["deliveries"] == 2
        assert first["downloads"][1] == {
            "client": "t-2",
            "registered_at": "2025-10-09T08:53:22Z",
            "updated_at": "2025-10-09T08:53:22Z",
            "deliveries": 1,
        }
        rest = (await kit.told(f"{log}/downloads?limit=2&cursor=t-2")).json
        assert ([row["client"] for row in rest["downloads"]], rest["next"]) == (["t-3"], None)
        users = (await kit.told(f"{log}/users")).json
        assert ([row["client"] for row in users["users"]], users["used_by"]) == (["t-3", "t-9"], 2)
        assert users["known_up_to"] == first["known_up_to"] is not None
        nothing = (await kit.told(f"{API}/modules/nothing/log/users")).json
        assert (nothing["users"], nothing["used_by"]) == ([], 0)
        assert_problem(await kit.told(f"{log}/users?cursor=%2F"), 422, "invalid_query")


def say(*words: str) -> str:
    said = CliRunner().invoke(command_line, ["modules", *words, "--settings", "root.toml"])
    assert said.exit_code == 0, said.output
    return said.stdout


def test_d4_d5_d10_the_operator_reads_the_logs_by_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(beside, "set_up_logs", lambda **_: None)  # into this process's own stderr
    monkeypatch.setattr("cloud_controller.commands.module_logs.ROWS_AT_ONCE", 2)
    (tmp_path / "root.toml").write_text('state_folder = "root"\n')
    beside.once(ControllerSettings.load(Path("root.toml")), some_lines)
    assert [line.split() for line in say("log").splitlines()][1:] == [["physics", "3", "2"]]
    rows = [line.split() for line in say("log", "physics").splitlines()][1:]
    assert [(row[0], row[-1]) for row in rows] == [("t-1", "2"), ("t-2", "1"), ("t-3", "1")]
    rows = [line.split() for line in say("log", "physics", "--users").splitlines()][1:]
    assert rows[1] == ["t-9", "2025-10-09T08:53:20Z", "2025-10-09T08:53:20Z", "1"]
    (origin,) = [line.split() for line in say("origins").splitlines()][1:]
    assert origin[1:] == ["6", "us", "now"]
    words = ["modules", "answer-for", "o-nobody", "--settings", "root.toml"]
    assert CliRunner().invoke(command_line, words).exit_code == EXIT_CANNOT_START
    assert "answered for" in say("answer-for", origin[0], "--reason", "gone")

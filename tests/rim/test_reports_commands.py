"""The operator's word about royalties: what the next report says, closed once, and as a sheet."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cloud_controller.commands import beside
from cloud_controller.flows import modules
from cloud_controller.main import EXIT_CANNOT_START, command_line
from cloud_controller.ports import Published, Transaction
from cloud_controller.settings import ControllerSettings
from common.messages.modules import PackageKind, Release
from common.rules.modules import ModuleEvent, ModuleEventKind

ISSUED, USED = ModuleEventKind.ISSUED, ModuleEventKind.USED


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a controller's settings; a module is published, issued and used."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(beside, "set_up_logs", lambda **_: None)  # into this process's own stderr
    (tmp_path / "c.toml").write_text('state_folder = "state"\n')
    beside.once(ControllerSettings.load(tmp_path / "c.toml"), begin)
    return tmp_path


def begin(books: Transaction) -> None:
    release = Release(
        package="physics",
        kind=PackageKind.MODULE,
        version="1",
        release_counter=1,
        royalty_cents=300,
        chunks=("0" * 64,),
        unpacked_bytes=1,
        files=1,
    )
    published = Published(release=release, target=release.target, sha256="0" * 64, length=1)
    modules.project(books, [published])
    for kind, client in ((ISSUED, "t-1"), (ISSUED, "t-2"), (USED, "t-1"), (USED, "t-3")):
        at = books.now - 60_000
        books.log_module(ModuleEvent(kind=kind, module="physics", client=client, at=at))


def say(*words: str) -> str:
    said = CliRunner().invoke(command_line, ["modules", "report", *words, "--settings", "c.toml"])
    assert said.exit_code == 0, said.output
    return said.stdout


def refused(*words: str) -> str:
    said = CliRunner().invoke(command_line, ["modules", "report", *words, "--settings", "c.toml"])
    assert said.exit_code == EXIT_CANNOT_START, said.output
    return said.stderr


def test_d6_a_report_is_shown_closed_and_written_as_a_sheet(folder: Path):
    shown = say("physics")
    assert "report 1, not closed" in shown
    assert "via this system" in shown
    assert "+300 JPY" in shown
    closed = say("physics", "--close", "--csv", "sheet.csv")
    assert "report 1, closed" in closed
    with (folder / "sheet.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    kept = [row["module"], row["report"], row["line"], row["starts_at"], row["counted"]]
    assert kept == ["physics", "1", "period", "", "1"]
    numbers = ("issued", "users", "via_this_system", "obtained_elsewhere", "issued_never_used")
    assert [row[name] for name in numbers] == ["2", "2", "1", "1", "1"]
    assert row["sha256"] in closed
    with closing(sqlite3.connect(folder / "state" / "books.db")) as books:
        acts = books.execute("SELECT act, subject FROM audit").fetchall()
        (said,) = books.execute("SELECT document FROM royalty_reports").fetchone()
    assert acts == [("modules.report_closed", "physics")]
    assert json.loads(said)["due_cents"] == {"JPY": 300}
    assert "report 2, not closed" in say("physics")


def test_a_report_that_cannot_be_is_one_sentence(folder: Path):
    assert "no such module" in refused("chemistry")
    assert "is over" in refused("physics", "--until", "2999-01-01")
    assert "No such file" in refused("physics", "--csv", str(folder / "nowhere" / "sheet.csv"))
    say("physics", "--until", "2026-01-01T00:00:00+0900", "--close")
    assert "begins where the last one ended" in refused("physics", "--until", "2025-12-31T15:00")

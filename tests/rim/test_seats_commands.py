"""The operator's words about peers and seats: what they print, write, refuse and enter."""

from __future__ import annotations

import json
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cloud_controller.bundle import Bundle
from cloud_controller.commands import beside
from cloud_controller.main import EXIT_CANNOT_START, command_line

PROGRAM = "from cloud_controller.main import command_line; command_line()"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the settings of a root and of its branch."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(beside, "set_up_logs", lambda **_: None)  # into this process's own stderr
    root = 'state_folder = "root"\npeers = { port = 18443, names = ["root.example"] }\n'
    (tmp_path / "root.toml").write_text(root)
    branch = 'state_folder = "osaka"\nupstream = { bundle = "osaka.json" }\n'
    (tmp_path / "osaka.toml").write_text(branch)
    (tmp_path / "alone.toml").write_text('state_folder = "alone"\n')
    return tmp_path


def say(*words: str, of: str) -> str:
    """Say a command in this process; return what it prints."""
    said = CliRunner().invoke(command_line, [*words, "--settings", f"{of}.toml"])
    assert said.exit_code == 0, said.output
    return said.stdout


def refused(*words: str, of: str) -> str:
    said = CliRunner().invoke(command_line, [*words, "--settings", f"{of}.toml"])
    assert said.exit_code == EXIT_CANNOT_START, said.output
    assert len(said.stderr.splitlines()) == 1
    return said.stderr


def audit(folder: Path) -> Sequence[tuple[str, ...]]:
    with closing(sqlite3.connect(folder / "root" / "books.db")) as books:
        return books.execute("SELECT actor, act, subject, reason FROM audit").fetchall()


def test_a_controller_is_let_in_shown_and_turned_away(folder: Path):
    printed = Bundle.model_validate_json(say("peers", "add", "osaka", of="root"))
    assert printed.url == "https://root.example:18443"
    say("peers", "add", "osaka", "--out", "osaka.json", "--url", "https://r.example", of="root")
    written = Bundle.load(folder / "osaka.json")
    assert stat.S_IMODE((folder / "osaka.json").stat().st_mode) == 0o600
    assert written.url == "https://r.example"
    assert written.epoch != printed.epoch
    assert written.certificate != printed.certificate
    assert written.authority == (folder / "root" / "keys" / "authority.pem").read_text()
    say("peers", "revoke", "osaka", "--reason", "it has closed", of="root")
    assert "revoked" in say("peers", "list", of="root")
    assert audit(folder) == [
        ("command line", "peer.added", "osaka", ""),
        ("command line", "peer.added_again", "osaka", ""),
        ("command line", "peer.revoked", "osaka", "it has closed"),
    ]


def test_seats_are_owned_asked_for_and_given_up(folder: Path):
    say("seats", "own", "physics", "5", of="root")
    assert say("seats", "list", of="root").splitlines()[1].split() == [
        "physics",
        "5",
        "0",
        "0",
        "5",
    ]
    say("peers", "add", "osaka", "--out", "osaka.json", of="root")
    assert "asked for 2" in say("seats", "take", "physics", "2", of="osaka")
    assert "taking 2: announcing" in say("seats", "list", of="osaka")
    assert "is not over (announcing)" in refused("seats", "take", "physics", "1", of="osaka")
    say("seats", "give-up", "physics", of="osaka")
    assert "taking 2: aborting" in say("seats", "list", of="osaka")
    say("seats", "settle", "physics", "osaka", "3", of="root")
    assert say("seats", "list", of="root").splitlines()[1].split() == [
        "physics",
        "5",
        "3",
        "3",
        "2",
    ]
    assert "3 seats of physics are in use" in refused("seats", "own", "physics", "2", of="root")
    told = json.loads(audit(folder)[-1][-1])
    assert (audit(folder)[-1][1:3], told) == (
        ("seats.settled", "osaka"),
        {"module": "physics", "holds": 3},
    )


@pytest.mark.parametrize(
    ("words", "of", "sentence"),
    [
        (("peers", "add", "osaka"), "alone", "[peers]"),
        (("peers", "add", "Osaka"), "root", "small letters"),
        (("peers", "revoke", "nobody"), "root", "no such peer"),
        (("seats", "take", "physics", "1"), "alone", "[upstream]"),
        (("seats", "take", "physics", "1"), "osaka", "osaka.json"),
        (("seats", "own", "a b", "1"), "root", "no module's name"),
        (("seats", "own", "physics", "9999999"), "root", "up to 1000000"),
        (("seats", "settle", "physics", "nobody", "1"), "root", "no such peer"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(folder: Path, words, of: str, sentence: str):
    assert (folder / f"{of}.toml").exists()
    assert sentence in refused(*words, of=of)


def test_a_group_says_what_is_in_it_in_a_process_of_its_own(folder: Path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "seats", "--help"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    for word in ("own", "take", "return", "give-up", "settle", "list"):
        assert word in done.stdout

"""The operator's words about offerings on the command line: what they print, keep and refuse."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cloud_controller.commands import beside
from cloud_controller.main import EXIT_CANNOT_START, command_line
from tests.rim.test_pictures import a_picture

SETTINGS = 'state_folder = "state"\n'
STORE = """
INSERT INTO stores (store_id, number, title, time_zone, policy, rules, made_at)
VALUES ('ueno', 1, 'Ueno', 'Asia/Tokyo', 'manual', '{}', 1)
"""
RACING = """
title = "レーシングシート"
lengths_seconds = [1800, 3600]
[texts.en]
title = "Racing seat"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a controller's settings and books, which know one store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(beside, "set_up_logs", lambda **_: None)  # into this process's own stderr
    (tmp_path / "state").mkdir()
    (tmp_path / "controller.toml").write_text(SETTINGS)
    (tmp_path / "racing.toml").write_text(RACING, "utf-8")
    (tmp_path / "booth.jpg").write_bytes(a_picture())
    said = CliRunner().invoke(command_line, ["migrate", "--settings", "controller.toml"])
    assert said.exit_code == 0, said.output
    with closing(sqlite3.connect(tmp_path / "state" / "books.db")) as books:
        books.execute(STORE)
        books.commit()
    return tmp_path


def say(*words: str, code: int = 0) -> str:
    """Say a command in this process; return what it prints."""
    more = ("--store", "ueno", "--settings", "controller.toml")
    said = CliRunner().invoke(command_line, ["offerings", *words, *more])
    assert said.exit_code == code, said.output
    return said.stderr if code else said.stdout


def test_e1_an_offering_is_said_pictured_listed_and_handed_back(folder: Path):
    say("register", "racing", "racing.toml")
    say("picture", "racing", "booth.jpg", "--alt", "ja=赤い座席", "--alt", "en=A red seat")
    line = next(each for each in say("list").splitlines() if each.startswith("racing"))
    assert line.split() == ["racing", "レーシングシート", "operator", "none"]
    with closing(sqlite3.connect(folder / "state" / "books.db")) as books:
        ((pictures,),) = books.execute("SELECT pictures FROM offerings").fetchall()
        acts = [act for (act,) in books.execute("SELECT act FROM audit")]
    assert "A red seat" in pictures
    assert acts == ["offering.say", "offering.picture", "offering.say"]
    say("hand-back", "racing")
    assert "terminal" in say("list")


def test_e1_what_is_wrong_is_one_sentence(folder: Path):
    say("register", "racing", "racing.toml")
    (folder / "wrong.toml").write_text('title = "x"\nlengths_seconds = []\n')
    (folder / "broken.toml").write_text("title =")
    picture = ("picture", "racing", "booth.jpg", "--alt", "en=A red seat")
    refused = {
        ("register", "racing", "wrong.toml"): "lengths_seconds",
        ("register", "racing", "broken.toml"): "broken.toml",
        ("picture", "racing", "racing.toml", "--alt", "en=A seat"): "no picture",
        ("picture", "karaoke", "booth.jpg", "--alt", "en=A seat"): "offering",
        ("picture", "racing", "booth.jpg", "--alt", "english=A seat"): "pictures",
        ("hand-back", "karaoke"): "offering",
    }
    for words, why in refused.items():
        said = say(*words, code=EXIT_CANNOT_START)
        assert why in said, words
        assert len(said.splitlines()) == 1
    for _ in range(5):
        say(*picture)

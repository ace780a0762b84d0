"""Settings come from a file, the environment and nothing else; what is wrong is one sentence."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict
from pydantic_settings import SettingsConfigDict

from cloud_controller.settings import ControllerSettings
from common.errors import CannotStart, SettingsAreWrong
from common.settings import FILE_BYTES_MAX, Settings
from edge_agent.settings import AgentSettings


class Door(BaseModel):
    model_config = ConfigDict(extra="forbid")
    port: int = 80


class Told(Settings):
    model_config = SettingsConfigDict(env_prefix="RUSUBAN_TOLD_")
    title: str = "none"
    door: Door = Door()


def a_file(folder: Path, text: str | bytes) -> Path:
    file = folder / "settings.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def refusal(file: Path, kind: type[Settings] = Told) -> str:
    with pytest.raises(SettingsAreWrong) as caught:
        kind.load(file)
    return str(caught.value)


def test_without_a_file_everything_has_its_default():
    assert Told.load(None).title == "none"


def test_the_file_says_what_is_not_default(tmp_path: Path):
    told = Told.load(a_file(tmp_path, 'title = "ours"\n[door]\nport = 81\n'))
    assert (told.title, told.door.port) == ("ours", 81)


def test_the_environment_wins_over_the_file_field_by_field(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("RUSUBAN_TOLD_DOOR__PORT", "82")
    told = Told.load(a_file(tmp_path, 'title = "ours"\n[door]\nport = 81\n'))
    assert (told.title, told.door.port) == ("ours", 82)


def test_settings_are_frozen_once_they_are_read(tmp_path: Path):
    told = Told.load(a_file(tmp_path, 'title = "ours"\n'))
    with pytest.raises(ValueError, match="frozen"):
        told.title = "theirs"


@pytest.mark.parametrize("kind", [Told, ControllerSettings, AgentSettings])
@pytest.mark.parametrize("text", ["colour = 1\n", "[colour]\nred = 1\n"])
def test_an_unknown_key_is_named_and_refused(tmp_path: Path, kind: type[Settings], text: str):
    assert "colour" in refusal(a_file(tmp_path, text), kind)


def test_an_unknown_key_of_a_part_is_named_with_its_part(tmp_path: Path):
    assert "door.colour" in refusal(a_file(tmp_path, "[door]\ncolour = 1\n"))


@pytest.mark.parametrize(
    "text", ["[", "title = ", "title = 'a'\ntitle = 'b'\n", b"title = '\xff'", "title = 5", "\x00"]
)
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, text: str | bytes):
    sentence = refusal(a_file(tmp_path, text))
    assert sentence.startswith("The settings are wrong: ")
    assert "\n" not in sentence.rstrip(".")


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path):
    assert "missing.toml" in refusal(tmp_path / "missing.toml")
    assert str(tmp_path) in refusal(tmp_path)


def test_a_huge_file_is_something_else(tmp_path: Path):
    assert "larger" in refusal(a_file(tmp_path, "#" * (FILE_BYTES_MAX + 1)))


def test_wrong_settings_are_a_reason_not_to_start():
    assert issubclass(SettingsAreWrong, CannotStart)
    assert SettingsAreWrong.code == "settings_are_wrong"


HOURS = """
state_folder = "/tmp"
[[stores]]
store = "shinjuku"
title = "Shinjuku"
directions = "East exit, second floor."
[stores.hours.week]
fri = ["10:00-14:00", "15:00-02:00"]
[stores.hours.holidays]
dates = [2027-01-01, 2027-01-02]
[[stores.hours.exceptions]]
date = 2026-12-31
hours = ["10:00-15:00"]
"""


def test_a_store_s_hours_are_said_as_the_pages_of_operations_say(tmp_path: Path):
    (store,) = ControllerSettings.load(a_file(tmp_path, HOURS)).stores
    assert store.hours is not None
    days = [date(2026, 10, 23), date(2026, 12, 31), date(2027, 1, 1), date(2027, 1, 4)]
    said = [[str(each) for each in store.hours.on(day)] for day in days]
    assert said == [["10:00-14:00", "15:00-02:00"], ["10:00-15:00"], [], []]
    assert store.directions


def test_hours_that_cannot_be_are_named_with_their_place(tmp_path: Path):
    wrong = HOURS.replace("15:00-02:00", "13:00-02:00")
    said = refusal(a_file(tmp_path, wrong), ControllerSettings)
    assert "stores.0.hours.week.fri: ranges of a day do not overlap" in said

"""The command that moves the schema: from where to where, and never under whoever serves."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cloud_controller.main import command_line
from cloud_controller.settings import ControllerSettings
from cloud_controller.storage import choice
from common.errors import CannotStart, SettingsAreWrong
from tests.fakes import postgres


def settings(folder: Path, database: str = "") -> Path:
    file = folder / "controller.toml"
    file.write_text(f'state_folder = "{folder / "controller"}"\n{database}', "utf-8")
    (folder / "controller").mkdir(mode=0o700, exist_ok=True)
    return file


@pytest.fixture(params=["sqlite", "postgres"])
def told(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return the settings of a controller whose database is empty yet."""
    if request.param == "sqlite":
        return settings(tmp_path)
    (tmp_path / "password").write_text(f"{postgres.PASSWORD}\n", "utf-8")
    url = postgres.server().empty().url
    return settings(
        tmp_path, f'database = {{ url = "{url}", password_file = "{tmp_path / "password"}" }}'
    )


def migrate(told: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(command_line, ["migrate", "--settings", str(told), *words])
    return done.exit_code, done.output


def test_a_version_forward_and_back_and_forward_says_from_where_to_where(told: Path):
    code, said = migrate(told)
    head = said.removesuffix(".\n").rsplit(" ", 1)[1]
    before = f"{int(head) - 1:04}"
    assert (code, said) == (0, f"The database has moved from nothing to {head}.\n")
    assert migrate(told) == (0, f"The database is at {head} already.\n")
    assert migrate(told, "--to", "-1") == (0, f"The database has moved from {head} to {before}.\n")
    assert migrate(told, "--to", head) == (0, f"The database has moved from {before} to {head}.\n")
    code, said = migrate(told, "--to", "base")
    assert (code, "drop it yourself" in said) == (2, True)
    code, said = migrate(told, "--to", "0815")
    assert (code, "there is no step 0815" in said) == (2, True)


def test_a_password_that_cannot_be_read_is_one_sentence(tmp_path: Path):
    url = 'url = "postgresql://x@127.0.0.1/x", password_file = "/nowhere"'
    loaded = ControllerSettings.load(settings(tmp_path, f"database = {{ {url} }}"))
    with pytest.raises(CannotStart, match="the password in /nowhere cannot be read"):
        choice.move_schema(loaded, "head")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://x:very-secret@127.0.0.1/x",
        "postgresql://127.0.0.1/x?password=very-secret",
        "host=127.0.0.1 password=very-secret",
        "mysql://x@127.0.0.1/very-secret",
    ],
)
def test_an_address_with_a_password_or_of_nothing_we_know_is_refused_and_not_shown(url, tmp_path):
    with pytest.raises(SettingsAreWrong) as told:
        ControllerSettings.load(settings(tmp_path, f'database = {{ url = "{url}" }}'))
    assert "very-secret" not in str(told.value)

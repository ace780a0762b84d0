"""The first command: what it prints lets in the first owner, and nobody after him."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cloud_controller.commands.beside import look, once
from cloud_controller.flows import accounts
from cloud_controller.ports import NotAllowed, NotFound
from cloud_controller.settings import ControllerSettings

PROGRAM = "from cloud_controller.main import command_line; command_line()"


def test_the_link_of_the_first_owner_is_printed_until_there_is_one(tmp_path: Path):
    settings = tmp_path / "controller.toml"
    kept = f'state_folder = "{tmp_path / "state"}"'
    settings.write_text(f"{kept}\nbroker = {{ ladder = 0 }}\nweb = {{ port = 8123 }}\n")
    loaded = ControllerSettings.load(settings)
    link = init(settings)
    assert look(loaded, accounts.by_link, link)["name"] == "owner"
    assert (loaded.keys_folder / "operator-token").stat().st_mode & 0o777 == 0o600
    again = once(loaded, accounts.first_link, "tests").link
    with pytest.raises(NotFound):
        look(loaded, accounts.by_link, link)
    key = once(loaded, accounts.join, again, "Hana", "kept", accounts.Browser())
    known = look(loaded, accounts.known_by_session, key, accounts.Lives())
    assert known is not None
    once(loaded, accounts.keep_codes, known.operator, "secret", 0)
    with pytest.raises(NotFound):
        look(loaded, accounts.by_link, again)
    with pytest.raises(NotAllowed, match="there is an owner already"):
        once(loaded, accounts.first_link, "tests")


def init(settings: Path) -> str:
    """Return the link that the command prints, without where it leads."""
    command = [sys.executable, "-c", PROGRAM, "init", "--settings", str(settings)]
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert said.returncode == 0, said.stderr
    address, _, link = said.stdout.strip().rpartition("/")
    assert address == "http://127.0.0.1:8123/operator/join"
    return link

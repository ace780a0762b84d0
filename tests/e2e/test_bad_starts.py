"""What stops a start is one clear sentence and exit code 2, for each of the three programs."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.demo.settings import SlotTerms, agent_settings, catalogue, controller_settings
from tests.demo.world import SCRIPTS

END_SECONDS_MAX = 20.0

Spoil = Callable[[Path], str]
"""Spoils the folder of settings that were good; returns a word that the sentence must have."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with good settings of a controller and of a terminal, and nothing else."""
    (tmp_path / "tickets").mkdir()
    (tmp_path / "catalogue.toml").write_text(catalogue(tmp_path))
    terms = agent_settings(tmp_path, SlotTerms(), number=1, offering=None, devices=1)
    (tmp_path / "agent.toml").write_text(terms)
    told = controller_settings(tmp_path, store="akihabara")
    (tmp_path / "controller.toml").write_text(told)
    return tmp_path


@pytest.fixture
def taken_port() -> Iterator[int]:
    """Return a port on which somebody else listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        yield other.getsockname()[1]


def an_unknown_key(file: str) -> Spoil:
    """Put a key into the settings that nobody knows."""

    def spoil(folder: Path) -> str:
        settings = folder / file
        settings.write_text("lamps = 3\n" + settings.read_text())
        return "lamps"

    return spoil


def a_file_for_a_folder(name: str) -> Spoil:
    """Put a file where a program keeps its state: nobody can write there, not even root."""

    def spoil(folder: Path) -> str:
        (folder / name).write_text("in the way")
        return name

    return spoil


def no_database(name: str) -> Spoil:
    """Put something else where a database was, as a failing disk does."""

    def spoil(folder: Path) -> str:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"not a database at all\n" * 1_000)
        return file.name

    return spoil


def no_mosquitto(folder: Path) -> str:
    """Name a broker that is not installed."""
    settings = folder / "controller.toml"
    text = settings.read_text().replace("broker = {", 'broker = { program = "no-mosquitto",')
    settings.write_text(text)
    return "no-mosquitto"


def no_settings(folder: Path) -> str:
    """Take the settings away."""
    for file in folder.glob("*.toml"):
        file.unlink()
    return "No such file"


def no_enrolment(_: Path) -> str:
    """Leave a terminal as it is before anybody has enrolled it."""
    return "not enrolled"


def no_catalogue(folder: Path) -> str:
    """Take the catalogue away."""
    (folder / "catalogue.toml").unlink()
    return "catalogue.toml"


def a_catalogue_with_an_unknown_key(folder: Path) -> str:
    """Put a key into the catalogue that nobody knows."""
    with (folder / "catalogue.toml").open("a") as file:
        file.write("lamps = 3\n")
    return "lamps"


CONTROLLER = ("cloud-controller", "serve", "--settings", "controller.toml")
AGENT = ("edge-agent", "run", "--settings", "agent.toml")
RUNNER = ("edge-agent", "runner", "--settings", "agent.toml")

STARTS: dict[str, tuple[tuple[str, ...], Spoil]] = {
    "controller: no settings": (CONTROLLER, no_settings),
    "controller: unknown key": (CONTROLLER, an_unknown_key("controller.toml")),
    "controller: mosquitto missing": (CONTROLLER, no_mosquitto),
    "controller: state folder not to be written": (CONTROLLER, a_file_for_a_folder("controller")),
    "controller: database corrupt": (CONTROLLER, no_database("controller/books.db")),
    "agent: unknown key": (AGENT, an_unknown_key("agent.toml")),
    "agent: not enrolled": (AGENT, no_enrolment),
    "agent: no catalogue": (AGENT, no_catalogue),
    "agent: state folder not to be written": (AGENT, a_file_for_a_folder("agent")),
    "agent: journal corrupt": (AGENT, no_database("agent/journal.db")),
    "runner: unknown key": (RUNNER, an_unknown_key("agent.toml")),
    "runner: unknown key in the catalogue": (RUNNER, a_catalogue_with_an_unknown_key),
    "runner: state folder not to be written": (RUNNER, a_file_for_a_folder("runner")),
    "runner: records corrupt": (RUNNER, no_database("runner/runner.sqlite")),
    "runner: a file for a socket": (RUNNER, a_file_for_a_folder("runner.sock")),
}


@pytest.mark.parametrize(("command", "spoil"), STARTS.values(), ids=STARTS)
def test_what_stops_a_start_is_said_in_one_sentence(
    folder: Path, command: tuple[str, ...], spoil: Spoil
):
    """Bad input: one clear sentence, exit code 2, no traceback (promise 13)."""
    says(folder, command, spoil(folder))


@pytest.mark.parametrize("part", ["web", "broker"])
def test_a_port_that_is_taken_is_said_in_one_sentence(folder: Path, taken_port: int, part: str):
    """Bad input: the sentence names the port, so that it can be given to somebody else."""
    settings = folder / "controller.toml"
    text = settings.read_text()
    settings.write_text(text.replace(f"{part} = {{ port = 0", f"{part} = {{ port = {taken_port}"))
    says(folder, CONTROLLER, str(taken_port))


def says(folder: Path, command: tuple[str, ...], word: str) -> None:
    """Start a program that cannot start, and judge how it tells."""
    ended = subprocess.run(
        [str(SCRIPTS / command[0]), *command[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=END_SECONDS_MAX,
        check=False,
    )
    assert ended.returncode == 2, ended
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert word in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""

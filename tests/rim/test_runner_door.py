"""The runner's door: who is heard, what is refused, and the sentence it does not start with."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sqlite3
import stat
from pathlib import Path

import pytest

from edge_agent.runner.catalogue import CatalogueIsWrong, Program, read_catalogue
from edge_agent.runner.records import FILE_NAME
from edge_agent.runner.server import Door, Peer, heard_uids, may_ask, peer_uid
from edge_agent.runner.wire import LINE_BYTES_MAX, Answer
from tests.rim.runner_kit import Terminal, a_start, terminal_in

START = {
    "ask": 1,
    "do": "start",
    "session": "s-1",
    "device": "d-1",
    "program": "game",
    "deadline_boot_seconds": 60.5,
    "fence": 1,
}


MALFORMED = (
    b"",
    b"nonsense",
    b"[1, 2]",
    b"\xff\xfe",
    b"[" * 5000,
    b'{"ask": 1}',
    b'{"ask": true, "do": "list", "after": ""}',
    b'{"ask": 1, "do": "explode"}',
    b'{"ask": 1, "do": ["list"], "after": ""}',
    json.dumps(START | {"argv": ["/bin/sh"]}).encode(),
    json.dumps(START | {"fence": 0}).encode(),
    json.dumps(START | {"fence": True}).encode(),
    json.dumps(START | {"fence": 2**70}).encode(),
    json.dumps(START | {"deadline_boot_seconds": -1}).encode(),
    json.dumps(START | {"deadline_boot_seconds": "60"}).encode(),
    json.dumps(START | {"deadline_boot_seconds": float("nan")}).encode(),
    json.dumps(START | {"deadline_boot_seconds": 10**400}).encode(),
    json.dumps(START | {"remaining_seconds": 60}).encode(),
    json.dumps(START | {"session": "a b"}).encode(),
    json.dumps(START | {"session": "s\0"}).encode(),
    json.dumps(START | {"session": "s" * 65}).encode(),
    json.dumps(START | {"program": None}).encode(),
    b'{"ask": 1, "do": "run", "run": "r-1", "command": "/bin/sh -c"}',
    b'{"ask": 1, "do": "run", "run": "r-1", "command": "clean", "argv": ["/bin/sh"]}',
    b'{"ask": 1, "do": "stop", "session": "s-1", "reason": "because"}',
)


def test_only_allowed_users_are_heard_and_root_is_none_by_itself():
    assert may_ask(1000, {1000})
    assert not may_ask(1001, {1000})
    assert not may_ask(0, {1000})


def test_a_program_that_the_runner_started_is_not_heard_where_the_agent_is_named():
    """It has the runner's own user, and would give itself another hour."""
    assert heard_uids([1000], own=1001) == {1000}
    assert heard_uids([], own=1001) == {1001}
    assert heard_uids([1000], own=1001, is_started_by_agent=True) == {1000, 1001}


def test_the_kernel_says_who_is_at_the_other_end():
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        assert peer_uid(one) == os.getuid()


async def test_the_socket_is_opened_by_its_user_and_group_and_by_nobody_else(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        assert stat.S_IMODE(terminal.settings.socket.stat().st_mode) == 0o660


def test_being_able_to_open_the_socket_is_not_permission():
    said: list[str] = []
    door = Door(allowed_uids={os.getuid() + 1}, report=said.append)
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        assert not door.admit(Peer(answer=_answer_nobody, door=door), one)
    assert said == [f"user {os.getuid()} may not ask the runner"]


async def test_malformed_lines_are_refused_and_what_follows_is_heard(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        reader, writer = await asyncio.open_unix_connection(terminal.settings.socket)
        for line in MALFORMED:
            writer.write(line + b'\n{"ask": 2, "do": "list", "after": ""}\n')
            refused = json.loads(await reader.readline())
            assert (refused["ok"], refused["reason"]) == (False, "bad_request"), line
            heard = json.loads(await reader.readline())
            assert heard == {"answer": 2, "ok": True, "records": []}
        assert terminal.programs() == []
        writer.close()


async def test_an_endless_line_ends_the_connection_and_nothing_else(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        reader, writer = await asyncio.open_unix_connection(terminal.settings.socket)
        writer.write(b"x" * (LINE_BYTES_MAX + 1))
        assert await reader.read() == b""
        assert await terminal.link.list() == ()
        writer.close()


async def test_a_peer_that_does_not_read_is_let_go(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.start(a_start(program="missing"))
        _, writer = await asyncio.open_unix_connection(terminal.settings.socket)
        with pytest.raises(ConnectionError):
            await _ask_and_never_read(writer)
        assert len(await terminal.link.list()) == 1
        writer.close()


async def test_a_second_runner_is_refused_in_one_sentence(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        code, complaint = await terminal.failed_runner()
        assert code == 2
        assert complaint == f"Another runner already listens on {terminal.settings.socket}.\n"
        assert await terminal.link.list() == ()


async def test_a_socket_nobody_answers_on_is_replaced(tmp_path: Path):
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(tmp_path / "socket"))
    async with terminal_in(tmp_path) as terminal:
        assert await terminal.link.list() == ()


async def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path):
    terminal = Terminal(tmp_path)
    terminal.settings.socket.write_text("precious")
    code, complaint = await terminal.failed_runner()
    assert code == 2
    assert complaint.count("\n") == 1
    assert terminal.settings.socket.read_text() == "precious"


async def test_damaged_records_are_one_sentence_and_stay_as_they_are(tmp_path: Path):
    terminal = Terminal(tmp_path)
    terminal.settings.state_folder.mkdir()
    file = terminal.settings.state_folder / FILE_NAME
    file.write_bytes(b"not a database at all" * 1000)
    code, complaint = await terminal.failed_runner()
    assert code == 2
    assert complaint == f"The runner's records in {file} cannot be used: file is not a database.\n"
    assert file.read_bytes().startswith(b"not a database")


async def test_records_of_a_newer_version_are_refused(tmp_path: Path):
    terminal = Terminal(tmp_path)
    terminal.settings.state_folder.mkdir()
    file = sqlite3.connect(terminal.settings.state_folder / FILE_NAME)
    file.execute("PRAGMA user_version = 99")
    file.close()
    code, complaint = await terminal.failed_runner()
    assert code == 2
    assert "a newer version of Rusuban wrote them" in complaint


async def test_records_that_cannot_be_written_are_one_sentence(tmp_path: Path):
    terminal = Terminal(tmp_path)
    terminal.settings.state_folder.write_text("a file where a folder should be")
    code, complaint = await terminal.failed_runner()
    assert code == 2
    assert complaint.count("\n") == 1
    assert complaint.startswith(f"The runner's records in {terminal.settings.state_folder}")


async def test_two_runners_never_share_their_records(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        terminal.settings.socket.unlink()
        code, complaint = await terminal.failed_runner()
        assert code == 2
        assert "database is locked" in complaint


A_PROGRAM = '[programs.x]\nargv = ["/bin/sh"]\n'
A_PROGRAM_TOO_MANY = "\n".join(f'[programs.p{number}]\nargv = ["/a"]' for number in range(201))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("programs = 3", "programs must be a table"),
        ("[other]", "the file has an unknown key 'other'"),
        ("[programs.x]", "programs.x.argv must be a list of texts"),
        ('[programs.x]\nargv = ["sh"]', "must begin with an absolute path, not 'sh'"),
        ('[programs.x]\nargv = ["/bin/sh"]\nshell = 1', "programs.x has an unknown key 'shell'"),
        ('[programs.x]\nargv = ["/bin/sh"]\nworking_folder = "."', "must be an absolute path"),
        ('[programs.x]\nargv = ["/bin/sh"]\nstop_grace_seconds = -1', "a number from 0 to 60"),
        ('[programs.x]\nargv = ["/bin/sh"]\nstop_grace_seconds = nan', "a number from 0 to 60"),
        ('[programs.x]\nargv = ["/bin/sh"]\nenvironment = {A = 1}', "environment.A must be a text"),
        ('[programs.x]\nargv = ["/bin/sh"]\nversion = 2.4', "version must be a text of 1 to 200"),
        ('[programs.x]\nargv = ["/bin/sh"]\nversion = ""', "version must be a text of 1 to 200"),
        ('[programs."a b"]\nargv = ["/bin/sh"]', "programs.'a b' is no id"),
        ('[commands.c]\nargv = ["/a"]\ntimeout_seconds = 3601', "a number from 0 to 3600"),
        ('[commands.c]\nargv = ["/a"]\nversion = "1"', "commands.c has an unknown key 'version'"),
        ('[programs.x]\nargv = ["/opt/../bin/sh"]', "must begin with an absolute path"),
        (
            '[programs.x]\nargv = ["/bin/sh", "a\\u0000b"]',
            "programs.x.argv must be a list of texts",
        ),
        (f'[programs.x]\nargv = ["/bin/sh", "{"a" * 5000}"]', "longer than a command line may be"),
        (A_PROGRAM + 'environment = {LD_PRELOAD = "/tmp/x.so"}', "environment.LD_PRELOAD may not"),
        (A_PROGRAM + 'environment = {RUSUBAN_SESSION = "s"}', "RUSUBAN_SESSION may not be set"),
        (A_PROGRAM + 'environment = {BASH_ENV = "/tmp/x"}', "environment.BASH_ENV may not be set"),
        (A_PROGRAM + 'environment = {PATH = "/bin:."}', "must name folders by absolute paths"),
        (A_PROGRAM + 'environment = {"A B" = "x"}', "is no name of a variable"),
        (A_PROGRAM + 'user = "root; sh"', "programs.x.user must be the name of a user"),
        (A_PROGRAM + 'display = "host:0"', "must be a display such as :0 or wayland-0"),
        (A_PROGRAM + 'stop_signal = "KILL"', "must be one of TERM, INT, HUP, QUIT, USR1, USR2"),
        (A_PROGRAM + 'reset = "wipe"', "programs.x.reset names no command of this catalogue"),
        (A_PROGRAM + 'ready = {command = "a"}', "ready.command names no command"),
        (A_PROGRAM + "ready = {}", "ready must have one of process, port, window, file, command"),
        (A_PROGRAM + 'ready = {port = 1, file = "/a"}', "ready must have one of process"),
        (A_PROGRAM + "ready = {port = 70000}", "ready.port must be a whole number from 1 to 65535"),
        (A_PROGRAM + 'ready = {window = ""}', "ready.window needs a display of X, such as :0"),
        (A_PROGRAM + "ready = {port = 1, within_seconds = 60}", "a number from 0 to 28"),
        (A_PROGRAM + "ready = {port = 1}\nready_after_seconds = 1", "has both ready and"),
        (A_PROGRAM + "restarts = {times = 0}", "times must be a whole number from 1 to 100"),
        (A_PROGRAM_TOO_MANY, "it has 201 programs, and at most 200"),
        ("[programs", "cannot be used"),
    ],
)
def test_a_catalogue_with_a_mistake_is_refused_by_name(tmp_path: Path, text: str, complaint: str):
    file = tmp_path / "catalogue.toml"
    file.write_text(text)
    with pytest.raises(CatalogueIsWrong) as refused:
        read_catalogue(file)
    assert complaint in str(refused.value)
    assert "\n" not in str(refused.value)


async def test_a_missing_catalogue_is_one_sentence(tmp_path: Path):
    terminal = Terminal(tmp_path)
    terminal.settings.catalogue.unlink()
    code, complaint = await terminal.failed_runner()
    assert code == 2
    assert complaint == (
        f"The catalogue {terminal.settings.catalogue} cannot be used: No such file or directory.\n"
    )


def test_a_program_of_the_catalogue_is_read_as_it_stands(tmp_path: Path):
    file = tmp_path / "catalogue.toml"
    file.write_text(
        '[programs.x]\nargv = ["/bin/sh", "-c", ":"]\nenvironment = {DISPLAY = ":0"}\n'
        '[programs.y]\nargv = ["/bin/true"]\nversion = "2.4.1"\n'
    )
    assert read_catalogue(file).programs == {
        "x": Program(argv=("/bin/sh", "-c", ":"), environment={"DISPLAY": ":0"}),
        "y": Program(argv=("/bin/true",), environment={}, version="2.4.1"),
    }


def _answer_nobody(line: bytes) -> Answer:
    raise AssertionError(line)


async def _ask_and_never_read(writer: asyncio.StreamWriter) -> None:
    for _ in range(1000):
        writer.write(b'{"ask": 1, "do": "list", "after": ""}\n' * 200)
        await writer.drain()

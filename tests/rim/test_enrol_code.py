"""The command that makes a code: the code alone for a script, what to type for a person."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cloud_controller.controller import open_books
from cloud_controller.flows import enrolment, registration
from cloud_controller.flows.enrolment import Asking, Enrolled
from cloud_controller.settings import ControllerSettings
from common.ids import StoreId
from common.tls import fingerprint_of
from tests.fakes.store import GIVEN, a_new_store

PROGRAM = "from cloud_controller.main import command_line; command_line()"
OSAKA = StoreId("osaka")
SETTINGS = "/etc/rusuban/edge-agent.toml"


async def test_a_script_reads_the_code_and_a_person_what_to_type(tmp_path: Path):
    settings = a_controller(tmp_path, "web = { port = 8123 }")
    await make_store(settings)
    made = await enrol_code(settings, "--store", OSAKA)
    code = made.stdout.removesuffix("\n")
    assert re.fullmatch(r"[0-9A-Z]{10}", code)
    typed = f"edge-agent enrol --settings {SETTINGS} --url http://127.0.0.1:8123 --code {code}\n"
    assert made.stderr == f"Good for 15 minutes, and once. On the terminal, type:\n\n  {typed}\n"
    assert (await enrol(settings, code)).store == OSAKA


async def test_where_the_pages_speak_tls_a_person_is_told_by_what_to_know_them(tmp_path: Path):
    web = 'web = { host = "0.0.0.0", tls = true }\nbroker = { names = ["booths.example"] }'
    settings = a_controller(tmp_path, web)
    await make_store(settings)
    made = await enrol_code(settings, "--store", OSAKA)
    authority = (tmp_path / "controller" / "keys" / "authority.pem").read_text()
    assert "--url https://booths.example:8080 " in made.stderr
    assert made.stderr.rstrip().endswith(f"--pin {fingerprint_of(authority)}")


async def test_a_terminal_enrols_again_by_a_code_made_for_it(tmp_path: Path):
    settings = a_controller(tmp_path)
    await make_store(settings)
    first = await enrol(settings, (await enrol_code(settings, "--store", OSAKA)).stdout)
    made = await enrol_code(settings, "--store", OSAKA, "--terminal", first.terminal)
    again = await enrol(settings, made.stdout)
    assert again.terminal == first.terminal
    assert again.epoch != first.epoch


@pytest.mark.parametrize("asked", [("--store", "nara"), ("--store", OSAKA, "--terminal", "t-no")])
async def test_for_nobody_there_is_no_code(tmp_path: Path, asked: tuple[str, ...]):
    settings = a_controller(tmp_path)
    await make_store(settings)
    made = await enrol_code(settings, *asked)
    assert (made.returncode, made.stdout) == (2, "")
    assert made.stderr.startswith("There is no such ")


def a_controller(folder: Path, more: str = "") -> Path:
    """Write a controller's settings and return their file."""
    file = folder / "controller.toml"
    file.write_text(f'state_folder = "{folder / "controller"}"\n{more}\n')
    return file


async def make_store(settings: Path) -> None:
    books = open_books(ControllerSettings.load(settings))
    await books.open()
    try:
        await books.transact(registration.add_store, a_new_store(OSAKA))
    finally:
        await books.close()


async def enrol(settings: Path, code: str) -> Enrolled:
    """Let a PC ask with this code."""
    books = open_books(ControllerSettings.load(settings))
    await books.open()
    try:
        asking = Asking(code=code, public_key="ab" * 32, hostname="pc-1")
        enrolled = await books.transact(enrolment.enrol, asking, GIVEN)
    finally:
        await books.close()
    assert isinstance(enrolled, Enrolled)
    return enrolled


async def enrol_code(settings: Path, *asked: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does."""
    command = [sys.executable, "-c", PROGRAM, "enrol-code", "--settings", str(settings), *asked]
    return await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=False, timeout=20
    )

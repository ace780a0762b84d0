"""Both halves of enrolment over HTTP: real pages and books, a real process killed at every step."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from enum import Enum, auto
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cloud_controller.flows import enrolment as controllers, registration
from cloud_controller.flows.enrolment import Given
from common.mqtt import LossReason
from common.rules.enrolment import Ladder
from common.rules.registration import StandingEvent
from common.system import SystemNames
from edge_agent.alone import alone_in
from edge_agent.enrolment import Asking, Credentials, enrol
from edge_agent.enrolment.asking import NotRenewed, renew
from edge_agent.enrolment.credentials import RenewalTerms
from edge_agent.flows import enrolment
from edge_agent.ports import Identity
from tests.demo.world import SCRIPTS
from tests.fakes.store import SALTED, SHINJUKU, ClockInHand, a_new_store
from tests.rim.enrolment_kit import HERE, a_journal, a_key, an_authority
from tests.rim.web_kit import WebKit, web_kit
from tests.waiting import until

BODY_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Step(Enum):
    """Where the line stops."""

    BEFORE_THE_REQUEST = auto()
    AFTER_THE_REQUEST = auto()
    IN_THE_MIDDLE_OF_THE_ANSWER = auto()
    BEFORE_THE_JOURNAL = auto()
    NOWHERE = auto()


class Line:
    """Carries calls to the controller, up to where it stops."""

    def __init__(self, kit: WebKit, journal: Path) -> None:
        self.stops = Step.NOWHERE
        self.url = ""
        self.has_stopped = asyncio.Event()
        self._port = int(kit.url.rpartition(":")[2])
        self._journal = journal
        self._other: sqlite3.Connection | None = None

    def let_go(self) -> None:
        """Stop nowhere any more."""
        self.stops = Step.NOWHERE
        if self._other is not None:
            self._other.close()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.stops is not Step.BEFORE_THE_REQUEST:
            answer = await self._answer_to(await _whole(reader))
            if self.stops is not Step.AFTER_THE_REQUEST:
                await self._give(answer, reader, writer)
        self.has_stopped.set()
        await reader.read()
        writer.close()

    async def _answer_to(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(HERE, self._port)
        writer.write(request)
        try:
            return await _whole(reader)
        finally:
            writer.close()

    async def _give(
        self, answer: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        match self.stops:
            case Step.IN_THE_MIDDLE_OF_THE_ANSWER:
                writer.write(answer[: -len(answer) // 4])
                await writer.drain()
            case Step.BEFORE_THE_JOURNAL:
                self._other = sqlite3.connect(self._journal, isolation_level=None)
                self._other.execute("BEGIN IMMEDIATE")
                writer.write(answer)
                await reader.read()
            case _:
                writer.write(answer)


async def _whole(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = BODY_LENGTH.search(head)
    return head + await reader.readexactly(int(length[1]) if length else 0)


@pytest.fixture
def pc(tmp_path: Path) -> Path:
    """Return a PC's folder with the agent's settings."""
    folder = tmp_path / "pc"
    folder.mkdir()
    parts = {name: folder / name for name in ("socket", "state_folder", "catalogue")}
    runner = ", ".join(f'{name} = "{path}"' for name, path in parts.items())
    (folder / "agent.toml").write_text(
        f'state_folder = "{folder}/state"\nrunner = {{ {runner} }}\n'
    )
    return folder


@asynccontextmanager
async def a_line(kit: WebKit, pc: Path) -> AsyncIterator[Line]:
    line = Line(kit, pc / "state/journal.db")
    async with await asyncio.start_server(line.carry, HERE, 0) as server:
        line.url = f"http://{HERE}:{server.sockets[0].getsockname()[1]}"
        yield line


@asynccontextmanager
async def a_store(folder: Path) -> AsyncIterator[tuple[WebKit, str]]:
    """Serve a store, with a code that is good."""
    async with web_kit(folder) as kit:
        await kit.store.books.transact(registration.add_store, a_new_store(SHINJUKU))
        yield kit, await kit.store.books.transact(controllers.make_code, SHINJUKU, "tests")


async def agent(pc: Path, *said: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        str(SCRIPTS / "edge-agent"),
        *("enrol", "--settings", str(pc / "agent.toml"), *said),
        stdin=PIPE,
        stdout=PIPE,
        stderr=STDOUT,
    )


async def says(pc: Path, *said: str, answers: bytes = b"") -> tuple[int | None, str]:
    """Let the agent enrol; return its exit code and its words."""
    running = await agent(pc, *said)
    told, _ = await running.communicate(answers)
    return running.returncode, told.decode()


def identity(pc: Path) -> Identity | None:
    with closing(a_journal(pc / "state")) as journal:
        return journal.transact(enrolment.identity)


async def rows(kit: WebKit, query: str) -> list[Any]:
    return await kit.store.books.read(lambda books: list(getattr(books.registration, query)()))


@pytest.mark.parametrize("step", [step for step in Step if step is not Step.NOWHERE])
async def test_killed_at_any_step_it_is_said_again_and_one_terminal_results(tmp_path, pc, step):
    async with a_store(tmp_path / "store") as (kit, code), a_line(kit, pc) as line:
        line.stops = step
        said = ("--url", line.url, "--code", code)
        cut = await agent(pc, *said)
        await asyncio.wait_for(line.has_stopped.wait(), 20)
        cut.kill()
        await cut.wait()
        line.let_go()
        key = (pc / "state/terminal-key").read_bytes()
        assert identity(pc) is None
        exit_code, told = await says(pc, *said)
        assert exit_code == 0, told
        (terminal,) = await rows(kit, "terminals")
        who = identity(pc)
        assert who is not None
        assert who.terminal == terminal["terminal_id"]
        assert (pc / "state/terminal-key").read_bytes() == key


async def test_said_again_after_all_went_well_it_is_the_same_terminal(tmp_path, pc):
    async with a_store(tmp_path / "store") as (kit, code):
        said = ("--url", kit.url, "--code", code)
        assert (await says(pc, *said))[0] == 0
        first = identity(pc)
        exit_code, told = await says(pc, *said, answers=b"n\n")
        assert exit_code == 2
        assert f"{first and first.terminal} of store shinjuku already" in told
        assert identity(pc) == first
        assert (await says(pc, *said, "--again"))[0] == 0
        assert identity(pc) == first
        assert len(await rows(kit, "terminals")) == 1


async def test_it_asks_for_what_was_not_said_and_an_end_of_input_changes_nothing(tmp_path, pc):
    async with a_store(tmp_path / "store") as (kit, code):
        exit_code, told = await says(pc, answers=f"{kit.url}\n".encode())
        assert exit_code == 2
        assert "nothing has changed" in told
        exit_code, told = await says(pc, answers=f"{kit.url}\n{code.lower()}\n".encode())
        assert exit_code == 0
        assert "Enrolled as t-" in told


async def test_a_spent_code_and_a_running_agent_are_one_sentence_each(tmp_path, pc):
    async with a_store(tmp_path / "store") as (kit, _):
        exit_code, told = await says(pc, "--url", kit.url, "--code", "NOTACODE22")
        assert exit_code == 2
        assert "Ask the operator for a new code" in told
        with alone_in(pc / "state"):
            exit_code, told = await says(pc, "--url", kit.url, "--code", "NOTACODE22")
        assert exit_code == 2
        assert "stop it first" in told
        assert "Traceback" not in told


def has_climbed(renewed: list[Identity], step: Ladder) -> bool:
    return bool(renewed) and renewed[-1].ladder is step


async def test_a_terminal_climbs_the_ladder_by_renewals_until_it_retires(tmp_path):
    authority = an_authority(tmp_path / "authority")
    key, journal = a_key(tmp_path / "pc"), a_journal(tmp_path / "pc")
    async with a_store(tmp_path / "store") as (kit, code):
        asking = Asking(url=kit.url, code=code, hostname="pc")
        who = await asyncio.to_thread(enrol, asking, key)
        journal.transact(enrolment.keep_identity, who)
        assert who.ladder is Ladder.LOOPBACK
        renewed: list[Identity] = []
        clock = ClockInHand()
        credentials = Credentials(
            who,
            tmp_path / "pc",
            journal,
            clock=clock,
            names=SystemNames(),
            on_renewed=renewed.append,
            terms=RenewalTerms(look_seconds=0.01),
        )
        kit.authority = authority.pem
        async with asyncio.TaskGroup() as tasks:
            loop = tasks.create_task(credentials.run(), name="credentials")
            for step, certify in (
                (Ladder.PASSWORD, None),
                (Ladder.CERTIFICATE, authority.certify_terminal),
            ):
                kit.given = Given(salted=SALTED, ladder=step, certify=certify)
                clock.move(1_000)
                for _ in range(10):
                    credentials.on_lost(LossReason.NETWORK)
                await until(partial(has_climbed, renewed, step))
            loop.cancel()
        assert journal.transact(enrolment.identity) == renewed[-1]
        assert replace(renewed[-1], ladder=who.ladder, authority="", certificate="") == who
        retired = (who.terminal, StandingEvent.RETIRE, "tests", "broken")
        await kit.store.books.transact(registration.decide, *retired)
        with pytest.raises(NotRenewed):
            await asyncio.to_thread(renew, who, key)
    journal.close()

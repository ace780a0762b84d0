"""A terminal as in production but for its lens: frames from memory, a program that says it runs."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from typing_extensions import override

from cloud_controller.flows import reservations
from cloud_controller.keys import FileKeys
from cloud_controller.storage.books import SqliteBooks
from cloud_controller.storage.choice import BOOKS_FILE
from cloud_controller.web.qr import ticket_png
from common.logs import set_up_logs
from common.rules.reservations import Range
from common.system import SystemClock, SystemNames
from edge_agent.opened import open_terminal
from edge_agent.scanners.counting import Counts
from edge_agent.scanners.decoders import Frame, decode
from edge_agent.scanners.reading import Reading
from edge_agent.settings import AgentSettings
from edge_agent.terminal import Terminal
from tests.bench import as_installed, first_byte
from tests.demo import world
from tests.demo.photograph import FRAME_SIZE

SETTLED_SECONDS_MAX = 10.0
LOOK_SECONDS = 0.002
SLOT_SECONDS = 60

_NOT_SETTLED = """
SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM exchanges WHERE kind GLOB 'session:*'
         AND state <> 'announced')
     + (SELECT count(*) FROM sessions WHERE state NOT IN ('ended', 'failed'))
"""


class FirstByte:
    """The program's first byte, seen by a process that does nothing else."""

    def __init__(self, watcher: Process) -> None:
        self._watcher = watcher

    async def came_at(self) -> int:
        """Return the monotonic nanosecond at which the next byte came."""
        assert self._watcher.stdout
        async with asyncio.timeout(SETTLED_SECONDS_MAX):
            return int(await self._watcher.stdout.readline())


class FrameScanner:
    """A scanner that is shown frames from memory; see `edge_agent.scanners.reading.Scanner`."""

    def __init__(self) -> None:
        self.name = "frames"
        self.counts = Counts()
        self._frames: asyncio.Queue[Frame] = asyncio.Queue()

    def show(self, frame: Frame) -> None:
        """Hold a frame before the lens."""
        self._frames.put_nowait(frame)

    def settled(self) -> None:
        """Do nothing: the next frame comes when the bench shows it."""

    async def watch(self) -> None:
        """Wait for ever: frames come without being looked for."""
        await asyncio.Event().wait()

    async def readings(self) -> AsyncIterator[Reading]:
        """Yield what each frame shows."""
        while True:
            reading = decode(await self._frames.get(), time.monotonic)
            assert reading, "every frame of a bench has a ticket in it"
            yield reading


@dataclass
class Stage:
    """One terminal, ready for the next customer, and the tickets that will be held to it."""

    world: world.World
    scanner: FrameScanner
    first_byte: FirstByte
    program: list[str]
    frames: Iterator[Frame]
    journal: sqlite3.Connection

    async def scan(self, frame: Frame) -> float:
        """Return the milliseconds from the frame in memory to the program's first byte."""
        began = time.monotonic_ns()
        self.scanner.show(frame)
        return (await self.first_byte.came_at() - began) / 1e6

    async def settled(self) -> None:
        """Return when the last use is over and reported, and the next exchange announced."""
        async with asyncio.timeout(SETTLED_SECONDS_MAX):
            while self.journal.execute(_NOT_SETTLED).fetchone()[0]:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def stage(count: int, *, is_as_installed: bool = False) -> AsyncIterator[Stage]:
    """Give a stage with so many tickets, in the layout of production, and take it away after."""
    folder = Path(tempfile.mkdtemp(prefix="rusuban-bench-"))
    kind = _WorldAsInstalled if is_as_installed else world.World
    chain = kind(folder=folder, terms=world.SlotTerms(lengths_seconds=(SLOT_SECONDS,)))
    links = as_installed.as_installed() if is_as_installed else contextlib.nullcontext()
    try:
        await asyncio.to_thread(chain.start_controller)
        with links, _logs_in(folder / "agent.log"):
            async with _terminal(chain, count) as ready:
                yield ready
    except BaseException:
        print(chain.ends_of_logs(), file=sys.stderr)
        raise
    finally:
        await asyncio.to_thread(chain.end)
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def _terminal(chain: world.World, count: int) -> AsyncIterator[Stage]:
    """Run the agent's own parts in this process, joined as its `main` joins them."""
    fifo = chain.folder / "first-byte"
    os.mkfifo(fifo)
    program = ["/bin/sh", "-c", 'printf . >"$0"', str(fifo)]
    file = _settings(chain, program)
    code = await asyncio.to_thread(chain.new_code)
    await asyncio.to_thread(chain.enrol, _enrolled(file), code)
    settings = AgentSettings.load(file)
    opened, scanner = open_terminal(settings), FrameScanner()
    runner_argv = [
        *(sys.executable, str(world.SCRIPTS / "edge-agent"), "runner", "--settings", str(file))
    ]
    terminal = Terminal(settings, runner_argv, opened, [scanner])
    journal_file = settings.state_folder / "journal.db"
    async with _watching(fifo) as first, asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(loop, name=name) for name, loop in terminal.loops().items()]
        await terminal.connection.start()
        offered = await asyncio.to_thread(chain.wait_until_on_offer, 1)
        frames = iter([_frame_of(token) for token in await _book(chain, offered[0], count)])
        with contextlib.closing(sqlite3.connect(journal_file)) as journal:
            yield Stage(
                world=chain,
                scanner=scanner,
                first_byte=first,
                program=program,
                frames=frames,
                journal=journal,
            )
        await terminal.say_goodbye()
        for task in running:
            task.cancel()
    opened.journal.close()


@asynccontextmanager
async def _watching(fifo: Path) -> AsyncIterator[FirstByte]:
    watcher = await asyncio.create_subprocess_exec(
        sys.executable, str(first_byte.__file__), str(fifo), stdout=PIPE
    )
    try:
        yield FirstByte(watcher)
    finally:
        watcher.kill()
        await watcher.wait()


async def _book(chain: world.World, offered: Mapping[str, Any], count: int) -> list[str]:
    """Book so many slots in a row, beside the running controller; return their tokens."""
    folder, names = chain.folder / "controller", SystemNames()
    books = SqliteBooks(
        folder / BOOKS_FILE,
        clock=SystemClock(),
        names=names,
        keys=FileKeys(folder / "keys", names),
        on_said=lambda _: None,
    )
    await books.open()
    length = SLOT_SECONDS * 1000
    first_at = (SystemClock().now_ms() // length + 2) * length
    tokens = []
    for number in range(count):
        starts_at = first_at + number * length
        slot = Range(starts_at=starts_at, ends_at=starts_at + length)
        wish = reservations.Wish(offering=offered["offering"], slot=slot)
        link = await books.transact(reservations.book, wish)
        ticket: Any = await books.read(reservations.ticket, link)
        tokens.append(ticket["token"])
    await books.close()
    return tokens


def _frame_of(token: str) -> Frame:
    """Draw a ticket as a good camera sees it: a little turned, grey around it."""
    code = Image.open(io.BytesIO(ticket_png(token, module_pixels=7))).convert("L")
    picture = Image.new("L", FRAME_SIZE, 150)
    turned = code.rotate(7, Image.Resampling.BICUBIC, expand=True, fillcolor=150)
    picture.paste(
        turned, ((FRAME_SIZE[0] - turned.width) // 2, (FRAME_SIZE[1] - turned.height) // 2)
    )
    return Frame(width=picture.width, height=picture.height, pixels=picture.tobytes())


def _settings(chain: world.World, program: list[str]) -> Path:
    """Write the settings of one terminal: a day's tickets open at once, each a whole slot long."""
    folder = chain.folder / "terminal"
    folder.mkdir()
    argv = ", ".join(f"'''{word}'''" for word in program)
    (folder / "catalogue.toml").write_text(f"[programs.signal]\nargv = [{argv}]\n", "utf-8")
    settings = folder / "agent.toml"
    settings.write_text(
        f"""
state_folder = "{folder / "agent"}"

[runner]
socket = "{folder / "runner.sock"}"
state_folder = "{folder / "runner"}"
catalogue = "{folder / "catalogue.toml"}"
is_started_by_agent = true

[[devices]]
key = "booth"
title = "Booth 1"
program = "signal"

[devices.offering]
key = "signal"
title = "A signal"
lengths_seconds = [{SLOT_SECONDS}]
grid_seconds = {SLOT_SECONDS}
turnover_seconds = 0
early_seconds = 86400
""",
        "utf-8",
    )
    return settings


def _enrolled(settings: Path) -> world.Terminal:
    folder = settings.parent
    return world.Terminal(
        name="terminal 1", folder=folder, settings=settings, tickets=folder / "tickets"
    )


@contextlib.contextmanager
def _logs_in(file: Path) -> Iterator[None]:
    """Write the agent's log as in production, one JSON line a fact, but to a file."""
    with file.open("a", encoding="utf-8") as opened, contextlib.redirect_stderr(opened):
        set_up_logs(level="info", as_json=True)
        yield


class _WorldAsInstalled(world.World):
    """A world whose controller's connections are as the libraries leave them."""

    @override
    def _spawn(self, command: list[str], log: Path) -> subprocess.Popen[bytes]:
        if command[0].endswith("cloud-controller"):
            command = [sys.executable, str(as_installed.__file__), *command[1:]]
        return super()._spawn(command, log)

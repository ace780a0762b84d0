"""A real runner in a folder of its own, a link to it, and what it said, for the runner's tests."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from common.rules.sessions import SESSION
from common.system import SystemClock
from edge_agent.runner.link import RunnerLink
from edge_agent.runner.tree import Identity, look, marked, send
from edge_agent.runner.wire import (
    CommandRecord,
    EventKind,
    ProgramRecord,
    RunnerEvent,
    StartProgram,
    WipeRecord,
)
from tests.programs.runner import settings_in
from tests.waiting import PATIENCE_SECONDS

REPOSITORY = Path(__file__).parents[2]

CATALOGUE = """
[programs.game]
argv = ["/bin/sleep", "3600"]

[programs.stubborn]
argv = STUBBORN

[programs.messy]
argv = ["/bin/sleep", "3600"]
wipe = ["FOLDER/home/profile"]
reset = "count"

[programs.neighbour]
argv = ["/bin/sleep", "3600"]
wipe = ["FOLDER/home"]

[programs.reckless]
argv = ["/bin/sleep", "3600"]
wipe = ["FOLDER/state/inside"]

[programs.quits]
argv = ["/bin/true"]

[programs.crashes]
argv = ["/bin/false"]

[programs.slow]
argv = ["/bin/sleep", "3600"]
ready_after_seconds = 0.4

[programs.missing]
argv = ["/nowhere/to/be/found"]

[commands.count]
argv = ["/bin/sh", "-c", "echo once >> count; sleep 0.1"]
working_folder = "FOLDER"

[commands.fails]
argv = ["/bin/sh", "-c", "exit 3"]

[commands.leaves]
argv = ["/bin/sh", "-c", "(trap '' TERM; exec sleep 3600) & exit 0"]

[commands.hangs]
argv = STUBBORN
timeout_seconds = 1

[commands.missing]
argv = ["/nowhere/to/be/found"]
"""


class Terminal:
    """One folder with a runner in it that can be killed and started again."""

    def __init__(self, folder: Path, more: str = "") -> None:
        self.folder = folder
        self.settings = settings_in(folder)
        self.clock = SystemClock()
        self.events: list[RunnerEvent] = []
        self.heard = asyncio.Event()
        self.connected = asyncio.Event()
        self.link = RunnerLink(
            self.settings.socket, on_event=self._note, on_connected=self.connected.set
        )
        self.done: list[CommandRecord] = []
        self.link.when_command_done(self._note_done)
        self.group: Path | None = None
        """The cgroup that a runner is started in; None: in the test's own."""
        self.wiped: list[WipeRecord] = []
        self.link.when_wiped(self._note_wiped)
        self.runner: asyncio.subprocess.Process
        folder.mkdir(exist_ok=True)
        self.settings.boot_id_file.write_text("boot-1\n")
        catalogue = CATALOGUE.replace("STUBBORN", json.dumps(stubborn_in(folder)))
        self.settings.catalogue.write_text(catalogue.replace("FOLDER", str(folder)) + more)

    async def start_runner(self) -> None:
        """Start a runner and wait until it is there."""
        self.connected.clear()
        self.runner = await self.runner_process()
        await asyncio.wait_for(self.connected.wait(), PATIENCE_SECONDS)

    async def runner_process(self) -> asyncio.subprocess.Process:
        """Return a new runner process whose complaint can be read."""
        return await asyncio.create_subprocess_exec(
            *(*self._into_group(), sys.executable),
            *("-m", "tests.programs.runner", str(self.folder)),
            cwd=REPOSITORY,
            stderr=asyncio.subprocess.PIPE,
        )

    async def kill_runner(self, number: signal.Signals = signal.SIGKILL) -> int:
        """Send the runner a signal and return its exit code."""
        self.runner.send_signal(number)
        return await asyncio.wait_for(self.runner.wait(), PATIENCE_SECONDS)

    async def failed_runner(self) -> tuple[int | None, str]:
        """Return the exit code and the complaint of a runner that cannot start."""
        failed = await self.runner_process()
        _, complaint = await asyncio.wait_for(failed.communicate(), PATIENCE_SECONDS)
        return failed.returncode, complaint.decode()

    async def event(self, kind: EventKind, session: str) -> RunnerEvent:
        """Return the event of this kind about this session, once it was said."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                for event in self.events:
                    if (event.kind, event.record.session) == (kind, session):
                        return event
                self.heard.clear()
                await self.heard.wait()

    async def command_done(self, run: str) -> CommandRecord:
        """Return how a run of a command has ended, once that was said."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                for record in self.done:
                    if record.run == run:
                        return record
                self.heard.clear()
                await self.heard.wait()

    async def wipe_done(self, run: str) -> WipeRecord:
        """Return what became of a wipe, once that was said."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                for record in self.wiped:
                    if record.run == run and record.is_done:
                        return record
                self.heard.clear()
                await self.heard.wait()

    def programs(self) -> list[Identity]:
        """Return every living process that this terminal's runner started."""
        return list(marked(look().values(), str(self.settings.state_folder.resolve())))

    def _into_group(self) -> list[str]:
        if self.group is None:
            return []
        return ["/bin/sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', str(self.group)]

    def _note_done(self, record: CommandRecord) -> None:
        self.done.append(record)
        self.heard.set()

    def _note_wiped(self, record: WipeRecord) -> None:
        self.wiped.append(record)
        self.heard.set()

    def _note(self, event: RunnerEvent) -> None:
        self.events.append(event)
        self.heard.set()


@asynccontextmanager
async def terminal_in(
    folder: Path, more: str = "", *, group: Path | None = None
) -> AsyncIterator[Terminal]:
    """Give a terminal with a runner at work, and more in its catalogue; nothing of it is left."""
    terminal = Terminal(folder, more)
    terminal.group = group
    linking = asyncio.create_task(terminal.link.run(), name="link")
    try:
        await terminal.start_runner()
        yield terminal
    finally:
        linking.cancel()
        if terminal.runner.returncode is None:
            await terminal.kill_runner()
        for left in terminal.programs():
            send(left, signal.SIGKILL)
        for pid in filter(is_there, parts_in(folder)):
            os.kill(pid, signal.SIGKILL)


def a_start(
    session: str = "s-1",
    *,
    device: str = "d-1",
    program: str = "game",
    remaining_seconds: float = 60.0,
    fence: int = 1,
) -> StartProgram:
    """Return a start that would be granted, with its deadline so many seconds from now."""
    return StartProgram(
        session=session,
        device=device,
        program=program,
        deadline_boot_seconds=SystemClock().boot_seconds() + remaining_seconds,
        fence=fence,
    )


async def settled(terminal: Terminal) -> tuple[ProgramRecord, ...]:
    """Return what the runner keeps, once all of it is over."""
    async with asyncio.timeout(10):
        while True:
            records = await terminal.link.list()
            if all(record.state in SESSION.ends() for record in records):
                return records


def stubborn_in(folder: Path) -> list[str]:
    """Return the command of the program that will not leave, and writes its pids in this folder."""
    return [sys.executable, "-S", f"{REPOSITORY}/tests/programs/stubborn.py", str(folder)]


def a_program(name: str, argv: Sequence[str], **more: object) -> str:
    """Return a program's table for a catalogue; what is more is written as TOML writes it."""
    keys = "".join(f"{key} = {value}\n" for key, value in more.items())
    return f"\n[programs.{name}]\nargv = {json.dumps(list(argv))}\n{keys}"


def fickle(way: str, file: Path, port: int = 0) -> list[str]:
    """Return the command of the program that gives trouble in this way."""
    program = f"{REPOSITORY}/tests/programs/fickle.py"
    return [sys.executable, "-S", program, way, str(file), str(port)]


def parts_in(folder: Path) -> list[int]:
    """Return the pids that the program that will not leave has written in this folder so far."""
    files = (folder / part for part in ("leader", "child", "daemon", "stray"))
    return [int(text) for file in files if file.exists() and (text := file.read_text())]


def is_there(pid: int) -> bool:
    """Return whether a process, or what it left for its parent, is there."""
    return Path(f"/proc/{pid}").exists() and os.getpgid(pid) >= 0

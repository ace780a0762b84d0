"""A store PC of the proof: a program that leaves when asked, one that does not, a clock to set."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cloud_controller.web.routes import from_iso
from common.system import SystemClock
from tests.demo.processes import WORLD
from tests.demo.terminal import Terminal
from tests.demo.world import SCRIPTS, DidNotHappen, World, expect
from tests.e2e.customer import offering_of, picture_of, scan
from tests.prove.deadlines_cells import Agent, Cell, Runner, Wall
from tests.prove.deadlines_manager import Manager
from tests.prove.deadlines_watch import Watch
from tests.prove.kills_evidence import journal_of

POLITE: Final = "racer"
STUBBORN: Final = "stubborn"

PROCESSES: Final = {POLITE: 1, STUBBORN: 3}
"""How many processes a program is when all of it is there."""

CATALOGUE: Final = """
[programs.racer]
argv = ["/bin/sleep", "3600"]
environment = { WORLD }

[programs.stubborn]
argv = ["/bin/sh", "-c", "trap '' TERM; (setsid sleep 3600 &); sleep 3600; :"]
environment = { WORLD }
"""
"""The second does not leave when asked to, nor does what it starts, one part of it as a daemon."""

YEARS: Final = {Wall.RIGHT: "+0", Wall.AHEAD: "+3652d", Wall.BEHIND: "-3652d"}
"""What the wall clock's file says, in the words of libfaketime."""

LOOK_SECONDS: Final = 0.2
LOOKS_MAX: Final = 50

_LIVE: Final = "SELECT * FROM sessions WHERE state IN ('starting', 'running', 'ending')"
_TOLD: Final = """
SELECT session_id FROM sessions WHERE session_id IN (?, ?) AND state = 'ended' AND is_presumed = 0
    AND abs(granted_seconds - delivered_seconds) < 2
"""
"""A start takes its part of what was granted, on a busy machine a second or two of it."""


@dataclass(frozen=True, kw_only=True)
class Use:
    """One running session: its deadline on the clock that cannot be set, and its slot's end."""

    session: str
    program: str
    deadline: float
    slot_ends: float


@dataclass(frozen=True, kw_only=True)
class Blow:
    """When what happens to a PC happens, in seconds before the first of its deadlines."""

    agent: float
    runner: float
    wall: float
    back_seconds: float
    stop_seconds: float


@dataclass(kw_only=True)
class Pc:
    """One PC, and what became of it in this round."""

    world: World
    terminal: Terminal
    manager: Manager | None
    clock: SystemClock = field(default_factory=SystemClock)
    uses: tuple[Use, ...] = ()
    stood_still: list[tuple[float, float]] = field(default_factory=list)
    why_not: str = ""

    def begin(self, watch: Watch) -> bool:
        """Book both devices, scan both tickets; say whether both programs run, with time left.

        On a machine whose cores are taken by others they may not: nothing is known of them then.
        """
        self.uses = ()
        try:
            self._begin(watch)
        except DidNotHappen as fault:
            self.why_not = str(fault).partition("\n")[0]
            self.uses = ()
        return bool(self.uses)

    def _begin(self, watch: Watch) -> None:
        self.world.wait_for("the last use to be over", lambda: not self._live(), seconds=60.0)
        offering = offering_of(self.world, self.terminal)
        tickets = [self.world.book(offering) for _ in PROCESSES]
        self.stood_still.clear()
        for ticket in tickets:
            self.world.wait_until_open(ticket["link"])
            told = scan(self.world, self.terminal, picture_of(self.world, ticket["link"]))
            expect(told.get("reason"), told=None, what="verdict")
        rows = self.world.wait_for("both programs to run", self._running)
        now = self.clock.boot_seconds() - self.clock.now_ms() / 1000
        ends = {
            ticket["device"]["device"]: now + from_iso(ticket["ends_at"]) / 1000
            for ticket in tickets
        }
        self.uses = tuple(
            Use(
                session=row["session"],
                program=row["program"],
                deadline=row["deadline_boot_seconds"],
                slot_ends=ends[row["device"]],
            )
            for row in rows
        )
        missing = {use.session: PROCESSES[use.program] for use in self.uses}
        for _ in range(LOOKS_MAX):
            missing = watch.find(missing)
            if not missing:
                return
            time.sleep(LOOK_SECONDS)
        message = "processes are missing"
        raise DidNotHappen(message)

    def has_time(self, seconds: float) -> bool:
        """Say whether both its sessions run for so long at least."""
        first = min((use.deadline for use in self.uses), default=0.0)
        return first - self.clock.boot_seconds() > seconds

    async def meet(self, cell: Cell, blow: Blow) -> None:
        """Have happen to this PC what the cell says, as long before its end as the dice say."""
        async with asyncio.TaskGroup() as faults:
            faults.create_task(self._agent(cell.agent, blow), name="agent")
            faults.create_task(self._runner(cell.runner, blow), name="runner")
            faults.create_task(self._wall(cell.wall, blow), name="clock")

    def due(self, use: Use) -> float:
        """Return when its program is to be gone: at its deadline, or when its runner could act."""
        still = [until for since, until in self.stood_still if since < use.deadline < until]
        return max(use.deadline, *still) if still else use.deadline

    def start_agent(self) -> None:
        """Start the agent with a wall clock that can be set."""
        command = [str(SCRIPTS / "edge-agent"), "run", "--settings", str(self.terminal.settings)]
        with self.terminal.log.open("ab") as out:
            self.terminal.agent = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                env={**os.environ, **clock_of(self.world, self.terminal)},
            )

    def heal(self) -> None:
        """Have everything of it back, and the wall clock right."""
        set_wall(self.terminal, Wall.RIGHT)
        agent = self.terminal.agent
        if agent is None or agent.poll() is not None:
            self.start_agent()

    def is_told(self) -> bool:
        """Say whether the controller was told the end of both uses, in seconds that are true."""
        sessions = [use.session for use in self.uses]
        rows = self.world.books(_TOLD, *sessions)
        return len(rows) == len(sessions)

    def _running(self) -> list[Any] | None:
        rows = [row for row in self._live() if row["state"] == "running"]
        return rows if len(rows) == len(PROCESSES) else None

    def _live(self) -> list[Any]:
        with contextlib.closing(sqlite3.connect(journal_of(self.terminal), uri=True)) as journal:
            journal.row_factory = sqlite3.Row
            return journal.execute(_LIVE).fetchall()

    async def _agent(self, what: Agent, blow: Blow) -> None:
        if what is Agent.THERE:
            return
        await self._until(blow.agent)
        agent = self.terminal.agent
        assert agent is not None
        if what is Agent.STOPPED:
            agent.send_signal(signal.SIGSTOP)
            await asyncio.sleep(blow.stop_seconds)
            agent.send_signal(signal.SIGCONT)
            return
        agent.kill()
        await asyncio.to_thread(agent.wait)
        if what is Agent.BACK:
            await asyncio.sleep(blow.back_seconds)
            self.start_agent()

    async def _runner(self, what: Runner, blow: Blow) -> None:
        if what is Runner.THERE:
            return
        await self._until(blow.runner)
        pid = await asyncio.to_thread(self._runner_pid)
        if what is Runner.KILLED:
            os.kill(pid, signal.SIGKILL)
            return
        kills = len(self.manager.kills) if self.manager else 0
        since = self.clock.boot_seconds()
        os.kill(pid, signal.SIGSTOP)
        until = since + blow.stop_seconds
        while self.clock.boot_seconds() < until:
            await asyncio.sleep(0.05)
            if self.manager and len(self.manager.kills) > kills:
                self.stood_still.append((since, self.manager.kills[-1]))
                return
        self.stood_still.append((since, self.clock.boot_seconds()))
        os.kill(pid, signal.SIGCONT)

    async def _wall(self, what: Wall, blow: Blow) -> None:
        if what is not Wall.RIGHT:
            await self._until(blow.wall)
            set_wall(self.terminal, what)

    async def _until(self, before_seconds: float) -> None:
        first = min(use.deadline for use in self.uses)
        await asyncio.sleep(max(0.0, first - before_seconds - self.clock.boot_seconds()))

    def _runner_pid(self) -> int:
        if self.manager is not None and self.manager.pid is not None:
            return self.manager.pid
        (pid,) = self.world.processes("runner", str(self.terminal.settings))
        return pid


def furnish(world: World, *, is_managed: bool) -> Pc:
    """Give one more PC its folder, settings, programs and identity; nothing runs on it yet."""
    terminal = world.new_terminal(devices=2)
    programs = CATALOGUE.replace("WORLD", f'{WORLD} = "{world.folder}"')
    (terminal.folder / "catalogue.toml").write_text(programs, "utf-8")
    before, _, after = terminal.settings.read_text("utf-8").rpartition(f'program = "{POLITE}"')
    told = f'{before}program = "{STUBBORN}"{after}'
    manager = None
    if is_managed:
        told = told.replace("is_started_by_agent = true", "is_started_by_agent = false")
        command = [*(sys.executable, str(SCRIPTS / "edge-agent")), "runner"]
        manager = Manager(
            [*command, "--settings", str(terminal.settings)],
            terminal.folder,
            terminal.folder / "runner.log",
            clock_of(world, terminal),
        )
    terminal.settings.write_text(told, "utf-8")
    set_wall(terminal, Wall.RIGHT)
    world.enrol(terminal, world.new_code())
    return Pc(world=world, terminal=terminal, manager=manager)


def clock_of(world: World, terminal: Terminal) -> dict[str, str]:
    """Return the environment in which the wall clock, and no other, follows a file."""
    return {
        WORLD: str(world.folder),
        "LD_PRELOAD": str(_library()),
        "FAKETIME_TIMESTAMP_FILE": str(_wall_of(terminal)),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DISABLE_SHM": "1",
        "FAKETIME_NO_CACHE": "1",
        "NO_FAKE_STAT": "1",
    }


def set_wall(terminal: Terminal, wall: Wall) -> None:
    """Set the wall clock of a PC, whole at once."""
    beside = _wall_of(terminal).with_suffix(".part")
    beside.write_text(YEARS[wall], "ascii")
    beside.rename(_wall_of(terminal))


def _wall_of(terminal: Terminal) -> Path:
    return terminal.folder / "wall-clock"


def _library() -> Path:
    found = sorted(Path("/usr").glob("lib*/**/faketime/libfaketimeMT.so.1"))
    assert found, "libfaketime is here: ./dev sets it up"
    return found[0]

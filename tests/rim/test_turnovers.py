"""Turnovers by a real runner and a real journal, cut off at every step: done to the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from common.rules.devices import Care, DeviceState
from common.system import SystemClock, SystemNames
from edge_agent.flows import devices
from edge_agent.flows.devices import DeviceNow, Hosted, Served
from edge_agent.journal import SqliteJournal
from edge_agent.ports import CommandSeen, WipeSeen
from edge_agent.runner.beside import RunnerBeside
from edge_agent.turnover import Turnovers
from tests.fakes.terminal import a_device, a_profile
from tests.rim.runner_kit import Terminal, terminal_in
from tests.waiting import PATIENCE_SECONDS, until

DEVICE = "d-booth"
CUTS = ["before the wipe", "after the wipe", "before the reset", "after the reset"]
"""Where an agent is ended: before it has asked the runner for a step, and before it hears of it."""


class Killed(Exception):
    """The agent was ended here."""


class Cut(RunnerBeside):
    """The real runner, beside an agent that ends where it is told to."""

    cut = ""
    is_dead = False

    @override
    def when_wiped(self, hear: Callable[[WipeSeen], None]) -> None:
        super().when_wiped(lambda seen: None if self.is_dead else hear(seen))

    @override
    def when_command_done(self, hear: Callable[[CommandSeen], None]) -> None:
        super().when_command_done(lambda seen: None if self.is_dead else hear(seen))

    @override
    async def wipe(self, run: str, program: str) -> WipeSeen | str:
        self._end("before the wipe")
        seen = await super().wipe(run, program)
        self._end("after the wipe")
        return seen

    @override
    async def run_command(self, run: str, command: str) -> CommandSeen | None:
        self._end("before the reset")
        seen = await super().run_command(run, command)
        self._end("after the reset")
        return seen

    def _end(self, where: str) -> None:
        if where == self.cut:
            self.is_dead = True
            raise Killed


class Agent:
    """An agent's part that makes devices ready, over a journal that outlives it."""

    def __init__(self, terminal: Terminal, reset: str = "count") -> None:
        self.terminal = terminal
        self.reset = reset
        self.orders: list[tuple[str, bool]] = []
        self.open()

    def open(self) -> None:
        """Start as the agent does: its journal first, then a look at every device."""
        file = self.terminal.folder / "journal.db"
        self.journal = SqliteJournal(
            file, clock=SystemClock(), names=SystemNames(), boot_id="boot-1"
        )
        self.runner = Cut(self.terminal.link)
        self.turnovers = Turnovers(
            self.journal, self.runner, self._served, SystemClock(), self._note_order
        )

    @property
    def now(self) -> DeviceNow:
        return self.turnovers.states()[DEVICE]

    async def stands(self, state: DeviceState) -> DeviceNow:
        """Return how the device stands once it is there."""
        await until(lambda: self.now.state is state)
        return self.now

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Let it work; it is killed at the end."""
        self.turnovers.review()
        working = asyncio.create_task(self.turnovers.run(), name="turnover")
        try:
            yield
        finally:
            working.cancel()
            await asyncio.wait([working])

    async def is_killed(self, cut: str) -> None:
        """Let it work until it is ended there, and start it again."""
        self.runner.cut = cut
        self.turnovers.review()
        with pytest.raises(Killed):
            await asyncio.wait_for(self.turnovers.run(), PATIENCE_SECONDS)
        self.journal.close()
        self.open()

    def use(self) -> None:
        """Let a session on the device have been, as the journal tells it."""
        profile = a_profile(a_device("booth"), gate_digest="ab" * 32)
        self.journal.transact(_keep, profile.model_dump_json())
        self.turnovers.review()
        self.journal.transact(_use)

    def _served(self, hosted: Hosted) -> Served:
        care = Care(wipes=True, reset=self.reset)
        return Served(device=hosted.device, program="messy", care=care)

    def _note_order(self, device: str, *, is_out: bool) -> None:
        self.orders.append((device, is_out))


def _keep(journal: Any, profile: str) -> None:
    journal.rows.keep_profile(gate_digest="ab" * 32, body=profile)


def _use(journal: Any) -> None:
    journal.rows.add_session(
        session="s-1",
        device=DEVICE,
        program="messy",
        fence=1,
        ticket="k-1",
        admission="right",
        right_document="{}",
        granted_seconds=60.0,
        start_by_boot_seconds=1.0,
        deadline_boot_seconds=2.0,
        boot_id="boot-1",
        state="ended",
        made_at=1,
        extends_itself=0,
    )


@asynccontextmanager
async def agent_in(folder: Path, reset: str = "count") -> AsyncIterator[Agent]:
    """Give an agent whose device has just been left, with the traces of who used it."""
    profile = folder / "home" / "profile"
    profile.mkdir(parents=True)
    (profile / "trace").write_text("somebody was here")
    async with terminal_in(folder) as terminal:
        agent = Agent(terminal, reset)
        agent.use()
        try:
            yield agent
        finally:
            agent.journal.close()


def resets(folder: Path) -> int:
    """Return how often the device was reset."""
    counted = folder / "count"
    return len(counted.read_text().splitlines()) if counted.exists() else 0


async def test_c6_a_device_is_emptied_and_reset_before_it_is_available(tmp_path: Path):
    async with agent_in(tmp_path) as agent, agent.at_work():
        await agent.stands(DeviceState.AVAILABLE)
        assert (list((tmp_path / "home" / "profile").iterdir()), resets(tmp_path)) == ([], 1)
        assert agent.orders == []


@pytest.mark.parametrize("cut", CUTS)
async def test_an_agent_that_is_killed_in_a_turnover_goes_on_with_it(tmp_path: Path, cut: str):
    """What it had asked for is done once, whether or not it had heard so."""
    async with agent_in(tmp_path) as agent:
        await agent.is_killed(cut)
        assert agent.now.state is DeviceState.TURNOVER
        async with agent.at_work():
            await agent.stands(DeviceState.AVAILABLE)
        assert (list((tmp_path / "home" / "profile").iterdir()), resets(tmp_path)) == ([], 1)


@pytest.mark.parametrize("cut", [cut for cut in CUTS if cut.startswith("after")])
async def test_a_runner_that_is_killed_in_a_turnover_is_asked_again(tmp_path: Path, cut: str):
    """A reset that was cut off is begun anew: nobody knows what it has done."""
    async with agent_in(tmp_path) as agent:
        await agent.is_killed(cut)
        await agent.terminal.kill_runner()
        await agent.terminal.start_runner()
        async with agent.at_work():
            await agent.stands(DeviceState.AVAILABLE)
        assert list((tmp_path / "home" / "profile").iterdir()) == []
        assert resets(tmp_path) in {1, 2}


async def test_a_reset_that_fails_puts_its_device_out_of_order(tmp_path: Path):
    async with agent_in(tmp_path, "fails") as agent, agent.at_work():
        now = await agent.stands(DeviceState.OUT_OF_ORDER)
        assert (now.fault, now.detail) == ("reset_failed", "fails ended with 3")
        assert agent.orders == [(DEVICE, True)]


async def test_a_wipe_that_fails_puts_its_device_out_of_order(tmp_path: Path):
    profile = tmp_path / "home" / "profile"
    async with agent_in(tmp_path) as agent:
        moved = profile.rename(tmp_path / "elsewhere")
        profile.symlink_to(moved)
        async with agent.at_work():
            now = await agent.stands(DeviceState.OUT_OF_ORDER)
        assert now.fault == "wipe_failed"
        assert (resets(tmp_path), len(list(moved.iterdir()))) == (0, 1)


async def test_without_a_runner_it_stays_in_turnover_until_there_is_one(tmp_path: Path):
    async with agent_in(tmp_path) as agent:
        await agent.terminal.kill_runner()
        async with agent.at_work():
            await asyncio.sleep(0)
            assert agent.now.state is DeviceState.TURNOVER
            assert agent.journal.transact(devices.states)[DEVICE].step == "wipe"
            await agent.terminal.start_runner()
            await agent.stands(DeviceState.AVAILABLE)

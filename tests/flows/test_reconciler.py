"""What should run and what does: whoever comes back looks first, and judges then (C6)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from common.messages.rights import Right
from common.rules.sessions import START_WITHIN_SECONDS, EndReason
from edge_agent.flows import sessions
from edge_agent.ports import ProgramSeen, RunnerIsAway
from edge_agent.reconciler import Reconciler
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import TerminalInHand, a_program


@dataclass
class RunnerInHand:
    """A runner that keeps what the test says, and notes what it was asked."""

    kept: list[ProgramSeen] = field(default_factory=list)
    is_away: bool = False
    answers_are_lost: bool = False
    asked: list[str] = field(default_factory=list)

    async def start(self, due: sessions.ToStart) -> ProgramSeen | EndReason:
        self._ask(f"start {due.session}")
        begun = a_program(due.session, "running", started_at=1)
        self.kept.append(begun)
        if self.answers_are_lost:
            raise RunnerIsAway(socket="/run/runner.sock")
        return begun

    async def extend(self, session: str, deadline_boot_seconds: float) -> ProgramSeen | None:
        self._ask(f"extend {session} {deadline_boot_seconds}")
        if self.answers_are_lost:
            raise RunnerIsAway(socket="/run/runner.sock")
        return next((seen for seen in self.kept if seen.session == session), None)

    async def resume(self, session: str, deadline_boot_seconds: float) -> ProgramSeen | None:
        self._ask(f"resume {session} {deadline_boot_seconds}")
        found = next((seen for seen in self.kept if seen.session == session), None)
        return None if found is None else replace(found, waits=False)

    async def stop(self, session: str, reason: EndReason) -> ProgramSeen | None:
        self._ask(f"stop {session} {reason}")
        return None

    async def list(self) -> Sequence[ProgramSeen]:
        self._ask("list")
        return tuple(self.kept)

    async def forget(self, session: str) -> None:
        self._ask(f"forget {session}")

    def _ask(self, what: str) -> None:
        if self.is_away:
            raise RunnerIsAway(socket="/run/runner.sock")
        self.asked.append(what)


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with one device on offer."""
    return house.confirmed("a")


@pytest.fixture
def session(house: HouseInHand, terminal: TerminalInHand) -> str:
    """Return a session that has its right, and nothing else yet."""
    (device,) = house.devices_of(terminal)
    right = house.scan(terminal, device, house.book(device))
    assert isinstance(right, Right)
    return str(right.document["session"])


async def reconciled(terminal: TerminalInHand, runner: RunnerInHand, *, again: int = 0) -> None:
    """Let an agent that has just started close what differences it can."""
    made = Reconciler(terminal.journal, runner)
    made.on_connected()
    loop = asyncio.create_task(made.run())
    for _ in range(1 + again):
        await asyncio.sleep(0.05)
        made.nudge()
    await asyncio.sleep(0.05)
    loop.cancel()


def state_of(terminal: TerminalInHand, session: str) -> str:
    """Return how far a session has come by the journal."""
    (row,) = [row for row in terminal.rows("sessions") if row["session"] == session]
    return str(row["state"])


async def test_what_the_runner_has_begun_is_not_failed_by_an_agent_that_comes_back_late(
    house, terminal, session
):
    """Killed before it could note the answer, it would give a ticket back that is in use."""
    runner = RunnerInHand(kept=[a_program(session, "running", started_at=house.clock.now)])
    house.clock.move(START_WITHIN_SECONDS + 1)
    await reconciled(terminal, runner)
    assert state_of(terminal, session) == "running"
    assert runner.asked == ["list"]
    assert terminal.told_types()[-1] == "session.running"


async def test_what_nobody_has_begun_in_time_fails_when_the_runner_says_so(
    house, terminal, session
):
    house.clock.move(START_WITHIN_SECONDS + 1)
    await reconciled(terminal, RunnerInHand(is_away=True))
    assert state_of(terminal, session) == "starting"
    await reconciled(terminal, RunnerInHand())
    assert state_of(terminal, session) == "failed"


async def test_an_answer_that_is_lost_is_looked_for_before_anything_is_judged(
    house, terminal, session
):
    runner = RunnerInHand(answers_are_lost=True)
    await reconciled(terminal, runner, again=1)
    assert runner.asked == ["list", f"start {session}", "list"]
    assert state_of(terminal, session) == "running"
    assert house.clock.now

"""The runner with real programs: each starts once, runs to its deadline and is gone after it."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from pathlib import Path

import pytest

from common.rules.sessions import EndReason, SessionState
from edge_agent.flows.sessions import ToStart
from edge_agent.ports import RunnerIsAway
from edge_agent.runner.beside import RunnerBeside
from edge_agent.runner.deadlines import Deadlines
from edge_agent.runner.link import ANSWER_SECONDS_MAX
from edge_agent.runner.wire import (
    REMAINING_SECONDS_MAX,
    EventKind,
    ProgramRecord,
    Refusal,
    StartProgram,
)
from tests.rim.runner_kit import (
    Terminal,
    a_start,
    is_there,
    parts_in,
    stubborn_in,
    terminal_in,
)
from tests.waiting import until

LATE_SECONDS_MAX = 0.3
"""How late an end may be seen here, on a busy machine, of a program that leaves when asked."""

STALL_SECONDS = 1.5
"""How long a runner stands still: shorter than the link waits for an answer."""


@pytest.mark.alone
async def test_a_program_starts_runs_and_ends_on_time(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        asked_at = terminal.clock.boot_seconds()
        started = await terminal.link.start(a_start(remaining_seconds=1.0))
        assert isinstance(started, ProgramRecord)
        assert started.state is SessionState.RUNNING
        assert len(terminal.programs()) == 1
        ended = await terminal.event(EventKind.ENDED, "s-1")
        late = terminal.clock.boot_seconds() - asked_at - 1.0
        assert 0 <= late < LATE_SECONDS_MAX, f"{late:.3f} s late"
        assert ended.record.end_reason is EndReason.TIME_UP
        assert ended.record.delivered_seconds == pytest.approx(1.0, abs=0.1)
        assert ended.record.remaining_seconds == 0
        assert terminal.programs() == []


async def test_two_starts_of_one_session_start_one_program(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        first, again = await asyncio.gather(
            terminal.link.start(a_start()), terminal.link.start(a_start())
        )
        assert isinstance(first, ProgramRecord)
        assert isinstance(again, ProgramRecord)
        assert (first.session, first.started_at) == (again.session, again.started_at)
        assert len(terminal.programs()) == 1


async def test_a_stubborn_family_is_ended_whole_and_a_stranger_lives(tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    async with terminal_in(tmp_path / "terminal") as terminal:
        stranger = await asyncio.create_subprocess_exec(*stubborn_in(elsewhere))
        try:
            await until(lambda: len(parts_in(elsewhere)) == 4)
            asked_at = terminal.clock.boot_seconds()
            await terminal.link.start(a_start(program="stubborn", remaining_seconds=1.0))
            await until(lambda: len(parts_in(terminal.folder)) == 4)
            ended = await terminal.event(EventKind.ENDED, "s-1")
            assert terminal.clock.boot_seconds() - asked_at - 1.0 < 1.0
            assert ended.record.end_reason is EndReason.TIME_UP
            assert not any(map(is_there, parts_in(terminal.folder))), "none, and no zombie"
            assert all(map(is_there, parts_in(elsewhere)))
        finally:
            for pid in parts_in(elsewhere):
                os.kill(pid, signal.SIGKILL)
            await stranger.wait()


async def test_a_stop_ends_a_program_at_once_and_a_second_stop_changes_nothing(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.start(a_start())
        stopped = await terminal.link.stop("s-1", EndReason.STAFF_ENDED)
        assert isinstance(stopped, ProgramRecord)
        assert stopped.state is SessionState.ENDING
        await terminal.event(EventKind.ENDED, "s-1")
        again = await terminal.link.stop("s-1", EndReason.EMERGENCY)
        assert isinstance(again, ProgramRecord)
        assert (again.state, again.end_reason) == (SessionState.ENDED, EndReason.STAFF_ENDED)
        assert again.remaining_seconds > 59
        assert await terminal.link.stop("s-9", EndReason.STAFF_ENDED) is Refusal.UNKNOWN_SESSION


@pytest.mark.parametrize(
    ("program", "reason"),
    [("quits", EndReason.PROGRAM_FAILED), ("crashes", EndReason.PROGRAM_FAILED)],
)
async def test_a_program_that_leaves_at_once_ends_its_session(
    tmp_path: Path, program: str, reason: EndReason
):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.start(a_start(program=program))
        assert (await terminal.event(EventKind.ENDED, "s-1")).record.end_reason is reason


async def test_a_program_that_cannot_start_is_broken_however_often_it_is_asked(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        assert await terminal.link.start(a_start(program="missing")) is Refusal.CANNOT_START
        assert await terminal.link.start(a_start(program="missing")) is Refusal.CANNOT_START
        failed = await terminal.event(EventKind.FAILED, "s-1")
        assert failed.record.end_reason is EndReason.PROGRAM_FAILED
        assert failed.record.delivered_seconds == 0


@pytest.mark.alone
async def test_a_slow_program_runs_when_it_has_had_its_time_to_get_ready(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        started = await terminal.link.start(a_start(program="slow", remaining_seconds=1.0))
        assert isinstance(started, ProgramRecord)
        assert started.state is SessionState.STARTING
        await terminal.event(EventKind.RUNNING, "s-1")
        ended = await terminal.event(EventKind.ENDED, "s-1")
        assert ended.record.delivered_seconds == pytest.approx(0.6, abs=0.1)


async def test_a_program_whose_time_is_extended_while_it_starts_gets_ready_all_the_same(
    tmp_path: Path,
):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.start(a_start(program="slow"))
        await terminal.link.extend("s-1", terminal.clock.boot_seconds() + 120)
        running = await terminal.event(EventKind.RUNNING, "s-1")
        assert running.record.granted_seconds == pytest.approx(120, abs=1)


async def test_a_program_stopped_before_it_was_ready_has_failed(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.start(a_start(program="slow"))
        await terminal.link.stop("s-1", EndReason.SUPERSEDED)
        failed = await terminal.event(EventKind.FAILED, "s-1")
        assert failed.record.end_reason is EndReason.SUPERSEDED
        assert terminal.programs() == []


async def test_warnings_come_in_order_and_only_those_that_fit(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.start(a_start(remaining_seconds=2.3))
        await terminal.event(EventKind.ENDED, "s-1")
        assert [(event.kind, event.seconds_left) for event in terminal.events] == [
            (EventKind.RUNNING, None),
            (EventKind.WARNED, 2),
            (EventKind.WARNED, 1),
            (EventKind.ENDED, None),
        ]


@pytest.mark.alone
async def test_an_extension_moves_the_end(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        asked_at = terminal.clock.boot_seconds()
        await terminal.link.start(a_start(remaining_seconds=0.5))
        extended = await terminal.link.extend("s-1", asked_at + 1.2)
        assert isinstance(extended, ProgramRecord)
        assert extended.granted_seconds == pytest.approx(1.2, abs=0.1)
        again = await terminal.link.extend("s-1", asked_at + 1.2)
        assert isinstance(again, ProgramRecord)
        assert again.granted_seconds == extended.granted_seconds
        await terminal.event(EventKind.ENDED, "s-1")
        assert 0 <= terminal.clock.boot_seconds() - asked_at - 1.2 < LATE_SECONDS_MAX
        assert await terminal.link.extend("s-1", asked_at + 9.0) is Refusal.ALREADY_ENDED


@pytest.mark.parametrize(
    ("remaining_seconds", "refusal"),
    [
        (-1.0, Refusal.TOO_LATE),
        (0.0, Refusal.TOO_LATE),
        (REMAINING_SECONDS_MAX + 60.0, Refusal.BAD_REQUEST),
    ],
)
async def test_a_deadline_lies_ahead_and_not_beyond_a_week(
    tmp_path: Path, remaining_seconds: float, refusal: Refusal
):
    async with terminal_in(tmp_path) as terminal:
        wrong = a_start(remaining_seconds=remaining_seconds)
        assert await terminal.link.start(wrong) is refusal
        assert terminal.programs() == []
        assert isinstance(await terminal.link.start(a_start()), ProgramRecord), "no fence was spent"
        assert await terminal.link.extend("s-1", wrong.deadline_boot_seconds) is refusal


@pytest.mark.alone
async def test_a_start_that_waits_for_a_stalled_runner_ends_at_the_deadline_all_the_same(
    tmp_path: Path,
):
    async with terminal_in(tmp_path) as terminal:
        start = a_start(remaining_seconds=STALL_SECONDS + 0.5)
        started = await _asked_before_a_stall(terminal, start)
        assert isinstance(started, ProgramRecord)
        assert started.granted_seconds <= 0.5
        await terminal.event(EventKind.ENDED, "s-1")
        late = terminal.clock.boot_seconds() - start.deadline_boot_seconds
        assert 0 <= late < LATE_SECONDS_MAX, f"{late:.3f} s late"
        assert terminal.programs() == []


async def test_a_start_that_a_stall_made_too_late_starts_nothing(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        start = a_start(remaining_seconds=STALL_SECONDS / 2)
        assert await _asked_before_a_stall(terminal, start) is Refusal.TOO_LATE
        assert await terminal.link.list() == ()
        assert terminal.programs() == []


@pytest.mark.parametrize(
    ("program", "ahead_seconds", "reason"),
    [("game", -1.0, EndReason.START_TIMEOUT), ("missing", 60.0, EndReason.PROGRAM_FAILED)],
)
async def test_the_agent_hears_why_a_start_came_to_nothing(
    tmp_path: Path, program: str, ahead_seconds: float, reason: EndReason
):
    async with terminal_in(tmp_path) as terminal:
        due = ToStart(
            session="s-1",
            device="d-1",
            program=program,
            fence=1,
            deadline_boot_seconds=terminal.clock.boot_seconds() + ahead_seconds,
        )
        assert await RunnerBeside(terminal.link).start(due) is reason


async def test_a_start_that_may_not_be_is_refused_and_starts_nothing(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.start(a_start(fence=5))
        start = terminal.link.start
        assert await start(a_start("s-2", program="other", fence=6)) is Refusal.UNKNOWN_PROGRAM
        assert await start(a_start("s-2", fence=6)) is Refusal.DEVICE_IN_USE
        assert await start(a_start("s-2", fence=5)) is Refusal.LATE_FENCE
        assert await start(a_start("s-1", device="d-2", fence=5)) is Refusal.BAD_REQUEST
        assert len(terminal.programs()) == 1


async def test_a_late_start_does_nothing_even_after_all_is_forgotten(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.start(a_start(program="quits", fence=5))
        assert await terminal.link.forget("s-1") in {None, Refusal.STILL_LIVE}
        await terminal.event(EventKind.ENDED, "s-1")
        assert await terminal.link.forget("s-1") is None
        assert await terminal.link.forget("s-1") is None
        assert await terminal.link.list() == ()
        assert await terminal.link.start(a_start(fence=5)) is Refusal.LATE_FENCE


async def test_a_live_session_is_not_forgotten(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.start(a_start())
        assert await terminal.link.forget("s-1") is Refusal.STILL_LIVE


async def test_the_list_tells_all_in_pages(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        names = [f"s-{number:02}" for number in range(30)]
        for name in names:
            await terminal.link.start(a_start(name, device=f"d-{name}", program="missing"))
        assert [record.session for record in await terminal.link.list()] == names


async def test_a_disk_that_takes_nothing_refuses_starts_but_ends_what_runs(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.start(a_start(remaining_seconds=1.0))
        resource.prlimit(terminal.runner.pid, resource.RLIMIT_FSIZE, (0, 0))
        assert await terminal.link.start(a_start("s-2", device="d-2")) is Refusal.NOT_JOURNALLED
        await terminal.event(EventKind.ENDED, "s-1")
        assert terminal.programs() == []


async def test_two_runners_leave_each_others_programs_alone(tmp_path: Path):
    async with terminal_in(tmp_path / "one") as one, terminal_in(tmp_path / "two") as two:
        await one.link.start(a_start())
        await two.link.start(a_start())
        await two.kill_runner()
        await two.start_runner()
        await two.link.stop("s-1", EndReason.STAFF_ENDED)
        await two.event(EventKind.ENDED, "s-1")
        assert len(one.programs()) == 1
        assert two.programs() == []


async def test_whoever_asks_while_the_runner_is_away_is_told_so_in_time(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.list()
        await terminal.kill_runner()
        asked_at = terminal.clock.boot_seconds()
        with pytest.raises(RunnerIsAway):
            await terminal.link.list()
        assert terminal.clock.boot_seconds() - asked_at < ANSWER_SECONDS_MAX + 0.5
        await terminal.start_runner()
        assert await terminal.link.list() == ()


async def test_a_runner_with_nothing_to_do_never_wakes_up(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.start(a_start(program="quits"))
        await terminal.event(EventKind.ENDED, "s-1")
        await terminal.link.list()
        before = _wake_ups(terminal)
        await asyncio.sleep(2)  # the span that is measured
        assert _wake_ups(terminal) - before <= 2, "no more than its going to sleep"


async def test_time_spent_asleep_counts():
    clock = _SleepyClock()
    deadlines, rung = Deadlines(clock), asyncio.Event()
    keeping = asyncio.create_task(deadlines.run())
    deadlines.ring_at(3600.0, rung.set)
    await asyncio.sleep(0)
    clock.seconds = 7200.0  # the lid was closed for two hours
    async with asyncio.timeout(1):
        await rung.wait()
    keeping.cancel()


class _SleepyClock:
    seconds = 0.0

    def boot_seconds(self) -> float:
        return self.seconds

    def now_ms(self) -> int:
        return 0

    def is_synchronised(self) -> bool:
        return False


async def _asked_before_a_stall(terminal: Terminal, start: StartProgram) -> ProgramRecord | Refusal:
    """Return the answer to a start that lay in the runner's socket while it stood still."""
    terminal.runner.send_signal(signal.SIGSTOP)
    await until(lambda: _state(terminal) == "T")
    asking = asyncio.create_task(terminal.link.start(start), name="start")
    await asyncio.sleep(STALL_SECONDS)  # the fault itself: it lasts
    terminal.runner.send_signal(signal.SIGCONT)
    return await asking


def _state(terminal: Terminal) -> str:
    return Path(f"/proc/{terminal.runner.pid}/stat").read_text().rpartition(")")[2].split()[0]


def _wake_ups(terminal: Terminal) -> int:
    status = Path(f"/proc/{terminal.runner.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("voluntary_ctxt"))
    return int(line.split()[1])

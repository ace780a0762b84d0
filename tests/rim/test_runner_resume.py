"""After a power cut: a session waits for its ticket, goes on once with what was left, or is over.

A power cut here: runner and programs are killed at once, and the next runner finds another boot id.
What was not written is not there: every write of the records is on the disk when it returns.
"""

from __future__ import annotations

import signal
import sqlite3
from pathlib import Path

import pytest

from common.rules.sessions import EndReason, SessionState
from edge_agent.runner.records import FILE_NAME
from edge_agent.runner.tree import send
from edge_agent.runner.wire import EventKind, ProgramRecord, Refusal
from tests.rim.runner_kit import Terminal, a_start, settled, terminal_in
from tests.waiting import until

LIMIT_SECONDS = 600.0
FAR = 1_000_000_000.0
"""An instant since boot that caps nothing."""

AS_IF_FOR_20_SECONDS = "UPDATE sessions SET delivered_seconds = 20, remaining_seconds = 40"


async def test_a_session_goes_on_with_what_was_left_up_to_the_earlier_deadline(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await _cut_off(terminal)
        (waiting,) = await terminal.link.list()
        assert (waiting.state, waiting.waits) == (SessionState.RUNNING, True)
        assert terminal.programs() == []
        until_then = terminal.clock.boot_seconds() + 1.5
        for _ in range(2):
            resumed = await terminal.link.resume("s-1", until_then)
            assert isinstance(resumed, ProgramRecord)
            assert (resumed.waits, resumed.was_interrupted) == (False, True)
            assert resumed.remaining_seconds == pytest.approx(1.5, abs=1.5)
            assert len(terminal.programs()) == 1
        ended = await terminal.event(EventKind.ENDED, "s-1")
        assert ended.record.end_reason is EndReason.TIME_UP
        assert ended.record.delivered_seconds == pytest.approx(21.5, abs=0.5)


async def test_how_long_the_power_was_gone_counts_as_soon_as_it_is_known(tmp_path: Path):
    """A PC that has just started hears from a time server later than its runner decides."""
    async with terminal_in(tmp_path) as terminal:
        checkpoint_at = terminal.clock.now_ms() - 10_000
        await _cut_off(terminal, as_if=f"{AS_IF_FOR_20_SECONDS}, checkpoint_at = {checkpoint_at}")
        (waiting,) = await terminal.link.list()
        assert waiting.remaining_seconds == pytest.approx(40, abs=5)
        (tmp_path / "time_is_kept").touch()
        resumed = await terminal.link.resume("s-1", FAR)
        assert isinstance(resumed, ProgramRecord)
        passed_seconds = (terminal.clock.now_ms() - checkpoint_at) / 1000
        assert resumed.remaining_seconds == pytest.approx(40 - passed_seconds, abs=0.5)


async def test_a_runner_that_may_goes_on_by_itself(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await _cut_off(terminal, requires_scan=False)
        (record,) = await terminal.link.list()
        assert (record.waits, record.was_interrupted) == (False, True)
        assert len(terminal.programs()) == 1


async def test_a_session_that_nobody_comes_back_to_ends_as_it_stood(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await _cut_off(terminal, limit_seconds=0.2)
        (ended,) = await settled(terminal)
        assert (ended.end_reason, ended.delivered_seconds) == (EndReason.POWER_LOSS, 20)
        assert await terminal.link.resume("s-1", FAR) is Refusal.ALREADY_ENDED


async def test_a_stop_while_it_waits_ends_it_by_what_it_was_interrupted_by(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await _cut_off(terminal, signal.SIGTERM)
        await terminal.link.stop("s-1", EndReason.TIME_UP)
        ended = await terminal.event(EventKind.ENDED, "s-1")
        assert ended.record.end_reason is EndReason.REBOOT
        assert ended.record.delivered_seconds == 20


async def test_a_runner_killed_at_any_step_finds_in_its_row_what_was_to_be_done(tmp_path: Path):
    """Killed while it waits; before it could start what it wrote; right after it has started it."""
    async with terminal_in(tmp_path) as terminal:
        await _cut_off(terminal)
        await terminal.kill_runner()
        await terminal.start_runner()
        (waiting,) = await terminal.link.list()
        assert waiting.waits
        await terminal.link.resume("s-1", FAR)
        (program,) = terminal.programs()
        await terminal.kill_runner()
        send(program, signal.SIGKILL)
        await until(lambda: not terminal.programs())
        _rewrite(terminal, "UPDATE sessions SET pid = NULL, born_ticks = NULL")
        await terminal.start_runner()
        await until(lambda: len(terminal.programs()) == 1)
        (started,) = terminal.programs()
        await terminal.kill_runner()
        _rewrite(terminal, "UPDATE sessions SET pid = NULL, born_ticks = NULL")
        await terminal.start_runner()
        assert terminal.programs() == [started]
        (record,) = await terminal.link.list()
        assert (record.state, record.waits) == (SessionState.RUNNING, False)
        await _cut_off(terminal, boot="boot-3")
        (ended,) = await terminal.link.list()
        assert (ended.state, ended.end_reason) == (SessionState.ENDED, EndReason.POWER_LOSS)
        assert terminal.programs() == [], "a second power cut is the end"


async def test_a_start_that_never_ran_is_not_gone_on_with(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await _cut_off(terminal, program="slow", as_if="UPDATE sessions SET state = 'starting'")
        (failed,) = await terminal.link.list()
        assert (failed.state, failed.end_reason) == (SessionState.FAILED, EndReason.POWER_LOSS)


async def _cut_off(  # noqa: PLR0913 - what differs from case to case
    terminal: Terminal,
    number: signal.Signals = signal.SIGKILL,
    *,
    program: str = "game",
    limit_seconds: float = LIMIT_SECONDS,
    requires_scan: bool = True,
    boot: str = "boot-2",
    as_if: str = AS_IF_FOR_20_SECONDS,
) -> None:
    """Have a session run, cut the power, and start the runner in the next boot."""
    if boot == "boot-2":
        await terminal.link.start(a_start(program=program))
    programs = terminal.programs()
    await terminal.kill_runner(number)
    for each in programs:
        send(each, signal.SIGKILL)
    await until(lambda: not terminal.programs())
    _rewrite(terminal, as_if)
    terminal.settings.boot_id_file.write_text(f"{boot}\n")
    told = f"{limit_seconds} {int(requires_scan)}"
    (terminal.folder / "resume").write_text(told)
    await terminal.start_runner()


def _rewrite(terminal: Terminal, statement: str) -> None:
    """Change the records as a crash, or a night, would have left them."""
    file = sqlite3.connect(terminal.settings.state_folder / FILE_NAME)
    try:
        with file:
            file.execute(statement)
    finally:
        file.close()

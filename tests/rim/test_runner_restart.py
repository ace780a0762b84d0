"""The runner after it was cut off: what runs is taken up, and what has no session is ended."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
from pathlib import Path

import pytest

from common.rules.sessions import EndReason, SessionState
from edge_agent.runner.link import RunnerStarter
from edge_agent.runner.records import FILE_NAME
from edge_agent.runner.tree import send
from edge_agent.runner.wire import EventKind, ProgramRecord, Refusal
from tests.rim.runner_kit import (
    Terminal,
    a_program,
    a_start,
    parts_in,
    settled,
    terminal_in,
)
from tests.waiting import until

LATE_SECONDS_MAX = 0.3
"""How late an end may be seen here, on a busy machine, of a program that leaves when asked."""


@pytest.mark.alone
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_new_runner_adopts_the_program_and_ends_it_on_time(
    tmp_path: Path, number: signal.Signals
):
    async with terminal_in(tmp_path) as terminal:
        asked_at = terminal.clock.boot_seconds()
        await terminal.link.start(a_start(remaining_seconds=2.0))
        before = terminal.programs()
        assert await terminal.kill_runner(number) == (-9 if number is signal.SIGKILL else 0)
        assert terminal.programs() == before
        await terminal.start_runner()
        (adopted,) = await terminal.link.list()
        assert adopted.state is SessionState.RUNNING
        assert terminal.programs() == before
        ended = await terminal.event(EventKind.ENDED, "s-1")
        assert 0 <= terminal.clock.boot_seconds() - asked_at - 2.0 < LATE_SECONDS_MAX
        assert ended.record.end_reason is EndReason.TIME_UP
        assert ended.record.delivered_seconds == pytest.approx(2.0, abs=0.1)
        assert terminal.programs() == []


async def test_a_stubborn_family_is_ended_whole_by_a_runner_that_did_not_start_it(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.start(a_start(program="stubborn", remaining_seconds=60))
        await until(lambda: len(parts_in(tmp_path)) == 4)
        await terminal.kill_runner()
        await terminal.start_runner()
        await terminal.link.extend("s-1", terminal.clock.boot_seconds() + 0.5)
        await terminal.event(EventKind.ENDED, "s-1")
        assert terminal.programs() == []


@pytest.mark.alone
async def test_a_deadline_that_passed_without_a_runner_is_met_by_the_next(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.start(a_start(remaining_seconds=0.3))
        await terminal.kill_runner()
        await asyncio.sleep(0.3)  # the deadline passes: that is the test
        assert len(terminal.programs()) == 1
        await terminal.start_runner()
        await until(lambda: not terminal.programs())
        (ended,) = await terminal.link.list()
        assert ended.delivered_seconds == pytest.approx(0.3, abs=0.05)


async def test_a_program_started_but_not_yet_written_down_is_found_by_its_mark(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.start(a_start())
        before = terminal.programs()
        await terminal.kill_runner()
        _rewrite(
            terminal,
            "UPDATE sessions SET state = 'starting', pid = NULL, born_ticks = NULL,"
            " started_at = NULL, running_boot_seconds = NULL",
        )
        await terminal.start_runner()
        again = await terminal.link.start(a_start())
        assert isinstance(again, ProgramRecord)
        assert again.state is SessionState.RUNNING
        assert terminal.programs() == before


async def test_a_start_that_was_only_written_down_has_failed(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.start(a_start())
        (program,) = terminal.programs()
        await terminal.kill_runner()
        send(program, signal.SIGKILL)
        _rewrite(
            terminal,
            "UPDATE sessions SET state = 'starting', pid = NULL, born_ticks = NULL,"
            " started_at = NULL, running_boot_seconds = NULL",
        )
        await terminal.start_runner()
        (failed,) = await settled(terminal)
        assert failed.state is SessionState.FAILED
        assert failed.end_reason is EndReason.PROGRAM_FAILED
        again = await terminal.link.start(a_start())
        assert isinstance(again, ProgramRecord)
        assert again.state is SessionState.RUNNING
        (instead,) = terminal.programs()
        assert instead != program


async def test_a_program_that_left_without_a_witness_ended_for_an_unknown_reason(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.start(a_start())
        (program,) = terminal.programs()
        await terminal.kill_runner()
        send(program, signal.SIGKILL)
        await until(lambda: not terminal.programs())
        await terminal.start_runner()
        (ended,) = await settled(terminal)
        assert (ended.state, ended.end_reason) == (SessionState.ENDED, EndReason.UNKNOWN)


async def test_an_end_that_had_begun_is_finished_for_its_own_reason(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.start(a_start(program="stubborn"))
        await until(lambda: len(parts_in(tmp_path)) == 4)
        await terminal.link.stop("s-1", EndReason.REVOKED)
        await terminal.kill_runner()
        assert len(terminal.programs()) > 0
        await terminal.start_runner()
        ended = await terminal.event(EventKind.ENDED, "s-1")
        assert ended.record.end_reason is EndReason.REVOKED
        assert terminal.programs() == []


async def test_a_program_without_a_session_is_gone_within_five_seconds(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.start(a_start(program="stubborn"))
        await until(lambda: len(parts_in(tmp_path)) == 4)
        await terminal.kill_runner()
        for file in terminal.settings.state_folder.iterdir():
            file.unlink()
        began_at = terminal.clock.boot_seconds()
        await terminal.start_runner()
        await until(lambda: not terminal.programs())
        assert terminal.clock.boot_seconds() - began_at < 5


@pytest.mark.parametrize(
    ("number", "reason"),
    [(signal.SIGKILL, EndReason.POWER_LOSS), (signal.SIGTERM, EndReason.REBOOT)],
)
async def test_after_a_reboot_a_session_has_ended_with_what_was_delivered(
    tmp_path: Path, number: signal.Signals, reason: EndReason
):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.start(a_start())
        (program,) = terminal.programs()
        await terminal.kill_runner(number)
        send(program, signal.SIGKILL)
        _rewrite(terminal, "UPDATE sessions SET delivered_seconds = 20, remaining_seconds = 40")
        terminal.settings.boot_id_file.write_text("boot-2\n")
        await terminal.start_runner()
        (ended,) = await terminal.link.list()
        assert (ended.state, ended.end_reason) == (SessionState.ENDED, reason)
        assert (ended.delivered_seconds, ended.remaining_seconds) == (20, 40)


@pytest.mark.alone
async def test_a_running_session_is_written_down_every_five_seconds(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.start(a_start())
        journal = terminal.settings.state_folder / f"{FILE_NAME}-wal"
        before = journal.stat().st_mtime_ns
        asked_at = terminal.clock.boot_seconds()
        await until(lambda: journal.stat().st_mtime_ns > before)
        assert terminal.clock.boot_seconds() - asked_at < 5.5
        await terminal.kill_runner()
        (delivered,) = _rewrite(terminal, "SELECT delivered_seconds FROM sessions")
        assert delivered[0] == pytest.approx(5.0, abs=0.3)


async def test_a_starter_starts_one_runner_and_another_when_that_is_gone():
    starter = RunnerStarter(["/bin/sleep", "3600"])
    first = starter.start()
    assert starter.start() == first
    assert os.getsid(first) == first, "it outlives whoever started it"
    os.kill(first, signal.SIGKILL)
    await until(lambda: starter.start() != first)
    os.kill(starter.start(), signal.SIGKILL)


def _rewrite(terminal: Terminal, statement: str) -> list[tuple[float, ...]]:
    """Change the records as a crash, or a night, would have left them."""
    file = sqlite3.connect(terminal.settings.state_folder / FILE_NAME)
    try:
        with file:
            return file.execute(statement).fetchall()
    finally:
        file.close()


async def test_a_program_that_came_up_the_second_time_is_adopted_like_any_other(tmp_path: Path):
    game = tmp_path / "game"
    async with terminal_in(tmp_path, a_program("late", [str(game), "3600"])) as terminal:
        refused = await terminal.link.start(a_start(program="late"))
        assert refused is Refusal.CANNOT_START
        shutil.copy("/bin/sleep", game)
        assert isinstance(await terminal.link.start(a_start(program="late")), ProgramRecord)
        before = terminal.programs()
        await terminal.kill_runner()
        await terminal.start_runner()
        (adopted,) = await terminal.link.list()
        assert (adopted.state, adopted.end_reason) == (SessionState.RUNNING, None)
        assert terminal.programs() == before

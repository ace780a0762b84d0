"""Programs that give trouble: each ends as the table in docs/states.md says, and leaves nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from common.rules.sessions import EndReason, SessionState
from edge_agent.runner.tree import send
from edge_agent.runner.wire import EventKind, ProgramRecord, Refusal
from tests.rim.runner_kit import (
    Terminal,
    a_program,
    a_start,
    fickle,
    terminal_in,
)
from tests.waiting import PATIENCE_SECONDS, until

TWICE = "{ times = 2, within_seconds = 60 }"
SOON = "within_seconds = 0.6"


async def test_a_program_that_crashes_in_a_loop_is_broken_until_it_is_mended(tmp_path: Path):
    loops = a_program("loops", fickle("loops", tmp_path / "starts"), restarts=TWICE)
    async with terminal_in(tmp_path, loops) as terminal:
        await terminal.link.start(a_start(program="loops"))
        ended = (await terminal.event(EventKind.ENDED, "s-1")).record
        assert (await terminal.event(EventKind.BROKEN, "s-1")).record.is_broken
        assert (ended.end_reason, ended.restarts) == (EndReason.PROGRAM_FAILED, 2)
        assert ended.is_broken
        assert (tmp_path / "starts").read_text() == "***"
        await terminal.kill_runner()
        await terminal.start_runner()
        again = a_start("s-2", program="loops", fence=2)
        assert await terminal.link.start(again) is Refusal.BROKEN, "also for the next runner"
        assert isinstance(await terminal.link.start(a_start("s-3", fence=3)), ProgramRecord)
        await terminal.link.stop("s-3", EndReason.STAFF_ENDED)
        await terminal.event(EventKind.ENDED, "s-3")
        assert await terminal.link.mend("d-1", "loops") is None
        again = a_start("s-2", program="loops", fence=4)
        assert isinstance(await terminal.link.start(again), ProgramRecord)
        await terminal.event(EventKind.ENDED, "s-2")
        assert terminal.programs() == []


@pytest.mark.alone
async def test_a_program_that_recovers_costs_the_customer_nothing_of_what_was_lost(tmp_path: Path):
    recovers = a_program("recovers", fickle("recovers", tmp_path / "starts"), restarts=TWICE)
    async with terminal_in(tmp_path, recovers) as terminal:
        await terminal.link.start(a_start(program="recovers", remaining_seconds=2.5))
        up = (await terminal.event(EventKind.RESTARTED, "s-1")).record
        assert up.state is SessionState.RUNNING
        ended = (await terminal.event(EventKind.ENDED, "s-1")).record
        assert (ended.end_reason, ended.restarts) == (EndReason.TIME_UP, 2)
        assert not ended.is_broken
        assert 0.4 <= ended.lost_seconds < 1.5
        assert ended.delivered_seconds + ended.lost_seconds == pytest.approx(2.5, abs=0.1)
        assert terminal.programs() == []


async def test_a_program_that_died_while_no_runner_looked_is_started_again(tmp_path: Path):
    fragile = a_program("fragile", ["/bin/sleep", "3600"], restarts=TWICE)
    async with terminal_in(tmp_path, fragile) as terminal:
        await terminal.link.start(a_start(program="fragile"))
        (program,) = terminal.programs()
        await terminal.kill_runner()
        send(program, signal.SIGKILL)
        await until(lambda: not terminal.programs())
        await terminal.start_runner()
        await until(lambda: bool(terminal.programs()))  # nobody may have been there to hear of it
        (instead,) = terminal.programs()
        assert instead != program
        (again,) = await terminal.link.list()
        assert (again.state, again.restarts) == (SessionState.RUNNING, 1)
        assert again.lost_seconds > 0


async def test_a_program_counts_as_running_when_it_shows_it(tmp_path: Path):
    async with _late_programs(tmp_path) as (terminal, kinds):
        asked_at = terminal.clock.boot_seconds()
        for kind in kinds:
            started = await terminal.link.start(a_start(kind, device=kind, program=kind))
            assert isinstance(started, ProgramRecord)
            assert started.state is SessionState.STARTING
        for kind in kinds:
            running = await terminal.event(EventKind.RUNNING, kind)
            assert running.record.ready_by == kind
            assert terminal.clock.boot_seconds() - asked_at >= 0.3, kind
            assert (tmp_path / f"{kind}.ready").exists(), kind


async def test_a_program_that_shows_nothing_in_time_has_not_started(tmp_path: Path):
    """A file that was there before, and a process of the same name outside, show nothing."""
    (tmp_path / "old").write_text("of yesterday")
    hangs = fickle("hangs", tmp_path / "starts")
    catalogue = (
        a_program("file", hangs, ready=f'{{ file = "{tmp_path / "old"}", {SOON} }}')
        + a_program("process", hangs, ready=f'{{ process = "sleep", {SOON} }}')
        + a_program("command", hangs, ready=f'{{ command = "fails", {SOON} }}')
        + a_program("port", hangs, ready=f"{{ port = PORT, {SOON} }}")
    )
    decoy = await asyncio.create_subprocess_exec("/bin/sleep", "3600")
    try:
        with socket.create_server(("127.0.0.1", 0)) as another:
            more = catalogue.replace("PORT", str(another.getsockname()[1]))
            async with terminal_in(tmp_path, more) as terminal:
                for kind in ("file", "process", "command", "port"):
                    await terminal.link.start(a_start(kind, device=kind, program=kind))
                for kind in ("file", "process", "command", "port"):
                    failed = (await terminal.event(EventKind.FAILED, kind)).record
                    assert failed.end_reason is EndReason.START_TIMEOUT, kind
                    assert failed.delivered_seconds == 0
                assert terminal.programs() == []
        assert decoy.returncode is None
    finally:
        decoy.kill()
        await decoy.wait()


async def test_a_program_that_crashes_and_is_never_ready_again_is_broken(tmp_path: Path):
    ready = f'{{ file = "{tmp_path / "starts.ready"}", {SOON} }}'
    once = "{ times = 1, within_seconds = 60 }"
    sticks = a_program("sticks", fickle("sticks", tmp_path / "starts"), ready=ready, restarts=once)
    async with terminal_in(tmp_path, sticks) as terminal:
        await terminal.link.start(a_start(program="sticks"))
        ended = (await terminal.event(EventKind.ENDED, "s-1")).record
        assert (ended.end_reason, ended.is_broken) == (EndReason.PROGRAM_FAILED, True)
        assert ended.lost_seconds >= 0.6
        assert 0 < ended.delivered_seconds < 3
        assert terminal.programs() == []


async def test_a_program_that_is_ended_since_it_hangs_has_failed_once_by_that(tmp_path: Path):
    """Else two of it are started, and half of its restarts are used up by our own kill."""
    ready = f'{{ file = "{tmp_path / "starts.ready"}", {SOON} }}'
    sticks = a_program("sticks", fickle("sticks", tmp_path / "starts"), ready=ready, restarts=TWICE)
    async with terminal_in(tmp_path, sticks) as terminal:
        await terminal.link.start(a_start(program="sticks"))
        ended = (await terminal.event(EventKind.ENDED, "s-1")).record
        assert (ended.restarts, ended.is_broken) == (2, True)
        assert (tmp_path / "starts").read_text() == "***"
        assert terminal.programs() == []


async def test_a_customer_who_leaves_the_program_has_ended_the_session(tmp_path: Path):
    leaves = a_program("leaves", ["/bin/sleep", "2.1"], restarts=TWICE)
    async with terminal_in(tmp_path, leaves) as terminal:
        await terminal.link.start(a_start(program="leaves"))
        ended = (await terminal.event(EventKind.ENDED, "s-1")).record
        assert (ended.end_reason, ended.restarts) == (EndReason.CUSTOMER_ENDED, 0)


async def test_a_program_is_asked_to_leave_in_its_own_way(tmp_path: Path):
    by_signal = a_program("signal", fickle("polite", tmp_path / "signal"), stop_signal='"INT"')
    by_command = a_program(
        "command", fickle("polite", tmp_path / "command"), stop_command='"interrupt"'
    )
    interrupt = f"""
[commands.interrupt]
argv = ["/usr/bin/pkill", "-INT", "-f", "polite {tmp_path / "command"}"]
"""
    async with terminal_in(tmp_path, by_signal + by_command + interrupt) as terminal:
        for way in ("signal", "command"):
            await terminal.link.start(a_start(way, device=way, program=way))
            await until((tmp_path / way).exists)
            await terminal.link.stop(way, EndReason.STAFF_ENDED)
            await terminal.event(EventKind.ENDED, way)
            assert (tmp_path / f"{way}.left").exists(), way


async def test_a_program_that_others_could_exchange_is_not_started(tmp_path: Path):
    open_folder = tmp_path / "open"
    open_folder.mkdir(mode=0o700)
    shutil.copy("/bin/true", open_folder / "game")
    (tmp_path / "link").symlink_to(open_folder / "game")
    open_folder.chmod(0o777)
    catalogue = a_program("there", [f"{open_folder}/game"]) + a_program(
        "led-there", [f"{tmp_path}/link"]
    )
    async with terminal_in(tmp_path, catalogue) as terminal:
        for name in ("there", "led-there"):
            start = a_start(name, device=name, program=name)
            assert await terminal.link.start(start) is Refusal.CANNOT_START


async def test_a_program_has_the_rights_of_its_user_and_only_where_the_runner_may(tmp_path: Path):
    catalogue = a_program("theirs", ["/bin/sleep", "3600"], user='"nobody"') + a_program(
        "whose", ["/bin/sleep", "3600"], user='"nobody-at-all"'
    )
    async with terminal_in(tmp_path, catalogue) as terminal:
        refused = await terminal.link.start(a_start("s-2", device="d-2", program="whose"))
        assert refused is Refusal.CANNOT_START
        started = await terminal.link.start(a_start(program="theirs"))
        if os.geteuid() != 0:
            assert started is Refusal.CANNOT_START
            return
        (program,) = terminal.programs()
        assert _owner_of(program.pid) == "nobody"
        await terminal.link.stop("s-1", EndReason.STAFF_ENDED)
        await terminal.event(EventKind.ENDED, "s-1")
        assert terminal.programs() == []


@pytest.mark.skipif(
    not (shutil.which("Xvfb") and shutil.which("xterm")), reason="no Xvfb or no xterm on this PC"
)
async def test_a_program_with_a_window_counts_as_running_when_it_is_seen(tmp_path: Path):
    async with _screen() as display:
        draws = a_program(
            "draws",
            ["/usr/bin/xterm", "-T", "A game", "-e", "sleep 600"],
            display=f'"{display}"',
            ready='{ window = "game" }',
        )
        other = a_program(
            "other",
            ["/usr/bin/xterm", "-T", "Something else", "-e", "sleep 600"],
            display=f'"{display}"',
            ready=f'{{ window = "game", {SOON} }}',
        )
        async with terminal_in(tmp_path, draws + other) as terminal:
            await terminal.link.start(a_start(program="draws"))
            await terminal.event(EventKind.RUNNING, "s-1")
            await terminal.link.start(a_start("s-2", device="d-2", program="other"))
            failed = (await terminal.event(EventKind.FAILED, "s-2")).record
            assert failed.end_reason is EndReason.START_TIMEOUT, "another's window is not its own"
            await terminal.link.stop("s-1", EndReason.STAFF_ENDED)
            await terminal.event(EventKind.ENDED, "s-1")
            assert terminal.programs() == []


def _owner_of(pid: int) -> str:
    return Path(f"/proc/{pid}").owner()


@asynccontextmanager
async def _late_programs(folder: Path) -> AsyncIterator[tuple[Terminal, list[str]]]:
    """Give a terminal with a program for each way to show that it is there."""
    with socket.create_server(("127.0.0.1", 0)) as freed:
        port = freed.getsockname()[1]
    shown = {
        "process": '{ process = "fickle-and-late" }',
        "port": f"{{ port = {port} }}",
        "file": f'{{ file = "{folder / "file.ready"}" }}',
        "command": '{ command = "looks" }',
    }
    looks = f"""
[commands.looks]
argv = ["/usr/bin/test", "-e", "{folder / "command.ready"}"]
"""
    programs = (
        a_program(kind, fickle("late", folder / kind, port if kind == "port" else 0), ready=ready)
        for kind, ready in shown.items()
    )
    async with terminal_in(folder, looks + "".join(programs)) as terminal:
        yield terminal, list(shown)


@asynccontextmanager
async def _screen() -> AsyncIterator[str]:
    """Give a display that nobody sees."""
    read, write = os.pipe()
    server = await asyncio.create_subprocess_exec(
        *("Xvfb", "-displayfd", str(write), "-screen", "0", "640x480x24", "-nolisten", "tcp"),
        pass_fds=(write,),
        stderr=asyncio.subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as said:
            async with asyncio.timeout(PATIENCE_SECONDS):
                yield f":{(await asyncio.to_thread(said.readline)).strip()}"
    finally:
        server.terminate()
        await server.wait()

"""A program's end seen, and a whole tree ended, beside a bare pidfd and a bare killpg."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from common.system import SystemClock
from edge_agent.runner.catalogue import Program
from edge_agent.runner.groups import delegated
from edge_agent.runner.programs import Programs
from edge_agent.runner.tree import look
from tests.bench.figures import Measured, at_most, compared, quantile

REPETITIONS: Final = 5
ENDS: Final = 200
"""Of a repetition, each of ours beside one of the floor's, so that both see the same machine."""

PART: Final = 0.99

SEEN, SEEN_FLOOR = "stop_tree_seen", "pidfd"
ENDED, ENDED_FLOOR = "stop_tree", "killpg"
CERTAIN: Final = "until none is left for certain"

SEEN_RATIO_MAX: Final = 3.0
ENDED_RATIO_MAX: Final = 2.0

STUBBORN: Final = Path(__file__).parents[1] / "programs" / "stubborn.py"

CLOCK: Final = SystemClock()

SLEEP: Final = ("/bin/sleep", "3600")

FAMILY: Final = """
exec 9> "$0"
for _ in 1 2 3 4; do (trap '' TERM; exec sleep 3600) & done
printf x >&9
trap '' TERM
wait
"""
"""Five processes that hold a pipe open: when the last of them is gone, its reader knows."""

OBSERVER: Final = """
import sys, time
for line in sys.stdin:
    with open(line.strip(), "rb", 0) as pipe:
        pipe.read(1)
        print("there", flush=True)
        pipe.read(1)
    print(time.monotonic_ns(), flush=True)
"""
"""Stands apart from both, so that neither's own work delays its stopwatch."""


class Observer:
    """Says when a family is complete, and the instant at which all of it was gone."""

    def __init__(self, folder: Path) -> None:
        self.pipe = folder / "pipe"
        os.mkfifo(self.pipe)
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-c", OBSERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def wait_for_family(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{self.pipe}\n")
        assert self._process.stdout.readline() == "there\n"

    def gone_at_ns(self) -> int:
        assert self._process.stdout
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


async def measure() -> Measured:
    """End the same programs in the runner's way and in the barest one, in turns."""
    taken: dict[str, list[float]] = {
        name: [] for name in (SEEN, SEEN_FLOOR, ENDED, ENDED_FLOOR, CERTAIN)
    }
    with tempfile.TemporaryDirectory(prefix="rusuban-bench-") as name:
        folder = Path(name)
        programs = Programs(runner=name, clock=CLOCK, groups=delegated(name))
        programs.become_subreaper()
        observer = Observer(folder)
        for _ in range(REPETITIONS):
            once = await _ended_in_turns(programs, observer)
            for what, samples in once.items():
                taken[what].append(quantile(samples, PART))
            await _refuse_survivors(programs, folder)
        observer.close()
        programs.reap()
        assert not _zombies(), "each that ended is reaped"
    ended, floor = taken[ENDED], taken[ENDED_FLOOR]
    return Measured(
        figures=(
            compared(ENDED, ended, "ms", floor, ENDED_FLOOR, at_most(ENDED_RATIO_MAX)),
            compared(
                SEEN, taken[SEEN], "ms", taken[SEEN_FLOOR], SEEN_FLOOR, at_most(SEEN_RATIO_MAX)
            ),
        ),
        parts={CERTAIN: quantile(taken[CERTAIN], 0.5), "processes on this PC": len(look())},
    )


async def _ended_in_turns(programs: Programs, observer: Observer) -> dict[str, list[float]]:
    once: dict[str, list[float]] = {
        name: [] for name in (SEEN, SEEN_FLOOR, ENDED, ENDED_FLOOR, CERTAIN)
    }
    for number in range(ENDS):
        once[SEEN].append(await _seen_by_us(programs, f"seen-{number}"))
        once[SEEN_FLOOR].append(_seen_by_pidfd())
        ended, certain = await _ended_by_us(programs, observer, f"ended-{number}")
        once[ENDED].append(ended)
        once[CERTAIN].append(certain)
        once[ENDED_FLOOR].append(_ended_by_killpg(observer))
        programs.reap()
    return once


async def _seen_by_us(programs: Programs, session: str) -> float:
    gone = asyncio.Event()
    seen_at: list[int] = []
    leader = programs.start(session, Program(argv=SLEEP, environment={}))

    def note(_: int | None) -> None:
        seen_at.append(time.monotonic_ns())
        gone.set()

    programs.watch(leader, note)
    began = time.monotonic_ns()
    os.kill(leader.pid, signal.SIGKILL)
    await gone.wait()
    await programs.end(session, kill_at_boot_seconds=CLOCK.boot_seconds())
    return (seen_at[0] - began) / 1e6


def _seen_by_pidfd() -> float:
    child = subprocess.Popen(SLEEP, start_new_session=True)
    descriptor = os.pidfd_open(child.pid)
    with select.epoll() as waiting:
        waiting.register(descriptor, select.EPOLLIN)
        began = time.monotonic_ns()
        os.kill(child.pid, signal.SIGKILL)
        waiting.poll()
        seen_at = time.monotonic_ns()
    os.close(descriptor)
    child.wait()
    return (seen_at - began) / 1e6


async def _ended_by_us(programs: Programs, observer: Observer, session: str) -> tuple[float, float]:
    argv = ("/bin/sh", "-c", FAMILY, str(observer.pipe))
    programs.start(session, Program(argv=argv, environment={}))
    observer.wait_for_family()
    began = time.monotonic_ns()
    assert await programs.end(session, kill_at_boot_seconds=CLOCK.boot_seconds()) == 0
    certain_at = time.monotonic_ns()
    return (observer.gone_at_ns() - began) / 1e6, (certain_at - began) / 1e6


def _ended_by_killpg(observer: Observer) -> float:
    child = subprocess.Popen(("/bin/sh", "-c", FAMILY, str(observer.pipe)), start_new_session=True)
    observer.wait_for_family()
    began = time.monotonic_ns()
    os.killpg(child.pid, signal.SIGKILL)
    gone_at = observer.gone_at_ns()
    child.wait()
    return (gone_at - began) / 1e6


async def _refuse_survivors(programs: Programs, folder: Path) -> None:
    """End what killpg does not: a daemon that left the family, and one that wiped its marks."""
    argv = (sys.executable, "-S", str(STUBBORN), str(folder))
    programs.start("stubborn", Program(argv=argv, environment={}))
    pids = _all_parts(folder)
    assert await programs.end("stubborn", kill_at_boot_seconds=CLOCK.boot_seconds()) == 0
    programs.reap()
    assert not _there(pids), "no survivor, no zombie"


def _all_parts(folder: Path) -> list[int]:
    """Return the pids of a stubborn family, once it is complete, and take its notes away."""
    parts = [folder / part for part in ("leader", "child", "daemon", "stray")]
    while not all(part.exists() and part.read_text() for part in parts):
        time.sleep(0.01)
    pids = [int(part.read_text()) for part in parts]
    for part in parts:
        part.unlink()
    return pids


def _there(pids: list[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def _zombies() -> list[int]:
    return [pid for pid, seen in look().items() if seen.is_dead and seen.parent_pid == os.getpid()]

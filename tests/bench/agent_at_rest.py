"""Agent and runner of a terminal that nobody uses: processor, wake-ups, memory, beside an idle one.

Everything is real: a controller, its broker, an agent and its runner, as a store has them at night.
The memory's floor is a process of the same Python that has imported what the agent imports.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from tests.bench.figures import Figure, Measured, at_most, compared, limited, median
from tests.demo.world import SlotTerms, World, a_world

SETTLE_SECONDS: Final = 20.0
"""Until what is done once after a start is over: the look at this PC, the first exchange."""

WINDOW_SECONDS: Final = 40.0
"""Of one repetition: eight heartbeats."""

REPETITIONS: Final = 3

CORE_PER_CENT_MAX: Final = 0.02
WAKE_UPS_SECOND_MAX: Final = 1.0
MEMORY_RATIO_MAX: Final = 1.25

_LOADS = {"agent": "edge_agent.commands.serving", "runner": "edge_agent.commands.running"}
_IMPORTS = "import edge_agent.main, {}, sys; print(flush=True); sys.stdin.read()"


@dataclass(frozen=True, kw_only=True)
class Use:
    """What a process has used: nanoseconds of processors, and how often it woke up."""

    busy_ns: int
    wake_ups: int


async def measure() -> Measured:
    """Leave a terminal alone, and look at what it uses meanwhile."""
    return await asyncio.to_thread(_measure)


def _measure() -> Measured:
    with a_world(SlotTerms()) as world:
        processes = _processes(world)
        time.sleep(SETTLE_SECONDS)
        windows = [_window(processes) for _ in range(REPETITIONS)]
        memory = {name: _resident_mb(process.pid) for name, process in processes.items()}
    bare = {name: median([_bare_mb(name) for _ in range(REPETITIONS)]) for name in processes}
    figures: list[Figure] = []
    for name in processes:
        busy = [window[name].busy_ns / WINDOW_SECONDS / 1e9 * 100 for window in windows]
        woken = [window[name].wake_ups / WINDOW_SECONDS for window in windows]
        figures += [
            limited(f"{name}_at_rest", busy, "% of a core", CORE_PER_CENT_MAX),
            limited(f"{name}_wake_ups", woken, "a second", WAKE_UPS_SECOND_MAX),
            compared(
                f"{name}_memory",
                [memory[name]],
                "MB",
                [bare[name]],
                "its bare imports",
                at_most(MEMORY_RATIO_MAX),
            ),
        ]
    return Measured(figures=figures)


def _processes(world: World) -> dict[str, psutil.Process]:
    """Return the agent and its runner, by what they are."""
    terminal = world.add_terminal()
    agent = psutil.Process(terminal.agent.pid)  # type: ignore[union-attr] # it was started
    world.wait_until_on_offer(1)
    (runner,) = agent.children()
    return {"agent": agent, "runner": runner}


def _window(processes: dict[str, psutil.Process]) -> dict[str, Use]:
    before = {name: _used(process.pid) for name, process in processes.items()}
    time.sleep(WINDOW_SECONDS)
    after = {name: _used(process.pid) for name, process in processes.items()}
    return {
        name: Use(
            busy_ns=after[name].busy_ns - before[name].busy_ns,
            wake_ups=after[name].wake_ups - before[name].wake_ups,
        )
        for name in processes
    }


def _used(pid: int) -> Use:
    """Return what all threads of a process have used, as the scheduler counts it."""
    busy = wake_ups = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        busy += int((task / "schedstat").read_text("ascii").split()[0])
        for line in (task / "status").read_text("ascii").splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                wake_ups += int(line.split()[1])
    return Use(busy_ns=busy, wake_ups=wake_ups)


def _resident_mb(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / 1e6


def _bare_mb(name: str) -> float:
    """Return what a process takes that has imported the agent or the runner and does nothing."""
    words: Sequence[str] = (sys.executable, "-c", _IMPORTS.format(_LOADS[name]))
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        taken = _resident_mb(process.pid)
        process.communicate()
    return taken

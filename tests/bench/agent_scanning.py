"""A camera looked at ten times a second, and a game beside it that draws ninety times a second.

The camera's thread, its gate, its readers and its way into the loop are the agent's own; only the
pictures come from memory instead of a driver, at the word of another process. What the scanner
costs is what the scheduler counts for its process. The game is pinned to the scanner's processor.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.bench.figures import Measured, limited, median

WINDOW_SECONDS: Final = 12.0
"""Of one repetition of one scene: a hundred and twenty pictures, three customers."""

SETTLE_SECONDS: Final = 4.0
"""Until the first look at everything is over."""

GAME_FRAMES: Final = 1_000
"""Pictures of one repetition of the game: eleven seconds."""

REPETITIONS: Final = 3

CORE_PER_CENT_MAX: Final = 1.5
MORE_MISSED_MAX: Final = 10

SCENES: Final = ("empty", "customers", "restless")
"""A counter with nothing on it; a ticket each four seconds; a coat that moves all the time."""

_STARTED = b"ready\n"


async def measure() -> Measured:
    """Measure each scene, then the game without and with a scanner beside it, in turns."""
    return await asyncio.to_thread(_measure)


def _measure() -> Measured:
    used: dict[str, list[float]] = {scene: [] for scene in SCENES}
    alone, beside = [], []
    for _ in range(REPETITIONS):
        for scene in SCENES:
            with _scanner(scene) as scanner:
                used[scene].append(_per_cent(scanner.pid))
        alone.append(_missed())
        with _scanner("customers"):
            beside.append(_missed())
    more = [max(0, each - without) for each, without in zip(beside, alone, strict=True)]
    return Measured(
        figures=(
            limited("scanning", used["customers"], "% of a core", CORE_PER_CENT_MAX),
            *(
                limited(f"scanning_{scene}", used[scene], "% of a core", CORE_PER_CENT_MAX)
                for scene in ("empty", "restless")
            ),
            limited("missed_beside_it", more, "of 1 000 more", MORE_MISSED_MAX),
        ),
        parts={"missed without it": median(alone), "missed beside it": median(beside)},
    )


@contextmanager
def _scanner(scene: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a scanner before which a scene goes on, on the last processor."""
    words = [sys.executable, "-m", "tests.bench.scanning_beside", scene]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == _STARTED
            os.sched_setaffinity(process.pid, {_processor()})
            for task in Path(f"/proc/{process.pid}/task").iterdir():
                os.sched_setaffinity(int(task.name), {_processor()})
            yield process
        finally:
            process.send_signal(signal.SIGKILL)


def _per_cent(pid: int) -> float:
    time.sleep(SETTLE_SECONDS)
    before, began = _busy_ns(pid), time.monotonic()
    time.sleep(WINDOW_SECONDS)
    return (_busy_ns(pid) - before) / 1e9 / (time.monotonic() - began) * 100


def _busy_ns(pid: int) -> int:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text("ascii").split()[0]) for task in tasks)


def _missed() -> int:
    """Return how many of a thousand pictures a game came too late with."""
    words = [sys.executable, "-m", "tests.bench.render_loop", str(GAME_FRAMES), str(_processor())]
    return int(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def _processor() -> int:
    return max(os.sched_getaffinity(0))

"""A change onto thousands of open pages, beside bare writes and bare server-sent events.

Each server is a process of its own, the viewers are this one. Every round tells all of them one
new card, in turns; the bare ones are given the bytes that ours has written. At the end real
programs: how soon a terminal that is lost is off a page, and one that comes is on it.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections import defaultdict
from typing import Any, Final

from tests.bench import live_world
from tests.bench.figures import Figure, Measured, at_most, compared, limited, median, quantile
from tests.bench.live_viewers import Viewers

CROWDS: Final = (1_000, 5_000)
REPETITIONS: Final = 5
ROUNDS: Final = 4
"""Of one server, one after the other, before it is another's turn."""

PAUSE_SECONDS: Final = 0.25
PAUSE_FACTOR: Final = 5
"""Between two rounds: longer than ours rests after a look, four times as long as that took, so that
each begins at rest."""

FILES: Final = 20_000
"""What this process and each server may open."""

CPU_RATIO_MAX: Final = 1.4
LAG_RATIO_MAX: Final = 1.5
BLOCK_MS_MAX: Final = 3.0

OURS, WRITES, SSE = "ours", "bare_write", "bare_sse"


class Server:
    """A server, and those who watch it."""

    def __init__(self, kind: str, payload: bytes = b"") -> None:
        """Start it."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.live_server", kind, payload.hex()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._port = int(self._answer()["port"])
        self._took = 0.0
        self.viewers: Viewers

    def open(self, count: int) -> None:
        """Let so many watch it."""
        self.viewers = Viewers(self._port, count)
        self._ask("spare")

    def round(self) -> tuple[list[float], dict[str, float]]:
        """Tell everybody something; return how long each waited, and what it cost the server."""
        time.sleep(PAUSE_SECONDS + PAUSE_FACTOR * self._took)
        began = self._ask("tell")["began"]
        times = self.viewers.told()
        self._took = times[-1] - began
        return [each - began for each in times], self._ask("used")

    def close(self) -> None:
        self.viewers.close()
        self._process.kill()
        self._process.communicate()

    def _ask(self, what: str) -> dict[str, float]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what}\n".encode())
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told


async def measure() -> Measured:
    """Measure each crowd."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert most >= FILES, f"a crowd needs {FILES} files, and {most} are allowed"
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, most))
    figures: list[Figure] = []
    parts: dict[str, float] = {}
    for count in CROWDS:
        found, beside = await asyncio.to_thread(_measured, count)
        figures += found
        parts |= beside
    found, beside = await asyncio.to_thread(live_world.measure)
    figures += found
    parts |= beside
    return Measured(figures=figures, parts=parts)


def _measured(count: int) -> tuple[list[Figure], dict[str, float]]:
    ours = Server(OURS)
    servers = {OURS: ours}
    try:
        ours.open(count)
        ours.round()
        ours.round()
        payload = ours.viewers.last
        for kind in (WRITES, SSE):
            servers[kind] = Server(kind, payload)
            servers[kind].open(count)
            servers[kind].round()
        return _compared(count, servers, len(payload))
    finally:
        for server in servers.values():
            server.close()


def _compared(
    count: int, servers: dict[str, Server], payload: int
) -> tuple[list[Figure], dict[str, float]]:
    cpu, lag, middle = defaultdict(list), defaultdict(list), defaultdict(list)
    blocks, own_blocks = [], []
    for _ in range(REPETITIONS):
        for kind, server in servers.items():
            waited: list[float] = []
            used, longest, own = 0.0, 0.0, 0.0
            for _ in range(ROUNDS):
                times, told = server.round()
                waited += times
                used += told["used"]
                longest = max(longest, told["block"])
                own = max(own, told["own_block"])
            cpu[kind].append(used / len(waited) * 1e6)
            lag[kind].append(quantile(waited, 0.99) * 1000)
            middle[kind].append(median(waited) * 1000)
            if kind == OURS:
                blocks.append(longest * 1000)
                own_blocks.append(own * 1000)
    name = f"live_page_{count}"
    figures = [
        compared(f"{name}_cpu", cpu[OURS], "µs", cpu[WRITES], WRITES, at_most(CPU_RATIO_MAX)),
        limited(f"{name}_block", own_blocks, "ms", BLOCK_MS_MAX),
        compared(f"{name}_lag_p99", lag[OURS], "ms", lag[SSE], SSE, at_most(LAG_RATIO_MAX)),
        compared(f"{name}_lag_p50", middle[OURS], "ms", middle[SSE], SSE),
        compared(f"{name}_lag_write", lag[OURS], "ms", lag[WRITES], WRITES),
    ]
    parts = {
        f"{count}: bytes of a card": float(payload),
        f"{count}: longest turn by the wall clock, ms": median(blocks),
        f"{count}: CPU of bare SSE, µs": median(cpu[SSE]),
    }
    return figures, parts

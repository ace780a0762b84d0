"""Sees when the last process of a session is gone: by an eye of its own, on CLOCK_BOOTTIME."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import psutil

from common.system import SystemClock
from edge_agent.runner.tree import MARK_SESSION

EYE: Final = Path(__file__).with_name("deadlines_eye.py")


class Watch:
    """All processes of the sessions that are watched, until each is gone."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._clock = SystemClock()
        self._changed = asyncio.Event()
        self._rest = b""
        self._eye = subprocess.Popen(
            [sys.executable, "-I", "-S", str(EYE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        assert self._eye.stdout, "it is a pipe"
        loop.add_reader(self._eye.stdout.fileno(), self._hear)
        self.ended: dict[str, float] = {}
        """When the last process of a session was seen to be gone, in seconds since boot."""

    def find(self, counts: Mapping[str, int]) -> dict[str, int]:
        """Watch each session of which so many processes are there; return the others.

        To be called from a thread: it looks at every process there is.
        """
        pids = _marked(counts)
        missing = {}
        for session, count in counts.items():
            if len(pids[session]) < count:
                missing[session] = count
            else:
                line = " ".join([session, *map(str, pids[session])])
                self._loop.call_soon_threadsafe(self._look_at, line)
        return missing

    async def until_ended(self, session: str, at_boot_seconds: float) -> float | None:
        """Return when a session's last process was gone; None if it is there at that instant."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, at_boot_seconds - self._clock.boot_seconds())):
                while session not in self.ended:
                    self._changed.clear()
                    await self._changed.wait()
        return self.ended.get(session)

    def close(self) -> None:
        """Watch nobody any more."""
        assert self._eye.stdin, "it is a pipe"
        assert self._eye.stdout, "it is a pipe"
        self._loop.remove_reader(self._eye.stdout.fileno())
        self._eye.stdin.close()
        self._eye.wait()
        self._eye.stdout.close()

    def _look_at(self, line: str) -> None:
        assert self._eye.stdin, "it is a pipe"
        self._eye.stdin.write(f"{line}\n".encode())

    def _hear(self) -> None:
        assert self._eye.stdout, "it is a pipe"
        *lines, self._rest = (self._rest + os.read(self._eye.stdout.fileno(), 65_536)).split(b"\n")
        for line in lines:
            session, at = line.decode().split()
            self.ended[session] = float(at)
        self._changed.set()


def _marked(sessions: Iterable[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {session: [] for session in sessions}
    for pid in psutil.pids():
        with contextlib.suppress(psutil.Error, OSError):
            session = psutil.Process(pid).environ().get(MARK_SESSION, "")
            if session in found:
                found[session].append(pid)
    return found

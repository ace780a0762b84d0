"""Sees when the last process of a session is gone: by pidfd, on the clock that cannot be set."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterable, Mapping
from functools import partial

import psutil

from common.system import SystemClock
from edge_agent.runner.tree import MARK_SESSION


class Watch:
    """All processes of the sessions that are watched, until each is gone."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._clock = SystemClock()
        self._left: dict[str, set[int]] = {}
        self._changed = asyncio.Event()
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
                continue
            descriptors = set()
            for pid in pids[session]:
                with contextlib.suppress(ProcessLookupError):
                    descriptors.add(os.pidfd_open(pid))
            self._left[session] = descriptors
            self._loop.call_soon_threadsafe(self._watch, session)
        return missing

    async def until_ended(self, session: str, at_boot_seconds: float) -> float | None:
        """Return when a session's last process was gone; None if it is there at that instant."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, at_boot_seconds - self._clock.boot_seconds())):
                while session not in self.ended:
                    self._changed.clear()
                    await self._changed.wait()
        return self.ended.get(session)

    def let_go(self) -> None:
        """Watch nobody any more."""
        for session, left in self._left.items():
            for descriptor in tuple(left):
                self._gone(session, descriptor)
        self._left.clear()
        self.ended.clear()

    def _watch(self, session: str) -> None:
        for descriptor in self._left[session]:
            self._loop.add_reader(descriptor, partial(self._gone, session, descriptor))

    def _gone(self, session: str, descriptor: int) -> None:
        at = self._clock.boot_seconds()
        self._loop.remove_reader(descriptor)
        os.close(descriptor)
        self._left[session].discard(descriptor)
        if not self._left[session]:
            self.ended[session] = at
            self._changed.set()


def _marked(sessions: Iterable[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {session: [] for session in sessions}
    for pid in psutil.pids():
        with contextlib.suppress(psutil.Error, OSError):
            session = psutil.Process(pid).environ().get(MARK_SESSION, "")
            if session in found:
                found[session].append(pid)
    return found

"""Says how far an install is: each hundredth of it, and each five seconds; never more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from common.rules.modules import InstallState
from edge_agent.modules.ports import Progress, Steady
from edge_agent.ports import Package

TOLD_EACH_SECONDS: Final = 5.0
TOLD_PARTS: Final = 100
"""Of the whole: a bar has no more to show."""


class Telling:
    """Whom progress is told to, and when it was last."""

    def __init__(self, clock: Steady) -> None:
        """Take the clock; nobody listens yet."""
        self.on_progress: Callable[[Progress], None] = _nobody
        self._clock = clock
        self._last: tuple[str, InstallState, int] | None = None
        self._last_seconds = 0.0

    def tell(self, package: Package, state: InstallState, done: int, detail: str = "") -> None:
        """Tell that so many bytes are here, unless as much as that was told just now."""
        now = self._clock.steady_seconds()
        whole = max(package.length, 1)  # a right may name any length; what is signed comes later
        said = (package.sha256, state, done * TOLD_PARTS // whole)
        if said == self._last and now - self._last_seconds < TOLD_EACH_SECONDS:
            return
        self._last, self._last_seconds = said, now
        progress = Progress(
            package=package,
            state=state,
            done_bytes=done,
            all_bytes=package.length,
            detail=detail,
        )
        self.on_progress(progress)

    def from_thread(self, package: Package, state: InstallState) -> Callable[[int], None]:
        """Return what a thread may call: the loop tells it, if there still is one."""
        loop = asyncio.get_running_loop()

        def told(done: int) -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self.tell, package, state, done)

        return told


def _nobody(_: Progress) -> None:
    """Hear and do nothing, until somebody listens."""

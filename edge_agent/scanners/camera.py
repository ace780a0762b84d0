"""Read codes from a camera: ten pictures a second, in a thread of its own, asleep in between."""

from __future__ import annotations

import asyncio
import os
import select
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from common.rules.scanners import ScannerHint
from edge_agent.scanners.intake import Intake, LiveScanner
from edge_agent.scanners.lens import FRAMES_SECOND, Lens, LensIsGone, open_lens
from edge_agent.scanners.looking import Eye, Seen
from edge_agent.scanners.reading import ScannerIsGone
from edge_agent.threads import in_own_thread

PICTURE_SECONDS_MAX: Final = 2.0
"""A camera that gives no picture for so long is opened anew; the slowest give one a second."""

_FASTER: Final = 1.2
"""A camera that cannot be told to give only ten a second is left alone in between."""

_NICENESS: Final = 5
"""How far the thread stands back for whatever the customer is playing."""


class Camera(LiveScanner):
    """The scanner that looks through a camera; see `reading.Scanner`."""

    def __init__(
        self,
        path: Path,
        intake: Intake,
        *,
        seconds: Callable[[], float],
        open_lens: Callable[[Path], Lens] = open_lens,
    ) -> None:
        """Take where the camera is, and how it is opened."""
        self._path = path
        super().__init__(intake)
        self._seconds = seconds
        self._open = open_lens
        self._hint: ScannerHint | None = None

    async def watch(self) -> None:
        """Look through the camera until cancelled.

        Raises:
            ScannerIsGone: it is not there, or not any more.
        """
        loop = asyncio.get_running_loop()
        told, stop = os.pipe()

        def tell(does: Callable[..., object], *words: object) -> None:
            loop.call_soon_threadsafe(does, *words)

        looking = in_own_thread(self.name, lambda: self._look(told, tell))
        try:
            await asyncio.shield(looking)
        except (LensIsGone, OSError) as fault:
            why = fault.strerror if isinstance(fault, OSError) else fault.facts["why"]
            raise ScannerIsGone(name=self.name, why=why) from fault
        finally:
            os.close(stop)  # which the thread sees at once
            with suppress(LensIsGone, OSError):
                await looking
            os.close(told)
            self._hint = None
            self._intake.gone()

    def _look(self, stop: int, tell: Callable[..., None]) -> None:
        """Look until `stop` is at its end; all of it in the camera's own thread.

        Raises:
            LensIsGone: no picture comes.
            OSError: the camera is gone.
        """
        _stand_back()
        with closing(self._open(self._path)) as lens:
            tell(self._intake.opened)
            eye = Eye(
                lens.layout,
                self._intake.counts,
                seconds=self._seconds,
                busy_seconds=time.thread_time,
                is_looked_at=lambda: self._intake.viewfinder.is_looked_at,
            )
            is_faster = lens.layout.frames_second > FRAMES_SECOND * _FASTER
            pause_ms = 1000 // FRAMES_SECOND if is_faster else 0
            told, both = select.poll(), select.poll()
            told.register(stop, select.POLLIN)
            both.register(stop, select.POLLIN)
            both.register(lens.fileno(), select.POLLIN)
            while not (pause_ms and told.poll(pause_ms)):
                ready = both.poll(PICTURE_SECONDS_MAX * 1000)
                if not ready:
                    raise LensIsGone(path=self._path, why="no picture comes")
                if any(file == stop for file, _ in ready):
                    return
                self._see(lens, eye, tell)

    def _see(self, lens: Lens, eye: Eye, tell: Callable[..., None]) -> None:
        with lens.newest() as picture:
            if picture is None:
                return
            seen = eye.see(picture)
        if seen.reading is not None or seen.picture is not None or seen.hint is not self._hint:
            tell(self._show, seen)

    def _show(self, seen: Seen) -> None:
        """Pass on what is new; in the loop's thread."""
        self._hint = seen.hint
        if seen.reading is not None:
            self._intake.take(seen.reading)
        self._intake.show(seen.hint, seen.picture)


def _stand_back() -> None:
    """Let whatever the customer is playing go first, where that is allowed."""
    with suppress(OSError):
        os.nice(_NICENESS)  # of this thread alone, on Linux

"""Read codes from standard input, one a line: for tests and support."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from edge_agent.scanners.intake import Intake, LiveScanner
from edge_agent.scanners.lines import Lines

READ_BYTES_MAX: Final = 4_096
"""Bytes read at once."""

_LAST_END = b"\n"
"""Whoever forgot it behind the last code is forgiven."""


class StandardInput(LiveScanner):
    """The scanner that a person, or a test, is; see `reading.Scanner`."""

    def __init__(self, intake: Intake, *, seconds: Callable[[], float], file: int = 0) -> None:
        """Take a clock that only grows; `file` is the number of the open file."""
        super().__init__(intake)
        self._seconds = seconds
        self._file = file
        self._lines = Lines()

    async def watch(self) -> None:
        """Read lines until cancelled; after its end there is nothing, and that is no fault."""
        loop = asyncio.get_running_loop()
        self._intake.opened()
        # A terminal that others share must not be made non-blocking, and a file cannot be waited
        # for: so a thread waits, which ends with the process.
        threading.Thread(target=self._wait, args=(loop,), name=self.name, daemon=True).start()
        try:
            await asyncio.Event().wait()
        finally:
            self._intake.gone()

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(OSError, RuntimeError):  # it was closed, or the loop is over
            while raw := os.read(self._file, READ_BYTES_MAX):
                loop.call_soon_threadsafe(self._take, raw)
            loop.call_soon_threadsafe(self._take, _LAST_END)

    def _take(self, raw: bytes) -> None:
        self.take_texts(self._lines.feed(raw, self._seconds()), self._lines.broken)

"""What can wait a moment: nobody stands before it, and a start wants the same few cores."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

WAIT_SECONDS: Final = 0.01
"""As long as a start takes from here to the running program, with room to spare."""

WAITING_MAX: Final = 100
"""Steps that may wait; one more, and all are done at once: a crowd gains nothing by waiting."""


class Afterwards:
    """Steps in their order, a moment later; what is lost with us is told again from the journal."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], object]] = deque()
        self._alarm: asyncio.Handle | None = None
        self._there_is_no_later = False

    def do(self, step: Callable[[], object]) -> None:
        """Do this a moment later, in the loop that runs now."""
        self._waiting.append(step)
        if len(self._waiting) > WAITING_MAX or self._there_is_no_later:
            self._do_all()
        elif self._alarm is None:
            self._alarm = asyncio.get_running_loop().call_later(WAIT_SECONDS, self._do_all)

    def wait_no_more(self) -> None:
        """Do all that waits, and from now on each step at once: we are leaving."""
        self._there_is_no_later = True
        self._do_all()

    def _do_all(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        try:
            while self._waiting:
                self._waiting.popleft()()
        finally:
            if self._waiting:  # a step failed: those behind it are not its fault
                self._alarm = asyncio.get_running_loop().call_soon(self._do_all)

"""What a scanner gives: one bounded text a code, in a queue that never makes the scanner wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Protocol

from common.errors import RusubanError

READINGS_WAITING_MAX: Final = 8
"""Readings; more than this many customers are never between the lens and the flow."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One code that was read: its cleaned text, what read it and how long that took.

    The text is at most `hygiene.TEXT_LENGTH_MAX` characters and the mark that says it was longer.
    """

    text: str
    decoder: str
    milliseconds: float


class ScannerIsGone(RusubanError):
    """The scanner {name} is gone: {why}."""


class Scanner(Protocol):
    """One way for a code to come in; `watch` runs beside whoever takes the readings."""

    @property
    def name(self) -> str:
        """What logs and the console call this scanner."""

    async def watch(self) -> None:
        """Read codes until cancelled.

        Raises:
            ScannerIsGone: there is nothing to read from any more.
        """

    def readings(self) -> AsyncIterator[Reading]:
        """Return the readings as they come; for one taker at a time."""


class WaitingReadings:
    """The readings that no flow has taken yet; what finds it full is dropped and counted."""

    def __init__(self) -> None:
        self.busy_count = 0
        """Readings dropped because the flows were busy."""
        self._waiting = asyncio.Queue[Reading](READINGS_WAITING_MAX)

    def offer(self, reading: Reading) -> bool:
        """Put a reading in the queue; False when it was dropped."""
        if self._waiting.full():
            self.busy_count += 1
            return False
        self._waiting.put_nowait(reading)
        return True

    async def taken(self) -> AsyncIterator[Reading]:
        """Yield the readings, oldest first, for ever."""
        while True:
            yield await self._waiting.get()

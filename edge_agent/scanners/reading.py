"""What a scanner gives: one bounded text a code, in a queue that never makes the scanner wait.

And what it sees meanwhile, for the screen: a hint for whoever holds a ticket, and a small picture.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from common.errors import RusubanError
from edge_agent.ports import ScannerSeen
from edge_agent.scanners.counting import Counts

READINGS_WAITING_MAX: Final = 8
"""Readings; more than this many customers are never between the lens and the flow."""

PREVIEW_SIZE: Final = (160, 120)
"""Pixels: enough to see oneself hold a ticket."""

PREVIEWS_SECOND_MAX: Final = 5
"""Small pictures a second, while somebody looks: enough to aim by, cheap enough to send."""


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


class Viewfinder:
    """Where scanners show what they see, and where the screen says that somebody looks.

    All of it is done in the loop's thread, but for asking `is_looked_at`.
    """

    def __init__(self) -> None:
        self._seen: dict[str, ScannerSeen] = {}
        self._lookers: list[Callable[[ScannerSeen], None]] = []

    @property
    def is_looked_at(self) -> bool:
        """Say whether pictures are worth making."""
        return bool(self._lookers)

    @property
    def seen(self) -> Mapping[str, ScannerSeen]:
        """Return what each scanner saw last, by its name."""
        return self._seen

    def show(self, seen: ScannerSeen) -> None:
        """Tell everybody who looks; of a scanner's hints only the changes, of pictures each one."""
        before = self._seen.get(seen.scanner)
        self._seen[seen.scanner] = seen
        if seen.picture is not None or before is None or before.hint is not seen.hint:
            for look in tuple(self._lookers):
                look(seen)

    @contextmanager
    def looking(self, look: Callable[[ScannerSeen], None]) -> Iterator[None]:
        """Have `look` called with what is seen by now and with all that is seen from now on."""
        for seen in tuple(self._seen.values()):
            look(seen)
        self._lookers.append(look)
        try:
            yield
        finally:
            self._lookers.remove(look)


class Scanner(Protocol):
    """One way for a code to come in; `watch` runs beside whoever takes the readings."""

    @property
    def name(self) -> str:
        """What logs and the console call this scanner; bounded and printable."""

    @property
    def counts(self) -> Counts:
        """What it has counted."""

    def settled(self) -> None:
        """Note that what was read last has its verdict: the next customer may come."""

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

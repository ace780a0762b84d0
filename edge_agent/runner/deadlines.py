"""Deadlines on the clock that counts suspend and cannot be set; nothing due, no wake-up."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

REREAD_SECONDS: Final = 0.5
"""asyncio's clock stands still in suspend, so CLOCK_BOOTTIME is read again this often."""


class Clock(Protocol):
    """The clocks the runner needs; of the wall's it decides only how long a power cut lasted."""

    def boot_seconds(self) -> float:
        """Return seconds since boot, counting suspend."""
        ...

    def now_ms(self) -> int:
        """Return milliseconds since 1970 UTC: shown, and used where it can be trusted."""
        ...

    def is_synchronised(self) -> bool:
        """Say whether a time server keeps the wall clock."""
        ...


@dataclass(order=True)
class Alarm:
    """One thing that is due at one instant; the earlier sorts first, the older of two alike."""

    at_boot_seconds: float
    number: int
    ring: Callable[[], None] = field(compare=False)
    is_cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Never ring; harmless after it has rung."""
        self.is_cancelled = True


class Deadlines:
    """All alarms in one heap, rung by one task."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._alarms: list[Alarm] = []
        self._set_count = 0
        self._changed = asyncio.Event()

    def ring_at(self, at_boot_seconds: float, ring: Callable[[], None]) -> Alarm:
        """Call `ring` once, as soon as the clock has reached the instant."""
        self._set_count += 1
        alarm = Alarm(at_boot_seconds, self._set_count, ring)
        heapq.heappush(self._alarms, alarm)
        self._changed.set()
        return alarm

    async def run(self) -> None:
        """Ring what is due, until cancelled."""
        while True:
            self._changed.clear()
            self._ring_due()
            await self._wait()

    def _ring_due(self) -> None:
        while alarm := self._next():
            if alarm.at_boot_seconds > self._clock.boot_seconds():
                return
            heapq.heappop(self._alarms)
            alarm.ring()

    async def _wait(self) -> None:
        alarm = self._next()
        wait_seconds = (
            min(alarm.at_boot_seconds - self._clock.boot_seconds(), REREAD_SECONDS)
            if alarm
            else None
        )
        try:
            async with asyncio.timeout(wait_seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    def _next(self) -> Alarm | None:
        while self._alarms and self._alarms[0].is_cancelled:
            heapq.heappop(self._alarms)
        return self._alarms[0] if self._alarms else None

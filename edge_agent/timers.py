"""Time in: the heartbeat, and asking again what has had no answer."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

import structlog

from common.errors import StorageIsFull
from common.rules.presence import HEARTBEAT_SECONDS
from edge_agent.flows import sessions
from edge_agent.ports import Clock, Journal

RESEND_SECONDS: Final = 1.5
"""Without progress for so long, everything unacknowledged is sent again."""

TIDY_SECONDS: Final = 3_600.0
"""How often what is long over is dropped from the journal."""


class Speaker(Protocol):
    """Whoever speaks for this terminal."""

    @property
    def acknowledged_up_to(self) -> int:
        """Return the number of the last event that the controller has."""
        ...

    def beat(self) -> None:
        """Say that we are alive."""
        ...

    def is_waiting(self) -> bool:
        """Say whether anything is owed an answer."""
        ...

    def send_again(self, acknowledged_before: int) -> None:
        """Repeat what is owed an answer."""
        ...


class Doorman(Protocol):
    """Whoever tells a customer at a scanner what becomes of a scan."""

    def look_again(self) -> None:
        """Look at scans that have had no answer in time."""
        ...

    def waits(self) -> bool:
        """Say whether a scan that was passed on has had no word yet."""
        ...


class Timers:
    """One loop; `nudge` it when something was asked."""

    def __init__(self, journal: Journal, speaker: Speaker, doorman: Doorman, clock: Clock) -> None:
        """Take the parts it wakes."""
        self._journal = journal
        self._speaker = speaker
        self._doorman = doorman
        self._clock = clock
        self._nudged = asyncio.Event()
        self._log = structlog.get_logger("timers")

    def nudge(self) -> None:
        """Look again soon: something was sent that is owed an answer."""
        self._nudged.set()

    async def run(self) -> None:
        """Wake what is due, for ever."""
        beat_at = tidy_at = self._clock.boot_seconds()
        acknowledged_before = -1
        while True:
            now = self._clock.boot_seconds()
            if now >= beat_at:
                self._speaker.beat()
                beat_at = now + HEARTBEAT_SECONDS
            try:
                if now >= tidy_at:
                    tidy_at = now + TIDY_SECONDS
                    self._journal.transact(sessions.forget_old)
                self._doorman.look_again()
                is_waiting = self._speaker.is_waiting()
                if is_waiting:
                    self._speaker.send_again(acknowledged_before)
                    acknowledged_before = self._speaker.acknowledged_up_to
            except StorageIsFull as fault:
                self._log.warning("the journal cannot be used", why=str(fault))
                is_waiting = True
            if is_waiting or self._doorman.waits():
                await asyncio.sleep(min(RESEND_SECONDS, max(0.0, beat_at - now)))
            else:
                await self._sleep(beat_at - now)

    async def _sleep(self, seconds: float) -> None:
        """Sleep until the next beat, or a resend's time after something was asked."""
        self._nudged.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._nudged.wait()
        except TimeoutError:
            return
        await asyncio.sleep(min(RESEND_SECONDS, seconds))

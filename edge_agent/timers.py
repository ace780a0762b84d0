"""Time in: the heartbeat, and asking again what has had no answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from common.errors import StorageIsFull
from common.rules.presence import HEARTBEAT_SECONDS
from edge_agent.flows import rights, sessions
from edge_agent.ports import Clock, Journal

RESEND_SECONDS: Final = 1.5
"""Without progress for so long, everything unacknowledged is sent again."""

TIDY_SECONDS: Final = 3_600.0
"""How often what is long over is dropped from the journal."""


GREET_SECONDS: Final = 3_600.0
"""How often we say hello without a new connection: the answer says what time it is."""

FLOOR_SECONDS: Final = 300.0
"""How often it is remembered how late it is: a clock set back over a restart gains no more."""


class Speaker(Protocol):
    """Whoever speaks for this terminal."""

    @property
    def acknowledged_up_to(self) -> int:
        """Return the number of the last event that the controller has."""
        ...

    def beat(self) -> None:
        """Say that we are alive."""
        ...

    def greet(self) -> None:
        """Say hello, and be told what time it is."""
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


@dataclass(kw_only=True, slots=True)
class _Chore:
    """Something that is done again and again; one that fails is tried again when it is next due."""

    due_at: float
    each_seconds: float
    do: Callable[[], object]

    def do_if_due(self, now: float) -> None:
        if now >= self.due_at:
            self.due_at = now + self.each_seconds
            self.do()


class Timers:
    """One loop; `nudge` it when something was asked."""

    def __init__(self, journal: Journal, speaker: Speaker, doorman: Doorman, clock: Clock) -> None:
        """Take the parts it wakes."""
        self._journal = journal
        self._speaker = speaker
        self._doorman = doorman
        self._clock = clock
        self._acknowledged_before = -1
        self._nudged = asyncio.Event()
        self._log = structlog.get_logger("timers")

    def nudge(self) -> None:
        """Look again soon: something was sent that is owed an answer."""
        self._nudged.set()

    async def run(self) -> None:
        """Wake what is due, for ever."""
        began_at = self._clock.boot_seconds()
        beat = _Chore(due_at=began_at, each_seconds=HEARTBEAT_SECONDS, do=self._speaker.beat)
        chores = (
            beat,
            _Chore(due_at=began_at, each_seconds=TIDY_SECONDS, do=self._tidy),
            _Chore(due_at=began_at, each_seconds=FLOOR_SECONDS, do=self._note_time),
            _Chore(
                due_at=began_at + GREET_SECONDS, each_seconds=GREET_SECONDS, do=self._speaker.greet
            ),
        )
        while True:
            now = self._clock.boot_seconds()
            is_waiting = self._look(chores, now)
            if is_waiting:
                await asyncio.sleep(min(RESEND_SECONDS, max(0.0, beat.due_at - now)))
            else:
                await self._sleep(beat.due_at - now)

    def _look(self, chores: Sequence[_Chore], now: float) -> bool:
        """Do what is due, and repeat what has no answer; say whether anything has none still."""
        try:
            for chore in chores:
                chore.do_if_due(now)
            self._doorman.look_again()
            is_waiting = self._speaker.is_waiting()
            if is_waiting:
                self._speaker.send_again(self._acknowledged_before)
                self._acknowledged_before = self._speaker.acknowledged_up_to
        except StorageIsFull as fault:
            self._log.warning("the journal cannot be used", why=str(fault))
            return True
        return is_waiting or self._doorman.waits()

    def _tidy(self) -> None:
        self._journal.transact(sessions.forget_old, self._journal.transact(rights.trusted_now))

    def _note_time(self) -> None:
        self._journal.transact(rights.note_time)

    async def _sleep(self, seconds: float) -> None:
        """Sleep until the next beat, or a resend's time after something was asked."""
        self._nudged.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._nudged.wait()
        except TimeoutError:
            return
        await asyncio.sleep(min(RESEND_SECONDS, seconds))

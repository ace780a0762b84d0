"""A live scanner's way in: the same code once, one customer at a time, everything counted.

Law: a code that comes while the one before has no verdict yet is dropped, and not remembered; one
that stays before the scanner is one scan.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final

import structlog

from common.rules.scanners import ScannerHint
from edge_agent.ports import ScannerSeen
from edge_agent.scanners.counting import Counts
from edge_agent.scanners.hygiene import clean
from edge_agent.scanners.reading import Reading, Viewfinder, WaitingReadings

VERDICT_SECONDS_MAX: Final = 10.0
"""A scan that has had no verdict for so long has none to come: the next customer is not kept."""

GONE_SECONDS: Final = 1.5
"""A code that was not seen for so long was taken away: when it comes again, it is a new scan."""

AGAIN_SECONDS: Final = 3.0
"""After its verdict, a code that stays is a new scan: it may have been too early before."""

AGAIN_SECONDS_MAX: Final = 60.0
"""Each further scan of a code that stays waits twice as long, up to this: it was left lying."""

NAME_LENGTH_MAX: Final = 80
"""Characters; a path by id has up to 70 behind its folder."""


class Intake:
    """What every live scanner does with what it read, in the loop's thread."""

    def __init__(
        self, name: str, *, seconds: Callable[[], float], viewfinder: Viewfinder | None = None
    ) -> None:
        """Take the scanner's name, a clock that only grows, and where to show what is seen."""
        self.name = bounded(name)
        self.counts = Counts()
        self.viewfinder = viewfinder or Viewfinder()
        self._log = structlog.get_logger("agent")
        self._seconds = seconds
        self._waiting = WaitingReadings()
        self._last = ""
        self._seen_at = self._taken_at = 0.0
        self._settled_at: float | None = 0.0
        self._again_seconds = AGAIN_SECONDS

    def opened(self) -> None:
        """Note that the scanner is there."""
        self.counts.opened += 1
        self.counts.is_there = True
        self._log.info("scanner there", scanner=self.name, times=self.counts.opened)
        self.show(ScannerHint.NOTHING)

    def gone(self) -> None:
        """Note that it is not, or not any more."""
        self.counts.is_there = False
        self.show(ScannerHint.AWAY)

    def show(self, hint: ScannerHint, picture: bytes | None = None) -> None:
        """Let the screen see what the scanner sees."""
        self.viewfinder.show(ScannerSeen(scanner=self.name, hint=hint, picture=picture))

    def take(self, reading: Reading) -> bool:
        """Pass a reading on, unless it is the one before or the one before is not settled."""
        now = self._seconds()
        if reading.text == self._last and self._is_still_there(now):
            self.counts.same_again += 1
            return False
        if self._is_busy(now) or not self._waiting.offer(reading):
            self.counts.busy += 1
            return False
        is_again = reading.text == self._last and not self._is_gone(now)
        longer = min(2 * self._again_seconds, AGAIN_SECONDS_MAX)
        self._again_seconds = longer if is_again else AGAIN_SECONDS
        self._last, self._seen_at, self._taken_at, self._settled_at = reading.text, now, now, None
        self.counts.decoded += 1
        return True

    def settled(self) -> None:
        """Note that what was passed on last has its verdict."""
        if self._settled_at is None:
            self._settled_at = self._seconds()

    def readings(self) -> AsyncIterator[Reading]:
        """Return the readings as they come; for one taker at a time."""
        return self._waiting.taken()

    def _is_busy(self, now: float) -> bool:
        return self._settled_at is None and now - self._taken_at < VERDICT_SECONDS_MAX

    def _is_gone(self, now: float) -> bool:
        return now - self._seen_at >= GONE_SECONDS

    def _is_still_there(self, now: float) -> bool:
        """Say whether the last code, seen again, is the scan that it was; it has been seen now."""
        if self._is_busy(now):
            self._seen_at = now
            return True
        settled_at = self._taken_at if self._settled_at is None else self._settled_at
        if self._is_gone(now) or now - settled_at >= self._again_seconds:
            return False
        self._seen_at = now
        return True


class LiveScanner:
    """What all scanners of an intake have in common; see `reading.Scanner`."""

    def __init__(self, intake: Intake) -> None:
        """Take its way in."""
        self._intake = intake

    @property
    def name(self) -> str:
        """What logs and the console call this scanner."""
        return self._intake.name

    @property
    def counts(self) -> Counts:
        """What it has counted."""
        return self._intake.counts

    def settled(self) -> None:
        """Note that what was read last has its verdict."""
        self._intake.settled()

    def readings(self) -> AsyncIterator[Reading]:
        """Return the readings as they come; for one taker at a time."""
        return self._intake.readings()

    def take_texts(self, texts: Iterable[str], broken: int) -> None:
        """Pass on what was read as text, and count it; `broken` is how many lines were none."""
        for text in texts:
            self.counts.frames += 1
            self.counts.looked_at += 1
            self._intake.take(Reading(text=clean(text), decoder="text", milliseconds=0.0))
        self.counts.broken = broken


def bounded(name: str) -> str:
    """Return a name that a log line and a page can carry: what is not printable is left out."""
    printable = "".join(letter for letter in name if letter.isprintable())
    return printable if len(printable) <= NAME_LENGTH_MAX else f"…{printable[-NAME_LENGTH_MAX:]}"

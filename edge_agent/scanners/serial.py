"""Read codes from a scanner on a serial line; nothing is awake until it sends."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import closing
from typing import Final

import serial

from edge_agent.scanners.intake import Intake, LiveScanner
from edge_agent.scanners.lines import ENDS, Lines
from edge_agent.scanners.reading import ScannerIsGone
from edge_agent.settings.scanners import SerialScanner

READ_BYTES_MAX: Final = 4_096
"""Bytes read at once: as many as the kernel keeps of a line."""

TRIGGER_SECONDS_MAX: Final = 1.0
"""A line that takes no word for so long has nobody at its end."""


class Serial(LiveScanner):
    """The scanner on a serial line; see `reading.Scanner`."""

    def __init__(
        self, settings: SerialScanner, intake: Intake, *, seconds: Callable[[], float]
    ) -> None:
        """Take where the line is, what is spoken on it, and a clock that only grows."""
        self._settings = settings
        super().__init__(intake)
        self._seconds = seconds

    async def watch(self) -> None:
        """Read lines until cancelled.

        Raises:
            ScannerIsGone: it is not there, or not any more.
        """
        try:
            with closing(self._opened()) as line:
                self._intake.opened()
                await self._watch(line)
        except (OSError, ValueError) as fault:  # what it raises when it is pulled out is both
            number = getattr(fault, "errno", None)
            why = os.strerror(number) if number else "it was pulled out"
            raise ScannerIsGone(name=self.name, why=why) from fault
        finally:
            self._intake.gone()

    def _opened(self) -> serial.Serial:
        line = serial.Serial(
            str(self._settings.path),
            self._settings.baud,
            timeout=0,
            write_timeout=TRIGGER_SECONDS_MAX,
            exclusive=True,
        )
        try:
            if self._settings.trigger:
                line.write(self._settings.trigger.encode("latin-1"))
        except BaseException:
            line.close()
            raise
        return line

    async def _watch(self, line: serial.Serial) -> None:
        loop = asyncio.get_running_loop()
        gone = loop.create_future()
        lines = Lines(ENDS[self._settings.ends])

        def hear() -> None:
            try:
                texts = lines.feed(line.read(READ_BYTES_MAX), self._seconds())
                self.take_texts(texts, lines.broken)
            except (OSError, TypeError) as fault:  # TypeError: it was closed meanwhile
                loop.remove_reader(line)
                if not gone.done():
                    gone.set_exception(OSError(str(fault)))

        loop.add_reader(line, hear)
        try:
            await gone
        finally:
            loop.remove_reader(line)

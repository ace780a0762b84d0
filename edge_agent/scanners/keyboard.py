"""Read codes from a scanner that types like a keyboard, grabbed so that nobody else hears it."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, Protocol

import structlog

from common.errors import CannotStart, RusubanError
from edge_agent.scanners.hygiene import TEXT_LENGTH_MAX
from edge_agent.scanners.intake import Intake, LiveScanner
from edge_agent.scanners.layouts import Layout
from edge_agent.scanners.lines import PAUSE_SECONDS_MAX
from edge_agent.scanners.reading import ScannerIsGone

EVENT: Final = struct.Struct("llHHi")
"""The kernel's `struct input_event`: seconds, microseconds, type, code, value."""

EVENTS_MAX: Final = 64
"""Events read at once; the kernel keeps some sixty of a keyboard."""

_SYN, _KEY = 0, 1
_DROPPED = 3
_PRESSED = 1
_SHIFTS = frozenset({42, 54})
_ENDS = frozenset({28, 96, 15})
"""Enter, the other Enter, Tab."""

_ROWS = {
    2: "1234567890-",
    16: "qwertyuiop",
    30: "asdfghjkl",
    44: "zxcvbnm,./",
}
_KEYPAD = {82: "0", 79: "1", 80: "2", 81: "3", 75: "4", 76: "5", 77: "6", 71: "7", 72: "8", 73: "9"}


def _us_layout() -> Mapping[str, str]:
    """Return what the keys stand for on the layout that scanners leave the factory with."""
    plain = {first + n: sign for first, row in _ROWS.items() for n, sign in enumerate(row)}
    plain |= {57: " ", 74: "-", **_KEYPAD}
    letters = {f"{code}+": sign.upper() for code, sign in plain.items() if sign.isalpha()}
    return {str(code): sign for code, sign in plain.items()} | letters | {"39+": ":"}


US_LAYOUT: Final = _us_layout()
"""By the key's number, with a + behind it where shift is held."""


class Grabbed(Protocol):
    """An open keyboard that nobody else hears."""

    def fileno(self) -> int:
        """Return the file its events are read from."""

    def close(self) -> None:
        """Let go of it."""


class ExtraIsMissing(RusubanError):
    """A scanner that types needs more: install rusuban[keyboard]."""


def open_grabbed(path: Path) -> Grabbed:
    """Open a keyboard for us alone.

    Raises:
        OSError: it is not there, or somebody else has it.
        ExtraIsMissing: the library that grabs is not installed.
    """
    try:
        import evdev  # noqa: PLC0415 - an extra: it needs a compiler
    except ImportError as fault:
        raise ExtraIsMissing from fault
    device = evdev.InputDevice(str(path))
    try:
        device.grab()
    except BaseException:
        device.close()
        raise
    grabbed: Grabbed = device
    return grabbed


class Strokes:
    """Takes a keyboard's events apart into codes, each a list of keys: its number, + for shift."""

    def __init__(self) -> None:
        self.broken = 0
        """Codes that were cut off, too long, or of which events were lost."""
        self._keys: list[str] = []
        self._held: set[int] = set()
        self._at = 0.0
        self._is_broken = False

    def feed(self, raw: bytes) -> Iterator[Sequence[str]]:
        """Yield the codes that are whole by now; empty ones are none."""
        whole = raw[: len(raw) - len(raw) % EVENT.size]
        for seconds, microseconds, kind, code, value in EVENT.iter_unpack(whole):
            if kind == _SYN and code == _DROPPED:
                self._is_broken = True
            elif kind == _KEY:
                yield from self._key(seconds + microseconds / 1e6, code, value)

    def _key(self, at: float, code: int, value: int) -> Iterator[Sequence[str]]:
        if code in _SHIFTS:
            (self._held.add if value else self._held.discard)(code)
            return
        if value != _PRESSED:
            return
        if self._keys and not 0 <= at - self._at <= PAUSE_SECONDS_MAX:
            self._drop()
        self._at = at
        if code not in _ENDS:
            self._is_broken |= len(self._keys) > TEXT_LENGTH_MAX
            if not self._is_broken:
                self._keys.append(f"{code}+" if self._held else f"{code}")
        elif self._is_broken:
            self._drop()
        elif self._keys:
            keys, self._keys = self._keys, []
            yield keys

    def _drop(self) -> None:
        self._keys, self._is_broken = [], False
        self.broken += 1


class Keyboard(LiveScanner):
    """The scanner that types; see `reading.Scanner`."""

    def __init__(
        self,
        path: Path,
        intake: Intake,
        layout: Layout,
        *,
        open_grabbed: Callable[[Path], Grabbed] = open_grabbed,
    ) -> None:
        """Take where it is, what its keys stand for, and how it is opened."""
        super().__init__(intake)
        self._path = path
        self._layout = layout
        self._open = open_grabbed
        self._log = structlog.get_logger("agent")

    async def watch(self) -> None:
        """Read what is typed until cancelled.

        Raises:
            ScannerIsGone: it is not there, or not any more.
        """
        try:
            with closing(self._open(self._path)) as keyboard:
                self._intake.opened()
                await self._watch(keyboard.fileno())
        except OSError as fault:
            raise ScannerIsGone(name=self.name, why=fault.strerror or "it is gone") from fault
        except ExtraIsMissing as fault:
            raise ScannerIsGone(name=self.name, why=str(fault)) from fault
        finally:
            self._intake.gone()

    async def _watch(self, file: int) -> None:
        loop = asyncio.get_running_loop()
        gone = loop.create_future()
        strokes = Strokes()

        def hear() -> None:
            try:
                raw = os.read(file, EVENTS_MAX * EVENT.size)
                if not raw:
                    raise OSError(None, "it was pulled out")  # noqa: TRY301 - as reading raises it
            except BlockingIOError:
                return
            except OSError as fault:
                loop.remove_reader(file)
                if not gone.done():
                    gone.set_exception(fault)
                return
            self._take(strokes, raw)

        loop.add_reader(file, hear)
        try:
            await gone
        finally:
            loop.remove_reader(file)

    def _take(self, strokes: Strokes, raw: bytes) -> None:
        for keys in strokes.feed(raw):
            try:
                text = self._layout.text_of(keys)
            except CannotStart as fault:  # it counts until the agent's next start
                self._log.error("layout not kept", scanner=self.name, why=str(fault))
                continue
            if text is None:
                self._log.info("layout calibrated", scanner=self.name)
            else:
                self.take_texts([text], strokes.broken)
        self.counts.broken = strokes.broken

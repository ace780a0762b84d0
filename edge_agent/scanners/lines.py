"""Bytes become texts, one a line; half a code, or one without end, is dropped and counted."""

from __future__ import annotations

from typing import Final

from edge_agent.scanners.hygiene import TEXT_LENGTH_MAX

PAUSE_SECONDS_MAX: Final = 1.0
"""A scanner sends a code at once; what stands alone for longer was cut off and is dropped."""

LINE_LENGTH_MAX: Final = TEXT_LENGTH_MAX + 32
"""Bytes; a ticket has 154, some scanners put a few of their own before and behind it."""

ENDS: Final = {
    "cr_or_lf": b"\r\n",
    "cr": b"\r",
    "lf": b"\n",
    "tab": b"\t",
    "etx": b"\x03",
}
"""What may stand behind a code, by its name in the settings."""


class Lines:
    """Cuts what comes into lines."""

    def __init__(self, ends: bytes = ENDS["cr_or_lf"]) -> None:
        """Take the bytes each of which ends a line."""
        self.broken = 0
        """Lines that were cut off, or too long."""
        self._end = ends[:1]
        self._as_one_end = bytes.maketrans(ends, self._end * len(ends))
        self._begun = b""
        self._is_too_long = False
        self._came_at = 0.0

    def feed(self, raw: bytes, now: float) -> list[str]:
        """Return the texts that are whole by now; empty ones are none.

        Args:
            raw: what has come.
            now: seconds of a clock that only grows.
        """
        if now - self._came_at > PAUSE_SECONDS_MAX:
            self._drop_begun()
        self._came_at = now
        *whole, begun = (self._begun + raw).translate(self._as_one_end).split(self._end)
        texts = [text for line in whole if (text := self._text_of(line))]
        self._begun = begun
        if len(begun) > LINE_LENGTH_MAX:
            self._begun, self._is_too_long = b"", True
        return texts

    def _text_of(self, line: bytes) -> str:
        if self._is_too_long or len(line) > LINE_LENGTH_MAX:
            self._is_too_long = False
            self.broken += 1
            return ""
        return line.decode("utf-8", "replace").strip("\x00")

    def _drop_begun(self) -> None:
        self.broken += bool(self._begun) or self._is_too_long
        self._begun, self._is_too_long = b"", False

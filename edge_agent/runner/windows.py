"""Which processes have a window that can be seen, asked of the X server itself.

The server knows whose connection made a window (X-Resource 1.2); a window's own word for it may be
missing or false. One short connection, no library: X11 protocol, release 7, and XRes 1.2.
"""

from __future__ import annotations

import asyncio
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from common.errors import RusubanError

LOOK_SECONDS_MAX: Final = 1.0
"""How long one look may take; a server that hangs must not hold the runner."""

WINDOWS_MAX: Final = 256
"""Windows looked at, those on top first."""

DEPTH_MAX: Final = 3
"""A program's window is below the root, or below the frame that a window manager gave it."""

AUTHORITY_BYTES_MAX: Final = 65_536
"""Bytes of the file that holds the displays' cookies."""

ANSWER_BYTES_MAX: Final = 1_048_576
"""Bytes of one answer; a longer one comes from no X server that shows a customer something."""

_COOKIE = b"MIT-MAGIC-COOKIE-1"
_VIEWABLE = 2
_WM_NAME = 39
_LOCAL_PID = 2


class DisplayIsAway(RusubanError):
    """The display {display} does not answer: {why}."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """One window that can be seen; `pid` is None where the server does not know it."""

    pid: int | None
    title: str


async def windows(display: str, authority: Path | None) -> list[Window]:
    """Return the windows that can be seen on a display of this PC, such as `:0`.

    Raises:
        DisplayIsAway: there is none, it does not let us in, or it takes too long.
    """
    number = display[1:].partition(".")[0]
    try:
        async with asyncio.timeout(LOOK_SECONDS_MAX):
            reader, writer = await asyncio.open_unix_connection(f"/tmp/.X11-unix/X{number}")  # noqa: S108 - where X11 has its sockets
            try:
                return await _Look(reader, writer).seen(_cookie(authority, number))
            finally:
                writer.transport.abort()
    except (TimeoutError, OSError, EOFError, struct.error, LookupError, ValueError) as fault:
        raise DisplayIsAway(display=display, why=str(fault) or "it takes too long") from None


class _Look:
    """One connection to an X server: a question, its answer, the next question."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._resource = 0

    async def seen(self, cookie: bytes) -> list[Window]:
        """Return all that can be seen."""
        root = await self._enter(cookie)
        extension = await self._asked(98, 0, struct.pack("<HH", 10, 0) + _padded(b"X-Resource"))
        if not extension or not extension[8]:
            message = "it cannot say whose a window is"
            raise ValueError(message)
        self._resource = extension[9]
        await self._asked(self._resource, 0, struct.pack("<BBH", 1, 2, 0))
        found: list[Window] = []
        level = [root]
        looked_at = 0
        for _ in range(DEPTH_MAX):
            below: list[int] = []
            for window in level:
                for child in reversed(await self._children(window)):
                    looked_at += 1
                    if looked_at <= WINDOWS_MAX and await self._is_seen(child):
                        below.append(child)
                        found.append(
                            Window(pid=await self._pid(child), title=await self._title(child))
                        )
            level = below
        return found

    async def _enter(self, cookie: bytes) -> int:
        """Introduce ourselves and return the root window of the first screen."""
        name = _COOKIE if cookie else b""
        head = struct.pack("<BxHHHHxx", 0x6C, 11, 0, len(name), len(cookie))
        self._writer.write(head + _padded(name) + _padded(cookie))
        outcome, length = struct.unpack("<BxxxxxH", await self._reader.readexactly(8))
        rest = await self._reader.readexactly(4 * length)
        if outcome != 1:
            message = "it does not let us in"
            raise ValueError(message)
        vendor, formats = struct.unpack_from("<H", rest, 16)[0], rest[21]
        at = 32 + vendor + -vendor % 4 + 8 * formats
        return int(struct.unpack_from("<I", rest, at)[0])

    async def _children(self, window: int) -> tuple[int, ...]:
        answer = await self._asked(15, 0, struct.pack("<I", window))
        if not answer:
            return ()
        (count,) = struct.unpack_from("<H", answer, 16)
        return struct.unpack_from(f"<{count}I", answer, 32)

    async def _is_seen(self, window: int) -> bool:
        answer = await self._asked(3, 0, struct.pack("<I", window))
        return bool(answer) and answer[26] == _VIEWABLE

    async def _pid(self, window: int) -> int | None:
        answer = await self._asked(self._resource, 4, struct.pack("<III", 1, window, _LOCAL_PID))
        if not answer or not struct.unpack_from("<I", answer, 8)[0]:
            return None
        (length,) = struct.unpack_from("<I", answer, 40)
        return int(struct.unpack_from("<I", answer, 44)[0]) if length >= 4 else None  # noqa: PLR2004 - bytes of a number

    async def _title(self, window: int) -> str:
        answer = await self._asked(20, 0, struct.pack("<IIIII", window, _WM_NAME, 0, 0, 64))
        if not answer:
            return ""
        (length,) = struct.unpack_from("<I", answer, 16)
        return answer[32 : 32 + length].decode("utf-8", "replace")

    async def _asked(self, request: int, detail: int, body: bytes) -> bytes:
        """Return the answer, or nothing where the server says that there is no such thing."""
        self._writer.write(struct.pack("<BBH", request, detail, 1 + len(body) // 4) + body)
        while True:
            answer = await self._reader.readexactly(32)
            kind, length = answer[0], int(struct.unpack_from("<I", answer, 4)[0])
            if kind == 0:
                return b""
            if kind == 1:
                if 4 * length > ANSWER_BYTES_MAX:
                    message = "it answers too much"
                    raise ValueError(message)
                return answer + await self._reader.readexactly(4 * length)


def _padded(text: bytes) -> bytes:
    return text + bytes(-len(text) % 4)


def _cookie(authority: Path | None, number: str) -> bytes:
    """Return the cookie of a display from the file that `xauth` keeps; see Xsecurity(7)."""
    try:
        if authority is None or authority.stat().st_size > AUTHORITY_BYTES_MAX:
            return b""
        rest = authority.read_bytes()
    except OSError:
        return b""
    while rest:
        parts: list[bytes] = []
        rest = rest[2:]
        for _ in range(4):
            (length,) = struct.unpack_from(">H", rest)
            parts.append(rest[2 : 2 + length])
            rest = rest[2 + length :]
        if parts[2] == _COOKIE and parts[1] in {b"", os.fsencode(number)}:
            return parts[3]
    return b""

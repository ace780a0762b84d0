"""Thousands of open pages without a browser: bare sockets, and when each was told."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from typing import Final

ADDRESSES: Final = 32
"""Addresses of this machine from which they come: one may have a thousand places."""

CONNECTING: Final = 100
"""How many connect before the server is listened to again."""

PATIENCE_SECONDS: Final = 60.0
"""How long all may take to be told one thing, on a machine that does other work."""

READ_BYTES: Final = 262_144

REQUEST: Final = (
    b"GET /events?lang=en HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
    b"Accept-Language: en\r\n\r\n"
)


class Viewers:
    """So many pages of one server, which look at it until they are closed."""

    def __init__(self, port: int, count: int) -> None:
        """Open them all, and return when each has been told what stands there."""
        self._epoll = select.epoll()
        self._lines: dict[int, socket.socket] = {}
        self.last = b""
        """What was read last, as it went over the line."""
        for first in range(0, count, CONNECTING):
            opened = [self._open(port, at) for at in range(first, min(count, first + CONNECTING))]
            self._told(b"event: page", opened)

    def told(self) -> list[float]:
        """Return when each was told of a card (monotonic seconds); forget what else it was told."""
        return self._told(b"event: card", list(self._lines))

    def close(self) -> None:
        for line in self._lines.values():
            line.close()
        self._epoll.close()

    def _open(self, port: int, at: int) -> int:
        line = socket.socket()
        line.bind((f"127.0.1.{1 + at % ADDRESSES}", 0))
        line.connect(("127.0.0.1", port))
        line.sendall(REQUEST)
        line.setblocking(False)  # noqa: FBT003 - the library's own
        self._lines[line.fileno()] = line
        self._epoll.register(line.fileno(), select.EPOLLIN)
        return line.fileno()

    def _told(self, event: bytes, awaited: list[int]) -> list[float]:
        left, held, times = set(awaited), dict.fromkeys(awaited, b""), []
        clock, by = time.monotonic, time.monotonic() + PATIENCE_SECONDS
        while left:
            assert clock() < by, f"{len(left)} were not told"
            for number, _ in self._epoll.poll(1.0, 256):
                with contextlib.suppress(BlockingIOError):
                    came = self._lines[number].recv(READ_BYTES)
                    assert came, "a viewer was cut"
                    if number in left:
                        said = held[number] + came
                        if event in said and said.endswith((b"\n\n\r\n", b"\n\n")):
                            times.append(clock())
                            left.discard(number)
                            self.last = said
                        else:
                            held[number] = said
        return times

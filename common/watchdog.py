"""What the service manager hears: ready, alive, stopping; only a loop that turns says alive."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

STATUS_CHARACTERS_MAX = 200
"""Characters of a status line; it is one line on a person's screen."""

ASK_AGAIN_FRACTION = 0.1
"""Part of a feeding interval after which a program that was not alive is asked again."""


@dataclass(frozen=True, kw_only=True)
class Notifier:
    """Tells the service manager how the program fares; without a manager it says nothing.

    Saying is always safe: a manager that is away or busy never stops or delays the program.
    """

    address: str | None = None
    """The manager's datagram socket: a path, or `@` and an abstract name."""

    feed_seconds: float | None = None
    """How often the watchdog is to be fed; none when nobody watches."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Return the notifier that systemd's `NOTIFY_SOCKET` and `WATCHDOG_…` describe."""
        address = environ.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")):
            return cls()
        return cls(address=address, feed_seconds=_half_the_watchdog_seconds(environ))

    def ready(self, status: str = "") -> None:
        """Say that the start is over and the program serves."""
        self._say("READY=1", *_status_line(status))

    def status(self, text: str) -> None:
        """Say in one line what the program is doing, for `systemctl status`."""
        self._say(*_status_line(text))

    def alive(self) -> None:
        """Feed the watchdog."""
        self._say("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the program is ending, as it was asked to."""
        self._say("STOPPING=1")

    def _say(self, *lines: str) -> None:
        if self.address is None or not lines:
            return
        name = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as manager,
        ):
            manager.sendto("\n".join(lines).encode(), name)


async def keep_watch(notifier: Notifier, alive: Callable[[], bool]) -> None:
    """Feed the watchdog while this loop turns and `alive` says so; return if nobody watches.

    Args:
        notifier: whom to tell, and how often.
        alive: whether the threads and connections beside the loop still do their work; answers
            at once, never waits.
    """
    if notifier.feed_seconds is None:
        return
    while True:
        if alive():
            notifier.alive()
            await asyncio.sleep(notifier.feed_seconds)
        else:
            await asyncio.sleep(notifier.feed_seconds * ASK_AGAIN_FRACTION)


def _half_the_watchdog_seconds(environ: Mapping[str, str]) -> float | None:
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None  # the variables were inherited: another process is watched
    microseconds = environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 2_000_000 if microseconds.isdecimal() and int(microseconds) else None


def _status_line(text: str) -> list[str]:
    one_line = " ".join(text.split())[:STATUS_CHARACTERS_MAX]
    return [f"STATUS={one_line}"] if one_line else []

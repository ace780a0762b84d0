"""An eye of its own process: when is the last process of a session gone? Nobody keeps it waiting.

Run as a file; each line in is a session and its pids, each line out a session and the seconds since
boot at which the last of them was gone.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import time
from collections.abc import Iterable, Iterator


def main() -> None:
    """Look until the other end of standard input is closed."""
    told = sys.stdin.fileno()
    looking = select.poll()
    looking.register(told, select.POLLIN)
    session_of: dict[int, str] = {}
    left: dict[str, set[int]] = {}
    rest = b""
    while True:
        ready = looking.poll()
        at = time.clock_gettime(time.CLOCK_BOOTTIME)
        for descriptor, _ in ready:
            if descriptor != told:
                _gone(descriptor, session_of, left, looking, at)
        if any(descriptor == told for descriptor, _ in ready):
            read = os.read(told, 65_536)
            if not read:
                return
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                session, *pids = line.decode().split()
                left[session] = set(_opened(pids))
                for found in left[session]:
                    session_of[found] = session
                    looking.register(found, select.POLLIN)


def _opened(pids: Iterable[str]) -> Iterator[int]:
    for pid in map(int, pids):
        with contextlib.suppress(ProcessLookupError):
            yield os.pidfd_open(pid)


def _gone(
    descriptor: int,
    session_of: dict[int, str],
    left: dict[str, set[int]],
    looking: select.poll,
    at: float,
) -> None:
    session = session_of.pop(descriptor)
    looking.unregister(descriptor)
    os.close(descriptor)
    left[session].discard(descriptor)
    if not left[session]:
        print(session, at, flush=True)


if __name__ == "__main__":
    main()

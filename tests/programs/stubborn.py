"""A program that will not leave: it ignores SIGTERM, and so does all that it starts.

`stubborn.py FOLDER`: each part writes a file of its name that holds its pid. A child stays with the
leader; a daemon leaves its parents and their session; a stray leaves even its environment behind.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path


def stay(part: str) -> None:
    """Write the pid and wait for ever."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (Path(sys.argv[1]) / part).write_text(str(os.getpid()))
    while True:
        signal.pause()


def start(part: str, environment: dict[str, str]) -> None:
    """Start this file again as another part."""
    me = [sys.executable, "-S", __file__, sys.argv[1], part]
    os.execve(sys.executable, me, environment)  # noqa: S606 - its own file again


def fork_away(part: str, environment: dict[str, str]) -> None:
    """Start a part the way daemons start: in a session of its own, its parent gone."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            start(part, environment)
        os._exit(0)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        stay(sys.argv[2])
    if os.fork() == 0:
        start("child", dict(os.environ))
    fork_away("daemon", dict(os.environ))
    fork_away("stray", {})
    stay("leader")

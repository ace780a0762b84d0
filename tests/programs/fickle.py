"""A program that gives trouble: `fickle.py WAY FILE [PORT]`, where FILE counts its starts.

`loops` crashes each time. `recovers` crashes twice, a little after its start, and stays. `sticks`
is ready once, crashes, and is never ready again. `late` is ready 0.3 s after its start: it takes
another name, opens its port, and makes FILE.ready. `polite` leaves when interrupted, and says so in
FILE.left. `hangs` gets nowhere.
"""

from __future__ import annotations

import signal
import socket
import sys
import time
from pathlib import Path

LATE_SECONDS = 0.3
SOME_SECONDS = 1.0
"""Enough to be seen ready on a busy machine."""


def stay() -> None:
    """Stay for ever."""
    while True:
        signal.pause()


def be_ready(file: Path, port: int) -> socket.socket:
    """Show in every way that it is there."""
    Path("/proc/self/comm").write_text("fickle-and-late")
    listening = socket.create_server(("127.0.0.1", port))
    file.with_suffix(".ready").write_text("ready")
    return listening


def leave_politely(file: Path) -> None:
    """Leave when interrupted, not when terminated."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        stay()
    except KeyboardInterrupt:
        file.with_suffix(".left").write_text("left")


def main(way: str, file: Path, port: int) -> None:
    """Go this way."""
    with file.open("a") as counted:
        counted.write("*")
    starts = file.stat().st_size
    if way == "loops":
        sys.exit(1)
    if way == "recovers" and starts <= 2:
        time.sleep(LATE_SECONDS)
        sys.exit(1)
    if way == "sticks" and starts == 1:
        file.with_suffix(".ready").write_text("ready")
        time.sleep(SOME_SECONDS)
        sys.exit(1)
    if way == "late":
        time.sleep(LATE_SECONDS)
        with be_ready(file, port):
            stay()
    if way == "polite":
        leave_politely(file)
        return
    stay()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int((*sys.argv, "0")[3]))

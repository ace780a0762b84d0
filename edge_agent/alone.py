"""One state folder, one agent: two would tell the controller two stories in one name."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from common.errors import CannotStart

LOCK_FILE: Final = "agent.lock"
"""What is held: a file of its own, since whoever makes a key holds the folder for that moment."""

TRY_SECONDS: Final = 0.05
TRIES_MAX: Final = 60
"""Three seconds: an agent that is about to end, or that finds itself not enrolled, is soon gone."""


class AgentIsRunning(CannotStart):
    """Another agent works in {folder}: stop it first, as with `systemctl stop edge-agent`."""


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold a folder, made if it is not there; however this process ends, the kernel lets go of it.

    Raises:
        AgentIsRunning: another process holds it.
        CannotStart: the folder cannot be made or read.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as fault:
        raise CannotStart(why=f"{folder} cannot be used: {fault.strerror}") from fault
    try:
        if not any(_holds(handle) for _ in range(TRIES_MAX)):
            raise AgentIsRunning(folder=folder)
        yield
    finally:
        os.close(handle)


def _holds(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(TRY_SECONDS)
        return False
    return True

"""Which processes belong to a world: those that it, or one of its own, has started."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

WORLD: Final = "RUSUBAN_WORLD"
"""In the environment of each process of a world: the world's folder."""


def processes_of(world: Path, *words: str) -> list[int]:
    """Return the processes of a world whose command line has all of these words."""
    mark = f"{WORLD}={world}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes()
            belongs = mark in (entry / "environ").read_bytes() or bytes(world) in command
            if belongs and command and all(word.encode() in command for word in words):
                found.append(int(entry.name))
    return found

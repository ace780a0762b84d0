"""A process that is killed in the middle of its work: of another program, or of this one's copy."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HOUSE = Path(__file__).parents[2]


def acknowledged_before_the_kill(what: str, folder: Path, *, lines: int) -> int:
    """Let the writer acknowledge some lines, kill it, and return the last it acknowledged."""
    argv = [sys.executable, str(Path(__file__).with_name("writer.py")), what, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(HOUSE)}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment) as writer:
        assert writer.stdout is not None
        for _ in range(lines):
            writer.stdout.readline()
        writer.kill()
        rest = writer.stdout.read().split(b"\n")
    whole = [int(line) for line in rest[:-1] if line]
    return max([lines, *whole])


def ends_in_a_copy_of_this_process(work: Callable[[], object]) -> bool:
    """Do work in a forked copy; say whether it came to its end, or was killed on the way."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the work failed"
    return not os.WIFSIGNALED(status)


class KillAt:
    """Counts what it is called with, and kills its process at the given count."""

    def __init__(self, count: int) -> None:
        self._left = count

    def __call__(self, *_: object) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

"""Control groups, where the service manager has delegated them: a program's tree that none leaves.

The kernel keeps whoever a program starts in its group, however often it forks and whatever it
forgets of its environment, and ends a whole group at once. See cgroups(7), cgroup.kill.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Final

PREFIX: Final = "rusuban-"
"""What our groups' names begin with; what else is there belongs to somebody else."""

_PROBE = "probe"


class Groups:
    """The groups of this runner's programs, beneath the one it runs in itself.

    Runners that somebody has started side by side run in one group: each group is named after its
    runner too, so that none takes another's for one that was left behind.
    """

    def __init__(self, home: Path, runner: str) -> None:
        self._home = home
        self._prefix = f"{PREFIX}{_digits_of(runner)}-"

    def of(self, session: str) -> Path:
        """Return the folder of a session's group: its name is any text, a folder's is not."""
        return self._home / f"{self._prefix}{_digits_of(session)}"

    def door(self, session: str) -> int:
        """Return a descriptor that whoever writes `0` to joins the group; it is made if need be.

        The kernel asks who opened it, so that a child enters that is another user already.

        Raises:
            OSError: there can be no such group.
        """
        folder = self.of(session)
        folder.mkdir(exist_ok=True)
        return os.open(folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)

    def pids(self, session: str) -> set[int]:
        """Return the processes of a session's group and of those that they have made in it."""
        found: set[int] = set()
        for folder in _whole(self.of(session)):
            with contextlib.suppress(OSError):
                found |= {int(pid) for pid in (folder / "cgroup.procs").read_text().split()}
        return found

    def kill(self, session: str) -> None:
        """End all that is in a session's group, and what it forks meanwhile."""
        with contextlib.suppress(OSError):
            (self.of(session) / "cgroup.kill").write_text("1")

    def remove(self, session: str) -> None:
        """Take away a group that is empty; one that is not stays."""
        _remove(self.of(session))

    def sweep(self, live: Collection[str]) -> None:
        """End and take away every group of ours that no live session has."""
        kept = {self.of(session) for session in live}
        for folder in set(self._home.glob(f"{self._prefix}*")) - kept:
            with contextlib.suppress(OSError):
                (folder / "cgroup.kill").write_text("1")
            _remove(folder)


def delegated(
    runner: str, own: Path = Path("/proc/self/cgroup"), mounts: Path = Path("/proc/self/mountinfo")
) -> Groups | None:
    """Return the groups that `runner` may make, or None where none are its to make.

    Only a group that is not the root has `cgroup.kill`; whether we may make one in it is tried.
    """
    try:
        home = _home(own.read_text(), mounts.read_text())
        if home is None or not (home / "cgroup.kill").exists():
            return None
        groups = Groups(home, runner)
        os.close(groups.door(_PROBE))
        groups.remove(_PROBE)
    except OSError:
        return None
    return groups


def joining(door: int) -> Callable[[], None]:
    """Return what a child does before it becomes the program: it joins, and all it starts does."""

    def join() -> None:
        os.write(door, b"0")

    return join


def _digits_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:24]


def _home(own: str, mounts: str) -> Path | None:
    """Return the folder of our own group: see proc(5), /proc/PID/cgroup and mountinfo."""
    path = next((line[3:] for line in own.splitlines() if line.startswith("0::")), None)
    if path is None or ".." in path.split("/"):
        return None
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        if after.split(" ", 1)[0] == "cgroup2":
            root, place = before.split(" ")[3:5]
            inside = path.removeprefix(root.rstrip("/")).lstrip("/")
            return Path(place) / inside
    return None


def _whole(folder: Path) -> Iterator[Path]:
    """Yield a group and all beneath it, the deepest first."""
    for at, _, _ in os.walk(folder, topdown=False):
        yield Path(at)


def _remove(folder: Path) -> None:
    for one in _whole(folder):
        with contextlib.suppress(OSError):
            one.rmdir()

"""Empties folders that a program keeps its users' traces in; the folders themselves stay.

Its law: nothing is touched that is not inside. Every step goes by the descriptor of the folder it
is in, and by a bare name; a link is taken away and never followed; what is mounted is not entered.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from common.errors import RusubanError

ENTRIES_MAX: Final = 200_000
"""Files and folders of one wipe: a browser's profile has some ten thousand."""

DEPTH_MAX: Final = 128
"""Folders within each other: each holds a descriptor, of which a process has 1 024."""

AGAIN_MAX: Final = 3
"""How often a folder is looked through: what is written meanwhile may be behind us."""

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_IS_NO_FOLDER: Final = frozenset({errno.ENOTDIR, errno.ELOOP})


class WipeStops(RusubanError):
    """A folder is not empty yet: {why}."""


@dataclass(kw_only=True, slots=True)
class Wiped:
    """How far a wipe has come: entries taken away, and whether it is to go on."""

    entries: int = 0
    is_to_stop: bool = False
    why_stopped: str = ""
    entries_max: int = field(default=ENTRIES_MAX)

    def count(self) -> None:
        """Note one more entry.

        Raises:
            WipeStops: they are too many, or somebody has told us to stop.
        """
        self.look()
        if self.entries >= self.entries_max:
            raise WipeStops(why=f"more than {self.entries_max} entries")
        self.entries += 1

    def look(self) -> None:
        """Go on, unless we were told to stop.

        Raises:
            WipeStops: we were.
        """
        if self.is_to_stop:
            raise WipeStops(why=self.why_stopped or "it was told to stop")

    def stop(self, why: str) -> None:
        """Have it stop before the next entry; called from another thread."""
        self.why_stopped, self.is_to_stop = why, True


Touch = Callable[[str], object]
"""Called with the name of each entry before it is touched; for tests of races."""


def wipe(folders: Sequence[PurePosixPath], wiped: Wiped, before: Touch | None = None) -> None:
    """Empty each folder; one that is not there is empty. The folders stay, with whose they are.

    Args:
        folders: absolute paths, none of whose parts may be a link.
        wiped: counts what is taken away, and may be told to stop from elsewhere.
        before: called with each entry's name before anything is done with it.

    Raises:
        WipeStops: something cannot be taken away, is mounted, or there is too much of it. What was
            taken away before stays away, and doing it again goes on with the rest.
    """
    for folder in folders:
        try:
            with _opened(folder) as descriptor:
                _Wipe(folder, descriptor, wiped, before or _nothing).empty()
        except FileNotFoundError:
            continue
        except OSError as fault:
            raise WipeStops(why=f"{folder}: {fault.strerror}") from None


class _Wipe:
    """One folder that is being emptied."""

    def __init__(self, folder: PurePosixPath, descriptor: int, wiped: Wiped, before: Touch) -> None:
        self._folder = folder
        self._descriptor = descriptor
        self._wiped = wiped
        self._before = before
        self._mount = _mount_of(descriptor)

    def empty(self) -> None:
        self._empty(self._descriptor, 1)

    def _empty(self, folder: int, depth: int) -> None:
        """Take everything out of an open folder, and look once more for what came meanwhile."""
        for _ in range(AGAIN_MAX):
            names = self._names_in(folder)
            if not names:
                return
            for name in names:
                self._take_away(folder, name, depth)
        if self._names_in(folder):
            raise WipeStops(why=f"{self._folder}: something still writes there")

    def _names_in(self, folder: int) -> list[str]:
        """Return what is in a folder, no more than may be taken away."""
        names: list[str] = []
        with os.scandir(folder) as entries:
            for entry in entries:
                self._wiped.look()
                names.append(entry.name)
                if len(names) > self._wiped.entries_max:
                    raise WipeStops(why=f"more than {self._wiped.entries_max} entries")
        return names

    def _take_away(self, folder: int, name: str, depth: int) -> None:
        self._wiped.count()
        self._before(name)
        try:
            seen = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISDIR(seen.st_mode):
                self._take_folder_away(folder, name, depth)
            else:
                os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            return  # whoever was before us has done it
        except OSError as fault:
            raise WipeStops(why=f"{name!r} in {self._folder}: {fault.strerror}") from None

    def _take_folder_away(self, folder: int, name: str, depth: int) -> None:
        if depth >= DEPTH_MAX:
            raise WipeStops(why=f"{self._folder} is deeper than {DEPTH_MAX} folders")
        try:
            inner = os.open(name, _FOLDER, dir_fd=folder)
        except OSError as fault:
            if fault.errno not in _IS_NO_FOLDER:
                raise
            os.unlink(name, dir_fd=folder)  # it was one a moment ago: somebody plays with us
            return
        try:
            if _mount_of(inner) != self._mount:
                raise WipeStops(why=f"{name!r} in {self._folder} is mounted")
            self._empty(inner, depth + 1)
        finally:
            os.close(inner)
        os.rmdir(name, dir_fd=folder)


@contextmanager
def _opened(folder: PurePosixPath) -> Iterator[int]:
    """Open a folder from the root on, no part of it through a link."""
    descriptor = os.open("/", _FOLDER)
    try:
        for part in folder.parts[1:]:
            inner = os.open(part, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        with suppress(OSError):
            os.close(descriptor)


def _mount_of(descriptor: int) -> str:
    """Return the kernel's number of the mount a folder is in: a bind mount has one of its own."""
    with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as told:  # noqa: PTH123 - the kernel's own word
        for line in told:
            if line.startswith("mnt_id:"):
                return line.split()[1]
    raise WipeStops(why="the kernel does not say what is mounted where")


def _nothing(_name: str) -> None:
    """Do nothing."""

"""Files that only we may read, written whole: a power cut leaves the old one or the new one."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from common.errors import CannotStart


class FileCannotBeKept(CannotStart):
    """{file} cannot be kept: {why}."""


def kept(file: Path, make: Callable[[], bytes]) -> bytes:
    """Return what a file holds; when it is not there, what is made for it, and is durable by then.

    Of two programs that start at once, the second finds what the first has made.

    Raises:
        FileCannotBeKept: it can neither be read nor written.
    """
    try:
        if file.exists():
            return file.read_bytes()
        with alone_in(file.parent):
            if not file.exists():
                replace(file, make())
            return file.read_bytes()
    except OSError as fault:
        raise FileCannotBeKept(file=file, why=fault.strerror) from fault


def replace(file: Path, content: bytes) -> None:
    """Put this content in the place of the file's, durably, readable by us alone.

    Raises:
        FileCannotBeKept: the disk does not take it; the file is as it was.
    """
    beside = file.with_name(f"{file.name}.new")
    try:
        _make_folder(file.parent)
        beside.unlink(missing_ok=True)  # one left by a power cut may be open to others
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        beside.rename(file)
        with _opened(file.parent) as folder:
            os.fsync(folder)  # a rename changes only the names in it
    except OSError as fault:
        raise FileCannotBeKept(file=file, why=fault.strerror) from fault


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Let one program at a time look and write in a folder, which is made if it is not there."""
    _make_folder(folder)
    with _opened(folder) as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield handle
    finally:
        os.close(handle)


def _make_folder(folder: Path) -> None:
    for each in (folder.parent, folder):  # a parent made on the way is open to all
        each.mkdir(mode=0o700, parents=True, exist_ok=True)

"""What of the disk is durable when a call returns: a power cut leaves the old or the new, whole."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

TRASH: Final = ".trash-"
"""Begins the name of a folder that is only waiting to be emptied."""

FOLDER_MODE: Final = 0o755
FILE_MODE: Final = 0o644
PROGRAM_MODE: Final = 0o755
"""What is installed is read, and run, by the runner's user, and written by the agent's alone."""


def make_folder(folder: Path) -> None:
    """Make a folder, with those above it, that others may read whatever the umask is."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        folder.chmod(FOLDER_MODE)
        keep_names(folder.parent)


def keep_names(folder: Path) -> None:
    """Make durable which names a folder has."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def keep_bytes(file: Path) -> None:
    """Make durable what a file holds."""
    handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def keep_tree(files: Iterable[Path], folders: Iterable[Path]) -> None:
    """Make files and the folders they are in durable, after all of them are written."""
    for file in files:
        keep_bytes(file)
    for folder in sorted(folders, key=lambda each: len(each.parts), reverse=True):
        keep_names(folder)


def write_whole(file: Path, content: bytes) -> None:
    """Put this content in the place of the file's, durably, readable by all."""
    beside = file.with_name(f"{file.name}.new")
    beside.unlink(missing_ok=True)
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE)
    with os.fdopen(handle, "wb") as opened:
        os.fchmod(handle, FILE_MODE)
        opened.write(content)
        opened.flush()
        os.fsync(handle)
    beside.rename(file)
    keep_names(file.parent)


def put_aside(folder: Path, name: str, under: str = TRASH) -> Path:
    """Rename a folder durably to one that begins so and that is not there; return where it is."""
    aside = folder.with_name(f"{under}{name}")
    number = 0
    while aside.exists():
        number += 1
        aside = folder.with_name(f"{under}{name}-{number}")
    folder.rename(aside)
    keep_names(folder.parent)
    return aside


def empty_away(folder: Path) -> None:
    """Remove a folder of ours with all that is in it; no link in it is followed."""
    shutil.rmtree(folder, ignore_errors=False)


def free_bytes(folder: Path) -> int:
    """Return how many bytes we may still write where a folder is."""
    return shutil.disk_usage(folder).free


def is_full(fault: OSError) -> bool:
    """Say whether it is the disk that takes no more."""
    return fault.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

"""Whether a program's file is what the operator put there: nobody else may have changed it."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections import deque
from collections.abc import Collection
from pathlib import Path
from typing import Final

LINKS_MAX: Final = 40
"""Links followed on the way to one file: as many as the kernel follows."""

PERSON_UID_MIN: Final = 1000
"""From here on an account is a person's, whose private group has nobody else in it."""

_WRITABLE = stat.S_IWGRP | stat.S_IWOTH


class _NotTrusted(Exception):
    pass


def why_not_trusted(file: Path, uid: int, owners: Collection[int] = ()) -> str | None:
    """Return why a program may not be started from this path, or None.

    Every folder and link on the way, and the file itself, must belong to root, to `uid` or to one
    of the `owners`, and nobody else may be able to write there: else the program could be
    exchanged. A link is followed and what it leads to held to the same, so that none leads out of
    what the operator keeps. In a sticky folder others may add names but not exchange ours.
    """
    try:
        found, seen = _followed(file, {0, uid, *owners})
    except _NotTrusted as fault:
        return str(fault)
    except OSError as fault:
        return fault.strerror or str(fault)
    if not stat.S_ISREG(seen.st_mode):
        return f"{found} is not a plain file"
    if seen.st_mode & (stat.S_ISUID | stat.S_ISGID):
        return f"{found} would run as somebody else"
    if not seen.st_mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH):
        return f"{found} is not to be executed"
    return None


def why_folder_not_trusted(folder: Path, uid: int, owners: Collection[int] = ()) -> str | None:
    """Return why nothing may be read from this folder for a program, or None; as of its file."""
    try:
        found, seen = _followed(folder, {0, uid, *owners})
    except _NotTrusted as fault:
        return str(fault)
    except OSError as fault:
        return fault.strerror or str(fault)
    return None if stat.S_ISDIR(seen.st_mode) else f"{found} is not a folder"


def _followed(file: Path, owners: Collection[int]) -> tuple[Path, os.stat_result]:
    """Return where a path ends, and how that stands; each step of the way is looked at."""
    at, links = Path("/"), 0
    seen = _looked_at(at, owners)
    ahead = deque(file.parts[1:])
    while ahead:
        step = ahead.popleft()
        if step == "..":
            at = at.parent
            continue
        below = at / step
        seen = _looked_at(below, owners)
        if not stat.S_ISLNK(seen.st_mode):
            at = below
            continue
        links += 1
        if links > LINKS_MAX:
            message = f"{file} leads through more than {LINKS_MAX} links"
            raise _NotTrusted(message)
        target = below.readlink()
        at = Path("/") if target.is_absolute() else at
        ahead.extendleft(reversed([part for part in target.parts if part != "/"]))
    return at, at.lstat()


def _looked_at(path: Path, owners: Collection[int]) -> os.stat_result:
    seen = path.lstat()
    if seen.st_uid not in owners:
        message = f"{path} belongs to another user"
        raise _NotTrusted(message)
    is_sticky = stat.S_ISDIR(seen.st_mode) and seen.st_mode & stat.S_ISVTX
    if stat.S_ISLNK(seen.st_mode) or is_sticky or not seen.st_mode & _WRITABLE:
        return seen
    if seen.st_mode & stat.S_IWOTH or not _is_private(seen.st_gid, seen.st_uid):
        message = f"{path} can be changed by others"
        raise _NotTrusted(message)
    return seen


def _is_private(gid: int, uid: int) -> bool:
    """Return whether a group has one member only: the person that the file belongs to."""
    if gid == 0:
        return True
    try:
        owner, group = pwd.getpwuid(uid), grp.getgrgid(gid)
    except KeyError:
        return False
    return uid >= PERSON_UID_MIN and owner.pw_gid == gid and set(group.gr_mem) <= {owner.pw_name}

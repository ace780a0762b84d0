"""What really lies in a folder: every file with the digest of its bytes, ours and others' alike."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from common.rules.modules import MANIFEST_FILE, PackedFile, digest_of_contents
from edge_agent.installed import manifest_of

_READ_BYTES: Final = 1 << 20


def digest_on_disk(place: Path) -> str:
    """Return by which digest what lies in a folder is known, as it lies there now.

    Of a version of ours only the files of its manifest count: what others have put among them is
    theirs. A file that is missing, or is not where it seems to be, makes it another.

    What is not from us may hold whatever a disk can hold: links, and what is not for us to read.
    """
    manifest = manifest_of(place)
    if manifest is None:
        return digest_of_contents(_files_of_others(place))
    ours = (place / file.path for file in manifest.files)
    return digest_of_contents(_file(each, place) for each in ours if is_there(each, place))


def is_there(file: Path, place: Path) -> bool:
    """Say whether there is a plain file, and no link on the way to it leads out of its folder."""
    where = place.resolve() / file.relative_to(place)
    return file.is_file() and not file.is_symlink() and file.resolve() == where


def files_in(folder: Path) -> Iterator[PackedFile]:
    """Yield every file below a folder as it lies there, but for the manifest.

    Raises:
        OSError: one cannot be read; a link or a device is one that nobody packed.
    """
    for above, _, names in os.walk(folder, onerror=_raise):
        for name in names:
            file = Path(above, name)
            if file != folder / MANIFEST_FILE:
                yield _file(file, folder)


def _files_of_others(folder: Path) -> Iterator[PackedFile]:
    """Yield all that lies below a folder; what is no plain file that we may read has no digest."""
    for above, _, names in os.walk(folder):
        for name in names:
            file = Path(above, name)
            try:
                yield _file(file, folder)
            except OSError:
                yield PackedFile(path=file.relative_to(folder).as_posix(), length=0, sha256="")


def _file(file: Path, folder: Path) -> PackedFile:
    handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as opened:
        seen = os.fstat(handle)
        if not stat.S_ISREG(seen.st_mode):
            raise OSError(errno.EINVAL, "it is no plain file")
        found = hashlib.sha256()
        while piece := opened.read(_READ_BYTES):
            found.update(piece)
    return PackedFile(
        path=file.relative_to(folder).as_posix(),
        length=seen.st_size,
        sha256=found.hexdigest(),
        is_executable=bool(seen.st_mode & stat.S_IXUSR),
    )


def _raise(fault: OSError) -> None:
    raise fault

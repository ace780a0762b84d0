"""A folder as an archive: the same folder is the same bytes, on every machine.

Its law: what it takes in, every terminal can unpack: plain files with plain names, and no others.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from common.errors import RusubanError
from common.messages.modules import CHUNK_BYTES, CHUNKS_MAX, FILES_MAX, UNPACKED_BYTES_MAX
from common.rules.modules import PackedFile, digest_of_contents, why_unfit

PACKED_PATH_BYTES_MAX: Final = 200
"""Bytes of a file's name with its folders: fewer than fit, so that a release has room anywhere."""

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can say; a file's own time is left out
_UNIX: Final = 3
_STEP_BYTES: Final = 262_144
_ODD = re.compile(r"[:*?\"<>|]")  # what other systems take for something else


class CannotBePacked(RusubanError):
    """{name} cannot be packed: {why}."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Archive:
    """A package's file as it was written, with what is signed of it.

    Attributes:
        chunks: SHA-256 of each `CHUNK_BYTES`, in hex, in order.
        contents: the digest of its files as they lie unpacked; see `digest_of_contents`.
    """

    path: Path
    sha256: str
    length: int
    chunks: tuple[str, ...]
    contents: str
    unpacked_bytes: int
    files: int


def pack(folder: Path, to: Path) -> Archive:
    """Write a folder's files as an archive, durably, and return what is to be signed of it.

    Raises:
        CannotBePacked: something in it is no plain file, has an odd name, or it is too much.
    """
    found = dict(_files(folder))
    unpacked = sum(path.stat().st_size for path in found.values())
    _check_all(folder, len(found), unpacked)
    try:
        with to.open("xb") as opened:
            contents = _write(opened, found)
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as fault:
        raise CannotBePacked(name=folder, why=fault.strerror or "it could not be read") from fault
    sha256, length, chunks = digests(to)
    if len(chunks) > CHUNKS_MAX:
        raise CannotBePacked(name=folder, why=f"over {CHUNKS_MAX * CHUNK_BYTES} bytes packed")
    return Archive(
        path=to,
        sha256=sha256,
        length=length,
        chunks=chunks,
        contents=contents,
        unpacked_bytes=unpacked,
        files=len(found),
    )


def digests(file: Path) -> tuple[str, int, tuple[str, ...]]:
    """Return a file's SHA-256, its length in bytes, and the SHA-256 of each of its chunks."""
    whole, length, chunks = hashlib.sha256(), 0, []
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK_BYTES):
            whole.update(chunk)
            length += len(chunk)
            chunks.append(hashlib.sha256(chunk).hexdigest())
    return whole.hexdigest(), length, tuple(chunks)


def _check_all(folder: Path, files: int, unpacked_bytes: int) -> None:
    if not files:
        raise CannotBePacked(name=folder, why="no file is in it")
    if files > FILES_MAX:
        raise CannotBePacked(name=folder, why=f"more than {FILES_MAX} files are in it")
    if unpacked_bytes > UNPACKED_BYTES_MAX:
        raise CannotBePacked(name=folder, why=f"over {UNPACKED_BYTES_MAX} bytes are in it")


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Give every file below a folder with its name in the archive; no two differ only in case."""
    if not folder.is_dir():
        raise CannotBePacked(name=folder, why="it is no folder")
    seen: set[str] = set()
    for path in sorted(folder.rglob("*"), key=lambda each: each.relative_to(folder).as_posix()):
        name = path.relative_to(folder).as_posix()
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            continue
        if not stat.S_ISREG(mode):
            raise CannotBePacked(name=name, why="it is a link or no plain file")
        _check_name(name)
        if name.casefold() in seen:
            raise CannotBePacked(name=name, why="another differs from it only in its case")
        seen.add(name.casefold())
        yield name, path


def _check_name(name: str) -> None:
    if (why := why_unfit(name)) is not None:
        raise CannotBePacked(name=name, why=f"its name {why}")
    if len(name.encode()) > PACKED_PATH_BYTES_MAX:
        raise CannotBePacked(name=name, why=f"its name has over {PACKED_PATH_BYTES_MAX} bytes")
    if _ODD.search(name) or any(part.endswith((".", " ")) for part in name.split("/")):
        raise CannotBePacked(name=name, why="its name would be another elsewhere")


def _write(opened: IO[bytes], found: Mapping[str, Path]) -> str:
    """Write the archive, and return the digest by which its unpacked files are known."""
    packed: list[PackedFile] = []
    with zipfile.ZipFile(opened, "w") as archive:
        for name, path in found.items():
            is_run = bool(path.stat().st_mode & stat.S_IXUSR)
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = _UNIX
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (stat.S_IFREG | (0o755 if is_run else 0o644)) << 16
            entry.file_size = path.stat().st_size
            digest, length = hashlib.sha256(), 0
            with path.open("rb") as read, archive.open(entry, "w") as written:
                while step := read.read(_STEP_BYTES):
                    written.write(step)
                    digest.update(step)
                    length += len(step)
            packed.append(
                PackedFile(
                    path=name, length=length, sha256=digest.hexdigest(), is_executable=is_run
                )
            )
    return digest_of_contents(packed)

"""Unpacks an archive into a folder of ours: plain files and folders, as signed, and nothing else.

Nothing is written before every name, kind and length in the archive has been looked at. What is
written is counted again, byte by byte, for an archive may lie about its lengths.
"""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from common.errors import RusubanError
from common.messages.modules import FILES_MAX, UNPACKED_BYTES_MAX
from common.rules.modules import PackedFile, digest_of_contents, why_unfit
from edge_agent.modules.disk import FILE_MODE, FOLDER_MODE, PROGRAM_MODE, keep_tree

PIECE_BYTES: Final = 1 << 20
"""Bytes unpacked at a time: what an archive can cost in memory, however well it is packed."""

_KINDS = {0, stat.S_IFREG, stat.S_IFDIR}
"""Of a file's kind, as an archive from any system says it; 0: it does not."""

_ENCRYPTED = 0x1
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


class ArchiveIsUnfit(RusubanError):
    """The archive may not be unpacked: {why}."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """What an archive may come to, as its signed description says.

    `contents` is the digest of what it must unpack to; None: of an old release, and not known.
    """

    files: int = FILES_MAX
    unpacked_bytes: int = UNPACKED_BYTES_MAX
    contents: str | None = None


def unpack(archive: Path, folder: Path, bounds: Bounds) -> Sequence[PackedFile]:
    """Unpack into a folder that is empty, durably, and return what lies there now.

    Raises:
        ArchiveIsUnfit: it is none, or holds what may not be unpacked; `folder` may hold a part.
        OSError: the disk does not take it.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = _looked_through(opened.infolist(), bounds)
            found = [_written(opened, entry, folder) for entry in entries if not entry.is_dir()]
            folders = {folder, *_folders_in(entries, folder)}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as fault:
        raise ArchiveIsUnfit(why=f"it is damaged ({fault})") from fault
    if bounds.contents and digest_of_contents(found) != bounds.contents:
        raise ArchiveIsUnfit(why="its files are not those that are signed")
    keep_tree([folder / file.path for file in found], folders)
    return found


def _looked_through(
    entries: Sequence[zipfile.ZipInfo], bounds: Bounds
) -> Sequence[zipfile.ZipInfo]:
    """Return an archive's entries when all of them may be unpacked together.

    Raises:
        ArchiveIsUnfit: one may not, or they are too many or too much.
    """
    if len(entries) > 2 * min(bounds.files, FILES_MAX):  # each may bring a folder of its own
        raise ArchiveIsUnfit(why=f"it has {len(entries)} entries")
    for entry in entries:
        if (why := _why_not(entry)) is not None:
            raise ArchiveIsUnfit(why=f"{entry.filename!r} {why}"[:300])
    files = [entry for entry in entries if not entry.is_dir()]
    if len(files) > min(bounds.files, FILES_MAX):
        raise ArchiveIsUnfit(why=f"it has {len(files)} files, and {bounds.files} are signed")
    whole = sum(entry.file_size for entry in files)
    if whole > min(bounds.unpacked_bytes, UNPACKED_BYTES_MAX):
        raise ArchiveIsUnfit(why=f"it unpacks to {whole} bytes, of {bounds.unpacked_bytes} signed")
    _refuse_collisions(entries)
    return entries


def _why_not(entry: zipfile.ZipInfo) -> str | None:
    """Return why one entry may not be unpacked, or None."""
    if not entry.filename or entry.orig_filename != entry.filename:
        return "has another name than it says"  # zipfile cuts one at a NUL
    if (why := why_unfit(_path_of(entry))) is not None:
        return why
    if (why := _why_not_plain(entry.external_attr >> 16, is_folder=entry.is_dir())) is not None:
        return why
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
        return "is packed in a way that we do not unpack"
    if entry.is_dir() and entry.file_size:
        return "is a folder with bytes"
    return None


def _why_not_plain(mode: int, *, is_folder: bool) -> str | None:
    kind = stat.S_IFMT(mode)
    if kind not in _KINDS or (kind and is_folder != (kind == stat.S_IFDIR)):
        return "is no plain file"
    if mode & (stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX):
        return "would run as somebody else"
    return None


def _refuse_collisions(entries: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse two entries of one place, also where a disk does not tell `A` from `a`."""
    files: set[str] = set()
    folders: set[str] = set()
    for entry in entries:
        path = _path_of(entry).casefold()
        above = path if entry.is_dir() else path.rpartition("/")[0]
        while above:
            folders.add(above)
            above = above.rpartition("/")[0]
        if not entry.is_dir():
            if path in files:
                raise ArchiveIsUnfit(why=f"{entry.filename!r} is in it twice")
            files.add(path)
    if both := files & folders:
        raise ArchiveIsUnfit(why=f"{min(both)!r} is a file and a folder")


def _written(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> PackedFile:
    """Write one file and return it as it was written."""
    file, is_executable = folder / entry.filename, bool((entry.external_attr >> 16) & stat.S_IXUSR)
    _make_below(folder, file.parent)
    mode = PROGRAM_MODE if is_executable else FILE_MODE
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    found, length = hashlib.sha256(), 0
    with os.fdopen(handle, "wb") as written, opened.open(entry) as packed:
        os.fchmod(handle, mode)
        for piece in _pieces(packed):
            length += len(piece)
            if length > entry.file_size:
                raise ArchiveIsUnfit(why=f"{entry.filename!r} is longer than it says")
            found.update(piece)
            written.write(piece)
    if length != entry.file_size:
        raise ArchiveIsUnfit(why=f"{entry.filename!r} is shorter than it says")
    return PackedFile(
        path=entry.filename, length=length, sha256=found.hexdigest(), is_executable=is_executable
    )


def _pieces(packed: IO[bytes]) -> Iterator[bytes]:
    while piece := packed.read(PIECE_BYTES):
        yield piece


def _make_below(root: Path, folder: Path) -> None:
    if folder != root and not folder.is_dir():
        _make_below(root, folder.parent)
        folder.mkdir()
        folder.chmod(FOLDER_MODE)


def _folders_in(entries: Sequence[zipfile.ZipInfo], root: Path) -> Iterator[Path]:
    """Yield every folder, those that are empty as well: they are made here."""
    for entry in entries:
        folder = root / _path_of(entry)
        if not entry.is_dir():
            folder = folder.parent
        _make_below(root, folder)
        while folder != root:
            yield folder
            folder = folder.parent


def _path_of(entry: zipfile.ZipInfo) -> str:
    return entry.filename.removesuffix("/") if entry.is_dir() else entry.filename

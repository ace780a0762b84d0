"""What an archive may hold, and by which digest its unpacked files are known on both sides."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

MANIFEST_FILE: Final = "manifest.json"
"""What a terminal writes beside a package's files; none of its own may lie in its place."""

PATH_BYTES_MAX: Final = 1_024
"""Bytes of one file's path: a quarter of what Linux takes, for our own folders come before it."""

NAME_BYTES_MAX: Final = 255
"""Bytes of one name in a path: no file system we know takes more."""

DEPTH_MAX: Final = 32
"""Folders within each other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PackedFile:
    """One file of a package, as it lies on the disk."""

    path: str
    length: int
    sha256: str
    is_executable: bool = False


def why_unfit(path: str) -> str | None:
    """Return why no file of a package may have this path, or None; it is relative, with slashes."""
    if path.partition("/")[0].casefold() == MANIFEST_FILE:
        return "is the name of what terminals write beside the files"
    if not path.isprintable() or path != unicodedata.normalize("NFC", path):
        return "is not written plainly"
    if len(path.encode()) > PATH_BYTES_MAX:
        return f"is longer than {PATH_BYTES_MAX} bytes"
    if "\\" in path or path.startswith("/") or re.match(r"[A-Za-z]:", path):
        return "is not relative"
    return _why_names_unfit(path.split("/"))


def _why_names_unfit(names: Sequence[str]) -> str | None:
    if any(name in {"", ".", ".."} for name in names):
        return "leads elsewhere"
    if len(names) > DEPTH_MAX:
        return f"has more than {DEPTH_MAX} parts"
    if any(len(name.encode()) > NAME_BYTES_MAX for name in names):
        return f"has a name longer than {NAME_BYTES_MAX} bytes"
    return None


def digest_of_contents(files: Iterable[PackedFile]) -> str:
    """Return the SHA-256 in hex by which unpacked files are known: paths, lengths, bytes, rights.

    Of what lies on a terminal, of what its manifest says, and of the archive on the controller it
    is the same. A name on a disk need not be text in UTF-8; its bytes count all the same.
    """
    found = hashlib.sha256()
    for file in sorted(files, key=lambda each: each.path.encode(errors="surrogateescape")):
        mark = "x" if file.is_executable else "-"
        line = f"{file.path}\0{file.length}\0{file.sha256}\0{mark}\n"
        found.update(line.encode(errors="surrogateescape"))
    return found.hexdigest()

"""Reads the small files in which a system says what it is; what cannot be read is None."""

from __future__ import annotations

import os
import re
from itertools import islice
from pathlib import Path
from typing import Final

FILE_BYTES_MAX: Final = 4096
"""Bytes of a file that says one thing: a page, as much as the kernel gives at once."""

TEXT_LENGTH_MAX: Final = 200
"""Characters of a text in a specification; the rest of a longer one is left out."""

ENTRIES_MAX: Final = 4096
"""Entries of a folder that are looked at; no PC has as many of anything."""

_NUMBER = re.compile(r"[0-9]{1,18}")


def text_of(file: Path) -> str | None:
    """Return what a file says, as one printable line."""
    raw = bytes_of(file)
    return None if raw is None else clean(raw)


def number_of(file: Path) -> int | None:
    """Return the whole number that a file says."""
    text = text_of(file)
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None


def bytes_of(file: Path, most: int = FILE_BYTES_MAX) -> bytes | None:
    """Return a file's content; one that is longer than `most` bytes is not what it should be."""
    raw = beginning_of(file, most + 1)
    return raw if raw is not None and len(raw) <= most else None


def beginning_of(file: Path, most: int = FILE_BYTES_MAX) -> bytes | None:
    """Return a file's first bytes."""
    try:
        with file.open("rb") as opened:
            return opened.read(most)
    except OSError:
        return None


def names_in(folder: Path) -> list[str] | None:
    """Return the names in a folder, in order."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in islice(entries, ENTRIES_MAX))
    except OSError:
        return None


def clean(raw: bytes | str) -> str | None:
    """Return a text as one printable line; what is no UTF-8, or says nothing, is None."""
    try:
        text = raw.decode() if isinstance(raw, bytes) else raw
    except UnicodeDecodeError:
        return None
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:TEXT_LENGTH_MAX].rstrip() or None

"""The catalogue's programs that are really there, with the SHA-256 of each one's own file."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from common.messages.specification import ProgramFound

DIGEST_BYTES_MAX: Final = 134_217_728
"""Bytes of program files that are read for their digests: a third of a second on a slow PC."""

_CHUNK_BYTES = 1_048_576


class Carried(Protocol):
    """A program of the catalogue, as far as a specification names it."""

    @property
    def argv(self) -> Sequence[str]:
        """Its file, as an absolute path, and its arguments."""

    @property
    def version(self) -> str | None:
        """Its version, as whoever keeps the catalogue says it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _State:
    """How a file stands: if this is as it was, so is what is in it."""

    file: Path
    inode: int
    size_bytes: int
    modified_ns: int
    changed_ns: int


class FileDigests:
    """Digests of files, kept from look to look: a file is read again when it has changed.

    One look takes files as long as they fit into `bytes_max`, whether they are read or remembered,
    so that two looks at the same files say the same.
    """

    def __init__(self, bytes_max: int = DIGEST_BYTES_MAX) -> None:
        """Begin with none."""
        self._bytes_max = bytes_max
        self._known: dict[_State, str | None] = {}

    def of(self, files: Iterable[Path]) -> dict[Path, str | None]:
        """Return the SHA-256 of each file in hex; None where it did not fit or cannot be read."""
        left_bytes = self._bytes_max
        known: dict[_State, str | None] = {}
        for state in filter(None, map(_state, dict.fromkeys(files))):
            if state.size_bytes <= left_bytes:
                left_bytes -= state.size_bytes
                known[state] = self._known[state] if state in self._known else _digest(state)
        self._known = known
        return {state.file: digest for state, digest in known.items()}


def programs_found(
    programs: Mapping[str, Carried], root: Path, digests: FileDigests
) -> tuple[ProgramFound, ...]:
    """Return the programs whose file is there and may be run, by name.

    One that comes as a package counts as there: it is fetched before anybody needs it, and a new
    version of it makes no other PC of this one.
    """
    files = {
        name: root / programs[name].argv[0].lstrip("/")
        for name in programs
        if not _is_packed(programs[name])
    }
    present = {name: file for name, file in files.items() if _may_be_run(file)}
    known = digests.of(present.values())
    return tuple(
        ProgramFound(
            program=name,
            version=programs[name].version,
            digest=known.get(present[name]) if name in present else None,
        )
        for name in sorted(programs)
        if name in present or _is_packed(programs[name])
    )


def _is_packed(program: Carried) -> bool:
    return not program.argv[0].startswith("/")


def _may_be_run(file: Path) -> bool:
    return _state(file) is not None and os.access(file, os.X_OK)


def _state(file: Path) -> _State | None:
    """Return how a plain file stands; a folder, a device or nothing at all is None."""
    try:
        seen = file.stat()
    except OSError:
        return None
    if not stat.S_ISREG(seen.st_mode):
        return None
    return _State(
        file=file,
        inode=seen.st_ino,
        size_bytes=seen.st_size,
        modified_ns=seen.st_mtime_ns,
        changed_ns=seen.st_ctime_ns,
    )


def _digest(state: _State) -> str | None:
    """Return the SHA-256 of a file that stays as it is while it is read."""
    digest, left_bytes = hashlib.sha256(), state.size_bytes
    try:
        with state.file.open("rb", buffering=0) as opened:
            while (chunk := opened.read(_CHUNK_BYTES)) and left_bytes >= 0:
                digest.update(chunk)
                left_bytes -= len(chunk)
    except OSError:
        return None
    return digest.hexdigest() if left_bytes == 0 else None

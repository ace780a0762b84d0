"""An archive on its way: a file of which only what is verified counts, chunk by chunk."""

from __future__ import annotations

import hashlib
import os
import threading
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from common.errors import RusubanError
from common.messages.modules import CHUNK_BYTES

TARGETS_PATH: Final = "/packages/targets/"

DURABLE_BYTES: Final = 32 * CHUNK_BYTES
"""After so many bytes they are made durable; a slow line has more than half a minute for them, in
which the kernel does it by itself."""


class AnswerIsWrong(RusubanError):
    """What the server sends is not what was asked for: {why}."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Archive:
    """What is to be fetched, as it is signed: its chunks are of `CHUNK_BYTES`, but for the last."""

    target: str
    length: int
    sha256: str
    chunks: tuple[str, ...]

    @property
    def path(self) -> str:
        """Return where it is served: under its digest, so that it never changes there."""
        folder, _, name = self.target.rpartition("/")
        return TARGETS_PATH + quote(f"{folder}/{self.sha256}.{name}")


class Part:
    """An archive on its way: a file, and how far it is verified."""

    def __init__(self, file: Path, archive: Archive) -> None:
        """Open the file, and believe it as far as its chunks are the signed ones.

        Raises:
            OSError: the disk does not take it.
        """
        self.archive = archive
        self.verified = 0
        self._durable = 0
        self._syncing: Future[None] | None = None
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(handle, "r+b", buffering=0)
        try:
            self._believe()
        except BaseException:
            self.close()
            raise

    @property
    def is_whole(self) -> bool:
        """Say whether every chunk is here."""
        return self.verified == self.archive.length

    def wanted_bytes(self) -> int:
        """Return how long the next chunk is; 0: there is none."""
        return min(CHUNK_BYTES, self.archive.length - self.verified)

    def take(self, chunk: bytes | bytearray | memoryview) -> None:
        """Keep the next chunk.

        Raises:
            AnswerIsWrong: it is not the one that is signed; nothing is kept of it.
        """
        if hashlib.sha256(chunk).hexdigest() != self.archive.chunks[self.verified // CHUNK_BYTES]:
            raise AnswerIsWrong(why=f"the bytes from {self.verified} on are not those signed")
        view = memoryview(chunk)
        while view:
            view = view[self._file.write(view) :]
        self.verified += len(chunk)
        is_far_from_the_end = self.archive.length - self.verified > DURABLE_BYTES
        if self.verified - self._durable >= DURABLE_BYTES and is_far_from_the_end:
            self._keep_beside()

    def keep(self) -> None:
        """Make durable what is verified."""
        if self._syncing is not None:
            self._syncing.result()
        os.fsync(self._file.fileno())
        self._durable = self.verified

    def is_as_signed(self) -> bool:
        """Read the whole file again, as it lies there, and say whether it is the archive."""
        self._file.seek(0)
        found = hashlib.sha256()
        while piece := self._file.read(CHUNK_BYTES):
            found.update(piece)
        return found.hexdigest() == self.archive.sha256

    def close(self) -> None:
        """Close the file."""
        if self._syncing is not None:
            wait([self._syncing])
        self._file.close()

    def _keep_beside(self) -> None:
        """Begin to make durable what is here, while more comes; one time after the other.

        What that cannot is raised where the whole is kept: a disk says so only once.
        """
        if self._syncing is None or (self._syncing.done() and self._syncing.exception() is None):
            self._durable, self._syncing = self.verified, Future()
            work = (self._syncing, self._file.fileno())
            threading.Thread(target=_sync, args=work, name="package sync", daemon=True).start()

    def _believe(self) -> None:
        """Read as far as the chunks are right, and cut off the rest."""
        for digest in self.archive.chunks:
            chunk = self._file.read(self.wanted_bytes())
            if len(chunk) < self.wanted_bytes() or hashlib.sha256(chunk).hexdigest() != digest:
                break
            self.verified += len(chunk)
        self._file.truncate(self.verified)
        self._file.seek(self.verified)
        self._durable = self.verified


def _sync(done: Future[None], handle: int) -> None:
    try:
        os.fsync(handle)
        done.set_result(None)
    except OSError as fault:
        done.set_exception(fault)

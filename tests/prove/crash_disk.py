"""One side's database on a real file: watched statement by statement, and left as a kill leaves it.

An image is what stands in the write-ahead log beside an unchanging file: all that a process that is
killed at that instant leaves behind. To begin at an image is to open the two files again.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias
from unittest.mock import patch

import aiosql
from typing_extensions import override

from common import queries
from common.queries import PLAIN, BoundQueries, Connection, Query, Record, Style

Hook: TypeAlias = tuple[bytes, int]
"""What a kill at a hook point leaves: the image, and how many messages have left."""

PAGE_BYTES: Final = 512
"""Small pages make small images; what a transaction is does not depend on it."""


class Disk:
    """The files of one side, opened by its own start; `images` are what its hook points left."""

    def __init__(
        self, folder: Path, made: Path, start: Callable[[Path], sqlite3.Connection], dumped: str
    ) -> None:
        """Take a database that nobody has open.

        Args:
            folder: where files are opened, each under a name of its own.
            made: the database to begin with.
            start: opens a file as a start of that program does.
            dumped: names the tables that make one state another.
        """
        self._base = shrunk(made)
        self._folder = folder
        self._start = start
        self._dumped = dumped.split()
        self._opened = 0
        self._query = ""
        self._hooks: list[Hook] = []
        self._committing: int | None = None
        self._leaving: Sequence[object] = ()
        self._seen = b""
        self._connection: sqlite3.Connection | None = None
        self.be_at(b"")

    @property
    def connection(self) -> sqlite3.Connection:
        assert self._connection is not None, "a disk is opened when it is made"
        return self._connection

    def be_at(self, image: bytes, *, again: bool = False) -> None:
        """Open the files as they were left, unless that is how they are."""
        if self._connection is not None and image == self._seen and not again:
            return
        self.close()
        self._opened += 1
        file = self._folder / f"{self._opened}.sqlite"
        file.write_bytes(self._base)
        if image:
            _log_of(file).write_bytes(image)
        self._connection = self._start(file)
        self._connection.execute("PRAGMA wal_autocheckpoint=0")
        self._log, self._seen = str(_log_of(file)), image

    def watch(self, leaving: Sequence[object]) -> None:
        """Note from now on what a kill before each statement would leave, and what has left."""
        self._hooks, self._leaving = [], leaving
        self.connection.set_trace_callback(self._note)

    def watched(self) -> list[Hook]:
        """Return the image at each hook point, with how many messages had left by then."""
        self._note_committed()
        hooks, self._hooks = self._hooks, []
        self.connection.set_trace_callback(None)
        return hooks

    def image(self) -> bytes:
        """Return what a kill at this instant leaves; the log only grows."""
        try:
            size = os.stat(self._log).st_size  # noqa: PTH116 - looked at before each statement
        except FileNotFoundError:
            return self._seen
        if size != len(self._seen):
            self._seen = Path(self._log).read_bytes()
        return self._seen

    def dump(self) -> str:
        """Return all that tells one state from another, as text."""
        self._query = self._query or _dump_query(self.connection, self._dumped)
        return "\n".join(row[0] for row in self.connection.execute(self._query))

    def close(self) -> None:
        """Take the files away as a killed process would: what is open is not committed."""
        if self._connection is not None:
            for ending in ("", "-wal", "-shm"):
                (self._folder / f"{self._opened}.sqlite{ending}").unlink(missing_ok=True)
            self._connection.close()
            self._connection = None

    def _note(self, statement: str) -> None:
        """Note a hook point before this statement; one that commits has another right behind it."""
        self._note_committed()
        self._hooks.append((self.image(), len(self._leaving)))
        self._committing = len(self._leaving) if statement == "COMMIT" else None

    def _note_committed(self) -> None:
        if self._committing is not None:
            self._hooks.append((self.image(), self._committing))
            self._committing = None


def shrunk(file: Path) -> bytes:
    """Return a database in small pages, ready to be opened with a write-ahead log."""
    connection = sqlite3.connect(file, isolation_level=None)
    for word in ("journal_mode=DELETE", f"page_size={PAGE_BYTES}"):
        connection.execute(f"PRAGMA {word}")
    connection.execute("VACUUM")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    return file.read_bytes()


def _log_of(file: Path) -> Path:
    return file.with_name(f"{file.name}-wal")


def _dump_query(connection: sqlite3.Connection, tables: Sequence[str]) -> str:
    """Return one query for all of it, so that it costs little after each step."""
    parts = []
    for table in tables:
        columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))
        parts.append(
            f"SELECT '{table} ' || json_group_array(json_array({columns})) FROM {table}"  # noqa: S608 - tables named by the proof
        )
    return " UNION ALL ".join(parts)


class LazyQueries(BoundQueries):
    """The same queries, bound when they are used: a start binds two hundred, a step needs ten."""

    def __init__(
        self,
        file: Path,
        connection: Connection,
        records: Mapping[str, Record] | None = None,
        style: Style = PLAIN,
    ) -> None:
        self._loaded = _loaded(file)
        self._execute = connection.execute
        self._records = records or {}
        self._style = style

    @override
    def __getattr__(self, query: str) -> Query:
        bound = queries._bound(
            getattr(self._loaded, query), self._execute, self._records.get(query), self._style
        )
        setattr(self, query, bound)
        return bound


@contextmanager
def queries_bound_when_used() -> Iterator[None]:
    """Let both sides start quickly, as long as this lasts."""
    with ExitStack() as patches:
        for where in ("cloud_controller.storage.transaction", "edge_agent.journal"):
            patches.enter_context(patch(f"{where}.BoundQueries", LazyQueries))
        yield


@cache
def _loaded(file: Path) -> Any:
    return aiosql.from_path(file, "sqlite3")

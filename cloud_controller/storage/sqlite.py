"""Open an SQLite database, bring its schema forward; durable: WAL and `synchronous=FULL`."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cloud_controller.ports import SlotIsTaken
from cloud_controller.storage.schema import HEAD, IN_USE, Moved, NotMoved, last_step, move
from common.errors import CannotStart, StorageIsFull

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

BUSY_SECONDS: Final = 5.0
"""How long to wait for another process that writes: a backup, a migration, never one of ours."""

_STATEMENTS_CACHED = 512  # prepared statements a connection keeps: more than all our queries
_PAUSE_SECONDS = 0.02  # between two looks whether a lock is free


def open_database(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Return a connection that begins no transaction by itself.

    Raises:
        CannotStart: the file cannot be opened or is no database.
    """
    mode = "ro" if read_only else "rwc"
    try:
        if not read_only:
            path.touch(mode=0o600)
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            cached_statements=_STATEMENTS_CACHED,
            check_same_thread=False,
        )
        if not read_only:
            _keep_a_log(connection)
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA temp_store=MEMORY")  # what a savepoint may have to undo
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys=ON")
    except (sqlite3.Error, OSError) as fault:
        raise CannotStart(why=f"the database {path} cannot be opened: {fault}") from fault
    return connection


def _keep_a_log(connection: sqlite3.Connection) -> None:
    """Have changes written to a log beside the file; of two that turn a new file to it one waits.

    That one is told at once that the file is locked: SQLite's own waiting does not cover the turn.
    """
    for _ in range(int(BUSY_SECONDS / _PAUSE_SECONDS)):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as fault:
            if fault.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return
    connection.execute("PRAGMA journal_mode=WAL")


def migrate(path: Path, *, to: str = HEAD) -> Moved:
    """Bring the schema to this step, all of it or nothing; `schema.move` says what `to` may be.

    Raises:
        CannotStart: the database cannot be written, is served from, or a step failed.
    """
    with contextlib.closing(open_database(path)) as connection:
        if to == HEAD and _step_of(connection) == last_step():
            return Moved(last_step(), last_step())
    from sqlalchemy import create_engine, event, pool  # noqa: PLC0415 - as `schema` says

    engine = create_engine(f"sqlite:///{path}", poolclass=pool.NullPool)
    event.listen(engine, "connect", _begin_nothing)
    event.listen(engine, "begin", _begin_for_real)
    try:
        with contextlib.ExitStack() as until_the_end, engine.begin() as connection:
            return move(
                connection, to, alone=lambda: until_the_end.enter_context(_served_by_nobody(path))
            )
    except Exception as fault:
        raise CannotStart(why=f"the database {path} cannot be moved: {fault}") from fault
    finally:
        engine.dispose()


def _step_of(connection: sqlite3.Connection) -> str:
    """Return the step the schema is at, or nothing: whoever moves it finds out what is wrong."""
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        return ""
    return str(row["version_num"]) if row else ""


class Serving:
    """Says to whoever wants to move the schema that somebody serves from this database."""

    def __init__(self, path: Path) -> None:
        """Say so, from now on, even if this process is killed only then.

        Raises:
            CannotStart: the schema is being moved.
        """
        try:
            self._lock = _locked(path, fcntl.LOCK_SH)
        except NotMoved as fault:
            raise CannotStart(why=f"the schema of {path} is being moved") from fault

    def close(self) -> None:
        """Say so no more."""
        os.close(self._lock)


@contextlib.contextmanager
def _served_by_nobody(path: Path) -> Iterator[None]:
    lock = _locked(path, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(lock)


def _locked(path: Path, kind: int) -> int:
    """Return a lock beside the database; on its own file it would take SQLite's away."""
    lock = os.open(path.with_name(f"{path.name}-serving"), os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(int(BUSY_SECONDS / _PAUSE_SECONDS)):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
            return lock
        time.sleep(_PAUSE_SECONDS)
    os.close(lock)
    raise NotMoved(why=IN_USE)


def as_fault_of_ours(fault: Exception) -> Exception:
    """Return the fault in the words of the ports, where it is one they know.

    What a function met at the disk and told in words of its own is still the disk's fault.
    """
    met = fault.__cause__ if isinstance(fault.__cause__, sqlite3.OperationalError) else fault
    if isinstance(met, sqlite3.IntegrityError) and "slot_is_taken" in str(met):
        return SlotIsTaken()
    if isinstance(met, sqlite3.OperationalError) and _is_about_the_disk(met):
        return StorageIsFull(why=str(met))
    return fault


def _is_about_the_disk(fault: sqlite3.OperationalError) -> bool:
    """Say whether the disk is full or fails; the low byte of a code is its family."""
    return fault.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}


def _begin_nothing(raw: sqlite3.Connection, _record: object) -> None:
    """Keep the driver from beginning and committing by itself around each step of the schema."""
    raw.isolation_level = None


def _begin_for_real(connection: Connection) -> None:
    """Open the transaction that a kill in the middle of a migration leaves undone as a whole."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")

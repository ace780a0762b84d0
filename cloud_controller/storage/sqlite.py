"""Open an SQLite database, bring its schema forward; durable: WAL and `synchronous=FULL`."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, event, pool
from sqlalchemy.engine import Connection

from cloud_controller.ports import SlotIsTaken
from common.errors import CannotStart, StorageIsFull

BUSY_SECONDS: Final = 5.0
"""How long to wait for another process that writes: a backup, a migration, never one of ours."""

_STATEMENTS_CACHED = 512  # prepared statements a connection keeps: more than all our queries
_MIGRATIONS = Path(__file__).parent / "migrations"


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
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA temp_store=MEMORY")  # what a savepoint may have to undo
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys=ON")
    except (sqlite3.Error, OSError) as fault:
        raise CannotStart(why=f"the database {path} cannot be opened: {fault}") from fault
    return connection


def migrate(path: Path, *, to: str = "head") -> None:
    """Bring the schema to this version, all of it or nothing.

    Raises:
        CannotStart: the database cannot be written or a step failed.
    """
    open_database(path).close()
    engine = create_engine(f"sqlite:///{path}", poolclass=pool.NullPool)
    event.listen(engine, "connect", _begin_nothing)
    event.listen(engine, "begin", _begin_for_real)
    try:
        with engine.begin() as connection:
            _migrate_over(connection, to)
    except Exception as fault:
        raise CannotStart(
            why=f"the database {path} cannot be brought up to date: {fault}"
        ) from fault
    finally:
        engine.dispose()


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


def _migrate_over(connection: Connection, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    if to == "head":
        command.upgrade(config, to)
    else:
        command.downgrade(config, to)

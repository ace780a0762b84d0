"""Open a PostgreSQL database, bring its schema forward, and tell its faults in words of the ports.

A transaction that writes is SERIALIZABLE: a flow reads, decides and writes as if alone. That no
slot is sold twice is not left to that, but to an exclusion constraint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from psycopg import Connection, Cursor, IsolationLevel
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, Loader
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow, dict_row
from sqlalchemy import create_engine, pool
from typing_extensions import override

from cloud_controller.ports import SlotIsTaken
from cloud_controller.storage.schema import IN_USE, Moved, NotMoved, move
from common.errors import CannotStart, StorageIsAway, StorageIsFull, TooManyWaiting
from common.queries import Style

VERSION_MIN: Final = 15
"""The oldest PostgreSQL that the statements are tried on."""

STATEMENT_SECONDS: Final = 10
"""How long one statement may run: past this its caller has long given up."""

LOCK_SECONDS: Final = 5
"""How long to wait for a row that another transaction changes."""

IDLE_SECONDS: Final = 60
"""How long a transaction may do nothing before the server ends it, and frees what it held."""

AGAIN: Final = frozenset({"40001", "40P01"})
"""Two transactions were in each other's way, or waited for each other: called again, it may go."""

AGAIN_WITH_SIGHT: Final = frozenset({"23P01", "23505"})
"""What another has just committed is in the way: called again, a flow sees it and decides anew."""

LOST: Final = frozenset({"", "08000", "08003", "08006", "57P01", "57P02", "57P03"})
"""The line was cut or the server went down: on a new connection it may go."""

_SERVING: Final = 0x527573756261  # the advisory lock of this program, "Rusuba"
_NO_SLOT_TWICE: Final = "a_slot_is_sold_once"
_DISK: Final = frozenset({"53100", "58030"})  # it is full, it fails
_TOO_LONG: Final = frozenset({"55P03", "57014"})  # waited for a lock, took its time
_OF_THE_LINE: Final[Mapping[str, str | int]] = {
    "application_name": "rusuban",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_ONE_WORD: Final = re.compile(r"'(?:[^']|'')*'|--[^\n]*|::|:(\w+)|%")


@dataclass(frozen=True, kw_only=True)
class Database:
    """Where a PostgreSQL database is, and as whom to speak to it."""

    url: str
    password: str = field(default="", repr=False)

    @property
    def title(self) -> str:
        """Return how to call it in a sentence, which never has a password in it."""
        parts = conninfo_to_dict(self.url)
        return f"{parts.get('dbname', '')} on {parts.get('host', 'this machine')}"

    def conninfo(self) -> str:
        """Return everything the driver needs; what the address says itself wins."""
        known = conninfo_to_dict(self.url)
        more = {name: value for name, value in _OF_THE_LINE.items() if name not in known}
        return make_conninfo(
            self.url, **more, **({"password": self.password} if self.password else {})
        )


def open_database(database: Database, *, read_only: bool = False) -> Connection[DictRow]:
    """Return a connection that begins a transaction with its first statement.

    Raises:
        StorageIsAway: nobody answers there, or lets us in.
    """
    try:
        connection = psycopg.connect(
            database.conninfo(), row_factory=dict_row, autocommit=True, prepare_threshold=3
        )
    except psycopg.Error as fault:
        raise StorageIsAway(why=one_line(fault)) from fault
    connection.prepared_max = 1_000  # more than all our queries
    _speak_as_sqlite_does(connection)
    try:
        connection.execute(
            f"SET statement_timeout = '{STATEMENT_SECONDS}s'; SET lock_timeout = '{LOCK_SECONDS}s';"
            f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'"
        )
        connection.execute(
            "SELECT set_config('synchronous_commit', 'on', false)"
            " WHERE current_setting('synchronous_commit') = 'off'"
        )
        if not read_only:  # who reads a whole table is in the way of all who write in it
            connection.execute("SET enable_seqscan = off")
        connection.autocommit = False
        connection.read_only = read_only
        connection.isolation_level = (
            IsolationLevel.REPEATABLE_READ if read_only else IsolationLevel.SERIALIZABLE
        )
    except psycopg.Error as fault:
        connection.close()
        raise StorageIsAway(why=one_line(fault)) from fault
    return connection


def bound_to(connection: Connection[DictRow]) -> Cursor[DictRow]:
    """Return what runs statements on a connection; one for all, since each is read to its end."""
    return connection.cursor()


def say_we_serve(connection: Connection[DictRow]) -> None:
    """Say, as long as the connection lives, that the schema must not be moved.

    Raises:
        StorageIsAway: it is being moved; the connection is closed.
    """
    try:
        connection.execute("SELECT pg_advisory_lock_shared(%s)", [_SERVING])
        connection.commit()
    except psycopg.Error as fault:
        connection.close()
        raise StorageIsAway(why=one_line(fault)) from fault


def migrate(database: Database, *, to: str = "head") -> Moved:
    """Bring the schema to this step, all of it or nothing; `schema.move` says what `to` may be.

    Raises:
        CannotStart: the database cannot be reached or written, is served from, or a step failed.
    """
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(database.conninfo()),
        poolclass=pool.NullPool,
    )
    try:
        with engine.begin() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            _check_version(driver)
            return move(connection, to, alone=lambda: _be_alone(driver))
    except Exception as fault:
        why = one_line(fault)
        raise CannotStart(why=f"the database {database.title} cannot be moved: {why}") from fault
    finally:
        engine.dispose()


def state_of(fault: BaseException) -> str:
    """Return the SQLSTATE of what the database met behind a fault, or nothing."""
    met: BaseException | None = fault
    while met is not None:
        if isinstance(met, psycopg.Error):
            return met.sqlstate or ""
        met = met.__cause__ or met.__context__
    return ""


def as_fault_of_ours(fault: Exception) -> Exception:
    """Return the fault in the words of the ports, where it is one they know.

    What a function met at the database and told in words of its own is still the database's fault;
    what it may not write, and told so, is its own.
    """
    met = fault.__cause__ if isinstance(fault.__cause__, psycopg.OperationalError) else fault
    if not isinstance(met, psycopg.Error):
        return fault
    if met.diag.constraint_name == _NO_SLOT_TWICE or _is_a_race_for_a_slot(met):
        return SlotIsTaken()
    if met.sqlstate in _DISK:
        return StorageIsFull(why=one_line(met))
    if met.sqlstate in AGAIN | _TOO_LONG:
        return TooManyWaiting()
    if isinstance(met, psycopg.OperationalError | psycopg.InterfaceError):
        return StorageIsAway(why=one_line(met))
    return fault


def in_percents(sql: str) -> str:
    """Return a query whose parameters are `%(name)s` instead of `:name`; texts stay as they are."""
    return _ONE_WORD.sub(_in_percents, sql)


STYLE: Final = Style(rewrite=in_percents, value_of=lambda row: next(iter(row.values())))
"""How queries and rows are with psycopg, whose rows are dictionaries."""


def _in_percents(word: re.Match[str]) -> str:
    if word[1] is not None:
        return f"%({word[1]})s"
    return word[0].replace("%", "%%")


def _is_a_race_for_a_slot(met: psycopg.Error) -> bool:
    """Say whether two claims that overlap have waited for each other until neither could be had."""
    return met.sqlstate == "40P01" and 'relation "reservations"' in (met.diag.context or "")


def _be_alone(driver: Connection[Any]) -> None:
    try:
        driver.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        driver.execute("SELECT pg_advisory_xact_lock(%s)", [_SERVING])
    except psycopg.errors.LockNotAvailable as fault:
        raise NotMoved(why=IN_USE) from fault


def _check_version(driver: Connection[Any]) -> None:
    version = driver.info.server_version // 10_000
    if version < VERSION_MIN:
        raise NotMoved(why=f"it is PostgreSQL {version}, and has to be {VERSION_MIN} or later")


def one_line(fault: BaseException) -> str:
    """Return what a fault says, which with this driver may be a paragraph."""
    return " ".join(str(fault).split())


class _FlagDumper(Dumper):
    """Writes a Boolean as the 0 or 1 that flags are in our tables."""

    oid = psycopg.postgres.types["int4"].oid

    @override
    def dump(self, obj: bool) -> bytes:
        return b"1" if obj else b"0"


class _FlagLoader(Loader):
    """Reads a Boolean as SQLite gives it."""

    @override
    def load(self, data: Buffer) -> int:
        return int(bytes(data) == b"t")


class _NumberLoader(Loader):
    """Reads a sum as SQLite gives it: whole, of whole numbers."""

    @override
    def load(self, data: Buffer) -> int | float:
        text = bytes(data)
        return int(text) if text.lstrip(b"-").isdigit() else float(text)


def _speak_as_sqlite_does(connection: Connection[Any]) -> None:
    connection.adapters.register_dumper(bool, _FlagDumper)
    connection.adapters.register_loader("bool", _FlagLoader)
    connection.adapters.register_loader("numeric", _NumberLoader)

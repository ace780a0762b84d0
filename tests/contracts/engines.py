"""The engines that keep the controller's books; each has to keep the same promises."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud_controller.keys import FileKeys
from cloud_controller.ports import Clock, Keys, Names, RoleGiven, Said
from cloud_controller.storage.books import SqliteBooks
from cloud_controller.storage.pool import PostgresBooks
from cloud_controller.storage.postgres import Database
from tests.fakes import postgres
from tests.fakes.names import CountedNames
from tests.fakes.store import ClockInHand

Told = Callable[[Sequence[Said | RoleGiven]], None]


@dataclass(frozen=True, kw_only=True)
class Engine:
    """How a test opens an engine's books, and how it looks into them past the port."""

    name: str
    make: Callable[..., Any]
    look: Callable[[Path, str], list[tuple[Any, ...]]]
    full: Callable[[Path], AbstractContextManager[None]]
    """As long as this is entered, its disk takes no more."""


def _sqlite(folder: Path, **parts: Any) -> SqliteBooks:
    return SqliteBooks(folder / "books.sqlite", **parts)


def _look_into_sqlite(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "books.sqlite")) as connection:
        return connection.execute(query).fetchall()


@contextmanager
def _no_file_grows(folder: Path) -> Iterator[None]:
    """Let no file of this process grow past the largest there is, as on a full disk."""
    largest = max(file.stat().st_size for file in folder.iterdir() if file.is_file())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _postgres(folder: Path, **parts: Any) -> PostgresBooks:
    return PostgresBooks(database_of(folder), **parts)


def database_of(folder: Path) -> Database:
    """Return the database of a folder: the one named in it, else a new one, which is then."""
    file = folder / "database"
    if file.exists():
        return Database(url=file.read_text("utf-8"), password=postgres.PASSWORD)
    made = postgres.server().migrated()
    file.write_text(made.url, "utf-8")
    return made


def _look_into_postgres(folder: Path, query: str) -> list[tuple[Any, ...]]:
    return postgres.rows(database_of(folder), query)


@contextmanager
def _the_server_says_full(folder: Path) -> Iterator[None]:
    """Let the server refuse as on a full disk: its files are another process's, maybe elsewhere."""
    refuse = (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'could not extend file: No space left' USING ERRCODE = '53100'; END $$"
    )
    trigger = "CREATE TRIGGER disk_is_full BEFORE INSERT ON ledger EXECUTE FUNCTION refuse()"
    postgres.do(database_of(folder), refuse, trigger)
    try:
        yield
    finally:
        postgres.do(database_of(folder), "DROP FUNCTION refuse() CASCADE")


SQLITE = Engine(name="sqlite", make=_sqlite, look=_look_into_sqlite, full=_no_file_grows)
POSTGRES = Engine(
    name="postgres", make=_postgres, look=_look_into_postgres, full=_the_server_says_full
)
ENGINES = (SQLITE, POSTGRES)


@asynccontextmanager
async def opened(engine: Engine, folder: Path, told: Told = lambda _: None) -> AsyncIterator[Any]:
    """Open an engine's books in a folder, and close them."""
    names = CountedNames()
    keys = FileKeys(folder / "keys", names)
    async with opened_for(engine, folder, ClockInHand(), names, keys, told) as books:
        yield books


@asynccontextmanager
async def opened_for(
    engine: Engine,
    folder: Path,
    clock: Clock,
    names: Names,
    keys: Keys,
    told: Told = lambda _: None,
) -> AsyncIterator[Any]:
    """Open an engine's books with parts of one's own."""
    books = engine.make(folder, clock=clock, names=names, keys=keys, on_said=told)
    await books.open()
    try:
        yield books
    finally:
        await books.close()


def enter(books: Any, number: int) -> int:
    """Write one line of the ledger."""
    books.post.enter(
        at=number, type="t", terminal_id=None, reservation_id=None, session_id=None, body="{}"
    )
    return number


def entered(engine: Engine, folder: Path) -> list[int]:
    """Return the lines of the ledger, in order."""
    return [at for (at,) in engine.look(folder, "SELECT at FROM ledger ORDER BY entry_id")]

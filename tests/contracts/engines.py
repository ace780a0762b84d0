"""The engines that keep the controller's books; each has to keep the same promises."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud_controller.keys import FileKeys
from cloud_controller.ports import RoleGiven, Said
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
    make: Callable[[Path, Told], Any]
    look: Callable[[Path, str], list[tuple[Any, ...]]]


def _sqlite(folder: Path, told: Told) -> SqliteBooks:
    names = CountedNames()
    keys = FileKeys(folder / "keys", names)
    file = folder / "books.sqlite"
    return SqliteBooks(file, clock=ClockInHand(), names=names, keys=keys, on_said=told)


def _look_into_sqlite(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "books.sqlite")) as connection:
        return connection.execute(query).fetchall()


def _postgres(folder: Path, told: Told) -> PostgresBooks:
    names = CountedNames()
    keys = FileKeys(folder / "keys", names)
    return PostgresBooks(
        database_of(folder), clock=ClockInHand(), names=names, keys=keys, on_said=told
    )


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


SQLITE = Engine(name="sqlite", make=_sqlite, look=_look_into_sqlite)
POSTGRES = Engine(name="postgres", make=_postgres, look=_look_into_postgres)
ENGINES = (SQLITE, POSTGRES)


@asynccontextmanager
async def opened(engine: Engine, folder: Path, told: Told = lambda _: None) -> AsyncIterator[Any]:
    """Open an engine's books in a folder, and close them."""
    books = engine.make(folder, told)
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

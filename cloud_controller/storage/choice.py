"""Which engine keeps the books: PostgreSQL where the settings name one, else a file of SQLite."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from cloud_controller.ports import Clock, Keys, Names, RoleGiven, Said
from cloud_controller.settings import ControllerSettings
from cloud_controller.storage import sqlite
from cloud_controller.storage.books import SqliteBooks
from cloud_controller.storage.schema import Moved
from common.errors import CannotStart

if TYPE_CHECKING:
    from cloud_controller.storage.pool import PostgresBooks
    from cloud_controller.storage.postgres import Database

# PostgreSQL's driver is loaded where the settings name one: a controller that keeps its books in a
# file is back a tenth earlier without it.

BOOKS_FILE: Final = "books.db"

KeptBooks: TypeAlias = "SqliteBooks | PostgresBooks"
"""The books of either engine, which keep the same promises."""


def kept_books(
    settings: ControllerSettings,
    *,
    clock: Clock,
    names: Names,
    keys: Keys,
    on_said: Callable[[Sequence[Said | RoleGiven]], None],
) -> KeptBooks:
    """Return the books where the settings say, not opened yet.

    Raises:
        CannotStart: the password's file cannot be read.
    """
    if settings.database.url:
        from cloud_controller.storage.pool import PostgresBooks  # noqa: PLC0415 - said above

        return PostgresBooks(
            _database(settings), clock=clock, names=names, keys=keys, on_said=on_said
        )
    file = settings.state_folder / BOOKS_FILE
    return SqliteBooks(file, clock=clock, names=names, keys=keys, on_said=on_said)


def move_schema(settings: ControllerSettings, to: str) -> Moved:
    """Bring the schema to a step, which `schema.move` explains.

    Raises:
        CannotStart: it cannot be moved, or somebody serves from it.
    """
    if settings.database.url:
        from cloud_controller.storage import postgres  # noqa: PLC0415 - said above

        return postgres.migrate(_database(settings), to=to)
    return sqlite.migrate(settings.state_folder / BOOKS_FILE, to=to)


def _database(settings: ControllerSettings) -> Database:
    from cloud_controller.storage.postgres import Database  # noqa: PLC0415 - said above

    file = settings.database.password_file
    try:
        password = file.read_text("utf-8").rstrip("\r\n") if file is not None else ""
    except (OSError, UnicodeDecodeError) as fault:
        raise CannotStart(why=f"the password in {file} cannot be read") from fault
    return Database(url=settings.database.url, password=password)

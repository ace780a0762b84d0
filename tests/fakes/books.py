"""The controller's books in the test's thread: real schema, real SQL, one transaction a call."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from typing import Any

from cloud_controller.ports import Clock, Keys, Names, RoleGiven, Said
from cloud_controller.storage.sqlite import as_fault_of_ours, migrate, open_database
from cloud_controller.storage.transaction import OpenTransaction
from common.messages.base import Message


class BooksInHand:
    """What the writer's thread does to one function, done at once; what was said is kept."""

    def __init__(self, file: Path, *, clock: Clock, names: Names, keys: Keys) -> None:
        self.connection = open_database(file)
        self.connection.execute("PRAGMA synchronous=OFF")
        self.said: list[Said | RoleGiven] = []
        self._transaction = OpenTransaction(self.connection, clock, names, keys)

    def do(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call `function(transaction, …)` in a transaction and return what it returns."""
        self._transaction.begin()
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            result = function(self._transaction, *args, **kwargs)
        except Exception as fault:
            self.connection.execute("ROLLBACK")
            raise as_fault_of_ours(fault) from fault
        self.connection.execute("COMMIT")
        self.said.extend(self._transaction.said)
        return result

    def transact(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        """Do it, and answer as the port does: with something whose outcome can be asked."""
        done: Future[Any] = Future()
        try:
            done.set_result(self.do(function, *args, **kwargs))
        except Exception as fault:  # noqa: BLE001 - it is handed on to whoever asks
            done.set_exception(fault)
        return done

    def transact_for(
        self, _whose: str, function: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Future[Any]:
        """Do it: everything is in order here."""
        return self.transact(function, *args, **kwargs)

    def heard(self) -> list[Message]:
        """Return the messages said since the last look, words to the broker left out."""
        said, self.said = self.said, []
        return [each.message for each in said if isinstance(each, Said)]

    def rows(self, table: str, columns: str = "*") -> list[dict[str, Any]]:
        """Return what a table holds, to look behind the curtain."""
        query = f"SELECT {columns} FROM {table} ORDER BY rowid"  # noqa: S608 - named by tests
        return [dict(row) for row in self.connection.execute(query)]

    def one(self, table: str, columns: str = "*") -> dict[str, Any]:
        """Return the only row of a table."""
        (row,) = self.rows(table, columns)
        return row

    def everything(self) -> list[str]:
        """Return all that the books hold, so that two moments can be compared."""
        return list(self.connection.iterdump())

    def copy_to(self, file: Path) -> None:
        """Write a backup."""
        with sqlite3.connect(file) as other:
            self.connection.backup(other)
        other.close()

    def put_back(self, file: Path) -> None:
        """Put a backup back, in the place of whatever is there."""
        with contextlib.closing(sqlite3.connect(file)) as other:
            other.backup(self.connection)

    def close(self) -> None:
        self.connection.close()


@cache
def new_books() -> bytes:
    """Return a database with the whole schema and nothing in it, made once."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "books.sqlite"
        migrate(file)
        with contextlib.closing(open_database(file)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
        return file.read_bytes()


def fresh_copy(made: Path, folder: Path) -> Path:
    """Copy a migrated database that nobody has open."""
    return Path(shutil.copy(made, folder / "books.sqlite"))

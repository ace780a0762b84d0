"""The controller's books in the test's thread, on PostgreSQL: see `tests.fakes.books`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from psycopg.rows import tuple_row
from typing_extensions import override

from cloud_controller.ports import Clock, Keys, Names, RoleGiven, Said
from cloud_controller.storage.postgres import (
    STYLE,
    Database,
    as_fault_of_ours,
    bound_to,
    open_database,
)
from cloud_controller.storage.transaction import OpenTransaction
from tests.fakes.books import BooksInHand


class Behind:
    """What a test does to the database past every port, in the words of SQLite."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement at once; return its rows, if it has any."""
        with self._server.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(statement.replace("?", "%s"), values)
            found = cursor.fetchall() if cursor.description else []
        self._server.commit()
        return found


class PostgresInHand(BooksInHand):
    """What a writer's thread does to one function, done at once; what was said is kept."""

    def __init__(self, database: Database, *, clock: Clock, names: Names, keys: Keys) -> None:
        self.server = open_database(database)
        self.connection: Any = Behind(self.server)
        self.said: list[Said | RoleGiven] = []
        self._transaction = OpenTransaction(bound_to(self.server), clock, names, keys, STYLE)

    @override
    def do(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._transaction.begin()
        try:
            result = function(self._transaction, *args, **kwargs)
            self.server.commit()
        except Exception as fault:
            self.server.rollback()
            raise as_fault_of_ours(fault) from fault
        self.said.extend(self._transaction.said)
        return result

    @override
    def rows(self, table: str, columns: str = "*") -> list[dict[str, Any]]:
        """Return what a table holds, in the order of its names, which count up."""
        found = self._look(f"SELECT * FROM {table}")  # noqa: S608 - named by tests
        if table == "tickets":  # their own names are as good as random
            found.sort(key=lambda row: _in_order(row["reservation_id"]))
        else:
            found.sort(key=lambda row: [_in_order(value) for value in row.values()])
        if columns == "*":
            return found
        names = [name.strip() for name in columns.split(",")]
        return [{name: row[name] for name in names} for row in found]

    @override
    def everything(self) -> list[str]:
        tables = self._look(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        )
        return [
            f"{each['tablename']}: {row}" for each in tables for row in self.rows(each["tablename"])
        ]

    @override
    def close(self) -> None:
        self.server.close()

    def _look(self, query: str) -> list[dict[str, Any]]:
        found = self.server.execute(query).fetchall()
        self.server.rollback()
        return found


def _in_order(value: object) -> tuple[bool, list[tuple[int, str]]]:
    """Return by what to sort a value of any kind: numbers in it count as numbers."""
    parts = re.findall(r"(\d+)|(\D+)", "" if value is None else str(value))
    return value is not None, [(int(number or -1), text) for number, text in parts]

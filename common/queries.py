"""Named SQL from `.sql` files, bound to a connection: the only file that knows aiosql."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import aiosql
from aiosql.types import SQLOperationType

Record = Callable[..., Any]
"""Makes a value of a row's columns, given by their names."""

Query = Callable[..., Any]
"""Runs one query; its arguments are the query's parameters, by their names."""


class Connection(Protocol):
    """A connection of a driver whose rows know their columns' names."""

    @property
    def execute(self) -> Callable[[str, Mapping[str, Any]], Any]:
        """Run one statement with named parameters and return its cursor."""
        ...


def _as_it_is(sql: str) -> str:
    return sql


def _first(row: Any) -> Any:  # noqa: ANN401 - a row of any driver
    return row[0]


@dataclass(frozen=True, kw_only=True)
class Style:
    """What a driver wants otherwise than SQLite's, for which the queries are written."""

    rewrite: Callable[[str], str] = _as_it_is
    """Writes a query, with parameters such as `:name`, as the driver reads it; done once each."""

    value_of: Callable[[Any], Any] = _first
    """Returns the value of a row that has only one."""


PLAIN = Style()
"""SQLite's own."""


class BoundQueries:
    """The queries of one file, or of all in a folder, as methods with the connection given."""

    def __init__(
        self,
        file: Path,
        connection: Connection,
        records: Mapping[str, Record] | None = None,
        style: Style = PLAIN,
    ) -> None:
        """Load `file`; `records` names the queries whose row becomes a value."""
        self._loaded = _loaded(file)
        self._connection = connection
        self._records = records or {}
        self._style = style

    def __getattr__(self, query: str) -> Query:
        """Bind a query when it is first run: most connections run a few of all there are.

        Raises:
            AttributeError: there is no query of this name.
        """
        if query not in _named(self._loaded):
            message = f"there is no query {query}"
            raise AttributeError(message)
        bound = _bound(
            getattr(self._loaded, query),
            self._connection.execute,
            self._records.get(query),
            self._style,
        )
        setattr(self, query, bound)
        return bound


@cache
def _loaded(file: Path) -> Any:  # noqa: ANN401 - aiosql makes its queries at run time
    """Return what a file says, read once: it is bound to each connection, and never changes."""
    return aiosql.from_path(file, "sqlite3")


@cache
def _named(loaded: Any) -> frozenset[str]:  # noqa: ANN401 - aiosql makes its queries at run time
    """Return the names of all queries, without aiosql's second form of each that selects."""
    return frozenset(each for each in loaded.available_queries if not each.endswith("_cursor"))


def _bound(
    query: Any,  # noqa: ANN401 - aiosql makes its queries at run time
    execute: Callable[..., Any],
    record: Record | None,
    style: Style,
) -> Query:
    """Return a query without aiosql's own layers, which cost as much as the statement itself."""
    sql, value_of = style.rewrite(query.sql), style.value_of
    match query.operation:
        case SQLOperationType.SELECT:
            return lambda **facts: execute(sql, facts).fetchall()
        case SQLOperationType.SELECT_ONE if record is not None:
            return lambda **facts: _record_of(execute(sql, facts).fetchone(), record)
        case SQLOperationType.SELECT_ONE:
            return lambda **facts: execute(sql, facts).fetchone()
        case SQLOperationType.SELECT_VALUE:
            return lambda **facts: _value_of(execute(sql, facts).fetchone(), value_of)
        case SQLOperationType.INSERT_UPDATE_DELETE:
            return lambda **facts: execute(sql, facts).rowcount
        case other:
            message = f"{other} does not fit a group of transactions"
            raise AssertionError(message)


def _record_of(row: Any, record: Record) -> Any:  # noqa: ANN401 - a row or None
    return None if row is None else record(**row)


def _value_of(row: Any, value_of: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - a row or None
    return None if row is None else value_of(row)

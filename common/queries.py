"""Named SQL from `.sql` files, bound to a connection: the only file that knows aiosql."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import aiosql
from aiosql.adapters.sqlite3 import SQLite3Adapter
from typing_extensions import override


class BoundQueries:
    """The queries of one file as methods, with the connection already given."""

    def __init__(
        self,
        file: Path,
        connection: object,
        records: Mapping[str, Any] | None = None,
    ) -> None:
        """Load `file` and bind it; `records` turns rows into values where a query names one."""
        loaded = aiosql.from_path(file, _RowAdapter, record_classes=dict(records or {}))
        for name in loaded.available_queries:
            setattr(self, name, partial(getattr(loaded, name), connection))

    def __getattr__(self, query: str) -> Callable[..., Any]:
        """Say clearly which query is missing."""
        message = f"there is no query {query}"
        raise AttributeError(message)


class _RowAdapter(SQLite3Adapter):
    """aiosql's way to SQLite, for connections whose rows know their columns' names."""

    @override
    def select(
        self, conn: Any, query_name: str, sql: str, parameters: Any, record_class: Any = None
    ) -> Any:
        """Return every row: a flow may look at them more than once."""
        rows = conn.execute(sql, parameters).fetchall()
        return rows if record_class is None else [record_class(**row) for row in rows]

    @override
    def select_one(
        self, conn: Any, query_name: str, sql: str, parameters: Any, record_class: Any = None
    ) -> Any:
        """Return the first row, or None."""
        row = conn.execute(sql, parameters).fetchone()
        return row if row is None or record_class is None else record_class(**row)

    @override
    def select_value(self, conn: Any, query_name: str, sql: str, parameters: Any) -> Any:
        """Return the first column of the first row, or None."""
        row = conn.execute(sql, parameters).fetchone()
        return None if row is None else row[0]

    @override
    def insert_update_delete(self, conn: Any, query_name: str, sql: str, parameters: Any) -> Any:
        """Return how many rows were changed."""
        return conn.execute(sql, parameters).rowcount

"""The floor under a flow: its own statements with their values, run by sqlite3 alone."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from cloud_controller.keys import FileKeys
from cloud_controller.storage.sqlite import open_database
from cloud_controller.storage.transaction import OpenTransaction
from common.system import SystemNames
from tests.bench.books import FILE, KEYS, fresh
from tests.fakes.store import ClockInHand

GROUP = 32
"""Transactions in one commit: as many as wait for the writer in the run of the flow."""

DOCUMENT = {"right": "." * 400}
"""As long as the document of a right."""

P = ParamSpec("P")
T = TypeVar("T")

Statement = tuple[str, Any]
Script = Sequence[Sequence[Statement]]
"""The statements of each transaction, in order, with what was bound to them."""


class Ear:
    """A database in which a flow is heard: what it says to it is remembered."""

    def __init__(
        self, connection: sqlite3.Connection, transaction_on: Callable[[Any], Any]
    ) -> None:
        """Take the database, and what makes a program's transaction on one that only executes."""
        self.script: list[Sequence[Statement]] = []
        self.connection = connection
        self._transaction = transaction_on(self)
        self._heard: list[Statement] = []

    def do(
        self, function: Callable[Concatenate[Any, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call `function(transaction, …)`, as the books do, and add what it says to the script."""
        self._heard = []
        self._transaction.begin()
        result = function(self._transaction, *args, **kwargs)
        self.script.append(self._heard)
        return result

    def execute(self, sql: str, values: Mapping[str, Any] | Sequence[Any] = ()) -> sqlite3.Cursor:
        """Hear a statement, and run it."""
        self._heard.append((sql, values))
        return self.connection.execute(sql, values)


@contextlib.contextmanager
def ear_in(folder: Path) -> Iterator[Ear]:
    """Give an ear in books copied from a folder, which itself stays as it is."""
    names = SystemNames()
    keys = FileKeys(folder / KEYS, names)
    with fresh(folder) as copy, contextlib.closing(open_database(copy / FILE)) as connection:
        yield Ear(connection, partial(OpenTransaction, clock=ClockInHand(), names=names, keys=keys))


def replay(script: Script, folder: Path, *, is_sealed: bool = False) -> float:
    """Return the seconds of the same statements in groups of 32, each group one durable commit.

    With `is_sealed` each transaction also makes a right's signature: the work that is no SQL and
    that no way of writing the flow can save.
    """
    connection = open_database(folder / FILE)
    keys = FileKeys(folder / KEYS, SystemNames())
    began = time.perf_counter()
    for group in _groups(script):
        connection.execute("BEGIN IMMEDIATE")
        for transaction in group:
            for sql, values in transaction:
                connection.execute(sql, values).fetchall()
            if is_sealed:
                keys.seal_document(DOCUMENT)
        connection.execute("COMMIT")
    seconds = time.perf_counter() - began
    connection.close()
    return seconds


def _groups(script: Script) -> Iterator[Script]:
    return (script[first : first + GROUP] for first in range(0, len(script), GROUP))

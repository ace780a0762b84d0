"""The database as the flows see it: one writer thread runs what is waiting as one group commit.

A function that raises undoes only itself: mostly it has written nothing yet, and else the group is
run again with a savepoint for each. What a function said is handed on after the commit that made
it true, and never before.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from cloud_controller.ports import (
    Clock,
    Keys,
    Names,
    RoleGiven,
    Said,
)
from cloud_controller.storage.sqlite import Serving, as_fault_of_ours, migrate, open_database
from cloud_controller.storage.transaction import OpenTransaction
from cloud_controller.storage.waiting import WAITING_MAX, Lane, Waiting, nobody, settle
from common.errors import RusubanError, StorageIsFull, TooManyWaiting

P = ParamSpec("P")
T = TypeVar("T")

GROUP_MAX: Final = 128
"""Functions in one commit: past this a longer wait buys no more speed."""

READERS: Final = 2
"""Threads that read: one for each core of the smallest machine we run on."""


class _TransactionWasLost(RusubanError):
    """The database has undone the whole group."""


class SqliteBooks:
    """The controller's database on SQLite."""

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        names: Names,
        keys: Keys,
        on_said: Callable[[Sequence[Said | RoleGiven]], None],
    ) -> None:
        """Remember where things are; nothing is opened yet."""
        self._path = path
        self._transaction = partial(OpenTransaction, clock=clock, names=names, keys=keys)
        self._on_said = on_said
        self.on_committed = nobody
        self._lane = Lane(GROUP_MAX)
        self._waiting_count = 0
        self._writer = threading.Thread(target=self._write, name="books-writer", daemon=True)
        self._readers = ThreadPoolExecutor(READERS, "books-reader", self._open_reader)
        self._own = threading.local()
        self._connection: sqlite3.Connection | None = None
        self._serving: Serving | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def open(self) -> None:
        """Bring the schema up to date and start the writer.

        Raises:
            CannotStart: the database cannot be opened, written or brought up to date.
        """
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(migrate, self._path)
        self._connection = open_database(self._path)
        self._serving = await asyncio.to_thread(Serving, self._path)
        self._writer.start()

    async def close(self) -> None:
        """Finish what is waiting, then close; also what could not be opened."""
        if self._writer.is_alive():
            self._lane.put(None)
            await asyncio.to_thread(self._writer.join)
        self._readers.shutdown()
        if self._connection is not None:
            self._connection.close()
        if self._serving is not None:
            self._serving.close()

    def transact(
        self, function: Callable[Concatenate[Any, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[T]:
        """Call `function(transaction, …)` in the next group; see `ports.Books`."""
        assert self._loop is not None, "open the books before writing in them"
        if self._waiting_count >= WAITING_MAX:
            raise TooManyWaiting
        self._waiting_count += 1
        future: asyncio.Future[T] = self._loop.create_future()
        self._lane.put(
            Waiting(call=lambda transaction: function(transaction, *args, **kwargs), future=future)
        )
        return future

    def transact_for(
        self,
        whose: str,  # noqa: ARG002 - one writer keeps every order
        function: Callable[Concatenate[Any, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> asyncio.Future[T]:
        """Call `function(transaction, …)`; all is in order for everybody."""
        return self.transact(function, *args, **kwargs)

    async def read(
        self, function: Callable[Concatenate[Any, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call `function(transaction, …)` on a snapshot; see `ports.Books`."""
        assert self._loop is not None, "open the books before reading them"
        return await self._loop.run_in_executor(
            self._readers, lambda: self._read(lambda books: function(books, *args, **kwargs))
        )

    def waiting(self) -> int:
        """Return how many functions wait for the writer."""
        return self._waiting_count

    def is_alive(self) -> bool:
        """Say whether the writer still writes."""
        return self._writer.is_alive()

    def _open_reader(self) -> None:
        connection = open_database(self._path, read_only=True)
        self._own.connection = connection
        self._own.transaction = self._transaction(connection)

    def _read(self, call: Callable[[OpenTransaction], T]) -> T:
        connection: sqlite3.Connection = self._own.connection
        transaction: OpenTransaction = self._own.transaction
        transaction.begin()
        connection.execute("BEGIN")
        try:
            return call(transaction)
        finally:
            connection.execute("ROLLBACK")

    def _write(self) -> None:
        """Run groups until told to stop; the writer's thread."""
        assert self._connection is not None
        assert self._loop is not None
        transaction = self._transaction(self._connection)
        is_open = True
        while is_open:
            group, is_open = self._lane.next_group()
            if group:
                _commit(self._connection, transaction, group)
                self._loop.call_soon_threadsafe(self._settle, group)

    def _settle(self, group: list[Waiting]) -> None:
        self._waiting_count -= len(group)
        settle(group, self._on_said)
        self.on_committed()


def _commit(
    connection: sqlite3.Connection, transaction: OpenTransaction, group: list[Waiting]
) -> None:
    """Run a group in one transaction; if that is lost as a whole, every function of it hears so."""
    try:
        if not _run_all(connection, transaction, group, run=_run):
            _run_all(connection, transaction, group, run=_run_to_undo)
    except (sqlite3.Error, _TransactionWasLost) as fault:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        for item in group:
            item.fault = item.fault or StorageIsFull(why=str(fault))


def _run_all(
    connection: sqlite3.Connection,
    transaction: OpenTransaction,
    group: list[Waiting],
    *,
    run: _Run,
) -> bool:
    """Run a group and commit it; or undo it all and say so, when one has to be undone alone."""
    connection.execute("BEGIN IMMEDIATE")
    for item in group:
        transaction.begin()
        stays = run(connection, transaction, item)
        if not connection.in_transaction:
            raise _TransactionWasLost
        if not stays:
            connection.execute("ROLLBACK")
            return False
    connection.execute("COMMIT")
    return True


def _run(connection: sqlite3.Connection, transaction: OpenTransaction, item: Waiting) -> bool:
    """Run one function; say no when it raised with something written, which has to be undone.

    A savepoint would keep a copy of each page the function changes, as dear as the changes are.
    """
    written_before = connection.total_changes
    item.fault = None
    try:
        item.result = item.call(transaction)
        item.said = transaction.said
    except Exception as fault:  # noqa: BLE001 - it belongs to the caller, who gets it
        item.fault = as_fault_of_ours(fault)
        return connection.total_changes == written_before
    return True


def _run_to_undo(
    connection: sqlite3.Connection, transaction: OpenTransaction, item: Waiting
) -> bool:
    """Run one function in a savepoint, which takes back what it wrote if it raises."""
    connection.execute("SAVEPOINT one")
    _run(connection, transaction, item)
    if connection.in_transaction:
        if item.fault is not None:
            connection.execute("ROLLBACK TO one")
        connection.execute("RELEASE one")
    return True


_Run = Callable[[sqlite3.Connection, OpenTransaction, Waiting], bool]

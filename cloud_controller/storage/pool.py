"""The controller's database on PostgreSQL: a few writers, each with a lane of its own.

What is done for the same one is done in the order it was asked for, on one lane; others go on
beside it. A function that was in another's way is called again; what it said is handed on only
after its own commit, and in an order in which the commits can have been made.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import psycopg
import structlog
from psycopg import Connection
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow

from cloud_controller.ports import Clock, Keys, Names, RoleGiven, Said
from cloud_controller.storage.postgres import (
    AGAIN,
    AGAIN_WITH_SIGHT,
    LOST,
    STYLE,
    Database,
    as_fault_of_ours,
    bound_to,
    migrate,
    one_line,
    open_database,
    say_we_serve,
    state_of,
)
from cloud_controller.storage.transaction import OpenTransaction
from cloud_controller.storage.waiting import WAITING_MAX, Lane, Waiting, nobody, settle
from common.errors import CannotStart, StorageIsAway, TooManyWaiting

P = ParamSpec("P")
T = TypeVar("T")

WRITERS: Final = 4
"""Lanes, and connections that write."""

READERS: Final = 2
"""Threads and connections that read."""

GROUP_MAX: Final = 32
"""Functions in one commit; the server keeps 64 savepoints of a transaction at hand."""

ATTEMPTS: Final = 12
"""How often a function is called that others were in the way of, before its caller is told."""

ATTEMPTS_WITH_SIGHT: Final = 4
"""How often, where what it met is there to stay and it has seen it."""

PAUSE_SECONDS: Final = 0.002
"""Before the second call; doubled before each further one, and up to as much again by chance."""

PAUSE_SECONDS_MAX: Final = 0.2
"""The longest pause before chance."""

_Connect = Callable[[], tuple[Connection[DictRow], OpenTransaction]]


class PostgresBooks:
    """The controller's database on PostgreSQL."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        names: Names,
        keys: Keys,
        on_said: Callable[[Sequence[Said | RoleGiven]], None],
    ) -> None:
        """Remember where things are; nothing is opened yet."""
        self._database = database
        self._transaction = partial(
            OpenTransaction, clock=clock, names=names, keys=keys, style=STYLE
        )
        self._on_said = on_said
        self.on_committed = nobody
        self._waiting_count = 0
        self._order = _InOrder(self._hand_on)
        self._writers = [
            _Writer(self._connect, self._order, names, number) for number in range(WRITERS)
        ]
        self._readers = ThreadPoolExecutor(READERS, "books-reader")
        self._own = threading.local()
        self._reading: list[Connection[DictRow]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    async def open(self) -> None:
        """Bring the schema up to date and start the writers.

        Raises:
            CannotStart: the database cannot be reached, written or brought up to date.
        """
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(migrate, self._database)
        try:
            await asyncio.to_thread(self._writers[0].connect)
        except StorageIsAway as fault:
            why = f"the database {self._database.title} does not answer: {fault.facts['why']}"
            raise CannotStart(why=why) from fault
        for writer in self._writers:
            writer.start()

    async def close(self) -> None:
        """Finish what is waiting, then close; also what could not be opened."""
        for writer in self._writers:
            writer.stop()
        for writer in self._writers:
            await asyncio.to_thread(writer.join)
        self._readers.shutdown()
        for connection in self._reading:
            connection.close()

    def transact(
        self, function: Callable[Concatenate[Any, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[T]:
        """Call `function(transaction, …)`, in order; see `ports.Books`."""
        return self.transact_for("", function, *args, **kwargs)

    def transact_for(
        self,
        whose: str,
        function: Callable[Concatenate[Any, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> asyncio.Future[T]:
        """Call `function(transaction, …)`, in order for this one; see `ports.Books`."""
        assert self._loop is not None, "open the books before writing in them"
        if self._waiting_count >= WAITING_MAX:
            raise TooManyWaiting
        self._waiting_count += 1
        future: asyncio.Future[T] = self._loop.create_future()
        lane = zlib.crc32(whose.encode()) % len(self._writers)
        self._writers[lane].lane.put(
            Waiting(call=lambda transaction: function(transaction, *args, **kwargs), future=future)
        )
        return future

    async def read(
        self, function: Callable[Concatenate[Any, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call `function(transaction, …)` on a snapshot; see `ports.Books`."""
        assert self._loop is not None, "open the books before reading them"
        return await self._loop.run_in_executor(
            self._readers, lambda: self._read(lambda books: function(books, *args, **kwargs))
        )

    def waiting(self) -> int:
        """Return how many functions wait for a writer."""
        return self._waiting_count

    def is_alive(self) -> bool:
        """Say whether every writer still writes."""
        return all(writer.is_alive() for writer in self._writers)

    def _hand_on(self, group: list[Waiting]) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._settle, group)

    def _settle(self, group: list[Waiting]) -> None:
        self._waiting_count -= len(group)
        settle(group, self._on_said)
        self.on_committed()

    def _connect(self, *, read_only: bool = False) -> tuple[Connection[DictRow], OpenTransaction]:
        connection = open_database(self._database, read_only=read_only)
        if not read_only:
            say_we_serve(connection)
        return connection, self._transaction(bound_to(connection))

    def _read(self, call: Callable[[OpenTransaction], T]) -> T:
        """Read on this thread's connection, and once more on a new one where that was lost."""
        try:
            return self._read_once(call)
        except StorageIsAway:
            if not self._has_lost_its_line():
                raise
            return self._read_once(call)

    def _has_lost_its_line(self) -> bool:
        """Say whether this thread had a connection and has none any more."""
        return bool(getattr(self._own, "connection", None) and self._own.connection.closed)

    def _read_once(self, call: Callable[[OpenTransaction], T]) -> T:
        if getattr(self._own, "connection", None) is None or self._has_lost_its_line():
            self._own.connection, self._own.transaction = self._connect(read_only=True)
            self._reading.append(self._own.connection)
        connection: Connection[DictRow] = self._own.connection
        transaction: OpenTransaction = self._own.transaction
        transaction.begin()
        try:
            return call(transaction)
        except Exception as fault:
            raise as_fault_of_ours(fault) from fault
        finally:
            _undo(connection)


class _InOrder:
    """Hands groups on in the order in which they were about to be committed.

    Who has to wait for another's commit, since they change the same row, draws a number only after
    it: so what is said to one terminal is said in the order in which it became true, although its
    commits were made side by side.
    """

    def __init__(self, hand_on: Callable[[list[Waiting]], None]) -> None:
        self._hand_on = hand_on
        self._lock = threading.Lock()
        self._drawn = 0
        self._handed_on = 0
        self._settled: dict[int, list[Waiting]] = {}

    def draw(self) -> int:
        """Return the number of what is committed next."""
        with self._lock:
            self._drawn += 1
            return self._drawn

    def settle(self, number: int, group: list[Waiting]) -> None:
        """Hand a group on when its turn comes; an empty one stands for what was not committed."""
        with self._lock:
            self._settled[number] = group
            while (after := self._settled.pop(self._handed_on + 1, None)) is not None:
                self._handed_on += 1
                if after:
                    self._hand_on(after)


class _Writer:
    """A thread that writes, its lane and its connection."""

    def __init__(self, connect: _Connect, order: _InOrder, names: Names, number: int) -> None:
        self.lane = Lane(GROUP_MAX)
        self._connect = connect
        self._order = order
        self._names = names
        self._log = structlog.get_logger("books")
        self._thread = threading.Thread(
            target=self._write, name=f"books-writer-{number}", daemon=True
        )
        self.start, self.is_alive = self._thread.start, self._thread.is_alive
        self._connection: Connection[DictRow] | None = None
        self._transaction: OpenTransaction | None = None

    def stop(self) -> None:
        """Write what waits, and no more."""
        self.lane.put(None)

    def join(self) -> None:
        """Wait until it has stopped; one that was never started has."""
        if self._thread.ident is not None:
            self._thread.join()

    def _write(self) -> None:
        is_open = True
        while is_open:
            group, is_open = self.lane.next_group()
            if group:
                self._commit(group)
        if self._connection is not None:
            self._connection.close()

    def connect(self) -> None:
        """Connect already, so that who cannot hears of it.

        Raises:
            StorageIsAway: nobody answers there, or lets us in.
        """
        self._connected()

    def _commit(self, group: list[Waiting]) -> None:
        """Commit a group as one; where another is in the way of the whole, by halves, in order."""
        parts = deque([group])
        while parts:
            part = parts.popleft()
            fault = self._attempt(part) if len(part) > 1 else self._insist(part[0])
            if isinstance(fault, StorageIsAway):
                self._give_up([item for each in (part, *parts) for item in each], fault)
                return
            half = len(part) // 2
            if fault is not None and half:
                parts.extendleft((part[half:], part[:half]))
            elif fault is not None:
                self._give_up(part, fault)

    def _insist(self, item: Waiting) -> Exception | None:
        """Call one function until it is committed, or return why that cannot be."""
        attempts = 0
        while True:
            fault = self._attempt([item])
            attempts += 1
            if fault is None or attempts >= _attempts_for(fault):
                return None if fault is None else as_fault_of_ours(fault)
            pause = min(PAUSE_SECONDS * 2**attempts, PAUSE_SECONDS_MAX)
            time.sleep(pause * (1 + int(self._names.hex_digits(4), 16) / 0xFFFF))

    def _attempt(self, group: list[Waiting]) -> Exception | None:
        """Run a group in one transaction; return what undid all of it, or None: it is committed.

        A connection that is lost at the commit leaves open whether that was made: then nothing is
        called again. One that was lost before has only to be made anew.
        """
        number = 0
        try:
            connection, transaction = self._connected()
            for at, item in enumerate(group):
                if len(group) > 1:
                    connection.execute(f"{'RELEASE one; ' if at else ''}SAVEPOINT one")
                _run(connection, transaction, item, is_alone=len(group) == 1)
            number = self._order.draw()
            connection.commit()
        except Exception as fault:  # noqa: BLE001 - what it is decides whether it is called again
            is_lost = self._connection is None or self._connection.closed
            _undo(self._connection)
            if number:
                self._order.settle(number, [])
            return StorageIsAway(why=one_line(fault)) if number and is_lost else fault
        self._order.settle(number, group)
        return None

    def _give_up(self, group: list[Waiting], fault: Exception) -> None:
        if isinstance(fault, StorageIsAway):
            self._log.error("the database does not answer", **fault.facts)
        for item in group:
            item.fault = fault
        self._order.settle(self._order.draw(), group)

    def _connected(self) -> tuple[Connection[DictRow], OpenTransaction]:
        if self._connection is None or self._connection.closed:
            self._connection, self._transaction = self._connect()
        assert self._transaction is not None
        return self._connection, self._transaction


def _run(
    connection: Connection[DictRow], transaction: OpenTransaction, item: Waiting, *, is_alone: bool
) -> None:
    """Run one function; undo it where it raises, to its savepoint where there are others.

    Raises:
        Exception: what has undone the whole transaction, and is no fault of the function's own.
    """
    transaction.begin()
    item.fault = None
    try:
        item.result = item.call(transaction)
        item.said = transaction.said
        assert connection.info.transaction_status != TransactionStatus.INERROR, "a fault was hidden"
    except Exception as fault:
        if connection.closed or state_of(fault) in AGAIN | AGAIN_WITH_SIGHT:
            raise
        item.fault = as_fault_of_ours(fault)
    if item.fault is not None and is_alone:
        connection.rollback()
    elif item.fault is not None:
        connection.execute("ROLLBACK TO one")


def _attempts_for(fault: Exception) -> int:
    """Return how often to call a function that this has undone."""
    state = state_of(fault)
    if isinstance(fault, StorageIsAway):
        return 1
    if state in AGAIN:
        return ATTEMPTS
    return ATTEMPTS_WITH_SIGHT if state in AGAIN_WITH_SIGHT | LOST else 1


def _undo(connection: Connection[DictRow] | None) -> None:
    if connection is not None and not connection.closed:
        with contextlib.suppress(psycopg.Error):  # then it is closed, and made anew
            connection.rollback()

"""What must survive a power cut: one SQLite file, durable before anything is done or said."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from common.errors import CannotStart, StorageIsFull
from common.messages.base import Message
from common.queries import BoundQueries
from common.topics import Channel
from edge_agent.ports import Asked, Clock, Names, Queries, Shown

P = ParamSpec("P")
T = TypeVar("T")

BUSY_SECONDS: Final = 2.0
"""How long to wait for another process that writes: `edge-agent enrol` beside the agent."""

_FOLDER = Path(__file__).parent
_MIGRATIONS = _FOLDER / "migrations"
_QUERIES = _FOLDER / "queries"


class OpenTransaction:
    """The journal's queries on its connection, and what is to leave after the commit."""

    rows: Queries

    def __init__(
        self, connection: sqlite3.Connection, clock: Clock, names: Names, boot_id: str
    ) -> None:
        """Bind the queries; `begin` looks at the clocks."""
        self.rows = BoundQueries(_QUERIES, connection)
        self.names = names
        self.boot_id = boot_id
        self.now = 0
        self.boot_seconds = 0.0
        self.has_said = False
        self.asked: list[Asked] = []
        self.shown: list[Shown] = []
        self._clock = clock

    @property
    def is_synchronised(self) -> bool:
        """Say whether a time server keeps the wall clock; see `ports.Clock`."""
        return self._clock.is_synchronised()

    def begin(self) -> None:
        """Look at both clocks once, for all that this transaction does."""
        self.now = self._clock.now_ms()
        self.boot_seconds = self._clock.boot_seconds()
        self.has_said = False
        self.asked = []
        self.shown = []

    def say(self, event: Message) -> None:
        """Add an event to the ordered stream; see `ports.Transaction`."""
        self.rows.post(type=event.type, body=event.model_dump_json(), made_at=self.now)
        self.has_said = True

    def ask(self, channel: Channel, message: Message) -> None:
        """Send something after the commit; see `ports.Transaction`."""
        self.asked.append(Asked(channel=channel, message=message))

    def show(self, shown: Shown) -> None:
        """Tell the customer after the commit; see `ports.Transaction`."""
        self.shown.append(shown)


class SqliteJournal:
    """The journal on SQLite; see `ports.Journal`."""

    def __init__(self, file: Path, *, clock: Clock, names: Names, boot_id: str) -> None:
        """Open the journal and bring its tables up to date.

        Raises:
            CannotStart: the file cannot be opened or written, or is no journal.
        """
        self.on_said: Callable[[], None] = _nobody
        self.on_asked: Callable[[Sequence[Asked]], None] = _nobody
        self.on_shown: Callable[[Shown], None] = _nobody
        try:
            self._connection = _open(file)
            _migrate(self._connection)
            self._transaction = OpenTransaction(self._connection, clock, names, boot_id)
        except (sqlite3.Error, OSError) as fault:
            raise CannotStart(why=f"the journal {file} cannot be opened: {fault}") from fault

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def transact(
        self, function: Callable[Concatenate[Any, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call `function(transaction, …)` durably, then let out what it said; see `ports.Journal`.

        Raises:
            StorageIsFull: the disk takes nothing; nothing has happened.
        """
        transaction = self._transaction
        assert not self._connection.in_transaction, "a flow never calls a flow"
        transaction.begin()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            result = function(transaction, *args, **kwargs)
            self._connection.execute("COMMIT")
        except BaseException as fault:
            _roll_back(self._connection)
            if isinstance(fault, sqlite3.OperationalError):
                raise StorageIsFull(why=str(fault)) from fault
            raise
        self._let_out(transaction.asked, transaction.shown, has_said=transaction.has_said)
        return result

    def _let_out(self, asked: Sequence[Asked], shown: Sequence[Shown], *, has_said: bool) -> None:
        if asked:
            self.on_asked(asked)
        for each in shown:
            self.on_shown(each)
        if has_said:
            self.on_said()


def _nobody(*_: object) -> None:
    """Hear and do nothing, until somebody listens."""


def _roll_back(connection: sqlite3.Connection) -> None:
    """Undo what is left of a transaction; a full disk may have undone it already."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _open(file: Path) -> sqlite3.Connection:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600, exist_ok=True)
    connection = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    """Apply the steps this file has not seen, each whole or not at all."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number, step in enumerate(sorted(_MIGRATIONS.glob("*.sql")), start=1):
        if number <= version:
            continue
        script = step.read_text("utf-8")
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version={number};\nCOMMIT;"
        )

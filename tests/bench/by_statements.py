"""The floor under a redemption: the flow's own statements and values, run by sqlite3 alone."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cloud_controller.flows import rights
from cloud_controller.keys import FileKeys
from cloud_controller.storage.books import OpenTransaction
from cloud_controller.storage.sqlite import open_database
from common.system import SystemNames
from tests.bench.counter import Counter
from tests.fakes.store import ClockInHand

GROUP = 32

DOCUMENT = {"right": "." * 400}
"""As long as the document of a right."""

Statement = tuple[str, Any]
Script = Sequence[Sequence[Statement]]
"""The statements of each redemption, in order, with what was bound to them."""


def recorded(counter: Counter) -> Script:
    """Return what the flow says to the database; it is heard once, on a copy of the books."""
    with counter.fresh() as folder:
        keys = FileKeys(folder / "keys", SystemNames())
        listening = _Listening(open_database(folder / "books.sqlite"))
        bare: Any = listening  # the queries only ever execute
        transaction = OpenTransaction(bare, ClockInHand(), SystemNames(), keys)
        script = []
        for each in counter.redemptions:
            transaction.begin()
            rights.request(transaction, each.said)
            script.append(listening.heard())
        listening.close()
        return script


async def replay(
    script: Script, folder: Path, _counter: Counter, count: int, *, is_sealed: bool = False
) -> float:
    """Return the seconds of the same statements in groups of 32, each group one durable commit.

    With `is_sealed` each redemption also makes a right's signature: the work that is no SQL and
    that no way of writing the flow can save.
    """
    connection = open_database(folder / "books.sqlite")
    keys = FileKeys(folder / "keys", SystemNames())
    began = time.perf_counter()
    for group in _groups(script[:count]):
        connection.execute("BEGIN IMMEDIATE")
        for redemption in group:
            for sql, values in redemption:
                connection.execute(sql, values).fetchone()
            if is_sealed:
                keys.seal_document(DOCUMENT)
        connection.execute("COMMIT")
    seconds = time.perf_counter() - began
    connection.close()
    return seconds


def _groups(script: Script) -> Iterator[Script]:
    return (script[first : first + GROUP] for first in range(0, len(script), GROUP))


class _Listening:
    """A connection that remembers what it was told."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._heard: list[Statement] = []

    def execute(self, sql: str, values: Mapping[str, Any] | Sequence[Any] = ()) -> sqlite3.Cursor:
        self._heard.append((sql, values))
        return self._connection.execute(sql, values)

    def heard(self) -> Sequence[Statement]:
        """Return what was said since this was last asked."""
        heard, self._heard = self._heard, []
        return heard

    def close(self) -> None:
        self._connection.close()

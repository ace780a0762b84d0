"""The controller's own parts for the exchange; beside them, what only answers, or only commits."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from cloud_controller.broker import AccountRole
from cloud_controller.courier import Courier
from cloud_controller.keys import FileKeys
from cloud_controller.listener import Listener, flows_for
from cloud_controller.storage.books import SqliteBooks
from cloud_controller.storage.sqlite import open_database
from cloud_controller.timers import Timers
from common.mqtt import Delivery
from common.system import SystemClock, SystemNames
from common.topics import Address, Channel, address_of, controller_filters, topic_of
from tests.bench.books import FILE, KEYS
from tests.rim.broker_kit import CONTROLLER, Person, office

ECHO, COMMIT = "echo", "commit"
"""What is asked in place of an exchange: an answer, or an answer to what is kept first."""

KEPT_FILE: Final = "kept.sqlite"


async def serve(folder: Path, terminals: list[str]) -> None:
    """Serve until standard input is closed; the first line says on which port the broker is."""
    roles: dict[str, Any] = {name.replace("-", "_"): AccountRole.SERVICE for name in terminals}
    kept = kept_in(folder / KEPT_FILE)
    async with office(folder / "office", **roles) as desk, asyncio.TaskGroup() as tasks:
        person = Person(desk, CONTROLLER, filters=controller_filters().subscribe)
        person.acknowledges = False
        books, listener, timers = _joined(folder / "books", person)
        await books.open()
        takes = {ECHO: lambda _: None, COMMIT: lambda delivery: keep(kept, delivery.payload)}
        person.on_message = lambda delivery: _take(person, listener, takes, delivery)
        async with person:
            running = tasks.create_task(timers.run(), name="timers")
            print(json.dumps({"port": desk.broker.port}), flush=True)
            await asyncio.to_thread(sys.stdin.read)
        running.cancel()
        await books.close()
        kept.close()


def kept_in(file: Path) -> sqlite3.Connection:
    """Return a database of one table, as durable as ours are."""
    connection = open_database(file)
    connection.execute("CREATE TABLE kept (row INTEGER PRIMARY KEY, body BLOB)")
    return connection


def keep(kept: sqlite3.Connection, body: bytes) -> None:
    """Commit one row."""
    kept.execute("INSERT OR REPLACE INTO kept (row, body) VALUES (1, ?)", (body,))


def _joined(folder: Path, person: Person) -> tuple[SqliteBooks, Listener, Timers]:
    """Join the parts as the controller joins them."""
    clock, names = SystemClock(), SystemNames()
    books = SqliteBooks(
        folder / FILE,
        clock=clock,
        names=names,
        keys=FileKeys(folder / KEYS, names),
        on_said=lambda said: courier.post(said),  # noqa: PLW0108 - it is made of the books
    )
    courier = Courier(
        books,
        publish=person.link.publish,
        broker_words=lambda _: [],
        clock=clock,
        names=names,
    )
    timers = Timers(books, clock)
    listener = Listener(
        books,
        flows_for(frozenset({"management", "service"})),
        acknowledge=person.link.acknowledge,
        on_heard=timers.heard,
        on_change=timers.nudge,
    )
    return books, listener, timers


def _take(
    person: Person,
    listener: Listener,
    takes: Mapping[str, Callable[[Delivery], None]],
    delivery: Delivery,
) -> None:
    """Take a message of an exchange, or answer with as many bytes as it begins by naming."""
    address = address_of(delivery.topic)
    if address is None or address.tail not in takes:
        listener.take(delivery)
        return
    takes[address.tail](delivery)
    reply = Address(terminal=address.terminal, channel=Channel.REPLIES)
    person.link.publish(topic_of(reply), b"." * int(delivery.payload.split()[0]), 1)
    person.link.acknowledge(delivery)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2:]))

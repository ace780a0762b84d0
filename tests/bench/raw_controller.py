"""Stands where the controller stands, with none of it: an echo, and a redemption's bare work."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from cloud_controller.broker import AccountRole
from cloud_controller.keys import FileKeys
from cloud_controller.storage.sqlite import open_database
from common.mqtt import Delivery
from common.seals import read_token
from common.system import SystemNames
from common.topics import Address, Channel, address_of, controller_filters, topic_of
from tests.bench.books import FILE, KEYS
from tests.bench.by_statements import Script
from tests.bench.counter import Counter, counter_in, recorded
from tests.rim.broker_kit import CONTROLLER, Person, office

TERMINAL = "t-raw"
ECHO, REDEEM = "echo", "redeem"

RIGHT_BYTES = 900
"""Bytes of the reply that carries a right, as the real one has them."""


async def serve(folder: Path, count: int) -> None:
    """Answer until standard input is closed; the first line says on which port the broker is."""
    counter = await counter_in(folder / "books", count)
    redemptions = timed_redemptions(folder / "books", counter, recorded(counter))
    async with office(folder, t_raw=AccountRole.SERVICE) as open_office:
        person = Person(open_office, CONTROLLER, filters=controller_filters().subscribe)
        person.on_message = lambda delivery: answer(person, redemptions, delivery)
        async with person:
            print(json.dumps({"port": open_office.broker.port}), flush=True)
            await asyncio.to_thread(sys.stdin.read)


def answer(person: Person, redemptions: Iterator[float], delivery: Delivery) -> None:
    """Answer an echo with as many bytes as a right has, a redemption with its milliseconds."""
    address = address_of(delivery.topic)
    if address is None or address.channel is not Channel.REQUESTS:
        return
    payload = b"." * RIGHT_BYTES if address.tail == ECHO else str(next(redemptions)).encode()
    reply = Address(terminal=address.terminal, channel=Channel.REPLIES)
    person.link.publish(topic_of(reply), payload, 1)


def timed_redemptions(books: Path, counter: Counter, script: Script) -> Iterator[float]:
    """Do the next redemption each time, and yield its milliseconds: read, one commit, sign."""
    keys = FileKeys(books / KEYS, SystemNames())
    connection = open_database(books / FILE)
    for each, statements in zip(counter.redemptions, script, strict=True):
        document = {"comm_id": each.said.message.comm_id, "right": "." * 300}
        began = time.perf_counter()
        read_token(each.token)
        connection.execute("BEGIN IMMEDIATE")
        for sql, values in statements:
            connection.execute(sql, values).fetchone()
        keys.seal_document(document)
        connection.execute("COMMIT")
        yield (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))

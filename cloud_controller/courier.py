"""Out: what the flows have said goes to terminals and broker after its commit, at least once."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog

from cloud_controller.ports import Books, Clock, Names, RoleGiven, Row, Said, Transaction
from common.codec import Envelope, message_from, write
from common.mqtt import Outcome, Token
from common.topics import AT_MOST_ONCE, OPEN_TO, Address, BrokerRole, Channel, topic_of

UNSENT_MAX: Final = 1_000
"""Kept messages read from the outbox at once; the rest is read when these are gone."""

SECRETS_WAITING_MAX: Final = 100
"""New accounts that wait in memory for the broker; one more, and the oldest enrols again."""

BrokerWords = Callable[[RoleGiven], Sequence[tuple[str, bytes]]]


class Publish(Protocol):
    """The link's way out: None when it cannot be sent now."""

    def __call__(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> Token | None:
        """Send now, or not at all."""
        ...


class Courier:
    """Publishes; a kept message leaves the outbox only when the broker has acknowledged it."""

    def __init__(
        self,
        books: Books,
        *,
        publish: Publish,
        broker_words: BrokerWords,
        clock: Clock,
        names: Names,
    ) -> None:
        """Take the parts it speaks to; `broker_words` says a role in the broker's own language."""
        self._books = books
        self._publish = publish
        self._broker_words = broker_words
        self._clock = clock
        self._names = names
        self._under_way: dict[Token, int] = {}
        self._secrets: deque[RoleGiven] = deque(maxlen=SECRETS_WAITING_MAX)
        self._log = structlog.get_logger("courier")

    def post(self, said: Sequence[Said | RoleGiven]) -> None:
        """Send what has just been committed; called in the loop's thread, commit by commit."""
        for each in said:
            self._send(each)

    def on_connected(self) -> None:
        """Send everything kept again: on a new connection nothing of the old one is under way."""
        self._under_way.clear()
        secrets, self._secrets = self._secrets, deque(maxlen=SECRETS_WAITING_MAX)
        self.post(secrets)
        self._books.transact(unsent).add_done_callback(self._send_unsent)

    def on_acknowledged(self, token: Token, outcome: Outcome) -> None:
        """Take out of the outbox what the broker has; whoever it is for asks again by himself."""
        outbox_id = self._under_way.pop(token, None)
        if outbox_id is None:
            return
        if outcome is Outcome.NOT_AUTHORISED:
            self._log.error("the broker refuses a message of ours", outbox=outbox_id)
        self._books.transact(_forget, outbox_id)
        if not self._under_way:
            self._books.transact(unsent).add_done_callback(self._send_unsent)

    def _send_unsent(self, future: asyncio.Future[list[Said | RoleGiven]]) -> None:
        if not future.cancelled() and future.exception() is None:
            under_way = set(self._under_way.values())
            self.post([each for each in future.result() if each.outbox_id not in under_way])

    def _send(self, said: Said | RoleGiven) -> None:
        token = None
        if isinstance(said, RoleGiven) and said.role not in OPEN_TO[Channel.PRESENCE]:
            address = Address(terminal=said.terminal, channel=Channel.PRESENCE)
            self._publish(topic_of(address), b"", 1, retain=True)  # nothing is kept of who left
        for topic, payload, qos in self._messages(said):
            token = self._publish(topic, payload, qos, retain=False)
        if token is not None and said.outbox_id is not None:
            self._under_way[token] = said.outbox_id
        if token is None and isinstance(said, RoleGiven) and said.secret is not None:
            self._secrets.append(said)

    def _messages(self, said: Said | RoleGiven) -> list[tuple[str, bytes, int]]:
        if isinstance(said, RoleGiven):
            return [(topic, payload, 1) for topic, payload in self._broker_words(said)]
        envelope = Envelope(
            id=self._names.new("m"),
            terminal=said.terminal,
            epoch="",
            corr=said.corr,
            sent_at=self._clock.now_ms(),
            message=said.message,
        )
        topic = topic_of(Address(terminal=said.terminal, channel=said.channel, tail=said.tail))
        return [(topic, write(envelope), 0 if said.channel in AT_MOST_ONCE else 1)]


def unsent(books: Transaction) -> list[Said | RoleGiven]:
    """Return what the outbox keeps, oldest first."""
    return [_said(row) for row in books.post.unsent(most=UNSENT_MAX)]


def _said(row: Row) -> Said | RoleGiven:
    body = json.loads(row["body"])
    if "role" in body:
        role = BrokerRole(body["role"]) if body["role"] is not None else None
        return RoleGiven(terminal=row["recipient"], role=role, outbox_id=row["outbox_id"])
    return Said(
        terminal=row["recipient"],
        channel=Channel(body["channel"]),
        message=message_from(body["type"], body["data"]),
        corr=body["corr"],
        tail=body["tail"],
        outbox_id=row["outbox_id"],
    )


def _forget(books: Transaction, outbox_id: int) -> None:
    books.post.sent(outbox_id=outbox_id)

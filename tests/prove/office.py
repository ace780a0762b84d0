"""A controller in a proof: real books, listener and courier, cut off as the dice say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from typing_extensions import override

from cloud_controller.courier import Courier
from cloud_controller.keys import FileKeys
from cloud_controller.listener import FLOWS, Listener
from cloud_controller.ports import Clock, Names, RoleGiven, Said
from cloud_controller.storage.books import SqliteBooks
from cloud_controller.storage.transaction import OpenTransaction
from common.codec import read
from common.messages.rights import Refused, Right
from common.mqtt import Delivery
from common.topics import address_of
from tests.prove.wire import Wire

Damage = Callable[[OpenTransaction], None]
"""What is wrong with a broken variant: done to the transaction that its writer uses."""


class Cut(Exception):
    """The transaction was cut off before its end."""


class Office:
    """The controller; `restart` loses all but its database."""

    def __init__(
        self, folder: Path, wires: dict[str, Wire], clock: Clock, names: Names, dice: Random
    ) -> None:
        self._folder, self._wires, self._clock, self._names = folder, wires, clock, names
        self._dice = dice
        self.damage: Damage = lambda _: None
        self.cuts = 0.1
        self.answers: dict[str, set[str]] = {}
        """The digest of each answer ever given, by the comm_id that it was given to."""

    async def open(self) -> None:
        keys = FileKeys(self._folder / "keys", self._names)
        self.books = _CutBooks(
            self._folder / "books.sqlite",
            clock=self._clock,
            names=self._names,
            keys=keys,
            on_said=self._post,
        )
        self.books.is_cut = lambda: self._dice.random() < self.cuts
        self.books.damage = self.damage
        self._courier = Courier(
            self.books,
            publish=self._publish,
            broker_words=lambda _: [],
            clock=self._clock,
            names=self._names,
        )
        self._listener = Listener(
            self.books,
            FLOWS,
            acknowledge=lambda _: None,
            on_heard=lambda *_: None,
            on_change=lambda: None,
        )
        await self.books.open()

    async def take(self, deliveries: list[Delivery]) -> None:
        """Hear messages all at once, and wait until the books have settled them."""
        for delivery in deliveries:
            self._listener.take(delivery)
        while self.books.waiting():  # noqa: ASYNC110 - the count is what there is to look at
            await asyncio.sleep(0)

    async def restart(self) -> None:
        """Die after the last commit, and come back with nothing but the database."""
        await self.books.close()
        await self.open()

    def _post(self, said: Sequence[Said | RoleGiven]) -> None:
        self._courier.post(said)

    def _publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> Any:  # noqa: ARG002 - it has one here
        if retain:
            return None  # only what the broker keeps is taken away: there is none here
        answer = read(payload).message
        if isinstance(answer, Right | Refused):
            self.answers.setdefault(answer.comm_id, set()).add(answer.digest())
        address = address_of(topic)
        assert address
        return self._wires[address.terminal].publish(topic, payload)


class _CutBooks(SqliteBooks):
    """Books some of whose transactions raise when all is written, before the commit."""

    is_cut: Callable[[], bool]
    damage: Damage

    @override
    def transact(self, function: Any, *args: Any, **kwargs: Any) -> asyncio.Future[Any]:
        if self.is_cut():
            return super().transact(_and_cut, lambda books: function(books, *args, **kwargs))
        return super().transact(function, *args, **kwargs)

    @override
    def _write(self) -> None:
        make = self._transaction
        self._transaction = lambda *facts: _damaged(make(*facts), self.damage)  # type: ignore[assignment] # as partial does
        super()._write()


def _and_cut(books: OpenTransaction, call: Callable[[OpenTransaction], Any]) -> None:
    call(books)
    raise Cut


def _damaged(transaction: OpenTransaction, damage: Damage) -> OpenTransaction:
    damage(transaction)
    return transaction

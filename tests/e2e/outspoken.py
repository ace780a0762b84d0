"""The real controller with one ear more: what a test tells it line by line, it says or hears."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Coroutine
from typing import Any

import structlog
from typing_extensions import override

from cloud_controller import main
from cloud_controller.controller import Controller
from common.mqtt import Delivery, Token

HEARD = "heard a test"
"""How a line of the log begins that tells what has been done for a test."""

ACKNOWLEDGED_SECONDS_MAX = 5.0
"""How long the broker may take to have a message."""


class OutspokenController(Controller):
    """A controller that publishes what it is told to, and takes what the broker never let through.

    A line is a JSON object with `number`, `topic`, `payload` and whether the controller itself
    `takes` it, as if a terminal had said it, or else says it.
    """

    @override
    def loops(self) -> dict[str, Coroutine[Any, Any, None]]:
        return super().loops() | {"ear": self._listen()}

    async def _listen(self) -> None:
        lines = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while line := await lines.readline():
            await self._do(json.loads(line))

    async def _do(self, told: dict[str, Any]) -> None:
        topic, payload = told["topic"], told["payload"].encode()
        if told["takes"]:
            token = Token(0, 0)  # of no connection: there is nothing to acknowledge
            delivery = Delivery(topic=topic, payload=payload, qos=1, retain=False, token=token)
            self.listener.take(delivery)
        else:
            self._publish(topic, payload, 1, retain=False)
        await self._until_acknowledged()
        await self.books.transact(lambda _books: None)
        structlog.get_logger("ear").info(HEARD, number=told["number"])

    async def _until_acknowledged(self) -> None:
        """Wait for the broker's word, before which stands all that terminals said until now."""
        link = self._connection._link
        assert link is not None
        async with asyncio.timeout(ACKNOWLEDGED_SECONDS_MAX):
            while link._in_flight:  # noqa: ASYNC110 - the link tells its courier alone
                await asyncio.sleep(0.001)


if __name__ == "__main__":
    main.Controller = OutspokenController  # type: ignore[attr-defined] # the command itself is the real one
    main.command_line()

"""Our root, called over HTTPS: what is owed to it is said again and again until it is answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import aiohttp
import structlog

from cloud_controller.bundle import Bundle
from cloud_controller.calling import Calling, CallTerms
from cloud_controller.flows.rights import growth, upstream
from cloud_controller.ports import Books
from common.codec import PAYLOAD_BYTES_MAX, message_from
from common.errors import RusubanError
from common.messages.base import Message
from common.messages.rights import FROM_THE_SERVER

LOOK_SECONDS: Final = 1.0
"""How often it is looked whether something is owed: another process may have begun it."""

SHORTEST_SECONDS: Final = 0.5
LONGEST_SECONDS: Final = 60.0
"""The first pause before something is said again, and the longest: each is twice the one before."""

STEPS_MAX: Final = 12
"""Rounds without a pause: an exchange takes three, and a root in confusion is not stormed."""

ANSWER_SECONDS: Final = 15.0
"""How long the root may take to answer to the end."""

_PATH = "/api/v1/peers/exchanges/"


class Upstream:
    """Says what is owed to the root, hears what it answers, and never gives up."""

    def __init__(
        self,
        bundle: Bundle,
        books: Books,
        folder: Path,
        fraction: Callable[[], float],
        modules: Sequence[str] = (),
    ) -> None:
        """Prepare to call the root; nothing is said yet.

        Args:
            bundle: where it is, and who we are.
            books: where all of it is kept.
            folder: where our certificate and its key are kept for TLS to read.
            fraction: random numbers from 0 up to 1.
            modules: those whose seats are taken and returned by themselves.

        Raises:
            CannotStart: the bundle's authority, certificate or key is none.
        """
        self._books = books
        self._who = bundle.branch()
        self._modules = modules
        self._steps = 0
        terms = CallTerms(
            who="root",
            answer_seconds=ANSWER_SECONDS,
            answer_bytes_max=PAYLOAD_BYTES_MAX,
            shortest_seconds=SHORTEST_SECONDS,
            longest_seconds=LONGEST_SECONDS,
        )
        self._root = Calling(bundle, folder / "upstream.pem", terms, fraction)
        self._log = structlog.get_logger("upstream")

    async def run(self) -> None:
        """Say what is owed, for ever; a fault is logged and the work tried again."""
        async with self._root.session() as http:
            while True:
                try:
                    pause_seconds = await self._round(http)
                except RusubanError as fault:
                    pause_seconds = self._root.pause_seconds()
                    self._log.warning(
                        "said again later", why=str(fault), seconds=round(pause_seconds, 1)
                    )
                except Exception:  # noqa: BLE001 - what is owed stays owed whatever one round met
                    pause_seconds = self._root.pause_seconds()
                    self._log.exception("what is owed could not be said")
                await asyncio.sleep(pause_seconds)

    async def _round(self, http: aiohttp.ClientSession) -> float:
        """Say everything that is owed once; return the seconds to wait until the next time."""
        await self._grow()
        owed = await self._books.read(upstream.owed_to_root, self._who)
        if not owed:
            self._root.note_good()
            self._steps = 0
            return LOOK_SECONDS
        has_moved = False
        for message in owed:
            answer = await self._ask(http, message)
            has_moved |= await self._books.transact(upstream.hear_root, self._who, answer)
        self._steps += 1
        if has_moved and self._steps < STEPS_MAX:
            self._root.note_good()
            return 0.0
        return self._root.pause_seconds()

    async def _grow(self) -> None:
        """Begin what is wanted by itself; nothing is written where nothing is."""
        if await self._books.read(growth.wanted_changes, self._who, self._modules):
            begun = await self._books.transact(growth.grow, self._who, self._modules)
            self._log.info("seats are wanted", seats=begun)

    async def _ask(self, http: aiohttp.ClientSession, message: Message) -> Message:
        """Return the root's answer to a message.

        Raises:
            IsAway, RefusesUs, IsNonsense: it has none.
        """
        path = _PATH + message.type.removeprefix("rights.")
        text = await self._root.ask(http, path, message.model_dump_json())
        try:
            return _answer_in(text)
        except (ValueError, KeyError, TypeError, RecursionError, RusubanError) as fault:
            raise self._root.nonsense(str(fault)[:80]) from None


def _answer_in(text: bytes) -> Message:
    said = json.loads(text)
    answer = message_from(str(said["type"]), said["data"])
    if not isinstance(answer, FROM_THE_SERVER):
        message = f"it says {answer.type}"
        raise TypeError(message)
    return answer

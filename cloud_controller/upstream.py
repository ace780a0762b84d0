"""Our root, called over HTTPS: what is owed to it is said again and again until it is answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Self

import aiohttp
import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cloud_controller.flows.rights import growth, upstream
from cloud_controller.flows.rights.upstream import Branch
from cloud_controller.ports import Books
from common.codec import PAYLOAD_BYTES_MAX, first_fault_of, message_from
from common.errors import CannotStart, RusubanError
from common.files import replace
from common.ids import NAME_PATTERN
from common.messages.base import Message
from common.messages.rights import FROM_THE_SERVER
from common.seals import is_sealed, verifying_key
from common.tls import trusting

LOOK_SECONDS: Final = 1.0
"""How often it is looked whether something is owed: another process may have begun it."""

SHORTEST_SECONDS: Final = 0.5
LONGEST_SECONDS: Final = 60.0
"""The first pause before something is said again, and the longest: each is twice the one before."""

STEPS_MAX: Final = 12
"""Rounds without a pause: an exchange takes three, and a root in confusion is not stormed."""

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 15.0
"""How long the root may take to be reached, and to answer to the end."""

BUNDLE_BYTES_MAX: Final = 65_536
"""Bytes of a bundle; ours has some three thousand."""

OK: Final = 200

_PATH = "/api/v1/peers/exchanges/"


class RootIsAway(RusubanError):
    """The root does not answer: {why}."""


class RootRefuses(RusubanError):
    """The root refuses us with {status}: {code}."""


class RootIsNonsense(RusubanError):
    """What answers is not our root: {why}."""


class Bundle(BaseModel):
    """All that a branch needs to speak with its root, made by the root; it holds a secret key.

    Attributes:
        url: where the root listens for its peers.
        keys: the public keys in hex by which the root signs rights, by key id.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(pattern=r"^https://[^\s/?#@]+/?$", max_length=300)]
    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    epoch: Annotated[str, Field(pattern=r"^[0-9a-f]{1,32}$")]
    authority: str
    certificate: str
    key: str
    keys: dict[int, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]

    @classmethod
    def load(cls, file: Path) -> Self:
        """Return the bundle of this file.

        Raises:
            CannotStart: it cannot be read, or is none.
        """
        try:
            with file.open("rb") as opened:
                return cls.model_validate_json(opened.read(BUNDLE_BYTES_MAX))
        except OSError as fault:
            raise CannotStart(why=f"the bundle {file}: {fault.strerror}") from None
        except ValidationError as fault:
            why = f"{file} is no bundle of `peers add`: {first_fault_of(fault)}"
            raise CannotStart(why=why) from None

    def branch(self) -> Branch:
        """Return who we are to the root, and how a right of it is known."""
        keys = [verifying_key(bytes.fromhex(raw)) for raw in self.keys.values()]

        def has_sealed(document: Mapping[str, Any], signature: str) -> bool:
            return any(is_sealed(document, signature, key) for key in keys)

        return Branch(name=self.name, epoch=self.epoch, has_sealed=has_sealed)


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
        self._url = bundle.url.rstrip("/") + _PATH
        self._fraction = fraction
        self._modules = modules
        self._attempts = 0
        self._steps = 0
        file = folder / "upstream.pem"
        replace(file, f"{bundle.certificate}\n{bundle.key}".encode())
        self._tls = trusting(bundle.authority, certificate=file)
        self._log = structlog.get_logger("upstream")

    async def run(self) -> None:
        """Say what is owed, for ever; a fault is logged and the work tried again."""
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._tls),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS, connect=CONNECT_SECONDS),
        ) as http:
            while True:
                try:
                    pause_seconds = await self._round(http)
                except RusubanError as fault:
                    pause_seconds = self._pause()
                    self._log.warning(
                        "said again later", why=str(fault), seconds=round(pause_seconds, 1)
                    )
                except Exception:  # noqa: BLE001 - what is owed stays owed whatever one round met
                    pause_seconds = self._pause()
                    self._log.exception("what is owed could not be said")
                await asyncio.sleep(pause_seconds)

    async def _round(self, http: aiohttp.ClientSession) -> float:
        """Say everything that is owed once; return the seconds to wait until the next time."""
        await self._grow()
        owed = await self._books.read(upstream.owed_to_root, self._who)
        if not owed:
            self._attempts = self._steps = 0
            return LOOK_SECONDS
        has_moved = False
        for message in owed:
            answer = await self._ask(http, message)
            has_moved |= await self._books.transact(upstream.hear_root, self._who, answer)
        self._steps += 1
        if has_moved and self._steps < STEPS_MAX:
            self._attempts = 0
            return 0.0
        return self._pause()

    async def _grow(self) -> None:
        """Begin what is wanted by itself; nothing is written where nothing is."""
        if await self._books.read(growth.wanted_changes, self._who, self._modules):
            begun = await self._books.transact(growth.grow, self._who, self._modules)
            self._log.info("seats are wanted", seats=begun)

    async def _ask(self, http: aiohttp.ClientSession, message: Message) -> Message:
        """Return the root's answer to a message.

        Raises:
            RootIsAway, RootRefuses, RootIsNonsense: it has none.
        """
        url = self._url + message.type.removeprefix("rights.")
        body = message.model_dump(mode="json")
        try:
            async with http.post(url, json=body, allow_redirects=False) as response:
                text = await _whole(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise RootIsAway(why=str(fault) or type(fault).__name__) from fault
        if response.status != OK:
            raise RootRefuses(status=response.status, code=_code_in(text))
        return _answer_in(text)

    def _pause(self) -> float:
        """Return how long to wait before saying it again: a random half of a doubling time."""
        ceiling = min(LONGEST_SECONDS, SHORTEST_SECONDS * 2.0**self._attempts)
        self._attempts += ceiling < LONGEST_SECONDS
        return ceiling * (1 + self._fraction()) / 2


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    text = bytearray()
    async for chunk in response.content.iter_chunked(PAYLOAD_BYTES_MAX):
        text += chunk
        if len(text) > PAYLOAD_BYTES_MAX:
            raise RootIsNonsense(why=f"it says more than {PAYLOAD_BYTES_MAX} bytes")
    return bytes(text)


def _answer_in(text: bytes) -> Message:
    try:
        said = json.loads(text)
        answer = message_from(str(said["type"]), said["data"])
    except (ValueError, KeyError, TypeError, RecursionError, RusubanError) as fault:
        raise RootIsNonsense(why=str(fault)[:80]) from None
    if not isinstance(answer, FROM_THE_SERVER):
        raise RootIsNonsense(why=f"it says {answer.type}")
    return answer


def _code_in(text: bytes) -> str:
    """Return the stable code of a refusal, where it has one."""
    try:
        return str(json.loads(text)["code"])[:40]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "no code"

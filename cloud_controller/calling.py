"""Another controller, called over mutual TLS: one call, its answer, and the pause after a fault."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

import aiohttp

from cloud_controller.bundle import Bundle
from common.errors import RusubanError
from common.files import replace
from common.tls import trusting

CONNECT_SECONDS: Final = 5.0
"""How long the other one may take to be reached."""

OK: Final = 200

_PART_BYTES: Final = 65_536


class IsAway(RusubanError):
    """The {who} does not answer: {why}."""


class RefusesUs(RusubanError):
    """The {who} refuses us with {status}: {code}."""


class IsNonsense(RusubanError):
    """What answers is no {who} of ours: {why}."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallTerms:
    """How patient one call is, and how long it is until the next after a fault.

    Attributes:
        who: what the other one is to us, as faults name it.
        answer_seconds: how long it may take to answer to the end.
        answer_bytes_max: how many bytes that may be.
        shortest_seconds: the first pause; each is twice the one before.
        longest_seconds: the longest.
    """

    who: str
    answer_seconds: float
    answer_bytes_max: int
    shortest_seconds: float
    longest_seconds: float


class Calling:
    """How one other controller is called, by its bundle, for ever."""

    def __init__(
        self, bundle: Bundle, file: Path, terms: CallTerms, fraction: Callable[[], float]
    ) -> None:
        """Keep who we are to it in a file, where TLS can read it; nothing is said yet.

        `fraction` returns random numbers from 0 up to 1.

        Raises:
            CannotStart: the bundle's authority, certificate or key is none.
        """
        self.url = bundle.url.rstrip("/")
        self._terms, self._fraction = terms, fraction
        self._faults = 0
        replace(file, f"{bundle.certificate}\n{bundle.key}".encode())
        self._tls = trusting(bundle.authority, certificate=file)

    def session(self) -> aiohttp.ClientSession:
        """Return what calls are made in; nobody but the bundle's controller can answer them."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._tls),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=self._terms.answer_seconds, connect=CONNECT_SECONDS
            ),
        )

    async def ask(self, http: aiohttp.ClientSession, path: str, body: str) -> bytes:
        """Say some JSON and return the answer to it, as it came.

        Raises:
            IsAway, RefusesUs, IsNonsense: there is none that counts.
        """
        headers = {"Content-Type": "application/json"}
        url = self.url + path
        try:
            async with http.post(
                url, data=BytesIO(body.encode()), headers=headers, allow_redirects=False
            ) as response:
                text = await self._whole(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            why = str(fault) or type(fault).__name__
            raise IsAway(who=self._terms.who, why=why) from fault
        if response.status != OK:
            raise RefusesUs(who=self._terms.who, status=response.status, code=_code_in(text))
        return text

    def nonsense(self, why: str) -> IsNonsense:
        """Return the fault of an answer that is none."""
        return IsNonsense(who=self._terms.who, why=why)

    def pause_seconds(self) -> float:
        """Return how long to wait before the next call: a random half of a doubling time."""
        longest = self._terms.longest_seconds
        ceiling = min(longest, self._terms.shortest_seconds * 2.0**self._faults)
        self._faults += ceiling < longest
        return ceiling * (1 + self._fraction()) / 2

    def note_good(self) -> None:
        """Begin again with the shortest pause: a call came to something."""
        self._faults = 0

    async def _whole(self, response: aiohttp.ClientResponse) -> bytes:
        text = bytearray()
        async for part in response.content.iter_chunked(_PART_BYTES):
            text += part
            if len(text) > self._terms.answer_bytes_max:
                why = f"it says more than {self._terms.answer_bytes_max} bytes"
                raise self.nonsense(why)
        return bytes(text)


def _code_in(text: bytes) -> str:
    """Return the stable code of a refusal, where it has one."""
    try:
        return str(json.loads(text)["code"])[:40]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "no code"

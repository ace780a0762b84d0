"""Mirrors of our log of modules, called over HTTPS: our root, and those that settings name.

Its law: one call says how far we have every log and what the mirror lacked when it spoke last, and
is answered in the same words. Said twice, or answered into the void, it does no harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import aiohttp
import structlog
from pydantic import ValidationError

from cloud_controller.flows import modules
from cloud_controller.flows.modules import LOG_BYTES_MAX, LogSaid
from cloud_controller.ports import Books
from cloud_controller.settings import ControllerSettings
from cloud_controller.upstream import Bundle
from common.codec import first_fault_of
from common.errors import RusubanError
from common.files import replace
from common.tls import trusting

EVERY_SECONDS: Final = 5.0
"""Between two calls while nothing is new: how old what is known of other controllers may be."""

LONGEST_SECONDS: Final = 60.0
"""The longest pause after a fault; each is twice the one before, from `EVERY_SECONDS` on."""

STEPS_MAX: Final = 50
"""Calls without a pause: ten thousand lines, and who says new ones for ever is not stormed."""

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 30.0
"""How long a mirror may take to be reached, and to answer to the end."""

OK: Final = 200

_PATH = "/api/v1/peers/modules/log"
_PART_BYTES = 65_536


class MirrorIsAway(RusubanError):
    """The mirror {url} does not answer: {why}."""


class MirrorRefuses(RusubanError):
    """The mirror {url} refuses us with {status}."""


class MirrorIsNonsense(RusubanError):
    """What answers at {url} is no mirror: {why}."""


class Mirrors:
    """Everybody whom we call, each at his own pace."""

    def __init__(
        self, bundles: Sequence[Bundle], books: Books, folder: Path, fraction: Callable[[], float]
    ) -> None:
        """Prepare to call; nothing is said yet.

        Args:
            bundles: where each is, and who we are to it.
            books: where the log is kept.
            folder: where our certificates and their keys are kept for TLS to read.
            fraction: random numbers from 0 up to 1.

        Raises:
            CannotStart: a bundle's authority, certificate or key is none.
        """
        self._books = books
        self._mirrors = [
            Mirror(bundle, books, folder / f"mirror-{number}.pem", fraction)
            for number, bundle in enumerate(bundles)
        ]

    async def begin(self) -> None:
        """Doubt that our log is the newest until each has spoken; before anything is written."""
        await self._books.transact(modules.begin, [mirror.url for mirror in self._mirrors])

    async def run(self) -> None:
        """Call them, for ever."""
        async with asyncio.TaskGroup() as tasks:
            for mirror in self._mirrors:
                tasks.create_task(mirror.run(), name=f"mirror {mirror.url}")


class Mirror:
    """One of them: says what it lacks, takes what we lack, and never gives up."""

    def __init__(
        self, bundle: Bundle, books: Books, file: Path, fraction: Callable[[], float]
    ) -> None:
        """Keep who we are to it where TLS can read it.

        Raises:
            CannotStart: the bundle's authority, certificate or key is none.
        """
        self.url = bundle.url.rstrip("/")
        self._books = books
        self._fraction = fraction
        self._heard: LogSaid | None = None
        self._faults = 0
        self._steps = 0
        replace(file, f"{bundle.certificate}\n{bundle.key}".encode())
        self._tls = trusting(bundle.authority, certificate=file)
        self._log = structlog.get_logger("mirrors")

    async def run(self) -> None:
        """Exchange lines for ever; a fault is logged and it is called again."""
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
                    self._log.warning("called again later", why=str(fault))
                except Exception:  # noqa: BLE001 - lines stay in the books whatever one call met
                    pause_seconds = self._pause()
                    self._log.exception("the log could not be exchanged")
                await asyncio.sleep(pause_seconds)

    async def _round(self, http: aiohttp.ClientSession) -> float:
        """Call once; return the seconds to wait until the next time."""
        is_first = self._heard is None
        said = await self._books.read(modules.say_log, self._heard)
        self._heard = await self._ask(http, said)
        is_new = await self._books.transact(modules.take_log, self.url, self._heard)
        self._faults = 0
        self._steps += 1
        is_owed = is_first and modules.lacks(self._heard, said)
        if (is_new or is_owed or said.lines) and self._steps < STEPS_MAX:
            return 0.0
        self._steps = 0
        return EVERY_SECONDS * (1 + self._fraction()) / 2

    async def _ask(self, http: aiohttp.ClientSession, said: LogSaid) -> LogSaid:
        """Return what the mirror says.

        Raises:
            MirrorIsAway, MirrorRefuses, MirrorIsNonsense: it says nothing that counts.
        """
        body = said.model_dump_json().encode()
        headers = {"Content-Type": "application/json"}
        url = self.url + _PATH
        try:
            async with http.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                text = await self._whole(answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise MirrorIsAway(url=self.url, why=str(fault) or type(fault).__name__) from fault
        if answer.status != OK:
            raise MirrorRefuses(url=self.url, status=answer.status)
        try:
            return LogSaid.model_validate_json(text)
        except ValidationError as fault:
            raise MirrorIsNonsense(url=self.url, why=first_fault_of(fault)) from None

    async def _whole(self, answer: aiohttp.ClientResponse) -> bytes:
        text = bytearray()
        async for part in answer.content.iter_chunked(_PART_BYTES):
            text += part
            if len(text) > LOG_BYTES_MAX:
                raise MirrorIsNonsense(url=self.url, why=f"more than {LOG_BYTES_MAX} bytes")
        return bytes(text)

    def _pause(self) -> float:
        """Return how long to wait after a fault: a random half of a doubling time."""
        self._heard = None
        self._steps = 0
        ceiling = min(LONGEST_SECONDS, EVERY_SECONDS * 2.0**self._faults)
        self._faults += ceiling < LONGEST_SECONDS
        return ceiling * (1 + self._fraction()) / 2


def mirrors_of(
    settings: ControllerSettings, books: Books, fraction: Callable[[], float]
) -> Mirrors:
    """Return whoever mirrors our log by our own call: our root, and those that settings name.

    Raises:
        CannotStart: a bundle cannot be read, or is none.
    """
    files = [settings.upstream.bundle] if settings.upstream is not None else []
    files += [each.bundle for each in settings.modules.mirrors]
    bundles = [Bundle.load(file) for file in files]
    return Mirrors(bundles, books, settings.keys_folder, fraction)

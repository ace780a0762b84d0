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

from cloud_controller.bundle import Bundle
from cloud_controller.calling import Calling, CallTerms
from cloud_controller.flows import modules
from cloud_controller.flows.modules import LOG_BYTES_MAX, LogSaid
from cloud_controller.ports import Books
from cloud_controller.settings import ControllerSettings
from common.codec import first_fault_of
from common.errors import RusubanError

EVERY_SECONDS: Final = 5.0
"""Between two calls while nothing is new: how old what is known of other controllers may be."""

LONGEST_SECONDS: Final = 60.0
"""The longest pause after a fault; each is twice the one before, from `EVERY_SECONDS` on."""

STEPS_MAX: Final = 50
"""Calls without a pause: ten thousand lines, and who says new ones for ever is not stormed."""

ANSWER_SECONDS: Final = 30.0
"""How long a mirror may take to answer to the end."""

_PATH = "/api/v1/peers/modules/log"


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
        self._books = books
        self._fraction = fraction
        self._heard: LogSaid | None = None
        self._steps = 0
        terms = CallTerms(
            who=f"mirror {bundle.url}",
            answer_seconds=ANSWER_SECONDS,
            answer_bytes_max=LOG_BYTES_MAX,
            shortest_seconds=EVERY_SECONDS,
            longest_seconds=LONGEST_SECONDS,
        )
        self._calling = Calling(bundle, file, terms, fraction)
        self.url = self._calling.url
        self._log = structlog.get_logger("mirrors")

    async def run(self) -> None:
        """Exchange lines for ever; a fault is logged and it is called again."""
        async with self._calling.session() as http:
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
        self._calling.note_good()
        self._steps += 1
        is_owed = is_first and modules.lacks(self._heard, said)
        if (is_new or is_owed or said.lines) and self._steps < STEPS_MAX:
            return 0.0
        self._steps = 0
        return EVERY_SECONDS * (1 + self._fraction()) / 2

    async def _ask(self, http: aiohttp.ClientSession, said: LogSaid) -> LogSaid:
        """Return what the mirror says.

        Raises:
            IsAway, RefusesUs, IsNonsense: it says nothing that counts.
        """
        text = await self._calling.ask(http, _PATH, said.model_dump_json())
        try:
            return LogSaid.model_validate_json(text)
        except ValidationError as fault:
            raise self._calling.nonsense(first_fault_of(fault)) from None

    def _pause(self) -> float:
        """Return how long to wait after a fault; what was heard before it is heard anew."""
        self._heard = None
        self._steps = 0
        return self._calling.pause_seconds()


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

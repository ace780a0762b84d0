"""Webhooks go out: what waits is signed, said, and noted with what became of it.

Each endpoint is told by a task of its own, so that one that hangs holds up nobody else's.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from io import BytesIO
from typing import Final

import aiohttp
import structlog
from standardwebhooks import Webhook

from cloud_controller.flows import hooks
from cloud_controller.flows.hooks import Answered, Delivery
from cloud_controller.hooks.guard import NotPublic, session
from cloud_controller.ports import Books, Clock
from cloud_controller.settings import HookSettings
from cloud_controller.web.routes import iso
from common.rules.hooks import BODY_BYTES_MAX, target_of

LOOK_SECONDS: Final = 1.0
"""How often it is looked whether something is due; another process may have written it."""

AT_ONCE: Final = 4
"""Events that one endpoint is told at the same time, of as many different things."""

BATCH_MAX: Final = 32
"""Events that are taken for an endpoint at once: with 15 s each, two minutes at the worst."""

FORGET_SECONDS: Final = 3_600.0
"""How often it is looked for what is to be forgotten."""

_DAY_SECONDS = 86_400


class HookSender:
    """One loop that looks who is to be told, and a task for each endpoint that is."""

    def __init__(self, books: Books, clock: Clock, settings: HookSettings) -> None:
        """Take the books, and whom the settings trust; `run` is the loop."""
        self._books, self._clock, self._settings = books, clock, settings
        self._trusted = settings.hosts
        self._busy: set[str] = set()
        self._http: aiohttp.ClientSession | None = None
        self._forget_at = 0.0
        self._log = structlog.get_logger("hooks")

    async def run(self) -> None:
        """Tell whoever is to be told, for ever; a fault is logged and the work tried again."""
        async with session(self._trusted) as self._http, asyncio.TaskGroup() as group:
            while True:
                try:
                    await self.look(group)
                except Exception:  # noqa: BLE001 - webhooks go on whatever one round met
                    self._log.exception("webhooks could not be looked after")
                await asyncio.sleep(LOOK_SECONDS)

    async def look_once(self) -> None:
        """Tell everybody who is to be told now, and return when they have been."""
        async with session(self._trusted) as self._http, asyncio.TaskGroup() as group:
            await self.look(group)

    async def look(self, group: asyncio.TaskGroup) -> None:
        """See once who is to be told, and begin to; those still being told are left alone."""
        now = self._clock.steady_seconds()
        if now >= self._forget_at:
            self._forget_at = now + FORGET_SECONDS
            kept = self._settings.kept_days * _DAY_SECONDS
            await self._books.transact(hooks.forget, kept)
        for endpoint in await self._books.read(hooks.due_endpoints):
            if endpoint not in self._busy:
                self._busy.add(endpoint)
                group.create_task(self._serve(endpoint), name=f"hook {endpoint}")

    async def _serve(self, endpoint: str) -> None:
        """Tell an endpoint what is due, until nothing more is."""
        try:
            while taken := await self._books.transact(hooks.take, endpoint, BATCH_MAX):
                turn = asyncio.Semaphore(AT_ONCE)
                async with asyncio.TaskGroup() as group:
                    for delivery in taken:
                        name = f"hook {delivery.event}"
                        group.create_task(self._deliver(delivery, turn), name=name)
        except Exception:  # noqa: BLE001 - the next look tries again
            self._log.exception("an endpoint could not be told", endpoint=endpoint)
        finally:
            self._busy.discard(endpoint)

    async def _deliver(self, delivery: Delivery, turn: asyncio.Semaphore) -> None:
        async with turn:
            began = self._clock.steady_seconds()
            status, words = await self._say(delivery)
            took_ms = int((self._clock.steady_seconds() - began) * 1000)
        answered = Answered(status=status, words=words, took_ms=took_ms)
        await self._books.transact(hooks.note_answer, delivery, answered)

    async def _say(self, delivery: Delivery) -> tuple[int | None, str]:
        """Say an event once; return the answer's status, or None, and what is kept of it."""
        if target_of(delivery.url, self._trusted) is None:
            return None, "address_not_allowed"
        assert self._http is not None, "whoever looks has opened it"
        body = body_of(delivery)
        headers = headers_of(delivery, body, self._clock.now_ms())
        try:
            async with self._http.post(
                delivery.url, data=BytesIO(body), headers=headers, allow_redirects=False
            ) as response:
                return response.status, str(response.status)
        except TimeoutError:
            return None, "timeout"
        except (aiohttp.ClientError, OSError, ValueError) as fault:
            return None, _why(fault)


def hooks_of(settings: HookSettings, books: Books, clock: Clock) -> HookSender:
    """Return who tells webhooks, by these settings."""
    return HookSender(books, clock, settings)


def body_of(delivery: Delivery) -> bytes:
    """Return what is said, byte for byte the same at each try."""
    said = {
        "type": delivery.type,
        "timestamp": iso(delivery.at),
        "data": json.loads(delivery.body),
    }
    body = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    assert len(body) <= BODY_BYTES_MAX, "an event names things, and is short"
    return body


def headers_of(delivery: Delivery, body: bytes, now: int) -> dict[str, str]:
    """Return the headers of Standard Webhooks, signed with each secret that counts."""
    at = datetime.fromtimestamp(now // 1000, UTC)
    signed = [Webhook(each).sign(delivery.event, at, body.decode()) for each in delivery.secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": "Rusuban",
        "webhook-id": delivery.event,
        "webhook-timestamp": str(now // 1000),
        "webhook-signature": " ".join(signed),
    }


def _why(fault: BaseException) -> str:
    """Return why somebody was not reached, in a word that tells nothing of a network of ours."""
    cause: BaseException | None = fault
    while cause is not None:
        if isinstance(cause, NotPublic):
            return "address_not_public"
        cause = cause.__cause__ or getattr(cause, "os_error", None)
    return type(fault).__name__

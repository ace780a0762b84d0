"""A real receiver of webhooks on a free port, whose answers are in the test's hand."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

import pytest
import standardwebhooks.webhooks
from aiohttp import web
from standardwebhooks import Webhook
from typing_extensions import override

from cloud_controller.flows import hooks
from cloud_controller.flows.hooks import Endpoint, EndpointWanted
from cloud_controller.hooks import HookSender
from cloud_controller.settings import HookSettings
from tests.fakes.store import ClockInHand, StoreKit

HERE = "127.0.0.1"


@dataclass
class Receiver:
    """What came in, and what is answered: a list is used up, answer by answer."""

    port: int
    answers: list[int] = field(default_factory=list)
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    calls: int = 0

    @property
    def url(self) -> str:
        return f"http://{HERE}:{self.port}/in"

    async def take(self, request: web.Request) -> web.Response:
        self.calls += 1
        status = self.answers.pop(0) if self.answers else 204
        body = await request.read()
        if 200 <= status < 300:
            self.taken.append((dict(request.headers), body))
        return web.Response(status=status, headers={"Location": f"http://{HERE}:{self.port}/other"})

    @asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        """Let it listen; before and after nobody does."""
        app = web.Application()
        app.router.add_route("*", "/{any:.*}", self.take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        door = socket.socket()
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((HERE, self.port))
        await web.SockSite(runner, door).start()
        try:
            yield
        finally:
            await runner.cleanup()

    def read(self, secret: str) -> list[dict[str, Any]]:
        """Return what came in, each verified by the reference library."""
        webhook = Webhook(secret)
        return [webhook.verify(body, headers) for headers, body in self.taken]


def receiver() -> Receiver:
    """Return a receiver with a port of its own that nobody listens on yet."""
    with socket.socket() as door:
        door.bind((HERE, 0))
        return Receiver(port=door.getsockname()[1])


def sender(store: StoreKit, *trusted: str) -> HookSender:
    settings = HookSettings(trusted_hosts=trusted or (HERE,))
    return HookSender(store.books, store.clock, settings)


async def endpoint(store: StoreKit, url: str, **how: Any) -> Endpoint:
    return await store.books.transact(hooks.add, EndpointWanted(url=url, **how), "tests")


def by_this_clock(monkeypatch: pytest.MonkeyPatch, clock: ClockInHand) -> None:
    """Have the reference library go by the clock in hand: it looks at the time itself."""

    class _Now(datetime):
        @classmethod
        @override
        def now(cls, tz: tzinfo | None = None) -> _Now:
            return cls.fromtimestamp(clock.now / 1000, tz or UTC)

    monkeypatch.setattr(standardwebhooks.webhooks, "datetime", _Now)

"""A real web server over real books, on a free port, and somebody to call it."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry

from cloud_controller.flows.accounts import TOKEN_PREFIX, begin_session, digest_of
from cloud_controller.flows.enrolment import Given
from cloud_controller.packages.serving import PackageShelf
from cloud_controller.payments import Desk
from cloud_controller.ports import Transaction
from cloud_controller.settings import PaymentSettings
from cloud_controller.web.app import WebParts, make_app, runner_of
from cloud_controller.web.wallet import Wallets
from common.rules.accounts import EVERY_STORE, PERMISSIONS, OperatorRole
from tests.fakes.store import GIVEN, ClockInHand, StoreKit, store_kit

TOKEN = "the-operator-s-token"  # noqa: S105 - made up for the tests
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}
EVERY_ROLE = frozenset({"management", "service", "reservation", "web", "communication"})


@dataclass(kw_only=True)
class WebKit:
    """A served store, and what a test may turn about it."""

    store: StoreKit
    url: str
    http: aiohttp.ClientSession
    ready: dict[str, bool] = field(default_factory=lambda: {"books": True, "broker": True})
    dropped: dict[str, int] = field(default_factory=dict)
    given: Given = GIVEN
    authority: str = ""
    seeds: dict[Any, Any] = field(default_factory=dict)
    desk: Desk = field(init=False)
    parts: WebParts = field(init=False)

    async def get(self, path: str, **how: Any) -> Answered:
        return await self.call("GET", path, **how)

    async def post(self, path: str, **how: Any) -> Answered:
        return await self.call("POST", path, **how)

    async def call(self, method: str, path: str, **how: Any) -> Answered:
        """Call a route without following it anywhere."""
        how.setdefault("allow_redirects", False)
        async with self.http.request(method, self.url + path, **how) as response:
            return Answered(
                status=response.status, headers=response.headers, body=await response.read()
            )

    async def told(
        self, path: str, body: dict[str, Any] | None = None, *, method: str = "", **how: Any
    ) -> Answered:
        """Call a route as the operator; with a body it is a POST."""
        how["headers"] = OPERATOR | how.get("headers", {})
        if body is not None:
            how["json"] = body
        return await self.call(method or ("GET" if body is None else "POST"), path, **how)

    async def signed_in(
        self, role: OperatorRole = OperatorRole.OWNER, store: str = EVERY_STORE
    ) -> dict[str, str]:
        """Return what the browser of an operator sends who has just signed in."""

        def sign_in(books: Transaction) -> str:
            operator = books.names.new("op")
            books.accounts.add_operator(operator_id=operator, name=operator, now=books.now)
            books.accounts.give_role(operator_id=operator, store_id=store, role=role)
            return begin_session(books, operator, is_whole=True)

        key = await self.store.books.transact(sign_in)
        return {"Cookie": f"operator={key}", "Sec-Fetch-Site": "same-origin"}

    async def token_of(self, role: OperatorRole, store: str) -> dict[str, str]:
        """Return what a program sends that may do what this role may in a store."""

        def make(books: Transaction) -> str:
            token = TOKEN_PREFIX + books.names.hex_digits(64)
            name = books.names.new("at")
            books.accounts.add_token(
                token_id=name,
                digest=digest_of(token),
                name=name,
                made_by="tests",
                now=books.now,
                ends_at=books.now + 86_400_000,
            )
            for permission in PERMISSIONS[role]:
                books.accounts.add_scope(token_id=name, store_id=store, permission=permission)
            return token

        return {"Authorization": f"Bearer {await self.store.books.transact(make)}"}

    async def book(self, wish: dict[str, Any], key: str | None = None) -> Answered:
        """Book over the API."""
        key = key or self.store.names.hex_digits(32)
        headers = {"Idempotency-Key": key}
        return await self.post("/api/v1/reservations", json=wish, headers=headers)


@dataclass(frozen=True, kw_only=True)
class Answered:
    """An answer that has been read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


def assert_problem(answer: Answered, status: int, code: str) -> None:
    """Check that an answer is this refusal, with words for a person and what to do next."""
    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.json["status"] == status
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.json["title"]
    assert answer.json["next"]


@asynccontextmanager
async def web_kit(
    folder: Path,
    *,
    clock: ClockInHand | None = None,
    roles: frozenset[str] = EVERY_ROLE,
    payments: PaymentSettings | None = None,
    wallets: Wallets | None = None,
    viewers_max: int = 8_000,
) -> AsyncIterator[WebKit]:
    """Serve a store's books on a free port of this machine."""
    async with store_kit(folder, clock) as store, _client() as http:
        kit = WebKit(store=store, url="", http=http)
        settings = payments or PaymentSettings()
        kit.desk = Desk(settings, store.books, store.clock, lambda link: f"{kit.url}/b/{link}")
        door = socket.create_server(("127.0.0.1", 0))
        kit.url = f"http://127.0.0.1:{door.getsockname()[1]}"
        parts = kit.parts = WebParts(
            books=store.books,
            clock=store.clock,
            names=store.names,
            roles=roles,
            operator_token=TOKEN,
            public_url=kit.url,
            broker_address=lambda: ("127.0.0.1", 1883),
            credentials=lambda: kit.given,
            authority=lambda: kit.authority,
            provider=kit.desk.provider,
            desk=kit.desk,
            packages=PackageShelf(folder / "packages"),
            is_ready=lambda: kit.ready,
            waiting_count=store.books.waiting,
            dropped_counts=lambda: kit.dropped,
            registry=CollectorRegistry(),
            viewers_max=viewers_max,
            viewers_of_a_peer_max=max(1, viewers_max - 1),
            wallets=wallets or Wallets(),
            hook_hosts=frozenset({"localhost"}),
            seeds=kit.seeds,
        )
        runner = runner_of(make_app(parts))
        await runner.setup()
        await web.SockSite(runner, door).start()
        try:
            yield kit
        finally:
            await runner.cleanup()
            await kit.desk.close()


def _client() -> aiohttp.ClientSession:
    """Return a client that keeps cookies, also those of an address without a name."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

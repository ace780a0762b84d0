"""A root that serves its peers over real TLS sockets, a branch that calls it, and strangers."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from cloud_controller.bundle import Bundle
from cloud_controller.certificates import Authority
from cloud_controller.flows.rights import peers, pools, upstream
from cloud_controller.keys import FileKeys
from cloud_controller.storage.books import SqliteBooks
from cloud_controller.upstream import Upstream
from cloud_controller.web.app import runner_of
from cloud_controller.web.peers import make_peers_app
from common.messages.base import Message
from common.system import SystemClock, SystemNames
from common.tls import fingerprint_of, serving, trusting
from tests.fakes.controllers import OWNED, PHYSICS
from tests.waiting import until_told

HERE = "127.0.0.1"
PATH = "/api/v1/peers/exchanges/"


@dataclass(frozen=True, kw_only=True)
class Answered:
    """An answer that has been read to its end."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["code"])


@dataclass(kw_only=True)
class RootKit:
    """A served root."""

    folder: Path
    books: SqliteBooks
    authority: Authority
    keys: FileKeys
    port: int = 0
    transacted: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://{HERE}:{self.port}"

    async def let_in(self, name: str) -> Bundle:
        """Let a controller in, as the command does."""
        certificate, key = self.authority.certify_peer(peers.certificate_name(name))
        fingerprint = fingerprint_of(certificate)
        epoch = await self.books.transact(peers.add_peer, name, fingerprint, "tests")
        return self.bundle(name, epoch, certificate, key)

    def bundle(self, name: str, epoch: str, certificate: str, key: str) -> Bundle:
        return Bundle(
            url=self.url,
            name=name,
            epoch=epoch,
            authority=self.authority.pem,
            certificate=certificate,
            key=key,
            keys=self.keys.public_keys(),
        )

    async def pool(self) -> tuple[int, int]:
        row = await self.books.read(lambda books: books.rights.pool(module=PHYSICS))
        return row["owned"], row["used"]

    async def flows_called(self) -> list[str]:
        """Return what was written since the last look, by the name of its function."""
        called, self.transacted[:] = list(self.transacted), []
        return called


@asynccontextmanager
async def root_kit(folder: Path) -> AsyncIterator[RootKit]:
    """Serve a root that owns ten seats on a free port."""
    async with open_books(folder) as (books, keys):
        authority = Authority(folder / "keys", SystemClock(), SystemNames())
        kit = RootKit(folder=folder, books=books, authority=authority, keys=keys)
        await books.transact(pools.own_seats, PHYSICS, OWNED, "tests")
        own = authority.server_files([HERE])
        context = serving(own.certificate, own.key, callers=authority.pem)
        watched: Any = _Watched(books, kit.transacted)
        app = make_peers_app(watched, SystemClock(), SystemNames())
        async with served(app, context) as kit.port:
            yield kit


@asynccontextmanager
async def served(app: web.Application, context: ssl.SSLContext | None) -> AsyncIterator[int]:
    door = socket.create_server((HERE, 0))
    runner = runner_of(app)
    await runner.setup()
    await web.SockSite(runner, door, ssl_context=context).start()
    try:
        yield door.getsockname()[1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def open_books(folder: Path) -> AsyncIterator[tuple[SqliteBooks, FileKeys]]:
    names = SystemNames()
    keys = FileKeys(folder / "keys", names)
    books = SqliteBooks(
        folder / "books.db", clock=SystemClock(), names=names, keys=keys, on_said=lambda _: None
    )
    await books.open()
    try:
        yield books, keys
    finally:
        await books.close()


class _Watched:
    """The books, with a note of every function that writes."""

    def __init__(self, books: SqliteBooks, transacted: list[str]) -> None:
        self._books, self._transacted = books, transacted
        self.read = books.read

    def transact(self, function: Any, *args: Any) -> Any:
        self._transacted.append(function.__name__)
        return self._books.transact(function, *args)


@dataclass(kw_only=True)
class BranchKit:
    """A branch with books of its own; `runs` calls its root as the controller does."""

    folder: Path
    books: SqliteBooks
    bundle: Bundle

    async def want(self, seats: int) -> None:
        await self.books.transact(upstream.want_seats, self.bundle.branch(), PHYSICS, seats)

    async def owned(self) -> int:
        row = await self.books.read(lambda books: books.rights.pool(module=PHYSICS))
        return 0 if row is None else int(row["owned"])

    async def owes(self) -> list[Message]:
        return await self.books.read(upstream.owed_to_root, self.bundle.branch())

    async def settled(self) -> None:
        async def owes_nothing() -> bool:
            return not await self.owes()

        await until_told(owes_nothing)

    async def grown_to(self, seats: int) -> None:
        async def has_them() -> bool:
            return await self.owned() >= seats

        await until_told(has_them)

    @asynccontextmanager
    async def runs(self, modules: Sequence[str] = ()) -> AsyncIterator[Upstream]:
        """Call the root as the controller does; seats of `modules` move by themselves."""
        folder, fraction = self.folder / "keys", SystemNames().fraction
        calling = Upstream(self.bundle, self.books, folder, fraction, modules)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(calling.run(), name="upstream")
            try:
                yield calling
            finally:
                task.cancel()


@asynccontextmanager
async def branch_kit(folder: Path, bundle: Bundle) -> AsyncIterator[BranchKit]:
    async with open_books(folder) as (books, _):
        yield BranchKit(folder=folder, books=books, bundle=bundle)


async def both(stack: AsyncExitStack, folder: Path) -> tuple[RootKit, BranchKit]:
    root = await stack.enter_async_context(root_kit(folder / "root"))
    bundle = await root.let_in("osaka")
    branch = await stack.enter_async_context(branch_kit(folder / "osaka", bundle))
    return root, branch


def shown(folder: Path, bundle: Bundle) -> ssl.SSLContext:
    """Return how a caller speaks that shows a bundle's certificate."""
    file = folder / f"{fingerprint_of(bundle.certificate)[:8]}.pem"
    file.write_text(f"{bundle.certificate}\n{bundle.key}")
    return trusting(bundle.authority, certificate=file)


async def post(
    url: str, method: str, tls: ssl.SSLContext | None, *, http_method: str = "POST", **how: Any
) -> Answered:
    """Call the door once, on a connection of its own."""
    connector = aiohttp.TCPConnector(ssl=tls) if tls is not None else aiohttp.TCPConnector()
    async with (
        aiohttp.ClientSession(connector=connector) as http,
        http.request(http_method, url + PATH + method, **how) as response,
    ):
        return Answered(status=response.status, body=await response.read())

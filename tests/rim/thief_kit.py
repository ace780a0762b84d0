"""Whoever has taken the controller: its two keys, its address, and what he makes up beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile

from cloud_controller.ports import Published
from edge_agent.modules.download import CannotBeHad, CutOff, Line, Source
from edge_agent.modules.metadata import SignedPackage, Trust
from tests.fakes.packages_kit import PackagesInHand
from tests.rim.install_kit import package_of

ENDLESS_PIECE = b"0" * 65_536


@dataclass
class Thief:
    """A server at the controller's address that answers what it likes.

    Attributes:
        lies: what is answered instead of the honest list, by its name; None: that it is not there.
        endless: lists that are answered without an end.
        sent_bytes: how much of these went out.
    """

    kit: PackagesInHand
    lies: dict[str, bytes | None] = field(default_factory=dict)
    endless: set[str] = field(default_factory=set)
    sent_bytes: int = 0
    url: str = ""

    def body(self, name: str) -> bytes:
        """Return what is answered for a list now."""
        lie = self.lies.get(name)
        return lie if lie is not None else (self.kit.metadata / f"{name}.json").read_bytes()

    def forge(
        self, name: str, change: Callable[[Any], None], signers: Iterable[CryptoSigner] = ()
    ) -> Metadata[Any]:
        """Return a list as it is answered now, changed, and signed by whoever is named."""
        made: Metadata[Any] = Metadata.from_bytes(self.body(name))
        change(made.signed)
        for number, signer in enumerate(signers):
            made.sign(signer, append=number > 0)
        return made

    def answer(self, name: str, made: Metadata[Any]) -> None:
        self.lies[name] = made.to_bytes()

    def lead_to(self, versions: Mapping[str, int], *, snapshot: int, timestamp: int) -> None:
        """Sign, with the controller's own keys, that these versions of the lists are the newest."""
        online = self.kit.online
        now = self.kit.repository.current()

        def freeze(signed: Any) -> None:
            signed.version = snapshot
            signed.meta |= {f"{name}.json": MetaFile(each) for name, each in versions.items()}

        def stamp(signed: Any) -> None:
            signed.version = timestamp
            signed.snapshot_meta = MetaFile(snapshot)

        old = f"{now.snapshot.version}.snapshot"
        self.answer(f"{snapshot}.snapshot", self.forge(old, freeze, [online["snapshot"]]))
        self.answer("timestamp", self.forge("timestamp", stamp, [online["timestamp"]]))

    def be_honest(self) -> None:
        self.lies.clear()
        self.endless.clear()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name in self.endless:
            return await self._never_end(request)
        is_denied = self.lies.get(name, b"") is None
        if is_denied or not (name in self.lies or (self.kit.metadata / f"{name}.json").exists()):
            return web.Response(status=404)
        return web.Response(body=self.body(name))

    async def _never_end(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(ENDLESS_PIECE)
                self.sent_bytes += len(ENDLESS_PIECE)
        except ConnectionError:
            return response


@asynccontextmanager
async def a_thief(kit: PackagesInHand) -> AsyncIterator[Thief]:
    """Serve a repository, honestly so far."""
    thief = Thief(kit=kit)
    app = web.Application()
    app.router.add_get("/packages/metadata/{name}.json", thief.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        thief.url = f"http://{host}:{port}"
        yield thief
    finally:
        await runner.cleanup()


@dataclass
class Victim:
    """A store PC: the operator's root, and what it has seen of the lists."""

    folder: Path
    thief: Thief
    now: int

    def __post_init__(self) -> None:
        self.folder.mkdir()
        root = self.folder / "root.json"
        root.write_bytes(self.thief.kit.root)
        self.trust = Trust(self.folder / "seen", root)

    async def finds(self, published: Published, **other: Any) -> SignedPackage | str:
        """Look for a package as a right names it; return what is signed of it, or why not."""
        package = package_of(published, **other)
        source = Source(url=self.thief.url)
        try:
            return await asyncio.to_thread(self.trust.find, package, source, self.now, Line())
        except CannotBeHad as fault:
            return f"{fault.failure}"
        except CutOff:
            return "cut off"

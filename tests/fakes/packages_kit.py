"""A repository of packages in a folder: begun, published to, served bare; all keys at hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from cloud_controller.packages import keys as signing, releasing, replacing
from cloud_controller.packages.repository import Keys, Repository
from cloud_controller.ports import Published
from common.messages.modules import PackageKind
from common.system import SystemClock, SystemNames

FILES = {"bin/physics": b"#!/bin/sh\nexec true\n", "data/table.bin": bytes(range(256)) * 40}


def laid_out(folder: Path, files: Mapping[str, bytes] = FILES) -> Path:
    """Write these files below a folder, those in `bin` to be run; return the folder."""
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(0o755 if name.startswith("bin/") else 0o644)
    return folder


class PackagesInHand:
    """Publishes what a test describes; the real clock's time unless told otherwise.

    Attributes:
        root: what an operator puts on each PC as its trust.
        offline: every offline key, by role.
        online: the controller's two.
    """

    def __init__(self, folder: Path, now: int | None = None) -> None:
        self.folder = folder
        self.now = SystemClock().now_ms() if now is None else now
        names = SystemNames()
        self.offline = signing.make_offline(folder / "offline", names)
        self.online = signing.online(folder / "keys", names)
        self.repository = Repository(folder / "packages")
        self.root = self.repository.begin(self.offline, self.online, self.now).read_bytes()
        self.metadata, self.targets = self.repository.metadata, self.repository.targets

    def publish(
        self,
        package: str = "physics",
        version: str = "1.0.0",
        files: Mapping[str, bytes] = FILES,
        *,
        kind: str = "module",
        **terms: Any,
    ) -> Published:
        """Publish these files; `terms` are of `releasing.Description`."""
        source = laid_out(self.folder / "sources" / f"{package}-{version}", files)
        described = releasing.Description(
            package=package, version=version, kind=PackageKind(kind), folder=source, **terms
        )
        with self.repository.alone():
            keys = self.keys(described.kind)
            return releasing.publish(self.repository, described, 0, keys, self.now)

    def withdraw(self, published: Published) -> None:
        with self.repository.alone():
            self.repository.withdraw(published, self.keys(published.release.kind), self.now)

    def replace_online(self) -> None:
        """Have two root keys name other keys of the controller's, as after an intruder."""
        self.online = signing.replace_online(self.folder / "keys", SystemNames())
        with self.repository.alone():
            root = self.offline["root"][1:]
            replacing.replace_online(self.repository, root, self.online, self.now)

    def replace_offline(self, role: str) -> None:
        """Have the role above name other keys of an offline role, as when a stick is lost."""
        above = self.offline[replacing.ABOVE[role]][:2]
        new = signing.others(self.folder / f"other {role}", role, SystemNames())
        with self.repository.alone():
            by = Keys(role=above, online=self.online)
            replacing.replace_offline(self.repository, role, new, by, self.now)
        self.offline[role] = new

    def sign_with(self, role: str) -> None:
        """Sign what a role's keys can sign: its list, or another root for other online keys."""
        if role == "root":
            self.replace_online()
            return
        by = Keys(role=self.offline[role], online=self.online)
        with self.repository.alone():
            self.repository.sign_again(role, by, self.now)

    def keys(self, kind: PackageKind) -> Keys:
        """Return who signs what is changed of this kind."""
        return Keys(role=self.offline[f"{kind}s"], online=self.online)

    def archive(self, published: Published) -> Path:
        return self.repository.archive_of(published)

    def app(self) -> web.Application:
        """Return a server of the same paths as the controller's, that asks nobody who he is."""
        app = web.Application()
        app.router.add_static("/packages/metadata", self.metadata)
        app.router.add_static("/packages/targets", self.targets)
        return app

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """Serve it; give the URL before `/packages`."""
        runner = web.AppRunner(self.app())
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            yield f"http://{host}:{port}"
        finally:
            await runner.cleanup()

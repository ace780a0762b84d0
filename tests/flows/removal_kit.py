"""A terminal with packages on a real disk, and who takes them off, before a real house."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from common.messages.modules import PackageKind, Release
from common.rules.modules import InstallEvent, Needing
from edge_agent.flows import rights
from edge_agent.flows.modules import installs
from edge_agent.flows.rights import Removal, SeatWish
from edge_agent.modules.installer import Installer, InstallTerms
from edge_agent.modules.store import Store
from edge_agent.modules.uninstaller import Sight, Uninstaller
from edge_agent.modules.unpack import Bounds
from edge_agent.ports import Asked, Package
from tests.fakes.house import HouseInHand
from tests.flows.module_kit import PHYSICS, own, publish
from tests.rim.packed import GOOD, archive

ROOMY = Bounds(files=100, unpacked_bytes=1 << 20)


class PackagedPc:
    """One terminal, its store of packages, and its uninstaller; the wire is in the test's hand."""

    def __init__(self, house: HouseInHand, folder: Path) -> None:
        self.house, self.folder = house, folder
        self.terminal = house.confirmed("a")
        self.store = Store(folder / "packages")
        self.programs: list[Needing] | None = []
        self.elsewhere: dict[str, Path] = {}
        self.line_is_up = True
        self.seconds = 0.0
        self.posted: list[Asked] = []
        self.published: dict[str, str] = {}
        self.start()

    def start(self) -> None:
        """Put the parts together over the journal as it is open now."""
        journal: Any = self.terminal.journal
        terms = InstallTerms(root=None, trust_folder=self.folder / "trust")
        clock: Any = self.terminal._clock
        names, nobody = self.terminal._names, cast("Any", None)
        self.installer = Installer(
            journal, self.store, nobody, terms, clock=clock, names=cast("Any", names)
        )
        around = Sight(
            programs=lambda: self.programs,
            elsewhere=self.elsewhere,
            line_is_up=lambda: self.line_is_up,
            post=self.posted.extend,
            steady_seconds=lambda: self.seconds,
        )
        who = self.terminal.who
        self.uninstaller = Uninstaller(who, journal, self.store, self.installer, around)

    def have(
        self,
        name: str = PHYSICS,
        *,
        kind: str = "module",
        requires: tuple[str, ...] = (),
        files: Mapping[str, bytes] = GOOD,
        **facts: Any,
    ) -> Path:
        """Have a package installed from the house, in each step but the download; say where."""
        do = self.terminal.do
        if name not in self.published:
            facts |= {"kind": kind, "requires": list(requires)}
            self.published[name] = publish(self.house, name, **facts)
        sha256 = self.published[name]
        if kind == "module":
            own(self.house, name)
            do(rights.want_seat, SeatWish(module=name, version="1.0", sha256=sha256))
            do(rights.look_at_seats, self.terminal.who)
            self.house.carry(self.terminal)
        package = Package(
            package=name,
            kind=kind,
            version="1.0",
            target=f"{kind}s/{name}/1.0.zip",
            sha256=sha256,
            length=1000,
            document={},
            signature="",
        )
        do(installs.reserve, package)
        do(installs.step, package, InstallEvent.FETCH)
        do(installs.keep_verified, package, 1, signed_of(package, requires))
        part = self.store.part(sha256)
        part.write_bytes(archive(files))
        installed = self.store.stage(package, 1, part, ROOMY)
        do(installs.step, package, InstallEvent.STAGE)
        do(installs.step, package, InstallEvent.ACTIVATE)
        self.store.activate(installed)
        part.unlink()
        do(installs.put_in_use, package, installed.digest)
        self.house.tell_all(self.terminal)
        return Path(installed.folder)

    def wish_away(self, name: str = PHYSICS) -> None:
        self.terminal.do(rights.wish_away, name)

    async def look(self, times: int = 4) -> None:
        """Let the uninstaller look, and both sides talk, until nothing more comes of it."""
        for _ in range(times):
            await self.uninstaller.look()
            self.house.carry(self.terminal)
            self.house.tell_all(self.terminal)

    def came_of(self, name: str = PHYSICS) -> tuple[str, str]:
        """Return where the removal stands, and why."""
        found: Removal | None = self.terminal.do(rights.removal, name)
        assert found is not None
        return found.state.value, found.reason

    def shown(self) -> list[dict[str, Any]]:
        return [json.loads(each.message.model_dump_json()) for each in self.posted]


def signed_of(package: Package, requires: tuple[str, ...]) -> str:
    """Return what offline keys sign of a package."""
    return Release(
        package=package.package,
        kind=PackageKind(package.kind),
        version=package.version,
        release_counter=1,
        requires=requires,
        chunks=(package.sha256,),
        unpacked_bytes=1,
        files=1,
    ).model_dump_json()

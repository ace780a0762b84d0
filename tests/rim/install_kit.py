"""A PC that installs, its journal and store on a real disk, and what it may not look like."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typing_extensions import override

from cloud_controller.ports import Published
from common.system import SystemClock, SystemNames
from edge_agent.flows.modules import installs
from edge_agent.flows.modules.installs import Install
from edge_agent.installed import manifest_of, said_current
from edge_agent.journal import SqliteJournal
from edge_agent.modules.download import DownloadTerms, Source
from edge_agent.modules.fetching import FetchTerms
from edge_agent.modules.installer import Installer, InstallTerms
from edge_agent.modules.store import Store
from edge_agent.ports import Installed, Package
from tests.rim.packed import tree

QUICK = DownloadTerms(silence_seconds=10, headers_seconds=10)


class Hurried(SystemNames):
    """Dice by which no wait is long."""

    @override
    def fraction(self) -> float:
        return 0.0


@dataclass
class Pc:
    """A PC with a folder for its state; `root` is whom its operator trusts.

    Attributes:
        url: where its controller is.
        clock: any clock with all the hands.
    """

    folder: Path
    root: bytes | None
    url: str
    clock: Any = field(default_factory=SystemClock)
    spare_bytes: int = 0
    probation_seconds: float = 600.0
    budget_seconds: float = 20.0

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        if self.root is not None:
            (self.folder / "root.json").write_bytes(self.root)
        self.store = Store(self.folder / "packages")

    @contextmanager
    def journal(self):
        file = self.folder / "journal.db"
        names = SystemNames()
        with closing(SqliteJournal(file, clock=self.clock, names=names, boot_id="boot")) as opened:
            yield opened

    def installer(self, journal: Any) -> Installer:
        terms = InstallTerms(
            root=None if self.root is None else self.folder / "root.json",
            trust_folder=self.folder / "trust",
            spare_bytes=self.spare_bytes,
            probation_seconds=self.probation_seconds,
            fetch=FetchTerms(budget_seconds=self.budget_seconds, attempt=QUICK),
        )
        source = Source(url=self.url)
        return Installer(
            journal, self.store, lambda _: source, terms, clock=self.clock, names=Hurried()
        )

    def in_use(self, package: str = "physics") -> Installed:
        """Return what programs get; there is something."""
        found = self.store.current(package)
        assert found is not None
        return found

    def installs(self) -> dict[str, Install]:
        """Return where each version stands, by its version."""
        with self.journal() as journal:
            return {each.package.version: each for each in journal.transact(installs.all_installs)}

    def states(self) -> dict[str, str]:
        return {version: each.state.value for version, each in self.installs().items()}

    def said(self) -> list[tuple[str, dict[str, Any]]]:
        """Return all that the agent has to tell its controller."""
        with self.journal() as journal:
            rows = journal.transact(lambda open_: open_.rows.unsent(after=0, most=1_000))
            return [(row["type"], json.loads(row["body"])) for row in rows]


def package_of(published: Published, **changed: Any) -> Package:
    """Return what a right names of what was published."""
    facts: dict[str, Any] = {
        "package": published.release.package,
        "kind": published.release.kind.value,
        "version": published.release.version,
        "target": published.target,
        "sha256": published.sha256,
        "length": published.length,
        "document": {"issued_at": 0},
        "signature": "",
    }
    return Package(**(facts | changed))


def why_mixed(pc: Pc, package: str, versions: Mapping[str, Mapping[str, bytes]]) -> str | None:
    """Return what is wrong with what programs get now, or None: nothing, or one version whole.

    `versions` are all that were published, each with its files.
    """
    current = pc.store.current(package)
    home = pc.store.folder / "modules" / package
    if current is None:
        said = said_current(home)
        return None if said is None else f"current.json names {said.version}, which is not there"
    place = Path(current.folder)
    if manifest_of(place) is None:
        return f"{current.version} has no manifest"
    found = tree(place)
    found.pop("manifest.json")
    if found != versions[current.version]:
        return f"{current.version} is not as it was published"
    return None

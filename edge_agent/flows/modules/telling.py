"""What has become of a package here, told in the transaction in which it becomes so."""

from __future__ import annotations

from typing import Any

from common.messages.base import SHORT_TEXT_MAX
from common.messages.modules import ModuleFailed, ModuleInstalled, ModuleRolledBack
from edge_agent.ports import Package, Transaction


def tell_installed(journal: Transaction, package: Package, digest: str) -> None:
    """Tell that a package is installed; `digest` is that of what is on the disk."""
    journal.say(ModuleInstalled(**_named(journal, package), digest=digest))


def tell_rolled_back(journal: Transaction, package: Package, why: str) -> None:
    """Tell that the version before a package's newest is in its place again."""
    journal.say(ModuleRolledBack(**_named(journal, package), why=why[:SHORT_TEXT_MAX]))


def tell_failed(journal: Transaction, package: Package, why: str) -> None:
    """Tell that a package could not be installed, for good."""
    journal.say(ModuleFailed(**_named(journal, package), why=why[:SHORT_TEXT_MAX]))


def _named(journal: Transaction, package: Package) -> dict[str, Any]:
    """Return what every such word says: of which archive it is, and since when it is so."""
    return {
        "package": package.package,
        "kind": package.kind,
        "version": package.version,
        "sha256": package.sha256,
        "at": journal.now,
    }

"""How an installer is made from what the agent was told."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from edge_agent.flows import enrolment
from edge_agent.modules.download import DownloadTerms, Source
from edge_agent.modules.fetching import FetchTerms
from edge_agent.modules.installer import Installer, InstallTerms
from edge_agent.modules.ports import Chance, Clocks
from edge_agent.modules.store import Store
from edge_agent.ports import Identity, Journal, Package
from edge_agent.settings import AgentSettings

TRUST_FOLDER: Final = "signed-lists"
"""Below the state folder: the signed lists as they were seen last."""


def store_of(settings: AgentSettings) -> Store:
    """Return where this PC's packages lie."""
    return Store(settings.packages_folder)


def installer_of(
    settings: AgentSettings,
    journal: Journal,
    who: Identity,
    tls: Callable[[str], ssl.SSLContext],
    *,
    clock: Clocks,
    names: Chance,
) -> Installer:
    """Return this PC's installer.

    Args:
        settings: what the agent was told.
        journal: where each install stands.
        who: who we are; what a renewal has changed since is in the journal.
        tls: how one calls whom this PEM text alone vouches for; empty: whom this PC trusts.
        clock: all clocks.
        names: the dice.
    """
    part = settings.modules
    attempt = DownloadTerms(slowest_bytes_per_second=part.slowest_bytes_per_second)
    terms = InstallTerms(
        root=part.root,
        trust_folder=settings.state_folder / TRUST_FOLDER,
        spare_bytes=part.spare_bytes,
        probation_seconds=part.probation_seconds,
        fetch=FetchTerms(budget_seconds=part.budget_seconds, attempt=attempt),
    )

    def source(package: Package) -> Source:
        identity = journal.transact(enrolment.identity) or who
        is_protected = urlsplit(identity.url).scheme == "https"
        return Source(
            url=identity.url,
            tls=tls(identity.pinned) if is_protected else None,
            bearer=bearer_of(package),
        )

    return Installer(journal, store_of(settings), source, terms, clock=clock, names=names)


def bearer_of(package: Package) -> str:
    """Return what lets us fetch it, as it is shown: base64url of the document and its signature."""
    shown = {"document": dict(package.document), "signature": package.signature}
    text = json.dumps(shown, separators=(",", ":"), ensure_ascii=True)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

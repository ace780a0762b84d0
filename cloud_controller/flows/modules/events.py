"""What terminals say has become of packages: a line of the log for modules, of the ledger for all.

Its law: the log says what a terminal has reported, and when by its own word, never later than now.
"""

from __future__ import annotations

from typing import Any

from cloud_controller.ports import Problem, Received, Transaction
from common.messages.modules import (
    ModuleFailed,
    ModuleInstalled,
    ModuleOverLimit,
    ModuleRolledBack,
    ModuleUninstalled,
    ModuleUsed,
    PackageKind,
)
from common.rules.modules import ModuleEvent, ModuleEventKind
from common.rules.problems import ProblemKind


def note_installed(books: Transaction, said: Received) -> None:
    """Note that a package is on a terminal, and what really lies there."""
    message: ModuleInstalled = said.message
    facts = {"sha256": message.sha256}
    _note(books, said, ModuleEventKind.INSTALLED, digest=message.digest, facts=facts)
    books.solve_problem(ProblemKind.PACKAGE_FAILED, _subject(said))


def note_rolled_back(books: Transaction, said: Received) -> None:
    """Note that a version gave way to the one before it."""
    message: ModuleRolledBack = said.message
    facts = {"why": message.why}
    _note(books, said, ModuleEventKind.ROLLED_BACK, digest=message.sha256, facts=facts)
    _call(books, said, message.why)


def note_failed(books: Transaction, said: Received) -> None:
    """Note that a package could not be installed."""
    message: ModuleFailed = said.message
    facts = {"why": message.why}
    _note(books, said, ModuleEventKind.FAILED, digest=message.sha256, facts=facts)
    _call(books, said, message.why)


def note_used(books: Transaction, said: Received) -> None:
    """Note that a terminal has a module and uses the system, from wherever it has it (D5)."""
    message: ModuleUsed = said.message
    books.log_module(
        ModuleEvent(
            kind=ModuleEventKind.USED,
            module=message.module,
            client=said.terminal,
            version=message.version,
            digest=message.digest or "",
            at=min(message.at, books.now),
            facts={"source": message.source, "day": message.day},
        )
    )


def note_uninstalled(books: Transaction, said: Received) -> None:
    """Note that a module is off a terminal."""
    message: ModuleUninstalled = said.message
    books.log_module(
        ModuleEvent(
            kind=ModuleEventKind.UNINSTALLED,
            module=message.module,
            client=said.terminal,
            version=message.version,
            digest=message.digest,
            at=min(message.at, books.now),
            facts={"permission": message.permission},
        )
    )


def note_over_limit(books: Transaction, said: Received) -> None:
    """Note that a program ran without a seat, as the licence allows: it is to be paid for."""
    message: ModuleOverLimit = said.message
    books.log_module(
        ModuleEvent(
            kind=ModuleEventKind.RUN_OVER_LIMIT,
            module=message.module,
            client=said.terminal,
            at=min(message.at, books.now),
            facts={"device": message.device, "session": message.session},
        )
    )


def _call(books: Transaction, said: Received, why: str) -> None:
    """Have an operator look at a package that is not what programs there get; at one of ours."""
    message = said.message
    if books.modules.version(package=message.package, version=message.version) is None:
        return
    evidence = {name: getattr(message, name) for name in ("package", "version", "sha256", "why")}
    books.raise_problem(
        Problem(
            kind=ProblemKind.PACKAGE_FAILED,
            subject=_subject(said),
            terminal=said.terminal,
            why=f"{message.package} {message.version}: {why}",
            evidence=evidence,
            proposals=({"do": "publish"},),
        )
    )


def _subject(said: Received) -> str:
    return f"{said.terminal} {said.message.package}"


def _note(
    books: Transaction,
    said: Received,
    kind: ModuleEventKind,
    *,
    digest: str,
    facts: dict[str, Any],
) -> None:
    message = said.message
    at = min(message.at, books.now)
    told = {"package": message.package, "version": message.version, **facts}
    books.enter(message.type, told, terminal=said.terminal, at=at)
    if message.kind == PackageKind.MODULE:  # what becomes of others is in the ledger alone
        books.log_module(
            ModuleEvent(
                kind=kind,
                module=message.package,
                client=said.terminal,
                version=message.version,
                digest=digest,
                at=at,
                facts=facts,
            )
        )

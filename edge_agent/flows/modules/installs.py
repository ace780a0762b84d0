"""Where each version of a package stands on this PC: stored before what it says is done."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from common.rules.modules import (
    IN_USE,
    INSTALL,
    TRIES_MAX,
    InstallEvent,
    InstallFailure,
    InstallState,
)
from edge_agent.flows.modules.telling import tell_failed, tell_installed, tell_rolled_back
from edge_agent.ports import Package, Row, Transaction

DETAIL_MAX: Final = 500
"""Characters of a detail that are kept."""

_BEGUN_ANEW: Final = frozenset({InstallState.FAILED, InstallState.REMOVED})

Tell: TypeAlias = Callable[[Transaction, "Install"], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Install:
    """One version of a package, and where it stands.

    Attributes:
        signed: what the offline keys have signed of it, as JSON; empty until it is verified.
        digest: of its files; empty until it was in use.
        failure: why it is not installed; None: it is, or may be yet.
    """

    package: Package
    state: InstallState
    tries: int
    release_counter: int
    signed: str
    digest: str
    failure: InstallFailure | None
    detail: str


def reserve(journal: Transaction, package: Package, *, again: bool = False) -> Install:
    """Return where a package stands that is to be installed; what failed begins anew.

    What was rolled back does so only when it is said: `again`.
    """
    name = {"package": package.package, "sha256": package.sha256}
    document = json.dumps(dict(package.document))
    right = {"document": document, "signature": package.signature}
    journal.rows.add_install(
        **name,
        **right,
        kind=package.kind,
        version=package.version,
        target=package.target,
        length=package.length,
        changed_at=journal.now,
    )
    journal.rows.keep_install_right(**name, **right)
    known = _found(journal, package)
    if known.state in _BEGUN_ANEW or (again and known.state is InstallState.ROLLED_BACK):
        journal.rows.forgive_install(**name)
        _move(journal, known, InstallEvent.AGAIN)
    return _found(journal, package)


def begin(journal: Transaction, package: Package) -> Install:
    """Count that an install is begun or taken up again; once too often, it has failed."""
    journal.rows.count_install_try(package=package.package, sha256=package.sha256)
    known = _found(journal, package)
    if known.tries > TRIES_MAX and INSTALL.step(known.state, InstallEvent.FAIL):
        return fail(journal, package, InstallFailure.TOO_MANY_TRIES, f"{TRIES_MAX} tries")
    return known


def found(journal: Transaction, package: Package) -> Install:
    """Return where a package stands that was reserved."""
    return _found(journal, package)


def all_installs(journal: Transaction) -> Sequence[Install]:
    """Return every version that was ever to be installed here."""
    return [_install(row) for row in journal.rows.installs()]


def installs_of(journal: Transaction, package: str) -> Sequence[Install]:
    """Return every version of one package that was ever to be installed here."""
    return [_install(row) for row in journal.rows.installs_of(package=package)]


def highest_release(journal: Transaction, package: str) -> int:
    """Return the highest release of a package that was in use here and was not rolled back."""
    return int(journal.rows.highest_release(package=package))


def step(journal: Transaction, package: Package, event: InstallEvent) -> Install:
    """Take a step that says nothing to anybody."""
    return _move(journal, _found(journal, package), event)


def keep_verified(journal: Transaction, package: Package, counter: int, signed: str) -> Install:
    """The whole archive is here, and this is what is signed of it."""
    name = {"package": package.package, "sha256": package.sha256}
    journal.rows.keep_install_signed(**name, release_counter=counter, signed=signed)
    return _move(journal, _found(journal, package), InstallEvent.VERIFY)


def put_in_use(journal: Transaction, package: Package, digest: str) -> Install:
    """It is what programs get, on probation; what they got before is superseded."""
    for other in installs_of(journal, package.package):
        if other.state in IN_USE:
            _move(journal, other, InstallEvent.SUPERSEDE)
    name = {"package": package.package, "sha256": package.sha256}
    journal.rows.keep_install_digest(**name, digest=digest)
    tell_installed(journal, package, digest)
    return _move(journal, _found(journal, package), InstallEvent.TRY)


def roll_back(
    journal: Transaction, package: Package, before: str | None, why: InstallFailure, detail: str
) -> Install:
    """It has not stood its probation; `before` is the digest of the archive that is back in use."""
    _why(journal, package, why, detail)
    gone = _move(journal, _found(journal, package), InstallEvent.ROLL_BACK)
    for other in installs_of(journal, package.package):
        if other.package.sha256 == before and other.state is InstallState.SUPERSEDED:
            _move(journal, other, InstallEvent.RESTORE)
    tell_rolled_back(journal, package, f"{why.value}: {detail}")
    return gone


def fail(journal: Transaction, package: Package, why: InstallFailure, detail: str) -> Install:
    """It is not installed, and why."""
    _why(journal, package, why, detail)
    tell_failed(journal, package, f"{why.value}: {detail}")
    return _move(journal, _found(journal, package), InstallEvent.FAIL)


def clear(journal: Transaction, package: Package, tell: Tell) -> Install:
    """Its files are gone; `tell` says so, in the same transaction."""
    known = _found(journal, package)
    tell(journal, known)
    return _move(journal, known, InstallEvent.CLEAR)


def _why(journal: Transaction, package: Package, why: InstallFailure, detail: str) -> None:
    name = {"package": package.package, "sha256": package.sha256}
    journal.rows.keep_install_why(**name, failure=why.value, detail=detail[:DETAIL_MAX])


def _move(journal: Transaction, known: Install, event: InstallEvent) -> Install:
    after = INSTALL.step(known.state, event)
    assert after is not None, f"{event} in {known.state}"
    is_moved = journal.rows.move_install(
        package=known.package.package,
        sha256=known.package.sha256,
        before=known.state,
        state=after,
        changed_at=journal.now,
    )
    assert is_moved, "it stands where it was found, in one transaction"
    return _found(journal, known.package)


def _found(journal: Transaction, package: Package) -> Install:
    row = journal.rows.install(package=package.package, sha256=package.sha256)
    assert row is not None, "it was reserved"
    return _install(row)


def _install(row: Row) -> Install:
    package = Package(
        package=row["package"],
        kind=row["kind"],
        version=row["version"],
        target=row["target"],
        sha256=row["sha256"],
        length=row["length"],
        document=json.loads(row["document"]),
        signature=row["signature"],
    )
    return Install(
        package=package,
        state=InstallState(row["state"]),
        tries=row["tries"],
        release_counter=row["release_counter"],
        signed=row["signed"],
        digest=row["digest"],
        failure=InstallFailure(row["failure"]) if row["failure"] else None,
        detail=row["detail"],
    )

"""A package that is to go from this PC: the controller's leave for a module, and what came of it.

Its law: what is to be done is in the journal before it is done, and a module that has gone is told
in the transaction in which it is known to be gone, under the permission by which it went (D7-D9).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from common.messages.modules import (
    ModuleUninstalled,
    PackageKind,
    Receipt,
    UninstallRequest,
    UninstallRight,
)
from common.messages.rights import Refused
from common.rules.modules import REMOVAL, PackageWish, RemovalEvent, RemovalState, UninstallRefusal
from common.rules.rights import RightKind, class_of
from edge_agent.flows.rights import exchange
from edge_agent.ports import Identity, Row, Transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class Removal:
    """A package that is to go, has gone, or stays.

    Attributes:
        cause: the program with whose package it is to go; empty: it is wished by itself.
        number: that of the operator's wish; 0: it was said on this PC.
        digest: of what lies there; empty until it is known.
        reason: why it stays, or was not decided: a `Kept` or an `UninstallRefusal`.
        permission: the right by which a module may go.
        times_open: how often our controller could not say.
    """

    package: str
    kind: str
    cause: str
    number: int
    version: str
    sha256: str
    digest: str
    state: RemovalState
    reason: str
    detail: str
    permission: str
    times_open: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Wished:
    """The latest word on a package: its number, and whether it is to go."""

    package: str
    number: int
    is_to_go: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """What lies on this PC of a package; `sha256` is of its archive, empty where it is not ours."""

    version: str
    sha256: str
    digest: str


def wished(journal: Transaction) -> Sequence[Wished]:
    """Return the latest word on every package of which there is one."""
    return [
        Wished(
            package=row["module"],
            number=row["number"],
            is_to_go=row["wish"] == PackageWish.UNINSTALL,
        )
        for row in journal.rows.module_wishes()
    ]


def wish_away(journal: Transaction, package: str) -> None:
    """Want a package off this PC, by somebody who sits before it; what is settled begins anew."""
    journal.rows.wish_away(module=package)
    row = journal.rows.removal(package=package)
    if row is not None:
        want(journal, package, row["kind"], number=row["number"])


def want(journal: Transaction, package: str, kind: str, *, number: int, cause: str = "") -> None:
    """Note that a package is to go; what is under way stays as it is."""
    journal.rows.want_removal(
        package=package,
        kind=kind,
        cause=cause,
        number=number,
        state=REMOVAL.first,
        changed_at=journal.now,
    )


def removals(journal: Transaction) -> Sequence[Removal]:
    """Return what became of every package that was ever to go, programs first."""
    return [_removal(row) for row in journal.rows.removals()]


def removal(journal: Transaction, package: str) -> Removal | None:
    """Return what became of a package, or None: it was never to go."""
    row = journal.rows.removal(package=package)
    return None if row is None else _removal(row)


def name_copy(journal: Transaction, package: str, copy: Copy) -> None:
    """Note which copy it is about, as it lies there."""
    journal.rows.name_removed(
        package=package, version=copy.version, sha256=copy.sha256, digest=copy.digest
    )


def ask_for(journal: Transaction, who: Identity, module: str) -> None:
    """Ask whether a module may go, as far as its exchange is."""
    if not exchange.begin(journal, who, class_of(RightKind.UNINSTALL, module)):
        ask(journal, who, module)


def ask(journal: Transaction, who: Identity, module: str) -> None:
    """Ask whether a module may go, if its exchange is announced by now and it is still wanted."""
    row = journal.rows.removal(package=module)
    if row is None or row["state"] != RemovalState.WANTED or not row["digest"]:
        return
    held = journal.rows.receipt_of(module=module, terminal=who.terminal, sha256=row["sha256"])
    receipt = None
    if held is not None:
        receipt = Receipt(document=json.loads(held["document"]), signature=held["signature"])
    request = UninstallRequest(
        module=module, version=row["version"], digest=row["digest"], receipt=receipt
    ).model_dump(mode="json", exclude_none=True)
    if exchange.freeze(journal, who, class_of(RightKind.UNINSTALL, module), request):
        _move(journal, row, RemovalEvent.ASK)


def take(journal: Transaction, right: UninstallRight) -> None:
    """This very copy may go, once."""
    row = journal.rows.removal(package=right.module)
    if row is not None and row["state"] == RemovalState.ASKED and row["digest"] == right.digest:
        _move(journal, row, RemovalEvent.ALLOW, permission=right.right)


def take_refused(journal: Transaction, module: str, told: Refused) -> None:
    """It may not go; where that is not decided yet, it is wanted on."""
    row = journal.rows.removal(package=module)
    if row is None or row["state"] != RemovalState.ASKED:
        return
    is_open = told.reason == UninstallRefusal.UNDECIDED
    event = RemovalEvent.DEFER if is_open else RemovalEvent.KEEP
    _move(journal, row, event, reason=told.reason)
    if is_open:
        journal.rows.leave_open(package=module)


def keep(journal: Transaction, package: str, reason: str, detail: str = "") -> None:
    """Leave it where it is, and know why."""
    row = journal.rows.removal(package=package)
    if row is not None and REMOVAL.step(RemovalState(row["state"]), RemovalEvent.KEEP):
        _move(journal, row, RemovalEvent.KEEP, reason=reason, detail=detail)


def begin(journal: Transaction, package: str) -> bool:
    """Note that it is taken away from now on; False: nobody has permitted that."""
    row = journal.rows.removal(package=package)
    if row is None or (row["kind"] == PackageKind.MODULE and row["state"] != RemovalState.ALLOWED):
        return False
    if REMOVAL.step(RemovalState(row["state"]), RemovalEvent.BEGIN) is None:
        return False
    _move(journal, row, RemovalEvent.BEGIN, permission=row["permission"])
    return True


def note_needs(journal: Transaction, package: str, needs: Collection[str]) -> None:
    """Note which modules a program needs, before nobody can say it any more."""
    journal.rows.note_needs(package=package, needs=json.dumps(sorted(needs)))


def note_gone(journal: Transaction, package: str) -> None:
    """Note that what was to go has gone, and tell it; with a program go the modules it needed."""
    row = journal.rows.removal(package=package)
    if row is None or row["state"] != RemovalState.REMOVING:
        return
    _move(journal, row, RemovalEvent.CLEAR, permission=row["permission"])
    if row["kind"] == PackageKind.MODULE:
        journal.rows.forget_seat_ask(module=package, sha256=row["sha256"])
        journal.say(
            ModuleUninstalled(
                module=package,
                version=row["version"],
                digest=row["digest"],
                permission=row["permission"],
                at=journal.now,
            )
        )
        return
    for module in json.loads(journal.rows.needs_of_removed(package=package)):
        want(journal, module, PackageKind.MODULE, number=row["number"], cause=package)


def _move(
    journal: Transaction,
    row: Row,
    event: RemovalEvent,
    *,
    reason: str = "",
    detail: str = "",
    permission: str = "",
) -> None:
    after = REMOVAL.step(RemovalState(row["state"]), event)
    assert after is not None, f"{event} in {row['state']}"
    journal.rows.move_removal(
        package=row["package"],
        before=row["state"],
        state=after,
        reason=reason,
        detail=detail,
        permission=permission,
        changed_at=journal.now,
    )


def _removal(row: Row) -> Removal:
    facts = {name: row[name] for name in Removal.__dataclass_fields__}
    return Removal(**(facts | {"state": RemovalState(row["state"])}))

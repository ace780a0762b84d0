"""What the controller answers, taken to the kind of right that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from pydantic import ValidationError

from common.messages.modules import RunRight, UninstallRight
from common.messages.rights import (
    Announced,
    ExtensionRight,
    ModuleRight,
    OfflineRight,
    Refused,
    Right,
    SessionRight,
    Troubled,
)
from common.rules.modules import run_subject
from common.rules.rights import RightKind, kind_in, subject_in
from common.seals import is_sealed
from edge_agent.flows.rights import door, exchange, extensions, holding, modules, removals, runs
from edge_agent.flows.rights.keys import live_keys
from edge_agent.ports import Identity, Transaction

AnyRight: TypeAlias = (
    SessionRight | ExtensionRight | OfflineRight | ModuleRight | RunRight | UninstallRight
)

_DOCUMENTS: Final[Mapping[str, type[AnyRight]]] = {
    RightKind.SESSION: SessionRight,
    RightKind.EXTENSION: ExtensionRight,
    RightKind.OFFLINE: OfflineRight,
    RightKind.MODULE: ModuleRight,
    RightKind.RUN: RunRight,
    RightKind.UNINSTALL: UninstallRight,
}
"""What the document of each kind of right has to say."""


def take_announced(journal: Transaction, who: Identity, told: Announced) -> None:
    """The identification is known: a scan may carry it, and what waited for it is asked for."""
    kind = exchange.take_announced(journal, who, told)
    if kind is None:
        return
    if kind_in(kind) is RightKind.OFFLINE:
        holding.ask(journal, who, subject_in(kind))
    elif kind_in(kind) is RightKind.EXTENSION:
        extensions.ask(journal, who, subject_in(kind))
    elif kind_in(kind) is RightKind.MODULE:
        modules.ask(journal, who, subject_in(kind))
    elif kind_in(kind) is RightKind.UNINSTALL:
        removals.ask(journal, who, subject_in(kind))
    elif kind_in(kind) is RightKind.RUN:
        runs.ask_run(journal, who, kind)


def right_in(journal: Transaction, who: Identity, told: Right) -> AnyRight | None:
    """Return the right, if a controller of ours signed it for this very exchange."""
    kind = str(told.document.get("kind", ""))
    model = _DOCUMENTS.get(kind_in(kind) or "")
    if model is None:
        return None
    try:
        right = model.model_validate(told.document)
    except ValidationError:
        return None
    said = (right.comm_id, right.terminal, right.epoch, _subject_of(right))
    if said != (told.comm_id, who.terminal, who.epoch, subject_in(kind)):
        return None
    is_ours = any(
        is_sealed(told.document, told.signature, key) for key in live_keys(journal).values()
    )
    return right if is_ours else None


def take_right(journal: Transaction, who: Identity, told: Right, right: AnyRight) -> bool:
    """Store a right with all that it means here, and say that it is stored (B8).

    `right` is what `right_in` found in the answer. Returns whether there is a session to start, or
    one whose deadline has moved.
    """
    row = exchange.store(journal, who, told)
    if row is None:
        return False
    if isinstance(right, SessionRight):
        return door.take_right(journal, row, told, right)
    if isinstance(right, ExtensionRight):
        return extensions.take(journal, told, right)
    if isinstance(right, RunRight):
        return runs.take(journal, row, told, right)
    if isinstance(right, OfflineRight):
        holding.take(journal, told, right)
    elif isinstance(right, UninstallRight):
        removals.take(journal, right)
    else:
        modules.take(journal, told, right)
    return False


def take_refused(journal: Transaction, who: Identity, told: Refused) -> None:
    """Store that there is no right, tell who waits for it why, and say that it is stored."""
    row = exchange.store(journal, who, told)
    if row is None:
        return
    if kind_in(row["kind"]) is RightKind.SESSION:
        door.take_refused(journal, row, told)
    elif kind_in(row["kind"]) is RightKind.EXTENSION:
        extensions.take_refused(journal, subject_in(row["kind"]), told)
    elif kind_in(row["kind"]) is RightKind.MODULE:
        modules.take_refused(journal, subject_in(row["kind"]), told)
    elif kind_in(row["kind"]) is RightKind.UNINSTALL:
        removals.take_refused(journal, subject_in(row["kind"]), told)
    elif kind_in(row["kind"]) is RightKind.RUN:
        runs.take_refused(journal, row["kind"], told)


def take_trouble(journal: Transaction, who: Identity, told: Troubled) -> bool:
    """Go on as the trouble asks; say whether it proves that our journal is a copy, or has one.

    Whoever stands before a device of ours then is told that it serves nobody.
    """
    waiting = door.waiting(journal)
    is_copied = exchange.take_trouble(journal, who, told)
    if is_copied:
        door.turn_away(journal, waiting)
    return is_copied


def _subject_of(right: AnyRight) -> str:
    if isinstance(right, RunRight):
        return run_subject(right.module, right.device)
    if isinstance(right, ModuleRight | UninstallRight):
        return right.module
    return right.device

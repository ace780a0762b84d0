"""A module's right: wanted, asked for one at a time, and kept for ever as the receipt (D3, D4)."""

from __future__ import annotations

import json
from dataclasses import dataclass

from common.messages.rights import ModuleRequest, ModuleRight, Refused, Right
from common.rules.modules import SEAT_ASK, SeatAskEvent, SeatAskState
from common.rules.rights import RightKind, class_of
from edge_agent.flows.rights import exchange
from edge_agent.ports import Identity, Row, Transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class SeatWish:
    """A module that is to be had in this version, or whose right is only to be renewed."""

    module: str
    version: str
    sha256: str
    renews: bool = False


def want_seat(journal: Transaction, wanted: SeatWish) -> None:
    """Note that a module's right is wanted; what is open stays as it is."""
    journal.rows.want_seat(
        module=wanted.module,
        version=wanted.version,
        sha256=wanted.sha256,
        renews=int(wanted.renews),
        state=SEAT_ASK.first,
        changed_at=journal.now,
    )


def look_at_seats(journal: Transaction, who: Identity) -> None:
    """Ask for what is wanted, as far as each module's exchange is."""
    for row in journal.rows.seats_wanted():
        kind = class_of(RightKind.MODULE, row["module"])
        if not exchange.begin(journal, who, kind):
            ask(journal, who, row["module"])


def ask(journal: Transaction, who: Identity, module: str) -> None:
    """Ask for the module, if its exchange is announced by now."""
    row = journal.rows.seat_ask(module=module)
    after = None if row is None else _after(row, SeatAskEvent.ASK)
    if row is None or after is None:
        return
    request = ModuleRequest(
        module=module, version=row["version"], sha256=row["sha256"], renews=bool(row["renews"])
    )
    kind = class_of(RightKind.MODULE, module)
    if exchange.freeze(journal, who, kind, request.model_dump(mode="json")):
        _move(journal, row, after)


def take(journal: Transaction, told: Right, right: ModuleRight) -> None:
    """Keep the right, and with what it lets us fetch, for ever, as the receipt of that."""
    exchange.keep_right(journal, told, right.kind)
    if right.version is not None and right.sha256 is not None:
        journal.rows.keep_receipt(
            module=right.module,
            sha256=right.sha256,
            version=right.version,
            terminal=right.terminal,
            document=json.dumps(told.document),
            signature=told.signature,
            issued_at=right.issued_at,
            ends_at=right.ends_at,
            stored_at=journal.now,
        )
    _hear(journal, right.module, SeatAskEvent.GRANT)


def take_refused(journal: Transaction, module: str, told: Refused) -> None:
    """Note why there is no right."""
    _hear(journal, module, SeatAskEvent.REFUSE, told.reason)


def _hear(journal: Transaction, module: str, event: SeatAskEvent, reason: str = "") -> None:
    row = journal.rows.seat_ask(module=module)
    after = None if row is None else _after(row, event)
    if row is not None and after is not None:
        _move(journal, row, after, reason)


def _after(row: Row, event: SeatAskEvent) -> SeatAskState | None:
    return SEAT_ASK.step(SeatAskState(row["state"]), event)


def _move(journal: Transaction, row: Row, after: SeatAskState, reason: str = "") -> None:
    journal.rows.move_seat_ask(
        module=row["module"],
        before=row["state"],
        state=after,
        reason=reason,
        changed_at=journal.now,
    )

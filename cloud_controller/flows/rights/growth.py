"""A branch takes seats from its root before it has none, and returns what a day has not used.

Its law: it only begins exchanges, one at a time for each module. Cut off from its root, a branch
gives out what it has, and nothing that was only asked for (D11).
"""

from __future__ import annotations

from collections.abc import Sequence

from cloud_controller.flows.rights.pools import seats_class
from cloud_controller.flows.rights.upstream import LEAST, Branch, want_seats
from cloud_controller.ports import Row, Transaction
from common.messages.rights import SEATS_MAX
from common.rules.modules import Use, wanted_change
from common.rules.modules.growth import SPARE_SECONDS, USE_SECONDS
from common.rules.rights import ClientState, RightKind, class_of


def wanted_changes(books: Transaction, who: Branch, modules: Sequence[str]) -> dict[str, int]:
    """Return which of these modules' seats are to be taken or returned now, and how many.

    A module whose exchange is under way, or shut, or whose seats are our own, is left alone.
    """
    changes = {module: _wanted_change(books, who, module) for module in modules}
    return {module: change for module, change in changes.items() if change}


def grow(books: Transaction, who: Branch, modules: Sequence[str]) -> dict[str, int]:
    """Begin the exchanges that are wanted now; return for which modules, and for how many seats."""
    changes = wanted_changes(books, who, modules)
    for module, seats in changes.items():
        want_seats(books, who, module, seats, least=LEAST if seats > 0 else 0)
        books.enter("seats.wanted", {"module": module, "seats": seats})
    return changes


def _wanted_change(books: Transaction, who: Branch, module: str) -> int:
    pool = books.rights.pool(module=module)
    row = books.escrow.own_exchange(epoch=who.epoch, kind=seats_class(module))
    if row is not None and row["state"] != ClientState.IDLE:
        return 0
    has_had_some = books.escrow.has_own_exchange(kind=seats_class(module))
    if pool is not None and pool["owned"] and not has_had_some:
        return 0
    return wanted_change(_use_of(books, module, pool, row), books.now, SEATS_MAX)


def _use_of(books: Transaction, module: str, pool: Row | None, row: Row | None) -> Use:
    """Return how a module's seats are used here; what is short is used as well."""
    seen = {
        "module_kind": class_of(RightKind.MODULE, module),
        "run_from": f"run:{module}.",
        "run_to": f"run:{module}/",
    }
    day_ago = books.now - SPARE_SECONDS * 1000
    lease_ms = 0 if pool is None else pool["lease_seconds"] * 1000
    return Use(
        owned=0 if pool is None else pool["owned"],
        used=0 if pool is None else pool["used"] + pool["short"],
        taken=int(books.escrow.seats_taken(**seen, since=books.now - USE_SECONDS * 1000)),
        freed=int(
            books.escrow.seats_freed(**seen, issued_since=day_ago - 2 * lease_ms, since=day_ago)
        ),
        moved_at=0 if row is None else row["moved_at"],
        refused_at=0 if row is None else row["refused_at"],
    )

"""Seats of modules: taken from their pool, given back, moved in escrow to another controller.

Its law: the pool changes by one statement that states its own guard, so that no two asks, in any
process, can take the same last seat (D11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from cloud_controller.flows.rights.pools import count_again, give_back
from cloud_controller.flows.rights.scene import Answer, Issuing, Scene, heading, issue, keep_right
from cloud_controller.ports import Row, Transaction
from common.messages.rights import Refused, Request, SeatsRequest
from common.rules.modules import SeatRefusal, is_none_anywhere, module_of_run
from common.rules.rights import RightKind, class_of, subject_in


def is_pooled(books: Transaction, scene: Scene) -> bool:
    """Say whether this controller has ever owned seats of the module, or asked for some."""
    return books.rights.pool(module=scene.subject) is not None or bool(
        books.escrow.has_own_exchange(kind=class_of(RightKind.SEATS, scene.subject))
    )


def _move_seats(books: Transaction, scene: Scene, message: Request) -> Answer:
    """Put seats into another controller's pool, or take back what it returns.

    It gets all that it asks for, or as many as are left where so few will do, or none.
    What is returned cannot be more than it has been given, so that no seat is made of nothing.
    """
    try:
        asked = SeatsRequest.model_validate(message.request)
    except ValidationError:
        return refused(message, SeatRefusal.MALFORMED)
    pool = books.rights.pool(module=asked.module)
    if asked.module != scene.subject or asked.seats == 0 or pool is None:
        return refused(message, SeatRefusal.MALFORMED)
    seats = _most_of(asked, pool)
    holds = seats + int(
        books.rights.seats_given(party=scene.comm_id.party, kind=scene.comm_id.kind)
    )
    if holds < 0:
        return refused(message, SeatRefusal.NEVER_GIVEN)
    if seats < 0:
        give_back(books, asked.module, -seats)
    elif not take(books, asked.module, seats):
        return no_seat(books, message, asked.module)
    facts = {"module": asked.module, "seats": seats, "holds": holds}
    kind = "seats.given" if seats > 0 else "seats.returned"
    books.enter(kind, {"peer": scene.comm_id.party, **facts})
    document = {**heading(books, scene), **facts}
    return issue(books, scene, document, lease_ends_at=None, amount=seats)


def _restore_seats(books: Transaction, scene: Scene, document: Mapping[str, Any]) -> None:
    """Count again what another controller holds in all, though an old backup has forgotten it."""
    given = books.rights.seats_given(party=scene.comm_id.party, kind=scene.comm_id.kind)
    forgotten = document["holds"] - int(given)
    if forgotten < 0:
        give_back(books, scene.subject, -forgotten)
    else:
        count_again(books, scene.subject, forgotten)
    keep_right(books, scene, document, lease_ends_at=None, amount=forgotten)


def free_leases(books: Transaction) -> None:
    """Give back the seats of leases that have ended: the seat is free, the record stays (B9)."""
    before = books.now - LEASE_TOLERANCE_MS
    for row in books.rights.ended_leases(before=before, most=BATCH_MAX):
        books.rights.free_right(right_id=row["right_id"], freed_at=books.now)
        give_back(books, subject_in(row["kind"]), row["amount"])
    for row in books.modules.ended_runs(before=before, most=BATCH_MAX):
        books.rights.free_right(right_id=row["right_id"], freed_at=books.now)
        give_back(books, module_of_run(subject_in(row["kind"])), row["amount"])


LEASE_TOLERANCE_MS: Final = 60_000
"""How much later than by our clock a client's may find its lease ended."""

BATCH_MAX: Final = 200
"""Leases freed in one transaction, so that it stays short."""


def take(books: Transaction, module: str, seats: int) -> bool:
    """Take seats that are free; False: there are not so many."""
    return bool(books.rights.take_seats(module=module, seats=seats))


def _most_of(asked: SeatsRequest, pool: Row) -> int:
    """Return how many seats are moved, if they are there: fewer only where fewer will do."""
    free = int(pool["owned"] - pool["used"])
    return free if 0 < asked.least <= free < asked.seats else asked.seats


def no_seat(books: Transaction, message: Request, module: str) -> Refused:
    """Refuse a seat of a module; say whether there is none here, or none anywhere."""
    pool = books.rights.pool(module=module)
    if pool is not None and pool["is_doubted"]:
        return refused(message, SeatRefusal.POOL_IN_DOUBT)
    refused_at = books.escrow.refused_by_root(kind=class_of(RightKind.SEATS, module))
    if is_none_anywhere(refused_at, books.now):
        return refused(message, SeatRefusal.NO_SEAT_LEFT)
    return refused(message, SeatRefusal.NO_SEAT_LEFT_HERE)


def refused(message: Request, reason: SeatRefusal) -> Refused:
    """Return a refusal for this reason."""
    return Refused(comm_id=message.comm_id, reason=reason)


SEATS_RIGHTS: Final = Issuing(is_known=is_pooled, decide=_move_seats, restore=_restore_seats)

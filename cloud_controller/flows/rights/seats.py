"""A seat of a module for a terminal, and seats in escrow for another controller: one pool each.

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
from common.messages.rights import ModuleRequest, Refused, Request, SeatsRequest
from common.rules.modules import SeatRefusal
from common.rules.rights import subject_in


def _is_pooled(books: Transaction, scene: Scene) -> bool:
    """Say whether this controller has ever owned seats of the module."""
    return books.rights.pool(module=scene.subject) is not None


def _take_seat(books: Transaction, scene: Scene, message: Request) -> Answer:
    """Give a terminal one seat; one that it holds already is renewed and takes no second (D4)."""
    try:
        asked = ModuleRequest.model_validate(message.request)
    except ValidationError:
        return _refused(message, SeatRefusal.MALFORMED)
    pool = books.rights.pool(module=asked.module)
    if asked.module != scene.subject or pool is None:
        return _refused(message, SeatRefusal.MALFORMED)
    mine = {"party": scene.comm_id.party, "kind": scene.comm_id.kind}
    missing = 1 - int(books.rights.seats_in_use_of(**mine))
    if pool["is_doubted"] or (missing > 0 and not _take(books, asked.module, missing)):
        return _no_seat(message, pool)
    if missing < 0:
        give_back(books, asked.module, -missing)
    books.rights.free_held(**mine, freed_at=books.now)
    ends_at = books.now + pool["lease_seconds"] * 1000
    document = {**heading(books, scene), "module": asked.module, "ends_at": ends_at}
    return issue(books, scene, document, lease_ends_at=ends_at)


def _move_seats(books: Transaction, scene: Scene, message: Request) -> Answer:
    """Put seats into another controller's pool, or take back what it returns: all of them or none.

    What is returned cannot be more than it has been given, so that no seat is made of nothing.
    """
    try:
        asked = SeatsRequest.model_validate(message.request)
    except ValidationError:
        return _refused(message, SeatRefusal.MALFORMED)
    pool = books.rights.pool(module=asked.module)
    if asked.module != scene.subject or asked.seats == 0 or pool is None:
        return _refused(message, SeatRefusal.MALFORMED)
    holds = asked.seats + int(
        books.rights.seats_given(party=scene.comm_id.party, kind=scene.comm_id.kind)
    )
    if holds < 0:
        return _refused(message, SeatRefusal.NEVER_GIVEN)
    if asked.seats < 0:
        give_back(books, asked.module, -asked.seats)
    elif not _take(books, asked.module, asked.seats):
        return _no_seat(message, pool)
    document = {
        **heading(books, scene),
        "module": asked.module,
        "seats": asked.seats,
        "holds": holds,
    }
    facts = {"module": asked.module, "seats": asked.seats, "holds": holds}
    kind = "seats.given" if asked.seats > 0 else "seats.returned"
    books.enter(kind, {"peer": scene.comm_id.party, **facts})
    return issue(books, scene, document, lease_ends_at=None, amount=asked.seats)


def _restore_seat(books: Transaction, scene: Scene, document: Mapping[str, Any]) -> None:
    """Count again a seat that an old backup has forgotten, unless this terminal's is counted."""
    mine = {"party": scene.comm_id.party, "kind": scene.comm_id.kind}
    missing = max(0, 1 - int(books.rights.seats_in_use_of(**mine)))
    count_again(books, scene.subject, missing)
    keep_right(books, scene, document, lease_ends_at=document["ends_at"], amount=missing)


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


LEASE_TOLERANCE_MS: Final = 60_000
"""How much later than by our clock a client's may find its lease ended."""

BATCH_MAX: Final = 200
"""Leases freed in one transaction, so that it stays short."""


def _take(books: Transaction, module: str, seats: int) -> bool:
    return bool(books.rights.take_seats(module=module, seats=seats))


def _no_seat(message: Request, pool: Row) -> Refused:
    in_doubt = pool["is_doubted"]
    return _refused(message, SeatRefusal.POOL_IN_DOUBT if in_doubt else SeatRefusal.NO_SEAT_LEFT)


def _refused(message: Request, reason: SeatRefusal) -> Refused:
    return Refused(comm_id=message.comm_id, reason=reason)


MODULE_RIGHTS: Final = Issuing(is_known=_is_pooled, decide=_take_seat, restore=_restore_seat)
SEATS_RIGHTS: Final = Issuing(is_known=_is_pooled, decide=_move_seats, restore=_restore_seats)

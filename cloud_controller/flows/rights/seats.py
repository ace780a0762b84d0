"""A seat of a module for a terminal, and seats in escrow for another controller: one pool each.

Its law: the pool changes by one statement that states its own guard, so that no two asks, in any
process, can take the same last seat (D11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from cloud_controller.flows.rights.scene import Answer, Kind, Scene, heading, issue, keep_right
from cloud_controller.ports import Transaction
from common.messages.rights import ModuleRequest, Refused, Request, SeatsRequest
from common.rules.modules import SeatRefusal


def _is_pooled(books: Transaction, scene: Scene) -> bool:
    """Say whether this controller has ever owned seats of the module."""
    return books.rights.pool(module=scene.subject) is not None


def _take_seat(books: Transaction, scene: Scene, message: Request) -> Answer:
    """Give a terminal one seat; one that it holds already is renewed and takes no second (D4)."""
    try:
        asked = ModuleRequest.model_validate(message.request)
    except ValidationError:
        return _refused(message, SeatRefusal.MALFORMED)
    if asked.module != scene.subject:
        return _refused(message, SeatRefusal.MALFORMED)
    holds = books.rights.free_held(
        party=scene.comm_id.party, kind=scene.comm_id.kind, freed_at=books.now
    )
    if not holds and not books.rights.take_seats(module=asked.module, seats=1):
        return _refused(message, SeatRefusal.NO_SEAT_LEFT)
    pool = books.rights.pool(module=asked.module)
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
    if asked.module != scene.subject or asked.seats == 0:
        return _refused(message, SeatRefusal.MALFORMED)
    given = books.rights.seats_given(party=scene.comm_id.party, kind=scene.comm_id.kind)
    if given + asked.seats < 0:
        return _refused(message, SeatRefusal.NEVER_GIVEN)
    if not books.rights.take_seats(module=asked.module, seats=asked.seats):
        return _refused(message, SeatRefusal.NO_SEAT_LEFT)
    document = {**heading(books, scene), "module": asked.module, "seats": asked.seats}
    return issue(books, scene, document, lease_ends_at=None, amount=asked.seats)


def _take_seat_back(books: Transaction, scene: Scene, document: Mapping[str, Any]) -> None:
    """Count again a seat that an old backup has forgotten; where none is left, it stands so."""
    books.rights.take_seats(module=scene.subject, seats=1)
    keep_right(books, scene, document, lease_ends_at=document["ends_at"])


def _move_seats_back(books: Transaction, scene: Scene, document: Mapping[str, Any]) -> None:
    """Count again seats that another controller holds, though an old backup has forgotten it."""
    books.rights.take_seats(module=scene.subject, seats=document["seats"])
    keep_right(books, scene, document, lease_ends_at=None, amount=document["seats"])


def free_leases(books: Transaction) -> None:
    """Give back the seats of leases that have ended: the seat is free, the record stays (B9)."""
    before = books.now - LEASE_TOLERANCE_MS
    for row in books.rights.ended_leases(before=before, most=BATCH_MAX):
        if books.rights.free_right(right_id=row["right_id"], freed_at=books.now):
            books.rights.take_seats(module=row["kind"].partition(":")[2], seats=-row["amount"])


LEASE_TOLERANCE_MS: Final = 60_000
"""How much later than by our clock a client's may find its lease ended."""

BATCH_MAX: Final = 200
"""Leases freed in one transaction, so that it stays short."""


def _refused(message: Request, reason: SeatRefusal) -> Refused:
    return Refused(comm_id=message.comm_id, reason=reason)


MODULE_RIGHTS: Final = Kind(is_known=_is_pooled, decide=_take_seat, take_back=_take_seat_back)
SEATS_RIGHTS: Final = Kind(is_known=_is_pooled, decide=_move_seats, take_back=_move_seats_back)

"""Everything that shows what became of a ticket, read from the books at one instant."""

from __future__ import annotations

import json
from dataclasses import dataclass

from cloud_controller.ports import NotFound, Row, Transaction
from common.rules.sessions import (
    Given,
    Line,
    Moment,
    Use,
    Watched,
    given_of,
    timeline_of,
    use_in,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """A ticket's timeline and what its customer was given.

    Attributes:
        starts_at: the beginning of what was booked, and `ends_at` its end.
        has_sessions: whether any scan has opened.
        compensated_cents: what is paid back of the price, by all that is known now.
    """

    reservation: str
    time_zone: str
    starts_at: int
    ends_at: int
    moments: tuple[Moment, ...]
    given: Given
    has_sessions: bool
    price_cents: int
    compensated_cents: int
    currency: str


def proof_of(books: Transaction, reservation: str) -> Proof:
    """Return what became of a reservation, from the ledger and from what its sessions measured.

    Raises:
        NotFound: there is no such reservation.
    """
    row = books.sessions.served(reservation_id=reservation)
    if row is None:
        raise NotFound(what="reservation")
    uses = _uses(books, reservation)
    lines = [_line(each) for each in books.post.ledger_of(reservation_id=reservation)]
    watched = [_watched(each) for each in books.sessions.watched(reservation_id=reservation)]
    return Proof(
        reservation=reservation,
        time_zone=row["time_zone"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        moments=timeline_of(lines, watched),
        given=given_of(uses),
        has_sessions=bool(uses),
        price_cents=row["price_cents"],
        compensated_cents=row["compensated_cents"],
        currency=row["currency"],
    )


def given_to(books: Transaction, reservation: str) -> Given:
    """Return what was given of a reservation, so far as it is known."""
    return given_of(_uses(books, reservation))


def _uses(books: Transaction, reservation: str) -> list[Use]:
    return [use_in(each) for each in books.sessions.uses(reservation_id=reservation)]


def _line(row: Row) -> Line:
    return Line(
        entry=row["entry_id"],
        at=row["at"],
        type=row["type"],
        facts=json.loads(row["body"]),
        session=row["session_id"],
    )


def _watched(row: Row) -> Watched:
    return Watched(
        session=row["session_id"],
        first_at=row["first_at"],
        last_at=row["last_at"],
        number=row["number"],
        delivered_seconds=row["delivered_seconds"],
    )

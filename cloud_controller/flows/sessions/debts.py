"""What was granted and not delivered is paid back, computed from what ran and nothing else.

Its law: the entries of a reservation add up to what is owed for it by all that is known now; one
that turns out wrong is corrected by another, and none is ever changed.
"""

from __future__ import annotations

from cloud_controller.flows.sessions.stops import BATCH_MAX
from cloud_controller.ports import Movement, Row, Transaction
from common.rules.payments import Account, EntryKind, entry
from common.rules.sessions import owed_cents, owed_seconds, use_in


def settle(books: Transaction, reservation: str) -> None:
    """Enter the difference between what is owed for a reservation and what was entered before."""
    facts = books.sessions.debt(reservation_id=reservation)
    uses = [use_in(row) for row in books.sessions.uses(reservation_id=reservation)]
    booked_seconds = (facts["ends_at"] - facts["starts_at"]) / 1000
    seconds = owed_seconds(uses)
    cents = owed_cents(facts["price_cents"], booked_seconds, uses)
    if (seconds, cents) == (facts["entered_seconds"], facts["entered_cents"]):
        return
    more = {
        "seconds": seconds - facts["entered_seconds"],
        "cents": cents - facts["entered_cents"],
        "currency": facts["currency"],
    }
    is_first = not facts["entries"]
    books.sessions.compensate(
        reservation_id=reservation,
        why="not_delivered" if is_first else "corrected",
        made_at=books.now,
        **more,
    )
    books.enter("reservation.compensated", more, reservation=reservation)
    books.move_money(_owed(facts, reservation, more["cents"]))


def compensated_cents(books: Transaction, reservation: str) -> int:
    """Return what of a reservation's price is owed, or was paid back, as it was not delivered."""
    return int(books.sessions.debt(reservation_id=reservation)["entered_cents"])


def give_up_undelivered(books: Transaction) -> None:
    """Cancel what was scanned, never ran and is over: it is paid back, and no no-show."""
    for row in books.sessions.undelivered(now=books.now, most=BATCH_MAX):
        reservation = row["reservation_id"]
        books.sessions.cancel_undelivered(reservation_id=reservation, changed_at=books.now)
        books.sessions.void_ticket(reservation_id=reservation)
        books.enter("reservation.undelivered", {}, reservation=reservation)
        settle(books, reservation)


def _owed(facts: Row, reservation: str, cents: int) -> Movement:
    lines = [(Account.COMPENSATION, cents), (Account.CREDIT, -cents)]
    return Movement(
        kind=EntryKind.COMPENSATED,
        postings=entry(facts["currency"], lines),
        store=facts["store_id"],
        order=facts["order_id"],
        reservation=reservation,
    )

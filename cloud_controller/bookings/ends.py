"""What time alone makes of bookings: holds lapse, nobody comes, and whoever waits is next."""

from __future__ import annotations

from cloud_controller.bookings.changes import pay_back
from cloud_controller.bookings.letters import write
from cloud_controller.flows import letters, payments, reservations
from cloud_controller.ports import Transaction
from common.rules.letters import LetterKind
from common.rules.reservations import ReservationState


def lapse_what_is_over(books: Transaction) -> None:
    """End what is over; pay back what was given up while a terminal still held its ticket."""
    for row in reservations.lapse(books):
        order, reservation = row["order_id"], row["reservation_id"]
        if row["state"] == ReservationState.CONFIRMED:
            write(books, LetterKind.NO_SHOW, order, reservation)
        elif order is not None and not reservations.live_holds(books, order):
            payments.expire(books, order)
    for row in reservations.given_up(books):
        pay_back(books, row, row["price_cents"])


def offer_what_is_free(books: Transaction) -> None:
    """Hold what has become free for whoever waits for it, and write to him."""
    reservations.settle(books)
    for offered in reservations.offer_freed(books):
        order = reservations.order_by_id(books, offered.order)
        (claim,) = reservations.claims_of(books, offered.order)
        letters.queue(
            books,
            LetterKind.WAITING_OFFER,
            to=offered.mail,
            language=offered.language,
            facts={"until_at": claim["hold_ends_at"], "path": f"/b/{order['link']}"},
            order=offered.order,
        )

"""What is owed as compensation goes back by the way it came, when it has rested for a while."""

from __future__ import annotations

from typing import Final

from cloud_controller.flows.payments.charges import movement
from cloud_controller.flows.payments.refunds import kept_of, note_back, send_back
from cloud_controller.ports import Row, Transaction
from common.rules.payments import Account, EntryKind, Method, entry

REST_SECONDS: Final = 3_600
"""How long a compensation rests before it is paid: a terminal's late report may correct it."""

LOOK_BACK_SECONDS: Final = 7 * 86_400
"""How far back is looked; what could not be paid in a week is the operator's to settle."""

BATCH_MAX: Final = 50


def pay_credits(books: Transaction) -> None:
    """Send back what has been owed for an hour, by the provider that was paid, and once.

    What was settled outside is given back outside, and stands as owed until then.
    """
    owed = books.payments.credits_due(
        account=Account.CREDIT,
        method=Method.STRIPE_CHECKOUT,
        since=books.now - LOOK_BACK_SECONDS * 1000,
        before=books.now - REST_SECONDS * 1000,
        most=BATCH_MAX,
    )
    for row in owed:
        _pay(books, row)


def _pay(books: Transaction, row: Row) -> None:
    left = -row["cents"]
    for each in books.payments.payments_with_money(order_id=row["order_id"]):
        payment = books.payments.payment(payment_id=each["payment_id"])
        kept = kept_of(books, payment["payment_id"])
        part = min(left, kept)
        if part <= 0 or Method(payment["method"]) is not Method.STRIPE_CHECKOUT:
            continue
        note_back(books, payment, is_all=part == kept)
        lines = [(Account.CREDIT, part), (Account.REFUND_DUE, -part)]
        postings = entry(payment["currency"], lines)
        reservation = row["reservation_id"]
        books.move_money(movement(EntryKind.CREDITED, payment, postings, reservation=reservation))
        send_back(books, payment, part)
        left -= part

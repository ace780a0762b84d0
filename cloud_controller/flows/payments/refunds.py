"""Money goes back: decided and entered at once, never more than came in and is still here."""

from __future__ import annotations

from collections.abc import Iterable

from cloud_controller.flows.payments.calls import pay_out
from cloud_controller.flows.payments.charges import BY_PROVIDER, movement, tell
from cloud_controller.flows.payments.receipts import given_back_before, issue_refund
from cloud_controller.ports import Row, Transaction
from common.rules.payments import (
    PAYMENT,
    Account,
    CallKind,
    EntryKind,
    Method,
    PaymentEvent,
    PaymentState,
    Quote,
    entry,
    free_cents,
    given_back,
    kept_cents,
    quote_in,
)


def paid_cents(books: Transaction, order_id: str) -> int:
    """Return what an order has brought, less what went or is going back, or is owed for it."""
    return free_cents(_balances(books.payments.balances_of_order(order_id=order_id)))


def refund(
    books: Transaction, order_id: str, reservation_id: str | None, cents: int, why: str
) -> int:
    """Give money of an order back, of its latest payment first; return how much.

    That is `cents`, or what there is left where it is less. A refund by a provider is on its way
    when this is committed, and gets there once.
    """
    assert cents >= 0, "a refund goes one way"
    left = total = max(0, min(cents, paid_cents(books, order_id)))
    for row in books.payments.payments_with_money(order_id=order_id):
        part = min(left, kept_of(books, row["payment_id"]))
        if part > 0:
            payment = books.payments.payment(payment_id=row["payment_id"])
            go_back(books, payment, part, why, reservation=reservation_id)
            send_back(books, payment, part)
            left -= part
    _give_vouchers_back(books, order_id, reservation_id)
    return total - left


def _give_vouchers_back(books: Transaction, order: str, reservation: str | None) -> None:
    """Give back what a voucher paid alone, when nothing of the order is left but this."""
    if books.payments.other_claims(order_id=order, reservation_id=reservation or ""):
        return
    for row in books.payments.paid_by_voucher(order_id=order):
        note_back(books, row, is_all=True)


def kept_of(books: Transaction, payment: str) -> int:
    """Return what one payment has brought, less what of it went or is going back."""
    return kept_cents(_balances(books.payments.balances_of_payment(payment_id=payment)))


def go_back(
    books: Transaction, row: Row, cents: int, why: str, *, reservation: str | None = None
) -> None:
    """Enter that a part of a payment goes back, with its receipt; `cents` is owed from now on."""
    quote = quote_in(row["body"])
    before = given_back_before(books, row["payment_id"])
    tax = given_back(quote.tax, before, cents, _rate_of(quote, _offering_of(books, reservation)))
    note_back(books, row, is_all=cents == kept_of(books, row["payment_id"]))
    tax_cents = sum(line.tax_cents for line in tax)
    lines = [
        (Account.REFUND, cents - tax_cents),
        (Account.TAX, tax_cents),
        (Account.REFUND_DUE, -cents),
    ]
    back = entry(row["currency"], lines)
    books.move_money(movement(EntryKind.REFUNDED, row, back, reservation=reservation, why=why))
    issue_refund(books, row, tax, why)


def send_back(books: Transaction, row: Row, cents: int) -> None:
    """Have what is owed leave: by its provider, or at once where there is none."""
    if Method(row["method"]) in BY_PROVIDER:
        tell(books, row, CallKind.REFUND, books.names.new("refund"), cents)
    else:
        pay_out(books, row, cents)


def _balances(rows: Iterable[Row]) -> list[tuple[str, int]]:
    return [(row["account"], row["cents"]) for row in rows]


def note_back(books: Transaction, row: Row, *, is_all: bool) -> None:
    """Note that a part of a payment goes back, or all that was left of it, with its voucher."""
    event = PaymentEvent.REFUND_REST if is_all else PaymentEvent.REFUND_PART
    after = PAYMENT.step(PaymentState(row["state"]), event)
    assert after is not None, "what is refunded was paid"
    if after is PaymentState.REFUNDED:
        books.payments.return_voucher(payment_id=row["payment_id"], returned_at=books.now)
    books.payments.move_payment(
        payment_id=row["payment_id"], before=row["state"], state=after, changed_at=books.now
    )


def _offering_of(books: Transaction, reservation: str | None) -> str | None:
    if reservation is None:
        return None
    row = books.payments.reservation_charged(reservation_id=reservation)
    return None if row is None else str(row["offering_id"])


def _rate_of(quote: Quote, offering: str | None) -> int | None:
    """Return the rate of tax of an offering in a quote: what is given back is of it first."""
    rates = [line.tax_basis_points for line in quote.lines if line.offering == offering]
    return rates[0] if rates else None

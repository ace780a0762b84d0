"""An order is charged: paid at once where nobody is sent to a provider, else pending until told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cloud_controller.flows.payments.receipts import issue_sale
from cloud_controller.ports import Movement, NotAllowed, Row, Transaction
from common.rules.payments import (
    PAYMENT,
    Account,
    CallKind,
    EntryKind,
    Method,
    PaymentEvent,
    PaymentState,
    Posting,
    Quote,
    as_text,
    entry,
    quote_in,
    undone,
)

CASH_OF: Final = {
    Method.FREE: Account.CASH_FREE,
    Method.VOUCHER: Account.CASH_FREE,
    Method.STRIPE_CHECKOUT: Account.CASH_STRIPE,
}
"""Where the money of each method stands; a voucher brings none."""

OPEN_FIRST_SECONDS: Final = 5
"""How long a page is left to whoever waits for it to open; then the loop sees that it is made."""

BY_PROVIDER: Final = frozenset({Method.STRIPE_CHECKOUT})
"""Methods by which a customer is sent to somebody else's page."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Charge:
    """A payment of an order as it stands: `paid`, or `pending` until its provider says more."""

    payment: str
    state: PaymentState
    due_cents: int
    currency: str


def charge(
    books: Transaction,
    order_id: str,
    quote: Quote,
    method: Method,
    *,
    expires_at: int | None = None,
) -> Charge:
    """Ask an order for what was quoted in this same transaction.

    Asked twice for the same, it is one payment; another pending one of the order is withdrawn.
    `expires_at` is when a pending payment is given up, in ms: the end of the hold.

    Raises:
        NotAllowed: vouchers alone do not cover it.
    """
    due = quote.total_cents
    if due == 0 and method is Method.STRIPE_CHECKOUT:
        method = Method.FREE if quote.voucher is None else Method.VOUCHER
    if due and method is Method.VOUCHER:
        raise NotAllowed(why="the voucher does not cover all of it")
    body = as_text(quote)
    known = books.payments.pending_of(order_id=order_id)
    if known is not None:
        if (known["method"], known["body"]) == (method, body):
            return _charge_of(books.payments.payment(payment_id=known["payment_id"]))
        expire(books, order_id)
    payment = books.names.new("pay")
    books.payments.add_payment(
        payment_id=payment,
        order_id=order_id,
        store_id=quote.store,
        attempt=books.payments.last_attempt(order_id=order_id) + 1,
        method=method,
        due_cents=due,
        currency=quote.currency,
        body=body,
        expires_at=expires_at,
        made_at=books.now,
    )
    row = books.payments.payment(payment_id=payment)
    _claim(books, row, quote)
    if method in BY_PROVIDER:
        tell(books, row, CallKind.OPEN, f"{order_id}-{row['attempt']}")
    else:
        pay(books, row)
    return _charge_of(books.payments.payment(payment_id=payment))


def pay(books: Transaction, row: Row) -> bool:
    """Note that a payment has come in as it was asked for; return whether that was new."""
    after = PAYMENT.step(PaymentState(row["state"]), PaymentEvent.PAY)
    if after is None:
        return False
    quote = quote_in(row["body"])
    if row["state"] != PaymentState.PENDING:
        _claim(books, row, quote)
    _move(books, row, after)
    cash = CASH_OF[Method(row["method"])]
    due = row["due_cents"]
    postings = entry(row["currency"], [(cash, due), (Account.RECEIVABLE, -due)])
    _enter(books, EntryKind.PAID, row, postings)
    issue_sale(books, row, quote)
    return True


def expire(books: Transaction, order_id: str) -> bool:
    """Give up an order's pending payment, if it has one: the hold has ended; return if it had.

    What comes in all the same is taken, and then earned or given back (`docs/states.md`).
    """
    known = books.payments.pending_of(order_id=order_id)
    if known is None:
        return False
    withdraw(books, books.payments.payment(payment_id=known["payment_id"]), PaymentEvent.EXPIRE)
    return True


def withdraw(books: Transaction, row: Row, event: PaymentEvent) -> bool:
    """Take a charge back that nobody has paid; return whether there was one."""
    after = PAYMENT.step(PaymentState(row["state"]), event)
    if after is None:
        return False
    _move(books, row, after)
    _enter(books, EntryKind.WITHDRAWN, row, undone(_charged(quote_in(row["body"]))))
    books.payments.return_voucher(payment_id=row["payment_id"], returned_at=books.now)
    if Method(row["method"]) in BY_PROVIDER:
        tell(books, row, CallKind.CLOSE, f"close-{row['payment_id']}")
    return True


def tell(books: Transaction, row: Row, kind: CallKind, call: str, cents: int = 0) -> None:
    """Have a provider told something of a payment; `call` is its name for good, and its key."""
    first_seconds = OPEN_FIRST_SECONDS if kind is CallKind.OPEN else 0
    books.payments.add_call(
        call_id=call,
        payment_id=row["payment_id"],
        kind=kind,
        cents=cents,
        next_at=books.now + first_seconds * 1000,
        made_at=books.now,
    )


def _claim(books: Transaction, row: Row, quote: Quote) -> None:
    """Enter what an order owes, and use its voucher."""
    _enter(books, EntryKind.CHARGED, row, _charged(quote))
    if quote.voucher is not None:
        books.payments.use_voucher(
            payment_id=row["payment_id"],
            voucher_id=quote.voucher,
            uses=quote.voucher_uses,
            seconds=quote.voucher_seconds,
            used_at=books.now,
        )


def _charged(quote: Quote) -> tuple[Posting, ...]:
    tax = sum(line.tax_cents for line in quote.tax)
    gross = quote.total_cents + quote.discount_cents
    return entry(
        quote.currency,
        [
            (Account.RECEIVABLE, quote.total_cents),
            (Account.VOUCHER, quote.discount_cents),
            (Account.TAX, -tax),
            (Account.SALES, tax - gross),
        ],
    )


def movement(
    kind: EntryKind,
    row: Row,
    postings: tuple[Posting, ...],
    *,
    reservation: str | None = None,
    why: str = "",
) -> Movement:
    """Return a movement of a payment's money."""
    return Movement(
        kind=kind,
        postings=postings,
        store=row["store_id"],
        order=row["order_id"],
        payment=row["payment_id"],
        reservation=reservation,
        why=why,
    )


def _enter(books: Transaction, kind: EntryKind, row: Row, postings: tuple[Posting, ...]) -> None:
    books.move_money(movement(kind, row, postings))


def _move(books: Transaction, row: Row, after: PaymentState) -> None:
    books.payments.move_payment(
        payment_id=row["payment_id"], before=row["state"], state=after, changed_at=books.now
    )


def _charge_of(row: Row) -> Charge:
    return Charge(
        payment=row["payment_id"],
        state=PaymentState(row["state"]),
        due_cents=row["due_cents"],
        currency=row["currency"],
    )

"""What is to be said to a provider is a row, said until it is done; what came of it is noted once.

Its law: a call's id is the provider's idempotency key, so that however often it is said, it is done
once; and money leaves our accounts in the commit that notes it.
"""

from __future__ import annotations

from typing import Any, Final

from cloud_controller.flows.payments.charges import CASH_OF, expire, movement, tell
from cloud_controller.ports import Problem, Row, Transaction
from common.rules.payments import (
    CALLED_IN_VAIN_MAX,
    Account,
    CallKind,
    EntryKind,
    Method,
    PaymentState,
    entry,
    seconds_until_again,
)
from common.rules.problems import ProblemKind

BATCH_MAX: Final = 20
"""Calls looked at together: a provider answers each in about a second."""

DETAIL_MAX: Final = 200


def calls_due(books: Transaction) -> list[dict[str, Any]]:
    """Return what is to be said to providers now, the longest due first."""
    return [dict(row) for row in books.payments.calls_due(now=books.now, most=BATCH_MAX)]


def call_due(books: Transaction, payment: str, kind: CallKind) -> dict[str, Any] | None:
    """Return what is to be said of a payment, if it is not done."""
    row = books.payments.call_to(payment_id=payment, kind=kind)
    return None if row is None else dict(row)


def page_due(books: Transaction, link: str) -> dict[str, Any] | None:
    """Return the call that makes the page on which an order is paid, if it is not made yet."""
    payment = books.payments.pending_by_link(link=link)
    return None if payment is None else call_due(books, payment, CallKind.OPEN)


def page_of(books: Transaction, order_id: str) -> str | None:
    """Return the page on which an order is paid; None where there is none, or none yet."""
    pending = books.payments.pending_of(order_id=order_id)
    return None if pending is None else pending["checkout_url"] or None


def expire_what_is_over(books: Transaction) -> None:
    """Give up pending payments whose hold has ended."""
    for row in books.payments.pending_over(now=books.now, most=BATCH_MAX):
        expire(books, row["order_id"])


def note_opened(books: Transaction, call: str, payment: str, ref: str, url: str) -> None:
    """Note that a provider has made its page; one that nobody waits for any more is closed."""
    _settle(books, call, "done", ref)
    books.payments.note_opened(payment_id=payment, provider_ref=ref, checkout_url=url)
    row = books.payments.payment(payment_id=payment)
    if row["state"] in {PaymentState.EXPIRED, PaymentState.FAILED}:
        tell(books, row, CallKind.CLOSE, f"close-{payment}-opened")


def note_closed(books: Transaction, call: str, detail: str) -> None:
    """Note that nobody can pay on a page any more, or that there never was one."""
    _settle(books, call, "done", detail)


def note_refunded(books: Transaction, call: str, payment: str, cents: int, detail: str) -> None:
    """Note that a refund has left; noted twice, it has left once."""
    if _settle(books, call, "done", detail):
        pay_out(books, books.payments.payment(payment_id=payment), cents)


def note_refused(books: Transaction, call: str, payment: str, kind: CallKind, why: str) -> None:
    """Note that a provider will not do it, which somebody has to look at."""
    if not _settle(books, call, "refused", why):
        return
    row = books.payments.payment(payment_id=payment)
    if kind is CallKind.OPEN:
        expire(books, row["order_id"])
    if kind is not CallKind.CLOSE:
        books.raise_problem(_refused(row, call, kind, why))


def note_in_vain(
    books: Transaction, call: str, payment: str, kind: CallKind, *, attempts: int, why: str
) -> None:
    """Note that a provider did not answer; it is told again later."""
    pause = seconds_until_again(attempts + 1) * 1000
    made = books.payments.call_again(
        call_id=call, detail=why[:DETAIL_MAX], next_at=books.now + pause
    )
    if made == CALLED_IN_VAIN_MAX:
        row = books.payments.payment(payment_id=payment)
        books.raise_problem(_refused(row, call, kind, why))


def pay_out(books: Transaction, row: Row, cents: int) -> None:
    """Enter that what was to be given back has left."""
    cash = CASH_OF[Method(row["method"])]
    postings = entry(row["currency"], [(Account.REFUND_DUE, cents), (cash, -cents)])
    books.move_money(movement(EntryKind.PAID_OUT, row, postings))


def _settle(books: Transaction, call: str, state: str, detail: str) -> bool:
    changed = books.payments.settle_call(
        call_id=call, state=state, detail=detail[:DETAIL_MAX], done_at=books.now
    )
    return bool(changed)


def _refused(row: Row, call: str, kind: CallKind, why: str) -> Problem:
    return Problem(
        kind=ProblemKind.PAYMENT_REFUSED,
        subject=call,
        why=f"the provider does not {kind}: {why}"[:DETAIL_MAX],
        evidence={"payment": row["payment_id"], "order": row["order_id"], "call": call},
    )

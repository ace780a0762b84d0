"""A provider's word is applied once, whether it comes early, late, twice or out of its order.

Its law: what came in is entered whatever became of the order meanwhile; only what was asked for, to
the unit and in its currency, pays for anything.
"""

from __future__ import annotations

from typing import Final

from cloud_controller.flows.payments.calls import pay_out
from cloud_controller.flows.payments.charges import CASH_OF, expire, movement, pay, withdraw
from cloud_controller.flows.payments.refunds import go_back, kept_of, refund
from cloud_controller.ports import Problem, Row, Transaction
from common.rules.payments import (
    Account,
    EntryKind,
    Method,
    PaymentEvent,
    PaymentState,
    ProviderSaid,
    SaidKind,
    VoucherTerms,
    entry,
    said_as_text,
    said_in,
)
from common.rules.problems import ProblemKind

PAID: Final = frozenset({PaymentState.PAID, PaymentState.PARTLY_REFUNDED, PaymentState.REFUNDED})


def hear_provider(books: Transaction, said: ProviderSaid) -> str | None:
    """Apply a provider's word, whose signature was checked; return the order it has paid, if any.

    Whoever calls this has that order's holds confirmed in the same transaction.
    """
    row = _row_of(books, said)
    is_early = row is not None and _is_early(row, said)
    is_new = books.payments.see_event(
        provider=said.provider,
        event_id=said.event_id,
        kind=said.kind,
        sameness=said.sameness,
        payment_id=None if row is None else row["payment_id"],
        body=said_as_text(said),
        seen_at=books.now,
        applied_at=None if is_early else books.now,
    )
    if not is_new or row is None or is_early:
        return None
    return _apply(books, row, said)


def _row_of(books: Transaction, said: ProviderSaid) -> Row | None:
    """Return the payment it is about: by our own name, which is there before the provider's is."""
    if said.payment is not None:
        return books.payments.payment(payment_id=said.payment)
    found = books.payments.payment_by_ref(provider_ref=said.ref, provider_intent=said.intent)
    return None if found is None else books.payments.payment(payment_id=found["payment_id"])


def _is_early(row: Row, said: ProviderSaid) -> bool:
    """Say whether it is about money that we have not heard of yet: it waits until we have."""
    after_paying = {SaidKind.WENT_BACK, SaidKind.DISPUTED, SaidKind.REINSTATED, SaidKind.BOUNCED}
    return said.kind in after_paying and row["state"] not in PAID


def _apply(books: Transaction, row: Row, said: ProviderSaid) -> str | None:
    match said.kind:
        case SaidKind.CAME_IN:
            return _came_in(books, row, said)
        case SaidKind.FAILED:
            withdraw(books, row, PaymentEvent.FAIL)
        case SaidKind.EXPIRED:
            withdraw(books, row, PaymentEvent.EXPIRE)
        case SaidKind.WENT_BACK:
            _went_back(books, row, said)
        case SaidKind.DISPUTED | SaidKind.REINSTATED:
            _dispute(books, row, said)
        case SaidKind.BOUNCED:
            _bounced(books, row, said)
        case SaidKind.UNDER_WAY:
            pass
    return None


def _came_in(books: Transaction, row: Row, said: ProviderSaid) -> str | None:
    is_of_another_page = row["provider_ref"] not in {None, said.ref}
    is_asked_for = (said.cents, said.currency) == (row["due_cents"], row["currency"])
    if is_of_another_page or not is_asked_for:
        _doubt(books, row, said)
        return None
    books.payments.note_intent(
        payment_id=row["payment_id"], provider_ref=said.ref, provider_intent=said.intent
    )
    order, payment = row["order_id"], row["payment_id"]
    later = books.payments.later_attempt(order_id=order, payment_id=payment)
    if later is not None and later["state"] == PaymentState.PENDING:
        expire(books, order)
    if not pay(books, row):
        return None
    paid = books.payments.payment(payment_id=payment)
    is_paid_twice = later is not None and later["state"] in PAID
    if is_paid_twice or _has_overdrawn(books, payment):
        refund(books, order, None, row["due_cents"], "paid_twice" if is_paid_twice else "voucher")
        paid = None
    for waiting in books.payments.events_waiting(payment_id=payment):
        books.payments.note_applied(
            provider=waiting["provider"], event_id=waiting["event_id"], applied_at=books.now
        )
        now = books.payments.payment(payment_id=payment)
        _apply(books, now, said_in(waiting["body"]))
    return None if paid is None else str(order)


def _has_overdrawn(books: Transaction, payment: str) -> bool:
    """Say whether a voucher that was given back meanwhile has been used by somebody else."""
    used = books.payments.voucher_left(payment_id=payment)
    if used is None:
        return False
    seconds = VoucherTerms.model_validate_json(used["terms"]).seconds
    has_no_time = seconds is not None and used["seconds_used"] > seconds
    return has_no_time or bool(used["uses"] > used["uses_max"])


def _doubt(books: Transaction, row: Row, said: ProviderSaid) -> None:
    """Enter what came in where an operator finds it; it pays for nothing."""
    cash = CASH_OF[Method(row["method"])]
    postings = entry(said.currency, [(cash, said.cents), (Account.SUSPENSE, -said.cents)])
    books.move_money(movement(EntryKind.UNEXPECTED, row, postings))
    asked = f"{row['due_cents']} {row['currency']}"
    why = f"asked for was {asked}, in came {said.cents} {said.currency}"
    _raise(books, ProblemKind.PAYMENT_DOUBTED, row, said, why)


def _went_back(books: Transaction, row: Row, said: ProviderSaid) -> None:
    """Enter what was given back by other hands than ours: all there ever was, less what we know."""
    payment = row["payment_id"]
    elsewhere = -books.payments.moved_of_kind(
        payment_id=payment, kind=EntryKind.REFUNDED_ELSEWHERE, account=Account.CASH_STRIPE
    )
    more = said.cents - books.payments.refunds_called(payment_id=payment) - elsewhere
    more = min(more, kept_of(books, payment))
    if more <= 0:
        return
    go_back(books, row, more, "at the provider")
    cash = CASH_OF[Method(row["method"])]
    postings = entry(row["currency"], [(Account.REFUND_DUE, more), (cash, -more)])
    books.move_money(movement(EntryKind.REFUNDED_ELSEWHERE, row, postings))
    why = f"{more} {row['currency']} were given back at the provider"
    _raise(books, ProblemKind.PAID_BACK_ELSEWHERE, row, said, why)


def _dispute(books: Transaction, row: Row, said: ProviderSaid) -> None:
    """Enter what a provider holds back while a card's owner contests it, or gives free again."""
    cash = CASH_OF[Method(row["method"])]
    if said.kind is SaidKind.DISPUTED:
        lines = [(Account.DISPUTED, said.cents), (cash, -said.cents)]
        books.move_money(movement(EntryKind.DISPUTED, row, entry(said.currency, lines)))
        why = f"{said.cents} {said.currency} are contested"
        _raise(books, ProblemKind.PAYMENT_DISPUTED, row, said, why)
        return
    lines = [(cash, said.cents), (Account.DISPUTED, -said.cents)]
    books.move_money(movement(EntryKind.REINSTATED, row, entry(said.currency, lines)))
    books.solve_problem(ProblemKind.PAYMENT_DISPUTED, row["payment_id"])


def _bounced(books: Transaction, row: Row, said: ProviderSaid) -> None:
    """Note that a refund did not arrive: it is owed again, and somebody has to find a way."""
    assert said.call is not None, "only a refund of ours bounces"
    if not books.payments.bounce_call(call_id=said.call):
        return
    pay_out(books, row, -said.cents)
    why = f"a refund of {said.cents} {said.currency} did not arrive"
    _raise(books, ProblemKind.PAYMENT_REFUSED, row, said, why)


def _raise(books: Transaction, kind: ProblemKind, row: Row, said: ProviderSaid, why: str) -> None:
    books.raise_problem(
        Problem(
            kind=kind,
            subject=row["payment_id"],
            why=why,
            evidence={
                "payment": row["payment_id"],
                "order": row["order_id"],
                "event": said.event_id,
            },
        )
    )

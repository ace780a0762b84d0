"""Double entry: each movement of money is postings that sum to nought in every currency."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Account(StrEnum):
    """Where money stands; `cash` has one account for each way that it comes in by."""

    RECEIVABLE = "receivable"
    """What customers have been asked for and not paid yet."""
    SALES = "sales"
    TAX = "tax"
    VOUCHER = "voucher"
    """What vouchers have taken off."""
    REFUND = "refund"
    """Sales given back, without their tax."""
    COMPENSATION = "compensation"
    """What time that was granted and not delivered has cost."""
    DISPUTED = "disputed"
    """What a card's owner contests and the provider holds until it is decided."""
    SUSPENSE = "suspense"
    """What came in and is not what was asked for: an operator decides about it."""
    CREDIT = "liability:credit"
    """What is owed as compensation."""
    REFUND_DUE = "liability:refund"
    """What is refunded and has not left yet."""
    CASH_FREE = "cash:free"
    """What is settled outside: at a counter, by a club's fee, or not at all."""
    CASH_STRIPE = "cash:stripe"


CASH: Final = frozenset({Account.CASH_FREE, Account.CASH_STRIPE})

_KEPT: Final = CASH | {Account.REFUND_DUE, Account.SUSPENSE}


class EntryKind(StrEnum):
    """Why money moved."""

    CHARGED = "charged"
    PAID = "paid"
    WITHDRAWN = "withdrawn"
    """A charge that nobody paid is taken back."""
    REFUNDED = "refunded"
    PAID_OUT = "paid_out"
    REFUNDED_ELSEWHERE = "refunded_elsewhere"
    """Given back at the provider by other hands than ours."""
    COMPENSATED = "compensated"
    CREDITED = "credited"
    """A compensation is on its way to whoever had paid."""
    DISPUTED = "disputed"
    REINSTATED = "reinstated"
    """The provider gave back what had been disputed."""
    UNEXPECTED = "unexpected"


@dataclass(frozen=True, kw_only=True, slots=True)
class Posting:
    """One line of an entry, in minor units: above nought is debit, below is credit."""

    account: Account
    cents: int
    currency: str


def entry(currency: str, lines: Iterable[tuple[Account, int]]) -> tuple[Posting, ...]:
    """Return the postings of an entry in one currency; lines of nought are left out."""
    made = tuple(
        Posting(account=account, cents=cents, currency=currency)
        for account, cents in lines
        if cents
    )
    assert is_balanced(made), f"{made} does not sum to nought"
    return made


def is_balanced(postings: Iterable[Posting]) -> bool:
    """Say whether postings sum to nought in each currency."""
    sums: Counter[str] = Counter()
    for posting in postings:
        sums[posting.currency] += posting.cents
    return not any(sums.values())


def undone(postings: Iterable[Posting]) -> tuple[Posting, ...]:
    """Return the postings that take these back: nothing is ever changed, only countered."""
    return tuple(
        Posting(account=each.account, cents=-each.cents, currency=each.currency)
        for each in postings
    )


def kept_cents(balances: Iterable[tuple[str, int]]) -> int:
    """Return what of the money that came in is still here, by the balances of a payment.

    That is what stands in the accounts of cash, less what is about to go back or is not known to be
    ours.
    """
    return sum(cents for account, cents in balances if account in _KEPT)


def free_cents(balances: Iterable[tuple[str, int]]) -> int:
    """Return what of the money that came in may be given back, by the balances of an order.

    That is what is still here, less what is owed as compensation and goes back as such.
    """
    free = _KEPT | {Account.CREDIT}
    return sum(cents for account, cents in balances if account in free)

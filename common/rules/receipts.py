"""What a receipt says: filled by who keeps the money, drawn by who makes the papers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptLine:
    """One thing that was bought, at its price before anything was taken off."""

    title: str
    cents: int
    starts_at: int | None = None
    ends_at: int | None = None
    party_size: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptGiven:
    """What was given of one thing that was bought, as far as it is known: measured, not booked."""

    title: str
    starts_at: int
    ends_at: int
    promised_seconds: float
    delivered_seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptTax:
    """What of one rate is in the total: of `gross_cents`, `tax_cents` are tax.

    `basis_points` is the rate: 1000 are ten per cent.
    """

    basis_points: int
    gross_cents: int
    tax_cents: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptRefund:
    """What was given back: above nought, with its own tax; `number` is its own running number."""

    number: str
    refunded_at: int
    cents: int
    taxes: tuple[ReceiptTax, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """A receipt of one order; money is in whole minor units of `currency`.

    Attributes:
        number: the running number, as it is written.
        discount_cents: what was taken off the lines, at or above nought.
        paid_by: the method's word: free, voucher, stripe_checkout.
        seller: who has sold it, as the law wants it named; empty: only the store is named.
        given: what was delivered of it, where that is over.
        registration: the seller's number for tax, such as a Japanese T and thirteen digits.
    """

    number: str
    store_title: str
    time_zone: str
    issued_at: int
    currency: str
    lines: tuple[ReceiptLine, ...]
    total_cents: int
    paid_by: str
    discount_cents: int = 0
    taxes: tuple[ReceiptTax, ...] = ()
    refunds: tuple[ReceiptRefund, ...] = ()
    seller: str = ""
    registration: str = ""
    given: tuple[ReceiptGiven, ...] = ()

    @property
    def refunded_cents(self) -> int:
        """Return what was given back so far."""
        return sum(refund.cents for refund in self.refunds)

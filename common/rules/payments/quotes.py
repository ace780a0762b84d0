"""The price of a whole order: its slots, what a voucher takes off, and the tax within it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from pydantic import TypeAdapter

from common.rules.payments.prices import Part
from common.rules.payments.tax import TaxLine, tax_lines
from common.rules.payments.vouchers import Discount


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """What one slot costs: `gross_cents` before a voucher, `due_cents` after it."""

    offering: str
    title: str
    starts_at: int
    ends_at: int
    party_size: int
    parts: tuple[Part, ...]
    discount_cents: int
    tax_basis_points: int

    @property
    def gross_cents(self) -> int:
        """Return the price before a voucher."""
        return sum(part.cents for part in self.parts)

    @property
    def due_cents(self) -> int:
        """Return what is to be paid for this slot."""
        return self.gross_cents - self.discount_cents


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """What an order costs at one store, line by line in the order it was asked for.

    Attributes:
        total_cents: what is to be paid: all lines, less `discount_cents`.
        tax: what of the total is tax, a line for each rate.
        voucher: the id of the voucher used, if any, with how much of it.
    """

    store: str
    currency: str
    lines: tuple[Line, ...]
    voucher: str | None = None
    voucher_uses: int = 0
    voucher_seconds: int = 0

    @property
    def discount_cents(self) -> int:
        """Return what the voucher takes off."""
        return sum(line.discount_cents for line in self.lines)

    @property
    def total_cents(self) -> int:
        """Return what is to be paid."""
        return sum(line.due_cents for line in self.lines)

    @property
    def tax(self) -> tuple[TaxLine, ...]:
        """Return the tax within the total, by rates, the highest first."""
        return tax_lines((line.tax_basis_points, line.due_cents) for line in self.lines)


def discounted(lines: Sequence[Line], discount: Discount) -> tuple[Line, ...]:
    """Return the lines with what a voucher takes off each."""
    return tuple(
        replace(line, discount_cents=cents)
        for line, cents in zip(lines, discount.cents, strict=True)
    )


def as_text(quote: Quote) -> str:
    """Return a quote as it is kept."""
    return _QUOTE.dump_json(quote).decode()


def quote_in(text: str) -> Quote:
    """Return a quote that was kept."""
    return _QUOTE.validate_json(text)


_QUOTE: Final = TypeAdapter(Quote)

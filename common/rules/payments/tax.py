"""Tax inside the price: several rates, rounded once for each rate of a receipt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from common.rules.payments.shares import rounded

WHOLE: Final = 10_000
"""Basis points in the whole."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TaxLine:
    """What a receipt says of one rate: `gross_cents` is paid, and `tax_cents` is within it."""

    basis_points: int
    gross_cents: int
    tax_cents: int

    @property
    def net_cents(self) -> int:
        """Return what is left without the tax."""
        return self.gross_cents - self.tax_cents


def tax_lines(sums: Iterable[tuple[int, int]]) -> tuple[TaxLine, ...]:
    """Return one line for each rate of `(basis_points, gross_cents)`, the highest rate first.

    A rate's amounts are added before they are rounded, so that a receipt of many lines says the
    same tax as one of their sum.
    """
    by_rate: Counter[int] = Counter()
    for basis_points, gross_cents in sums:
        by_rate[basis_points] += gross_cents
    return tuple(
        TaxLine(
            basis_points=rate,
            gross_cents=gross,
            tax_cents=rounded(gross * rate, WHOLE + rate),
        )
        for rate, gross in sorted(by_rate.items(), reverse=True)
    )


def given_back(
    lines: tuple[TaxLine, ...], before: Mapping[int, int], cents: int, first: int | None = None
) -> tuple[TaxLine, ...]:
    """Return the tax lines of a refund of `cents`, above nought.

    Args:
        lines: what was paid.
        before: how much of each rate has been given back already.
        cents: how much is given back now; at most what is left.
        first: the rate of what is given back; the others follow when nothing is left of it.

    The tax of each is the difference between two shares of the whole, so that refunds in whatever
    pieces add up to what was paid, to the unit.
    """
    left, made = cents, []
    for line in sorted(lines, key=lambda each: each.basis_points != first):
        was = before.get(line.basis_points, 0)
        part = min(left, line.gross_cents - was)
        left -= part
        tax = _tax_within(line, was + part) - _tax_within(line, was)
        if part:
            made.append(TaxLine(basis_points=line.basis_points, gross_cents=part, tax_cents=tax))
    assert not left, "more than was paid cannot be given back"
    return tuple(made)


def _tax_within(line: TaxLine, cents: int) -> int:
    return rounded(line.tax_cents * cents, line.gross_cents) if cents else 0

"""What a royalty report counts: its own period, and what was learnt since of periods before it.

Its law: a closed report never changes. What came late is a line of the next one, at the price of
the period that it belongs to, so the sum of all reports is what all of them would count today (D6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from common.rules.modules.match import Matched, RoyaltyBasis


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What is paid for, and how much for each, in whole minor units of `currency`."""

    basis: RoyaltyBasis
    royalty_cents: int
    currency: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """The period `[starts_at, ends_at)` of the report of this number, and its terms."""

    report: int
    starts_at: int
    ends_at: int
    terms: Terms


@dataclass(frozen=True, kw_only=True, slots=True)
class RoyaltyLine:
    """One line of a report: of a period, how many more are paid for; fewer, where below nought.

    Attributes:
        period: its own report's, or, where it is a correction, an earlier one's.
    """

    period: Period
    counted: int

    @property
    def cents(self) -> int:
        """Return what is due for it, at its own period's price."""
        return self.counted * self.period.terms.royalty_cents


def royalty_lines(
    matched: Matched, period: Period, closed: Sequence[Period], said: Iterable[RoyaltyLine]
) -> tuple[RoyaltyLine, ...]:
    """Return the lines of a period's report: its own first, then a correction for each before it.

    `closed` are the periods of all reports before it, `said` all lines of all of them.
    """
    counted_before: dict[int, int] = {}
    for line in said:
        report = line.period.report
        counted_before[report] = counted_before.get(report, 0) + line.counted
    corrections = (
        RoyaltyLine(
            period=each, counted=_counted(matched, each) - counted_before.get(each.report, 0)
        )
        for each in closed
    )
    own = RoyaltyLine(period=period, counted=_counted(matched, period))
    return (own, *(line for line in corrections if line.counted))


def due_of(lines: Iterable[RoyaltyLine]) -> Mapping[str, int]:
    """Return what is due in all, in whole minor units, by currency; below nought: owed to us."""
    due: dict[str, int] = {}
    for line in lines:
        currency = line.period.terms.currency
        due[currency] = due.get(currency, 0) + line.cents
    return due


def _counted(matched: Matched, period: Period) -> int:
    basis = period.terms.basis
    before, after = matched.before(period.starts_at), matched.before(period.ends_at)
    return after.counted_by(basis) - before.counted_by(basis)

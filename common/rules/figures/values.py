"""The facts that a period's figures are counted from, and the figures themselves."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from common.rules.figures.periods import Period

CAME: Final = frozenset({"in_use", "completed"})
"""States of a reservation whose customer was there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """One session as it is counted; seconds are None while nobody has told them."""

    device: str
    state: str
    running_at: int | None
    ended_at: int | None
    end_reason: str | None
    delivered_seconds: float | None
    lost_seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One reservation as it is counted, with its sessions in their order.

    Attributes:
        owed_seconds: what was promised and not delivered, as it was entered.
        owed_cents: what of it is paid back.
    """

    device: str
    offering: str
    state: str
    starts_at: int
    ends_at: int
    price_cents: int
    currency: str
    owed_seconds: float = 0.0
    owed_cents: int = 0
    given: tuple[Given, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Posted:
    """One line of the ledger of money: above nought is debit."""

    kind: str
    at: int
    account: str
    cents: int
    currency: str


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownDevice:
    """A device of the store, with the days' stretches in which it was out of order."""

    device: str
    title: str
    out: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaked:
    """A leak: which kind, where, and from when to when; `ended_at` is None while it lasts."""

    kind: str
    device: str
    began_at: int
    ended_at: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """What a period's figures are counted from.

    Attributes:
        opened: when the store was open, within the period (UTC ms).
        now: what is not over is counted up to now.
    """

    period: Period
    now: int
    opened: Sequence[tuple[int, int]]
    devices: Sequence[KnownDevice]
    offerings: Mapping[str, str]
    asked: Sequence[Asked]
    posted: Sequence[Posted]
    leaked: Sequence[Leaked] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Money:
    """What was earned in one currency, in minor units, taxes included; `tax_cents` is within."""

    sold_cents: int = 0
    vouchers_cents: int = 0
    refunded_cents: int = 0
    compensated_cents: int = 0
    tax_cents: int = 0

    @property
    def net_cents(self) -> int:
        """Return what is left of what was sold."""
        off = self.vouchers_cents + self.refunded_cents + self.compensated_cents
        return self.sold_cents - off

    def plus(self, other: Money) -> Money:
        """Return both together."""
        return Money(
            sold_cents=self.sold_cents + other.sold_cents,
            vouchers_cents=self.vouchers_cents + other.vouchers_cents,
            refunded_cents=self.refunded_cents + other.refunded_cents,
            compensated_cents=self.compensated_cents + other.compensated_cents,
            tax_cents=self.tax_cents + other.tax_cents,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class DayFigures:
    """One day: `open_seconds` are those of all devices together."""

    day: date
    open_seconds: float = 0.0
    delivered_seconds: float = 0.0
    visits: int = 0
    no_shows: int = 0
    cancelled: int = 0
    money: Mapping[str, Money] = field(default_factory=dict)

    @classmethod
    def sum_of(cls, days: Sequence[DayFigures]) -> DayFigures:
        """Return several days, or a day of several stores, as one that is called as the first."""
        return cls(
            day=days[0].day,
            open_seconds=sum(each.open_seconds for each in days),
            delivered_seconds=sum(each.delivered_seconds for each in days),
            visits=sum(each.visits for each in days),
            no_shows=sum(each.no_shows for each in days),
            cancelled=sum(each.cancelled for each in days),
            money=money_of(each.money for each in days),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceFigures:
    """One device: how much it was used, and how well it served.

    Attributes:
        faults: ends that the device has caused, by their reason; failed starts are `failed`.
        unknown: sessions of which nobody has told what was delivered.
        leaks: seconds that it was on without a session, or off with one.
    """

    device: str
    title: str
    open_seconds: float
    out_seconds: float
    booked_seconds: float
    delivered_seconds: float
    lost_seconds: float
    visits: int
    sessions: int
    failed: int
    unknown: int
    faults: Mapping[str, int]
    leaks: int
    leaked_seconds: float

    @property
    def faulty(self) -> int:
        """Return how many of its sessions it has spoilt."""
        return self.failed + sum(self.faults.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class OfferingFigures:
    """One offering; what it was sold for, as it was priced, is by currency."""

    offering: str
    title: str
    visits: int
    no_shows: int
    cancelled: int
    delivered_seconds: float
    priced_cents: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class PaidBack:
    """What was paid back for lost time, and why it was lost."""

    why: str
    visits: int
    seconds: float
    cents: Mapping[str, int]


LostFor = str
"""Why time was lost: an end reason, `interrupted` where it went on, `not_started`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """All figures of a period.

    Attributes:
        busy: by weekday and hour, what share of its open time was used; None: it was closed.
    """

    first: date
    last: date
    days: tuple[DayFigures, ...]
    devices: tuple[DeviceFigures, ...]
    offerings: tuple[OfferingFigures, ...]
    paid_back: tuple[PaidBack, ...]
    leaks: tuple[Leaked, ...]
    used_seconds: tuple[tuple[float, ...], ...]
    open_seconds: tuple[tuple[float, ...], ...]

    @property
    def total(self) -> DayFigures:
        """Return all days as one."""
        return DayFigures.sum_of(self.days)

    @property
    def busy(self) -> tuple[tuple[float | None, ...], ...]:
        """Return what share of its open time was used, by weekday and hour."""
        return tuple(
            tuple(used / opened if opened else None for used, opened in zip(*pair, strict=True))
            for pair in zip(self.used_seconds, self.open_seconds, strict=True)
        )


def money_of(parts: Iterable[Mapping[str, Money]]) -> dict[str, Money]:
    """Return several sums as one, by currency."""
    sums: defaultdict[str, Money] = defaultdict(Money)
    for part in parts:
        for currency, money in part.items():
            sums[currency] = sums[currency].plus(money)
    return {currency: sums[currency] for currency in sorted(sums)}


def cents_of(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Return minor units as one sum, by currency."""
    sums: Counter[str] = Counter()
    for currency, cents in pairs:
        sums[currency] += cents
    return {currency: sums[currency] for currency in sorted(sums)}

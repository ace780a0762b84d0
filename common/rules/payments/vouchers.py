"""What a voucher takes off an order, and whether it may be used now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from common.rules.payments.prices import CENTS_MAX
from common.rules.payments.shares import rounded, shared

CODE_LENGTH: Final = 12
"""Characters of a code, 4.9 bits each: 58 bits, so that nobody finds one by guessing."""

_WHOLE = 10_000


class VoucherKind(StrEnum):
    """What a voucher gives."""

    AMOUNT = "amount"
    """So many minor units off an order."""
    PERCENT = "percent"
    """A share of an order, in basis points."""
    TIME = "time"
    """Prepaid time, used up bit by bit."""
    USES = "uses"
    """Each use pays for one slot, whatever it costs."""


class VoucherTerms(BaseModel):
    """What a voucher gives, by its kind, and exactly that."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: VoucherKind
    cents: Annotated[int, Field(ge=1, le=CENTS_MAX)] | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    basis_points: Annotated[int, Field(ge=1, le=_WHOLE)] | None = None
    seconds: Annotated[int, Field(ge=1, lt=2**31)] | None = None

    @model_validator(mode="after")
    def _says_what_its_kind_gives(self) -> Self:
        wanted = {
            VoucherKind.AMOUNT: {"cents", "currency"},
            VoucherKind.PERCENT: {"basis_points"},
            VoucherKind.TIME: {"seconds"},
            VoucherKind.USES: set[str](),
        }[self.kind]
        fields = ("cents", "currency", "basis_points", "seconds")
        if {field for field in fields if getattr(self, field) is not None} != wanted:
            message = f"a voucher of kind {self.kind} has {sorted(wanted) or 'nothing else'}"
            raise ValueError(message)
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class VoucherFacts:
    """A voucher as it stands now; `None` for a store or an offering is any of them."""

    terms: VoucherTerms
    store: str | None
    offering: str | None
    starts_at: int
    ends_at: int
    uses_max: int
    uses: int
    seconds_used: int
    is_revoked: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What one slot of an order costs before any voucher."""

    offering: str
    cents: int
    length_seconds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Discount:
    """What is taken off each slot of an order, and how much of the voucher that uses up."""

    cents: tuple[int, ...]
    uses: int
    seconds: int


class VoucherNo(StrEnum):
    """Why a voucher cannot be used; only whoever has a real code hears which."""

    UNKNOWN = "unknown"
    NOT_YET = "not_yet"
    OVER = "over"
    USED_UP = "used_up"
    NOT_HERE = "not_here"


def discount_of(
    voucher: VoucherFacts, store: str, currency: str, costs: Sequence[Cost], *, now: int
) -> Discount | VoucherNo:
    """Return what a voucher takes off an order at a store, or why it takes nothing off."""
    if voucher.is_revoked or now >= voucher.ends_at:
        return VoucherNo.OVER
    if now < voucher.starts_at:
        return VoucherNo.NOT_YET
    fits = [voucher.offering in {None, cost.offering} for cost in costs]
    is_money_of_it = voucher.terms.currency in {None, currency}
    if voucher.store not in {None, store} or not is_money_of_it or not any(fits):
        return VoucherNo.NOT_HERE
    found = _taken_off(
        voucher, [cost.cents if fit else 0 for cost, fit in zip(costs, fits, strict=True)], costs
    )
    is_used_up = found.uses > voucher.uses_max - voucher.uses or not found.uses
    return VoucherNo.USED_UP if is_used_up else found


def _taken_off(voucher: VoucherFacts, cents: list[int], costs: Sequence[Cost]) -> Discount:
    terms = voucher.terms
    match terms.kind:
        case VoucherKind.AMOUNT:
            off = shared(min(terms.cents or 0, sum(cents)), cents)
            return Discount(cents=off, uses=1, seconds=0)
        case VoucherKind.PERCENT:
            off = shared(rounded(sum(cents) * (terms.basis_points or 0), _WHOLE), cents)
            return Discount(cents=off, uses=1, seconds=0)
        case VoucherKind.TIME:
            return _by_time(cents, costs, (terms.seconds or 0) - voucher.seconds_used)
        case VoucherKind.USES:
            left = voucher.uses_max - voucher.uses
            paid = [place for place, price in enumerate(cents) if price][:left]
            kept = tuple(price if place in paid else 0 for place, price in enumerate(cents))
            return Discount(cents=kept, uses=max(1, len(paid)), seconds=0)


def _by_time(cents: list[int], costs: Sequence[Cost], left_seconds: int) -> Discount:
    """Pay for whole slots and a part of the last, by time, rounded for the customer's good."""
    off, used = [], 0
    for price, cost in zip(cents, costs, strict=True):
        seconds = min(cost.length_seconds, left_seconds - used) if price else 0
        off.append(-(-price * seconds // cost.length_seconds))
        used += seconds
    return Discount(cents=tuple(off), uses=1 if used else 0, seconds=used)

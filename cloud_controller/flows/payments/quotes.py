"""What an order costs, asked before anything is filled in; a voucher is looked at, not used."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from cloud_controller.ports import NotAllowed, NotFound, Row, Transaction
from common.errors import RusubanError
from common.rules.payments import (
    Cost,
    Line,
    Prices,
    Quote,
    Stay,
    VoucherFacts,
    VoucherNo,
    VoucherTerms,
    discount_of,
    discounted,
    price_of,
    price_of_more,
)

PRICES_KEPT: Final = 256
"""Offerings whose prices are kept read: those of a chain of stores."""


class VoucherIsRefused(RusubanError):
    """This voucher cannot be used: {why}."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """A slot of an offering `[starts_at, ends_at)` in ms, for a party of so many."""

    offering_id: str
    starts_at: int
    ends_at: int
    party_size: int = 1


def quote(books: Transaction, items: Sequence[Item], voucher: str = "") -> Quote:
    """Return what these slots cost together, with a voucher's code or without.

    Raises:
        NotFound: there is no such offering.
        NotAllowed: the slots are of two stores, or of two currencies.
        VoucherIsRefused: nothing is taken off with this code; `why` is of `VoucherNo`.
    """
    assert items, "an order has at least one slot"
    terms = [_terms(books, item.offering_id) for item in items]
    if len({(row["store_id"], row["currency"]) for row in terms}) > 1:
        raise NotAllowed(why="one order is of one store and in one currency")
    store, currency = terms[0]["store_id"], terms[0]["currency"]
    lines = tuple(_line(row, item) for row, item in zip(terms, items, strict=True))
    whole = Quote(store=store, currency=currency, lines=lines)
    return _with_voucher(books, whole, voucher) if voucher else whole


def quote_more(books: Transaction, item: Item, ends_at: int, voucher: str = "") -> Quote:
    """Return what it costs that a slot goes on until `ends_at` (ms), beyond what the slot costs.

    Raises:
        NotFound: there is no such offering.
        VoucherIsRefused: nothing is taken off with this code; `why` is of `VoucherNo`.
    """
    row = _terms(books, item.offering_id)
    prices, shortest = _prices_in(row["prices"]), min(json.loads(row["lengths_seconds"]))
    part = price_of_more(prices, row["price_cents"], _stay(row, item), ends_at, shortest)
    line = Line(
        offering=item.offering_id,
        title=row["title"],
        starts_at=item.ends_at,
        ends_at=ends_at,
        party_size=item.party_size,
        parts=(part,),
        discount_cents=0,
        tax_basis_points=prices.tax_basis_points,
    )
    more = Quote(store=row["store_id"], currency=row["currency"], lines=(line,))
    return _with_voucher(books, more, voucher) if voucher else more


def digest_of(code: str) -> str:
    """Return what is kept of a voucher's code, however it was typed."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


def _terms(books: Transaction, offering: str) -> Row:
    row = books.payments.terms_of(offering_id=offering)
    if row is None:
        raise NotFound(what="offering")
    return row


def _line(row: Row, item: Item) -> Line:
    prices = _prices_in(row["prices"])
    return Line(
        offering=item.offering_id,
        title=row["title"],
        starts_at=item.starts_at,
        ends_at=item.ends_at,
        party_size=item.party_size,
        parts=price_of(prices, row["price_cents"], _stay(row, item)),
        discount_cents=0,
        tax_basis_points=prices.tax_basis_points,
    )


def _stay(row: Row, item: Item) -> Stay:
    return Stay(
        starts_at=item.starts_at,
        ends_at=item.ends_at,
        zone=ZoneInfo(row["time_zone"]),
        party_size=item.party_size,
    )


@lru_cache(maxsize=PRICES_KEPT)
def _prices_in(text: str | None) -> Prices:
    """Return an offering's prices, read once however often it is asked what it costs."""
    return Prices() if text is None else Prices.model_validate_json(text)


def _with_voucher(books: Transaction, whole: Quote, code: str) -> Quote:
    row = books.payments.voucher(code_digest=digest_of(code))
    if row is None:
        raise VoucherIsRefused(why=VoucherNo.UNKNOWN)
    costs = [
        Cost(
            offering=line.offering,
            cents=line.gross_cents,
            length_seconds=(line.ends_at - line.starts_at) // 1000,
        )
        for line in whole.lines
    ]
    found = discount_of(_facts(row), whole.store, whole.currency, costs, now=books.now)
    if isinstance(found, VoucherNo):
        raise VoucherIsRefused(why=found)
    return Quote(
        store=whole.store,
        currency=whole.currency,
        lines=discounted(whole.lines, found),
        voucher=row["voucher_id"],
        voucher_uses=found.uses,
        voucher_seconds=found.seconds,
    )


def _facts(row: Row) -> VoucherFacts:
    return VoucherFacts(
        terms=VoucherTerms.model_validate_json(row["terms"]),
        store=row["store_id"],
        offering=row["offering_id"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        uses_max=row["uses_max"],
        uses=row["uses"],
        seconds_used=row["seconds_used"],
        is_revoked=row["revoked_at"] is not None,
    )

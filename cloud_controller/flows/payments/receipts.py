"""Receipts: one for what came in, one for what went back, numbered by store and year without gaps.

Its law: a receipt takes its number in the transaction that makes it, and is never changed.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from cloud_controller.ports import Row, Transaction
from common.rules.payments import Quote, TaxLine

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def issue_sale(books: Transaction, payment: Row, quote: Quote) -> None:
    """Issue the receipt for a payment that came in; for nought there is none."""
    body = {
        "method": payment["method"],
        "lines": [
            {
                "title": line.title,
                "starts_at": line.starts_at,
                "ends_at": line.ends_at,
                "party_size": line.party_size,
                "gross_cents": line.gross_cents,
                "discount_cents": line.discount_cents,
                "tax_basis_points": line.tax_basis_points,
            }
            for line in quote.lines
        ],
        "tax": _told(quote.tax),
    }
    _issue(books, payment, "sale", quote.total_cents, body)


def issue_refund(books: Transaction, payment: Row, tax: tuple[TaxLine, ...], why: str) -> None:
    """Issue the receipt for a part of a payment that goes back."""
    body = {"method": payment["method"], "why": why, "tax": _told(tax)}
    _issue(books, payment, "refund", sum(line.gross_cents for line in tax), body)


def given_back_before(books: Transaction, payment: str) -> dict[int, int]:
    """Return how much of each rate of a payment has been given back, by its receipts."""
    found: dict[int, int] = {}
    for row in books.payments.refund_receipts(payment_id=payment):
        for line in json.loads(row["body"])["tax"]:
            rate = line["basis_points"]
            found[rate] = found.get(rate, 0) + line["gross_cents"]
    return found


def receipts_of(books: Transaction, order_id: str) -> list[dict[str, Any]]:
    """Return an order's receipts, the oldest first; `lines` are of sales, `tax` of all."""
    return [{**dict(row), **json.loads(row["body"])} for row in _rows(books, order_id)]


def _rows(books: Transaction, order_id: str) -> list[Row]:
    return list(books.payments.receipts_of(order_id=order_id))


def _issue(books: Transaction, payment: Row, kind: str, cents: int, body: dict[str, Any]) -> None:
    if not cents:
        return
    store = payment["store_id"]
    zone = ZoneInfo(books.payments.zone_of(store_id=store))
    year = (_EPOCH + timedelta(milliseconds=books.now)).astimezone(zone).year
    books.payments.add_receipt(
        store_id=store,
        year=year,
        number=books.payments.next_receipt(store_id=store, year=year),
        kind=kind,
        order_id=payment["order_id"],
        payment_id=payment["payment_id"],
        total_cents=cents,
        currency=payment["currency"],
        body=json.dumps(body),
        issued_at=books.now,
    )


def _told(tax: tuple[TaxLine, ...]) -> list[dict[str, int]]:
    return [
        {
            "basis_points": line.basis_points,
            "gross_cents": line.gross_cents,
            "tax_cents": line.tax_cents,
        }
        for line in tax
    ]

"""The receipts of a ticket's order as PDF: one for each payment, with what was given back of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Final

from aiohttp import web

from cloud_controller.flows import letters, payments, sessions
from cloud_controller.ports import NotFound, Transaction
from cloud_controller.web.paper import MEDIA_TYPE as PDF, receipts_pdf
from cloud_controller.web.routes import Call
from common.rules.receipts import Receipt, ReceiptGiven, ReceiptLine, ReceiptRefund, ReceiptTax

NUMBER_DIGITS: Final = 6
"""Digits of a receipt's number within its store and year."""


async def show_receipts(call: Call[None]) -> web.Response:
    """Return the receipts of a ticket's order; who was given the ticket did not pay for it.

    Raises:
        NotFound: there is no such ticket, nothing was paid, or it was paid by somebody else.
    """
    receipts = await call.parts.books.read(receipts_by_link, call.names["link"])
    if not receipts:
        raise NotFound(what="receipt")
    body = await asyncio.to_thread(receipts_pdf, receipts, call.language)
    return web.Response(
        body=body,
        content_type=PDF,
        headers={"Content-Disposition": 'inline; filename="receipt.pdf"'},
    )


def has_receipt(books: Transaction, link: str) -> bool:
    """Say whether there is a receipt of a ticket's order for whoever holds it.

    Raises:
        NotFound: there is no such ticket.
    """
    order = _order_paid_by_holder(books, link)
    return order is not None and any(
        row["kind"] == "sale" for row in payments.receipts_of(books, order)
    )


def receipts_by_link(books: Transaction, link: str) -> list[Receipt]:
    """Return the receipts of a ticket's order; none where the ticket was given to its holder.

    Raises:
        NotFound: there is no such ticket.
    """
    order = _order_paid_by_holder(books, link)
    return [] if order is None else receipts_of(books, order)


def receipts_of(books: Transaction, order: str) -> list[Receipt]:
    """Return an order's receipts, the oldest first; the last says what was given of all of it."""
    rows = payments.receipts_of(books, order)
    refunds = [row for row in rows if row["kind"] == "refund"]
    receipts = [_receipt(row, refunds) for row in rows if row["kind"] == "sale"]
    if receipts:
        receipts[-1] = replace(receipts[-1], given=_given(books, order))
    return receipts


def _order_paid_by_holder(books: Transaction, link: str) -> str | None:
    row = letters.besides(books, link)
    was_given = row["order_id"] is not None and letters.was_given(books, row["reservation_id"])
    return None if was_given else row["order_id"]


def _given(books: Transaction, order: str) -> tuple[ReceiptGiven, ...]:
    """Return what was measured of each use of an order that is over and known."""
    found = []
    for row in books.reservations.of_order(order_id=order):
        given = sessions.given_to(books, row["reservation_id"])
        if row["state"] == "completed" and given.is_known:
            found.append(
                ReceiptGiven(
                    title=row["offering_title"],
                    starts_at=row["starts_at"],
                    ends_at=row["ends_at"],
                    promised_seconds=given.promised_seconds,
                    delivered_seconds=given.delivered_seconds,
                )
            )
    return tuple(found)


def _receipt(sale: dict[str, Any], refunds: list[dict[str, Any]]) -> Receipt:
    return Receipt(
        number=_number(sale),
        store_title=sale["store_title"],
        time_zone=sale["time_zone"],
        issued_at=sale["issued_at"],
        currency=sale["currency"],
        lines=tuple(_line(line) for line in sale["lines"]),
        discount_cents=sum(line["discount_cents"] for line in sale["lines"]),
        total_cents=sale["total_cents"],
        paid_by=sale["method"],
        taxes=_taxes(sale),
        refunds=tuple(
            ReceiptRefund(
                number=_number(refund),
                refunded_at=refund["issued_at"],
                cents=refund["total_cents"],
                taxes=_taxes(refund),
            )
            for refund in refunds
            if refund["payment_id"] == sale["payment_id"]
        ),
    )


def _line(line: dict[str, Any]) -> ReceiptLine:
    return ReceiptLine(
        title=line["title"],
        cents=line["gross_cents"],
        starts_at=line["starts_at"],
        ends_at=line["ends_at"],
        party_size=line["party_size"],
    )


def _number(row: dict[str, Any]) -> str:
    return f"{row['store_id']}-{row['year']}-{row['number']:0{NUMBER_DIGITS}}"


def _taxes(row: dict[str, Any]) -> tuple[ReceiptTax, ...]:
    return tuple(ReceiptTax(**tax) for tax in row["tax"])

"""What is known of customers: told to one who asks, forgotten for one who asks, and after a while.

Of what was sold the sums, times and devices stay, and nobody's name is with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from cloud_controller.ports import NotAllowed, NotFound, Row, Transaction
from common.rules.letters import address_of

LINK_DIGITS: Final = 64
"""Digits of a link that nobody is told: what was mailed opens nothing any more."""

FORGET_MAX: Final = 200
"""Orders that are forgotten in one transaction: whoever books meanwhile waits for no more."""


def who_of(text: str) -> str:
    """Return an address, or a ticket's link, of what was typed or copied from a browser."""
    return text.strip().rstrip("/").rpartition("/")[2]


def export(books: Transaction, who: str, actor: str) -> dict[str, Any]:
    """Return all that is known of a customer, by his mail address or one of his tickets' links.

    Raises:
        NotFound: nothing is known of him.
    """
    mail, orders = _found(books, who)
    books.audit(actor, "customer.exported", _name_of(orders))
    return {
        "mail": mail,
        "orders": [_order(books, row) for row in orders],
        "given": [_use(books, row) for row in books.privacy.reservations_given_to(mail=mail)],
        "waiting": [dict(row) for row in books.privacy.waits_of(mail=mail)],
        "letters": [dict(row) for row in books.privacy.letters_of(mail=mail)],
    }


def erase(books: Transaction, who: str, actor: str, reason: str) -> int:
    """Forget a customer; return of how many orders. Sums and times stay, without him.

    Raises:
        NotFound: nothing is known of him.
        NotAllowed: something is still ahead of him, or money is under way to him.
    """
    mail, orders = _found(books, who)
    for row in orders:
        if books.privacy.live_of(order_id=row["order_id"]):
            raise NotAllowed(why="a reservation is still ahead: cancel it first, or wait")
        if books.privacy.unsettled_of(order_id=row["order_id"]):
            raise NotAllowed(why="money is under way: wait until it has arrived")
    given = list(books.privacy.reservations_given_to(mail=mail))
    if any(row["state"] in ("held", "confirmed", "in_use") for row in given):
        raise NotAllowed(why="a reservation is still ahead: cancel it first, or wait")
    for row in orders:
        books.privacy.forget_order(order_id=row["order_id"], link=_nobody_s_link(books))
        _forget_uses(books, list(books.privacy.reservations_of_order(order_id=row["order_id"])))
    _forget_uses(books, given)
    if mail:
        books.privacy.forget_waits(mail=mail, at=books.now)
        books.privacy.forget_letters(mail=mail, at=books.now)
    books.audit(actor, "customer.erased", _name_of(orders), reason)
    return len(orders)


def forget(books: Transaction, orders_seconds: int, waits_seconds: int) -> int:
    """Forget whose old orders and waits were, some at once; return of how many orders."""
    books.privacy.forget_old_waits(before=books.now - waits_seconds * 1000)
    before = books.now - orders_seconds * 1000
    return int(books.privacy.forget_old_orders(before=before, most=FORGET_MAX))


def _found(books: Transaction, who: str) -> tuple[str, list[Row]]:
    """Return a customer's address, empty where there is none, and his orders."""
    mail = address_of(who)
    if mail is None:
        order = books.privacy.order_of_ticket(link=who)
        if order is None:
            raise NotFound(what="customer")
        mail = order["mail"]
        if not mail:
            return "", [order]
    orders = list(books.privacy.orders_of_mail(mail=mail))
    others = (
        *books.privacy.reservations_given_to(mail=mail),
        *books.privacy.waits_of(mail=mail),
        *books.privacy.letters_of(mail=mail),
    )
    if not orders and not others:
        raise NotFound(what="customer")
    return mail, orders


def _order(books: Transaction, row: Row) -> dict[str, Any]:
    name = row["order_id"]
    return {
        "order": name,
        "store": row["store_id"],
        "language": row["language"],
        "made_at": row["made_at"],
        "reservations": [
            _use(books, each) for each in books.privacy.reservations_of_order(order_id=name)
        ],
        "payments": [dict(each) for each in books.privacy.payments_of(order_id=name)],
        "receipts": [dict(each) for each in books.privacy.receipts_of(order_id=name)],
    }


def _use(books: Transaction, row: Row) -> dict[str, Any]:
    name = row["reservation_id"]
    return {
        **dict(row),
        "sessions": [dict(each) for each in books.privacy.sessions_of(reservation_id=name)],
        "events": [dict(each) for each in books.privacy.events_of(reservation_id=name)],
        "lines": [dict(each) for each in books.privacy.lines_of(reservation_id=name)],
    }


def _forget_uses(books: Transaction, rows: Sequence[Row]) -> None:
    for row in rows:
        name = row["reservation_id"]
        books.privacy.forget_link(reservation_id=name, link=_nobody_s_link(books))
        books.privacy.forget_lines(reservation_id=name)


def _nobody_s_link(books: Transaction) -> str:
    return books.names.hex_digits(LINK_DIGITS)


def _name_of(orders: Sequence[Row]) -> str:
    """Return how the audit calls a customer: by an order, since his address is to be forgotten."""
    return str(orders[0]["order_id"]) if orders else "customer"

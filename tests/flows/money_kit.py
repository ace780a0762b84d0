"""An order to be paid, put into the books by hand, and a look at where the money is."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from cloud_controller.flows import payments
from cloud_controller.ports import Transaction
from common.rules.payments import CASH, Account, ProviderSaid, SaidKind
from tests.fakes.house import SLOT_SECONDS, STORE, HouseInHand

SLOT_MS = SLOT_SECONDS * 1000


def an_order(house: HouseInHand) -> str:
    """Put an empty order into the books and return its id."""
    order = house.names.new("order")

    def put(books: Transaction) -> None:
        connection = house.books.connection
        connection.execute(
            "INSERT INTO orders (order_id, store_id, link, holder, made_at)"
            " VALUES (?, ?, ?, '', ?)",
            (order, STORE, f"link-of-{order}", books.now),
        )

    house.books.do(put)
    return order


def an_item(house: HouseInHand, *, slots: int = 1, **changed: Any) -> payments.Item:
    """Return the next slots of the only offering."""
    starts_at = -(-house.clock.now // SLOT_MS) * SLOT_MS
    facts: dict[str, Any] = {
        "offering_id": house.books.one("offerings")["offering_id"],
        "starts_at": starts_at,
        "ends_at": starts_at + slots * SLOT_MS,
    }
    return payments.Item(**facts | changed)


def balances(house: HouseInHand) -> dict[Account, int]:
    """Return what stands in each account, accounts with nought left out."""
    sums: defaultdict[Account, int] = defaultdict(int)
    for row in house.books.rows("postings"):
        sums[Account(row["account"])] += row["cents"]
    return {account: cents for account, cents in sums.items() if cents}


def assert_balanced(house: HouseInHand) -> None:
    """Check that each entry sums to nought, and that no more went out than came in."""
    sums: defaultdict[tuple[int, str], int] = defaultdict(int)
    for row in house.books.rows("postings"):
        sums[row["entry_id"], row["currency"]] += row["cents"]
    assert not any(sums.values())
    assert len({entry for entry, _ in sums}) == len(house.books.rows("entries"))
    assert all(balances(house).get(account, 0) >= 0 for account in CASH)


def receipt_numbers(house: HouseInHand) -> list[tuple[int, int]]:
    """Return the numbers of all receipts, with their year, in the order they were issued."""
    return [(row["year"], row["number"]) for row in house.books.rows("receipts")]


@dataclass
class Purse:
    """What one order has paid and got back, as its customer would count it."""

    paid: int = 0
    back: int = 0


@dataclass
class Provider:
    """The provider's own books: a page for each payment, and what it holds of each."""

    pages: dict[str, dict[str, Any]] = field(default_factory=dict)
    words: list[ProviderSaid] = field(default_factory=list)
    refunds: dict[str, int] = field(default_factory=dict)
    number: int = 0

    def say(self, kind: SaidKind, page: dict[str, Any], **more: Any) -> None:
        self.number += 1
        facts: dict[str, Any] = {
            "provider": "stripe",
            "event_id": f"evt_{self.number}",
            "kind": kind,
            "sameness": page["ref"],
            "payment": page["payment"],
            "ref": page["ref"],
            "intent": page["intent"],
            "cents": page["cents"],
            "currency": "JPY",
        }
        self.words.append(ProviderSaid(**facts | more))

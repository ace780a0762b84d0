"""A served store that is paid through a stub of Stripe, and a look at its books and its money."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud_controller.settings import PaymentSettings, StripeSettings
from cloud_controller.web.routes import iso
from common.rules.payments import Method
from tests.fakes.store import HOUR_MS, MORNING_AT, Offer, Opened
from tests.fakes.stripe import KEY, OLDER_SECRET, SECRET, Stripe, stripe_stub
from tests.rim.web_kit import WebKit, web_kit

API = "/api/v1"
PRICE = 1500


@dataclass(kw_only=True)
class Till:
    """The store, its provider, and what customers and the provider do."""

    web: WebKit
    stripe: Stripe
    opened: Opened
    file: Path

    async def order(self, *, devices: int = 1, at: int = MORNING_AT + HOUR_MS, **more: Any) -> Any:
        """Order a time on so many devices; return the answer, with the page to pay on."""
        item = {"offering": self.opened.offering, "length_seconds": 1800}
        wanted = {"items": [item | {"starts_at": iso(at)}] * devices, "holder": "", **more}
        key = {"Idempotency-Key": self.web.store.names.hex_digits(32)}
        answered = await self.web.post(f"{API}/orders", json=wanted, headers=key)
        assert answered.status == 201, answered.text
        return answered.json

    async def see(self, order: Any) -> Any:
        """Return what has become of an order."""
        return (await self.web.get(f"{API}/orders/{order['link']}")).json

    async def say(self, event: dict[str, Any], **how: Any) -> int:
        """Have Stripe say an event; return what it is answered."""
        return await self.stripe.send(self.web.http, event, **how)

    async def look(self) -> None:
        """Let the desk say what is due."""
        await self.web.desk.look()

    async def rows(self, table: str) -> list[dict[str, Any]]:
        """Return what a table holds, to look behind the curtain."""
        with closing(sqlite3.connect(self.file)) as connection:
            connection.row_factory = sqlite3.Row
            query = f"SELECT * FROM {table} ORDER BY rowid"  # noqa: S608 - named by tests
            return [dict(row) for row in connection.execute(query)]

    async def balances(self) -> dict[str, int]:
        """Return what stands in each account; each entry is checked to sum to nought."""
        sums: defaultdict[str, int] = defaultdict(int)
        entries: defaultdict[tuple[int, str], int] = defaultdict(int)
        for row in await self.rows("postings"):
            sums[row["account"]] += row["cents"]
            entries[row["entry_id"], row["currency"]] += row["cents"]
        assert not any(entries.values())
        return {account: cents for account, cents in sums.items() if cents}

    async def payment(self) -> dict[str, Any]:
        """Return the latest payment."""
        return (await self.rows("payments"))[-1]

    async def problems(self) -> list[str]:
        return [row["kind"] for row in await self.rows("problems")]

    def move(self, seconds: float) -> None:
        """Let time go by, here and at Stripe."""
        self.web.store.clock.move(seconds)
        self.stripe.now += int(seconds)


def page_of(order: Any) -> str:
    """Return the provider's name of the page on which an order is paid."""
    return str(order["payment_url"].rpartition("/")[2])


@asynccontextmanager
async def till(folder: Path, *, offer: Offer | None = None) -> AsyncIterator[Till]:
    """Serve a store that is paid through a stub of Stripe."""
    async with stripe_stub() as stripe:
        for name, secret in (("key", KEY), ("new", SECRET), ("old", OLDER_SECRET)):
            (folder / name).write_text(f"{secret}\n")
        settings = PaymentSettings(
            methods=frozenset({Method.STRIPE_CHECKOUT, Method.VOUCHER}),
            stripe=StripeSettings(
                key_file=folder / "key",
                webhook_secret_files=(folder / "new", folder / "old"),
                url=stripe.url,
            ),
        )
        async with web_kit(folder, payments=settings) as web:
            stripe.webhook_url = f"{web.url}{API}/payments/stripe/webhook"
            stripe.now = web.store.clock.now // 1000
            opened = await web.store.open(offer)
            yield Till(web=web, stripe=stripe, opened=opened, file=folder / "books.sqlite")

"""A store that has lived for a while: what was booked, used, paid, missed and lost, as rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from cloud_controller.storage.choice import BOOKS_FILE
from tests.fakes.store import HOUR_MS, MINUTE_MS, SHINJUKU, Opened

DAY_MS = 24 * HOUR_MS
PRICE_CENTS = 1500
TAX_CENTS = 136
SLOT_MS = 30 * MINUTE_MS

Rows = Iterator[tuple[str, dict[str, Any]]]


def lived(folder: Path, opened: Opened, now: int, days: int = 30) -> None:
    """Let the days before now have been lived: the same ones for whoever asks."""
    file = folder / BOOKS_FILE if (folder / BOOKS_FILE).exists() else folder / "books.sqlite"
    with closing(sqlite3.connect(file, timeout=10)) as books, books:
        for table, row in _days(opened, now, days):
            marks = ", ".join("?" for _ in row)
            statement = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608 - ours
            books.execute(statement, list(row.values()))


def _days(opened: Opened, now: int, days: int) -> Rows:
    number = 0
    for day in range(days, 0, -1):
        midnight = (now // DAY_MS - day) * DAY_MS
        for place, device in enumerate(opened.devices):
            for hour in range(1, 13):
                number += 1
                dice = (number * 7919 + day * 104729 + place * 31) % 100
                is_evening = hour >= 8
                if dice >= (80 if is_evening else 40) - 8 * place:
                    continue
                at = midnight + hour * HOUR_MS
                yield from _visit(opened, device, number, at, dice)
    yield (
        "leaks",
        {
            "leak_id": "leak-1",
            "kind": "device_without_session",
            "device_id": opened.devices[0],
            "store_id": SHINJUKU,
            "began_at": now - 3 * DAY_MS,
            "ended_at": now - 3 * DAY_MS + 25 * MINUTE_MS,
        },
    )


def _visit(opened: Opened, device: str, number: int, at: int, dice: int) -> Rows:
    """Yield one reservation with what became of it."""
    name = f"r-lived-{number}"
    slots = 2 if dice % 3 == 0 else 1
    state = {5: "no_show", 17: "no_show", 11: "cancelled"}.get(dice, "completed")
    yield (
        "reservations",
        {
            "reservation_id": name,
            "store_id": SHINJUKU,
            "offering_id": opened.offering,
            "device_id": device,
            "starts_at": at,
            "ends_at": at + slots * SLOT_MS,
            "blocked_until": at + slots * SLOT_MS,
            "state": state,
            "price_cents": PRICE_CENTS * slots,
            "currency": "JPY",
            "link": f"link-lived-{number}",
            "made_at": at,
            "changed_at": at,
        },
    )
    if state == "cancelled":
        return
    yield from _entry(number * 10, at, "charged", ("receivable", "sales", "tax"), slots)
    if state == "completed":
        yield from _use(opened, device, number, at, dice, slots)


def _use(opened: Opened, device: str, number: int, at: int, dice: int, slots: int) -> Rows:
    granted = slots * SLOT_MS / 1000
    is_broken, is_left = dice in (2, 3, 23), dice % 10 == 7
    delivered = granted * (0.4 if is_broken or is_left else 1.0)
    reason = "program_failed" if is_broken else "customer_ended" if is_left else "time_up"
    yield (
        "sessions",
        {
            "session_id": f"s-lived-{number}",
            "ticket_id": f"t-lived-{number}",
            "reservation_id": f"r-lived-{number}",
            "store_id": SHINJUKU,
            "device_id": device,
            "terminal_id": opened.terminal,
            "program": "game",
            "fence": number,
            "state": "ended",
            "granted_seconds": granted,
            "granted_at": at,
            "deadline_at": at + slots * SLOT_MS,
            "running_at": at,
            "ended_at": at + int(delivered * 1000),
            "end_reason": reason,
            "delivered_seconds": delivered,
        },
    )
    if not is_broken:
        return
    cents = round(PRICE_CENTS * slots * 0.6)
    yield (
        "compensations",
        {
            "reservation_id": f"r-lived-{number}",
            "seconds": granted - delivered,
            "cents": cents,
            "currency": "JPY",
            "why": "not_delivered",
            "made_at": at,
        },
    )
    accounts = ("compensation", "liability:credit")
    for row in _entry(number * 10 + 1, at, "compensated", accounts, slots, cents):
        if row[0] == "entries":
            row[1]["reservation_id"] = f"r-lived-{number}"
        yield row


def _entry(
    entry: int, at: int, kind: str, accounts: tuple[str, ...], slots: int, cents: int = 0
) -> Rows:
    yield "entries", {"entry_id": entry, "kind": kind, "store_id": SHINJUKU, "at": at}
    whole = cents or PRICE_CENTS * slots
    parts = (
        [whole, -whole] if cents else [whole, (TAX_CENTS - PRICE_CENTS) * slots, -TAX_CENTS * slots]
    )
    for line, (account, part) in enumerate(zip(accounts, parts, strict=True)):
        posting = {"account": account, "cents": part, "currency": "JPY"}
        yield "postings", {"entry_id": entry, "line": line, **posting}

"""What a store's figures are counted from, read in one go: reservations, sessions, money, leaks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from cloud_controller.ports import NotFound, Row, Transaction
from common.rules.figures import (
    Asked,
    Figures,
    Given,
    KnownDevice,
    Leaked,
    Period,
    Posted,
    Stretch,
    figures_of,
)
from common.rules.reservations import Range, open_ranges, read_hours

PeriodIn = Callable[[str, int], Period]
"""Makes the period of a store by its zone and the present instant."""


def of_store(books: Transaction, store: str, period_in: PeriodIn) -> Figures:
    """Return the figures of a store in a period of its own calendar.

    Raises:
        NotFound: there is no such store.
    """
    known = books.figures.store(store_id=store)
    if known is None:
        raise NotFound(what="store")
    period = period_in(known["time_zone"], books.now)
    return figures_of(_stretch(books, known, period))


def _stretch(books: Transaction, known: Row, period: Period) -> Stretch:
    store, starts_at, ends_at = known["store_id"], period.starts_at, period.ends_at
    window = Range(starts_at=starts_at, ends_at=ends_at)
    opened = open_ranges(read_hours(known["hours"]), known["time_zone"], window)
    rows = books.figures.offerings(store_id=store)
    return Stretch(
        period=period,
        now=books.now,
        opened=[(each.starts_at, each.ends_at) for each in opened],
        devices=_devices(books, store, window),
        offerings={row["offering_id"]: row["title"] for row in rows},
        asked=_asked(books, store, window),
        posted=[
            Posted(**dict(row))
            for row in books.figures.posted(store_id=store, starts_at=starts_at, ends_at=ends_at)
        ],
        leaked=[
            Leaked(
                kind=row["kind"],
                device=row["device_id"],
                began_at=row["began_at"],
                ended_at=row["ended_at"],
            )
            for row in books.figures.leaked(store_id=store, starts_at=starts_at, ends_at=ends_at)
        ],
    )


def _devices(books: Transaction, store: str, window: Range) -> list[KnownDevice]:
    out: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in books.figures.out_of_order(
        store_id=store, starts_at=window.starts_at, ends_at=window.ends_at
    ):
        ends_at = min(row["solved_at"] or books.now, window.ends_at)
        out[row["device_id"]].append((max(row["raised_at"], window.starts_at), ends_at))
    return [
        KnownDevice(device=row["device_id"], title=row["title"], out=tuple(out[row["device_id"]]))
        for row in books.figures.devices(store_id=store)
    ]


def _asked(books: Transaction, store: str, window: Range) -> list[Asked]:
    given: defaultdict[str, list[Given]] = defaultdict(list)
    for row in books.figures.given(
        store_id=store, starts_at=window.starts_at, ends_at=window.ends_at
    ):
        given[row["reservation_id"]].append(_given(row))
    return [
        Asked(
            device=row["device_id"],
            offering=row["offering_id"],
            given=tuple(given[row["reservation_id"]]),
            **_same(row, "state", "starts_at", "ends_at", "price_cents", "currency"),
            **_same(row, "owed_seconds", "owed_cents"),
        )
        for row in books.figures.asked(
            store_id=store, starts_at=window.starts_at, ends_at=window.ends_at
        )
    ]


def _given(row: Row) -> Given:
    told = _same(row, "state", "running_at", "ended_at", "end_reason", "delivered_seconds")
    return Given(device=row["device_id"], lost_seconds=row["lost_seconds"], **told)


def _same(row: Row, *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}

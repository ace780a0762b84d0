"""Figures as sheets: one row for each day, device, offering, reason or leak (RFC 4180).

Its law: a sheet is read by people's programs: names stay as they are, money is in whole minor
units, times are in UTC, and no text of ours is taken for a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

from cloud_controller.web.routes import iso
from common.rules.figures import Figures

NEVER_FIRST: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


class Sheet(StrEnum):
    """What a sheet has a row for."""

    DAYS = "days"
    DEVICES = "devices"
    OFFERINGS = "offerings"
    PAID_BACK = "paid_back"
    LEAKS = "leaks"


Row = Mapping[str, Any]


def sheet_of(figures: Figures, sheet: Sheet) -> str:
    """Return one sheet as CSV; an empty one has its head all the same."""
    columns, rows_of = _SHEETS[sheet]
    text = io.StringIO()
    rows = csv.DictWriter(text, columns, lineterminator="\r\n")
    rows.writeheader()
    for row in rows_of(figures):
        rows.writerow({name: harmless(row.get(name, "")) for name in columns})
    return text.getvalue()


def harmless(value: object) -> object:
    """Return a cell that no spreadsheet reckons with."""
    if isinstance(value, str) and value.startswith(NEVER_FIRST):
        return f"'{value}"
    return value


def _days(figures: Figures) -> Iterable[Row]:
    """Yield a row for each day and currency; what has none is in the first row of its day."""
    for day in figures.days:
        told = {
            "day": day.day.isoformat(),
            "open_seconds": round(day.open_seconds),
            "delivered_seconds": round(day.delivered_seconds),
            "visits": day.visits,
            "no_shows": day.no_shows,
            "cancelled": day.cancelled,
        }
        for currency, money in day.money.items():
            yield told | {"currency": currency} | {n: getattr(money, n) for n in _MONEY}
            told = {"day": day.day.isoformat()}
        if not day.money:
            yield told


def _devices(figures: Figures) -> Iterable[Row]:
    for each in figures.devices:
        yield {
            "device": each.device,
            "title": each.title,
            **{name: round(getattr(each, name)) for name in _OF_DEVICE},
            "faults": " ".join(f"{why}:{count}" for why, count in each.faults.items()),
        }


def _offerings(figures: Figures) -> Iterable[Row]:
    for each in figures.offerings:
        for currency, cents in each.priced_cents.items() or (("", 0),):
            yield {
                "offering": each.offering,
                "title": each.title,
                **{name: round(getattr(each, name)) for name in _OF_OFFERING},
                "currency": currency,
                "priced_cents": cents,
            }


def _paid_back(figures: Figures) -> Iterable[Row]:
    for each in figures.paid_back:
        for currency, cents in each.cents.items():
            yield {
                "why": each.why,
                "visits": each.visits,
                "seconds": round(each.seconds, 3),
                "currency": currency,
                "cents": cents,
            }


def _leaks(figures: Figures) -> Iterable[Row]:
    for each in figures.leaks:
        ended = "" if each.ended_at is None else iso(each.ended_at)
        yield {
            "kind": each.kind,
            "device": each.device,
            "began_at": iso(each.began_at),
            "ended_at": ended,
        }


_MONEY: Final = (
    *("sold_cents", "vouchers_cents", "refunded_cents", "compensated_cents"),
    *("net_cents", "tax_cents"),
)
_OF_DEVICE: Final = (
    *("open_seconds", "out_seconds", "booked_seconds", "delivered_seconds", "lost_seconds"),
    *("visits", "sessions", "failed", "unknown", "leaks", "leaked_seconds"),
)
_OF_OFFERING: Final = ("visits", "no_shows", "cancelled", "delivered_seconds")
_OF_DAY: Final = ("open_seconds", "delivered_seconds", "visits", "no_shows", "cancelled")

_SHEETS: Final[Mapping[Sheet, tuple[tuple[str, ...], Callable[[Figures], Iterable[Row]]]]] = {
    Sheet.DAYS: (("day", *_OF_DAY, "currency", *_MONEY), _days),
    Sheet.DEVICES: (("device", "title", *_OF_DEVICE, "faults"), _devices),
    Sheet.OFFERINGS: (("offering", "title", *_OF_OFFERING, "currency", "priced_cents"), _offerings),
    Sheet.PAID_BACK: (("why", "visits", "seconds", "currency", "cents"), _paid_back),
    Sheet.LEAKS: (("kind", "device", "began_at", "ended_at"), _leaks),
}

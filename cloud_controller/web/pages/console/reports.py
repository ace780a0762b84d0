"""The reports' page: what was used, earned, missed, paid back, and where it leaks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from aiohttp import web
from pydantic import Field

from cloud_controller.flows import figures
from cloud_controller.ports import Transaction
from cloud_controller.web.figures import as_file
from cloud_controller.web.pages.console.plots import (
    Card,
    Column,
    Plot,
    card_of,
    columns_of,
    plot_of,
)
from cloud_controller.web.pages.console.shell import OfStore, Shell, shell_of
from cloud_controller.web.pages.steps import address_of
from cloud_controller.web.routes import Call, Page
from cloud_controller.web.sheets import Sheet
from common.rules.figures import (
    Choice,
    DayFigures,
    DeviceFigures,
    Figures,
    Period,
    PeriodIsWrong,
    chosen,
    period_of,
    together,
)

COMPARED_DAYS_MAX: Final = 92
"""Up to a quarter, what came before is counted as well; of a year nobody waits for two."""

LEAKS_SHOWN: Final = 20
"""Leaks that the page shows, the latest; the sheet has all."""

PATH: Final = "/operator/reports"

EPOCH: Final = date(1970, 1, 1).toordinal()


class ReportWanted(OfStore):
    """A store and a period: by its name, or by its days; what is none is the last thirty days."""

    period: str = Field("", max_length=16)
    first: str = Field("", max_length=10)
    last: str = Field("", max_length=10)

    @property
    def choice(self) -> Choice:
        """Return the period's name; that of the days, where they are asked for, is no matter."""
        return Choice(self.period) if self.period in set(Choice) else Choice.MONTH

    @property
    def has_days(self) -> bool:
        """Say whether the period is asked for by its days."""
        return bool(self.first or self.last)

    @property
    def is_wrong(self) -> bool:
        """Say whether the days that are asked for are no period."""
        return self.has_days and self._by_days("UTC") is None

    def period_in(self, time_zone: str, now: int) -> Period:
        """Return the period by the calendar of a zone."""
        return self._by_days(time_zone) or chosen(self.choice, time_zone, now)

    def _by_days(self, time_zone: str) -> Period | None:
        with suppress(ValueError, PeriodIsWrong):
            first, last = date.fromisoformat(self.first), date.fromisoformat(self.last)
            return period_of(first, last, time_zone)
        return None


class SheetOfStores(ReportWanted):
    """Which sheet, of which stores and period."""

    sheet: Sheet = Sheet.DAYS


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """The plots of a page; of money one for each currency."""

    columns: tuple[Column, ...]
    use: Plot
    visits: Plot
    money: tuple[tuple[str, Plot], ...]
    card: Card


async def show_reports(call: Call[ReportWanted]) -> Page:
    """Show the figures of a period."""
    facts = await call.parts.books.read(_facts, call)
    return Page(template="console/reports.html", facts=facts)


async def show_sheet(call: Call[SheetOfStores]) -> web.Response:
    """Return one sheet of what the page shows.

    Raises:
        NotFound: there is no such store, or none at all.
    """
    counted = await call.parts.books.read(_counted, call)
    return as_file(counted, call.asked.sheet, call.asked.store)


def reliability(device: DeviceFigures) -> float | None:
    """Return what share of a device's sessions it has not spoilt; None: it had none."""
    if not device.sessions:
        return None
    return 1 - min(device.faulty, device.sessions) / device.sessions


def noon(day: date) -> int:
    """Return the middle of a date in UTC, by which the languages write it (ms)."""
    return (day.toordinal() - EPOCH) * 86_400_000 + 43_200_000


def _facts(books: Transaction, call: Call[ReportWanted]) -> dict[str, Any]:
    shell = shell_of(books, call, "reports")
    shown: dict[str, Any] = {"shell": shell, "asked": call.asked, "now": books.now}
    shown |= {"choices": _choices(shell, call.asked), "sheets": {}, "figures": None, "noon": noon}
    if not shell.ids:
        return shown
    counted = _of(books, shell.ids, call.asked)
    total = counted.total
    return shown | {
        "figures": counted,
        "total": total,
        "before": _before(books, shell.ids, counted),
        "drawn": _drawn(counted, total),
        "sheets": {sheet: _sheet_at(shell, counted, sheet) for sheet in Sheet},
        "leaks": sorted(counted.leaks, key=lambda leak: -leak.began_at)[:LEAKS_SHOWN],
        "titles": {device.device: device.title for device in counted.devices},
        "reliability": reliability,
    }


def _counted(books: Transaction, call: Call[SheetOfStores]) -> Figures:
    shell = shell_of(books, call, "reports")
    return _of(books, shell.ids, call.asked)


def _of(books: Transaction, stores: Sequence[str], asked: ReportWanted) -> Figures:
    return together([figures.of_store(books, store, asked.period_in) for store in stores])


def _before(books: Transaction, stores: Sequence[str], counted: Figures) -> DayFigures | None:
    """Return the sums of as many days before, where they are not too many to be counted again."""
    days = (counted.last - counted.first).days + 1
    if days > COMPARED_DAYS_MAX:
        return None
    first, last = counted.first - timedelta(days=days), counted.first - timedelta(days=1)

    def period_in(time_zone: str, _now: int) -> Period:
        return Period(first=first, last=last, time_zone=time_zone)

    return together([figures.of_store(books, store, period_in) for store in stores]).total


def _drawn(counted: Figures, total: DayFigures) -> Drawn:
    columns = columns_of(counted)
    days = [column.figures for column in columns]
    return Drawn(
        columns=columns,
        use=plot_of([("used", [round(100 * column.share, 2) for column in columns])]),
        visits=plot_of(
            [
                ("came", [float(day.visits) for day in days]),
                ("missed", [float(day.no_shows) for day in days]),
            ]
        ),
        money=tuple(
            (currency, plot_of([("earned", [_net(day, currency) for day in days])]))
            for currency in total.money
        ),
        card=card_of(counted.busy),
    )


def _net(day: DayFigures, currency: str) -> float:
    return float(day.money[currency].net_cents) if currency in day.money else 0.0


def _choices(shell: Shell, asked: ReportWanted) -> list[tuple[str, str, bool]]:
    """Return each named period with its address, and whether it is shown."""
    here = None if asked.has_days and not asked.is_wrong else asked.choice
    return [
        (choice, address_of(PATH, store=shell.store, period=choice), choice is here)
        for choice in Choice
    ]


def _sheet_at(shell: Shell, counted: Figures, sheet: Sheet) -> str:
    days = {"first": counted.first.isoformat(), "last": counted.last.isoformat()}
    return address_of(f"{PATH}/figures.csv", store=shell.store, sheet=sheet, **days)

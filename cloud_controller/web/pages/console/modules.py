"""The operator's page about modules: installs, seats, who has it from where, and royalties."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from cloud_controller.flows import modules
from cloud_controller.flows.rights.pools import Pool
from cloud_controller.ports import Row, Transaction
from cloud_controller.web.pages.chart import Chart, chart_of
from cloud_controller.web.pages.console.shell import shell_of
from cloud_controller.web.routes import Call, Page
from cloud_controller.web.royalties import seats_of
from common.rules.modules import (
    UNDER_WAY,
    InstallFailure,
    InstallState,
    Kept,
    Match,
    RemovalState,
    Step,
    UninstallRefusal,
)

MONTHS: Final = 12
"""Months that the chart shows, the one that goes on included."""

SOON_SECONDS: Final = 3
"""Between two looks while something is installed."""

CALM_SECONDS: Final = 30
"""Between two looks else; and always between two of the whole page, which reads whole logs."""

SILENT_SECONDS: Final = 60
"""After so long without a word an install is said to be silent: one that goes on speaks sooner."""

REPORTS_SHOWN: Final = 6
"""Closed reports that the page shows, the latest; the sheet has all."""

STATES: Final = frozenset(str(each) for kind in (InstallState, Step, RemovalState) for each in kind)
"""All that a terminal says of a package: where its install is, what is next, how it goes away."""

GOOD: Final = frozenset({"active", "superseded", "removed", "here", "elsewhere"})
BAD: Final = frozenset({"failed", "rolled_back"})
KEPT_BECAUSE: Final = frozenset(str(each) for kind in (Kept, UninstallRefusal) for each in kind)
BUSY: Final = frozenset(str(each) for each in (*UNDER_WAY, InstallState.PROBATION))
"""What goes on by itself and ends soon: it has a bar."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Install:
    """One install as it is shown.

    Attributes:
        state: one of `STATES`, or `unknown` where the terminal speaks of another.
        why: an `InstallFailure`; empty where there is none.
        kept: why it is not removed, by our word or the controller's; empty where there is none.
        sign: `good`, `bad`, `busy`, `waiting`, or `silent`: busy, and no word has come for long.
        done_bytes: never more than `all_bytes`; nought of nought: it cannot be told.
    """

    terminal: str
    store: str
    time_zone: str
    title: str
    version: str
    state: str
    why: str
    kept: str
    sign: str
    done_bytes: int
    all_bytes: int
    told_at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ModuleShown:
    """One module as it is shown.

    Attributes:
        months: each with the instant at which it began and its match at its end.
        next: what the next report would say; None where the module was never published.
    """

    row: Row
    pool: Pool | None
    months: tuple[tuple[int, Match], ...]
    chart: Chart
    reports: tuple[dict[str, Any], ...]
    next: dict[str, Any] | None

    @property
    def match(self) -> Match:
        """Return the match as it is now."""
        return self.months[-1][1]


async def show_page(call: Call[None]) -> Page:
    """Show all there is about modules."""
    facts = await call.parts.books.read(_facts, call) | {"calm_seconds": CALM_SECONDS}
    return Page(template="console/modules.html", facts=facts, refresh_seconds=_refresh(facts))


async def show_installs(call: Call[None]) -> Page:
    """Show the installs alone: what changes by the second."""
    facts = await call.parts.books.read(_installs, call)
    return Page(template="console/installs.html", facts=facts, refresh_seconds=_refresh(facts))


def _refresh(facts: dict[str, Any]) -> int:
    is_busy = any(each.sign == "busy" for each in facts["installs"])
    return SOON_SECONDS if is_busy else CALM_SECONDS


def _facts(books: Transaction, call: Call[None]) -> dict[str, Any]:
    stores = list(books.registration.stores())
    zone = stores[0]["time_zone"] if stores else "UTC"
    starts = month_starts(books.now, zone)
    seats = seats_of(books)
    return {
        "modules": [
            _module(books, row, seats.get(row["module"]), starts) for row in modules.licensed(books)
        ],
        "zone": zone,
        **_installs(books, call),
    }


def _module(books: Transaction, row: Row, pool: Pool | None, starts: Sequence[int]) -> ModuleShown:
    matches = modules.matches(books, row["module"], [*starts[1:], books.now + 1])
    closed = modules.reports(books, row["module"])
    return ModuleShown(
        row=row,
        pool=pool,
        months=tuple(zip(starts, matches, strict=True)),
        chart=chart_of(matches),
        reports=tuple(json.loads(each["document"]) for each in closed[: -REPORTS_SHOWN - 1 : -1]),
        next=_next(books, row, closed),
    )


def _next(books: Transaction, row: Row, closed: Sequence[Row]) -> dict[str, Any] | None:
    if not row["basis"] or (closed and closed[-1]["ends_at"] >= books.now):
        return None
    return modules.draft_report(books, row["module"])


def _installs(books: Transaction, call: Call[None]) -> dict[str, Any]:
    return {
        "installs": [_install(row, books.now) for row in modules.progress(books)],
        "shell": shell_of(books, call, "modules"),
    }


def _install(row: Row, now: int) -> Install:
    state, (why, _, _) = row["state"], row["detail"].partition(":")
    return Install(
        terminal=row["hostname"],
        store=row["store_title"],
        time_zone=row["time_zone"],
        title=row["title"] or row["package"],
        version=row["version"],
        state=state if state in STATES else "unknown",
        why=why if state in BAD and why in set(InstallFailure) else "",
        kept=why if state == RemovalState.KEPT and why in KEPT_BECAUSE else "",
        sign=_sign(state, now - row["told_at"]),
        done_bytes=min(row["done_bytes"], row["all_bytes"]),
        all_bytes=row["all_bytes"],
        told_at=row["told_at"],
    )


def _sign(state: str, silent_ms: int) -> str:
    if state in GOOD:
        return "good"
    if state in BAD:
        return "bad"
    if state not in BUSY:
        return "waiting"
    return "silent" if silent_ms > SILENT_SECONDS * 1000 else "busy"


def month_starts(now: int, zone: str) -> list[int]:
    """Return when the last months began in a zone, in UTC milliseconds, this one last."""
    place = ZoneInfo(zone)
    today = datetime.fromtimestamp(now / 1000, UTC).astimezone(place)
    months = today.year * 12 + today.month - 1
    starts = (divmod(month, 12) for month in range(months - MONTHS + 1, months + 1))
    return [
        int(datetime(year, month + 1, 1, tzinfo=place).timestamp() * 1000) for year, month in starts
    ]

"""The audit: every privileged act, who did it to what and why; filtered, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from cloud_controller.flows import accounts
from cloud_controller.flows.accounts import AUDIT_PAGE, AuditWanted
from cloud_controller.ports import Row, Transaction
from cloud_controller.web.pages.console.shell import shell_of
from cloud_controller.web.routes import Call, Page, iso
from cloud_controller.web.sheets import harmless

SHEET_ROWS_MAX: Final = 50_000
"""Acts of one CSV file: those of a year of fifty stores; older ones are asked for by their days."""

Filter = Annotated[str, Field(max_length=80)]
Day = Annotated[date | None, BeforeValidator(lambda said: said or None)]


class ActsWanted(BaseModel):
    """Which acts: whose, of what kind, to what, on which days of the first store; empty: all."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    actor: Filter = ""
    act: Filter = ""
    subject: Filter = ""
    since: Day = None
    until: Day = None
    before: Annotated[int, Field(ge=0, le=accounts.ENTRY_MAX)] = accounts.ENTRY_MAX


async def show_acts(call: Call[ActsWanted]) -> Page:
    """Show acts, the latest first."""
    return Page(template="console/audit.html", facts=await call.parts.books.read(_acts, call))


async def show_sheet(call: Call[ActsWanted]) -> web.Response:
    """Return the acts that the page shows, all of them, as CSV."""
    rows = await call.parts.books.read(_sheet, call)
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    text = _csv_of(rows)
    return web.Response(text=text, content_type="text/csv", charset="utf-8", headers=headers)


def _acts(books: Transaction, call: Call[ActsWanted]) -> dict[str, Any]:
    shell = shell_of(books, call, "people")
    rows = accounts.acts(books, _wanted(call.asked, shell.zone, AUDIT_PAGE + 1))
    return {
        "shell": shell,
        "asked": call.asked,
        "acts": rows[:AUDIT_PAGE],
        "more": rows[AUDIT_PAGE - 1]["entry_id"] if len(rows) > AUDIT_PAGE else None,
        "actors": accounts.actors(books),
        "query": _query(call.asked),
        "now": books.now,
    }


def _sheet(books: Transaction, call: Call[ActsWanted]) -> list[Row]:
    zone = shell_of(books, call, "people").zone
    return accounts.acts(books, _wanted(call.asked, zone, SHEET_ROWS_MAX))


def _wanted(asked: ActsWanted, zone: str, most: int) -> AuditWanted:
    return AuditWanted(
        actor=asked.actor,
        act=asked.act,
        subject=asked.subject,
        since=0 if asked.since is None else _day_begins(asked.since, zone),
        until=accounts.ENTRY_MAX if asked.until is None else _day_begins(asked.until, zone, 1),
        before=asked.before,
        most=most,
    )


def _day_begins(day: date, zone: str, later_days: int = 0) -> int:
    """Return when a day begins in a zone, in UTC milliseconds; beyond our time: at its end."""
    try:
        begins = datetime.combine(
            day + timedelta(days=later_days), datetime.min.time(), ZoneInfo(zone)
        )
        return int(begins.timestamp() * 1000)
    except OverflowError:
        return accounts.ENTRY_MAX


def _query(asked: ActsWanted) -> dict[str, str]:
    said = asked.model_dump(exclude={"before"}, exclude_none=True)
    return {name: str(value) for name, value in said.items() if value}


def _csv_of(rows: Iterable[Row]) -> str:
    text = io.StringIO(newline="")
    sheet = csv.writer(text)
    sheet.writerow(("entry", "at", "actor", "act", "subject", "reason"))
    for row in rows:
        said = (row["actor"], row["act"], row["subject"], row["reason"])
        sheet.writerow((row["entry_id"], iso(row["at"]), *(harmless(each) for each in said)))
    return text.getvalue()

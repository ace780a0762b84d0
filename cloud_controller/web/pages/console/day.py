"""A store's day: each device a lane, each hour a column, and where the day is now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import Field

from cloud_controller.flows import board
from cloud_controller.ports import Row, Transaction
from cloud_controller.web.pages.console.board import LOOK_SECONDS, events_of
from cloud_controller.web.pages.console.lanes import Drawn, drawn
from cloud_controller.web.pages.console.shell import OfStore, Shell, shell_of
from cloud_controller.web.routes import Call, Page
from common.rules.reservations import Range

FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
"""Between which a day can be asked for: nothing of ours lies beyond."""


class DayWanted(OfStore):
    """Which day is shown; without one, today as it is at the store."""

    day: str = Field("", pattern=r"^(\d{4}-\d{2}-\d{2})?$")


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreDay:
    """A store and its day."""

    store: Row
    drawn: Drawn


async def show_day(call: Call[DayWanted]) -> Page:
    """Show the day of a store, or of all that the reader may see."""
    facts = await call.parts.books.read(_day, call)
    return Page(template="console/day.html", facts=facts, refresh_seconds=LOOK_SECONDS)


def day_window(day: date, zone: str) -> Range:
    """Return a date's first instant and that of the next one in a zone (UTC ms)."""
    place = ZoneInfo(zone)
    first, last = (
        int(datetime(each.year, each.month, each.day, tzinfo=place).timestamp() * 1000)
        for each in (day, day + timedelta(days=1))
    )
    return Range(starts_at=first, ends_at=last)


def _day(books: Transaction, call: Call[DayWanted]) -> dict[str, Any]:
    shell = shell_of(books, call, "day")
    today = datetime.fromtimestamp(books.now / 1000, UTC).astimezone(ZoneInfo(shell.zone)).date()
    day = _asked(call.asked.day, today)
    floors = [
        StoreDay(
            store=store,
            drawn=drawn(board.day_of(books, store, day_window(day, store["time_zone"])), books.now),
        )
        for store in shell.stores
        if store["store_id"] in shell.ids
    ]
    return {
        "shell": shell,
        "floors": floors,
        "events": events_of(shell),
        "now": books.now,
        "noon": day_window(day, shell.zone).starts_at + 43_200_000,
        "is_today": day == today,
        "before": _at(shell, day - timedelta(days=1), today),
        "after": _at(shell, day + timedelta(days=1), today),
        "today": shell.at("/operator/day"),
    }


def _asked(day: str, today: date) -> date:
    """Return the day that is asked for; today, where it is none or out of our time."""
    try:
        found = date.fromisoformat(day)
    except ValueError:
        return today
    return found if FIRST_DAY <= found <= LAST_DAY else today


def _at(shell: Shell, day: date, today: date) -> str:
    path = shell.at("/operator/day")
    if day == today:
        return path
    return f"{path}{'&' if shell.store else '?'}day={day.isoformat()}"

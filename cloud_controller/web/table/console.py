"""The console: the owner's pages and their forms, a block of rows for each part of it."""

from __future__ import annotations

from typing import Final

from cloud_controller.web.pages.console import board, day
from cloud_controller.web.pages.console.shell import OfStore
from cloud_controller.web.routes import MANAGEMENT, Route, Who
from cloud_controller.web.table.pages import EVENTS, HTML
from cloud_controller.web.table.setup import SETUP_ROUTES
from common.rules.accounts import Permission

# fmt: off
BOARD_ROUTES: Final = (
    Route("GET", "/operator", board.show_board, Who.CONSOLE, MANAGEMENT,
          "Every device as it is now.", asks=OfStore, media_type=HTML,
          permission=Permission.LOOK, by_store=True),
    Route("GET", "/operator/day", day.show_day, Who.CONSOLE, MANAGEMENT,
          "A day of each device.", asks=day.DayWanted, media_type=HTML,
          permission=Permission.LOOK, by_store=True),
    Route("GET", "/operator/events", board.watch, Who.CONSOLE, MANAGEMENT,
          "When a page of the console has changed.", asks=board.Watched, media_type=EVENTS,
          permission=Permission.LOOK, by_store=True),
)
# fmt: on
"""Every device now, and the day."""

CONSOLE_ROUTES: Final = (
    *BOARD_ROUTES,
    *SETUP_ROUTES,
)

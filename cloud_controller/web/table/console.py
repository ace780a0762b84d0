"""The console: the owner's pages and their forms, a block of rows for each part of it."""

from __future__ import annotations

from typing import Final

from cloud_controller.web.pages.console import board, day, terminals
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

# fmt: off
TERMINAL_PAGES: Final = (
    Route("GET", "/operator/terminals", terminals.show_list, Who.CONSOLE, MANAGEMENT,
          "Every terminal, who waits for a word first.", asks=OfStore, media_type=HTML,
          permission=Permission.LOOK, by_store=True),
    Route("GET", "/operator/terminals/{terminal}", terminals.show_terminal, Who.CONSOLE,
          MANAGEMENT, "What a terminal is, and the word on it.", asks=OfStore, media_type=HTML,
          permission=Permission.LOOK),
    Route("POST", "/operator/terminals/{terminal}/standing", terminals.decide, Who.CONSOLE,
          MANAGEMENT, "Confirm, reject, suspend, resume or retire a terminal.",
          asks=terminals.StandingForm, media_type=HTML, permission=Permission.SET_UP),
)
# fmt: on
"""Registrations and what they are decided by."""

CONSOLE_ROUTES: Final = (
    *BOARD_ROUTES,
    *TERMINAL_PAGES,
    *SETUP_ROUTES,
)

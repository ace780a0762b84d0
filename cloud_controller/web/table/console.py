"""The console: the owner's pages and their forms, a block of rows for each part of it."""

from __future__ import annotations

from typing import Final

from cloud_controller.web.pages.console import alerts, board, day, problems, terminals
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

# fmt: off
PROBLEM_ROUTES: Final = (
    Route("GET", "/operator/problems", problems.show_problems, Who.CONSOLE, MANAGEMENT,
          "What somebody must look at.", asks=problems.ListWanted, media_type=HTML,
          permission=Permission.LOOK, by_store=True),
    Route("GET", "/operator/problems/{problem}", problems.show_problem, Who.CONSOLE, MANAGEMENT,
          "One problem, its evidence, and what can be done.", asks=OfStore, media_type=HTML,
          permission=Permission.LOOK),
    Route("POST", "/operator/problems/{problem}/take", problems.take_problem, Who.CONSOLE,
          MANAGEMENT, "Take a problem on.", media_type=HTML, permission=Permission.SERVE),
    Route("POST", "/operator/problems/{problem}/solve", problems.settle_problem, Who.CONSOLE,
          MANAGEMENT, "Say that a problem is settled.", asks=problems.SettledForm,
          media_type=HTML, permission=Permission.SERVE),
    Route("POST", "/operator/problems/{problem}/pay-back", problems.pay_back, Who.CONSOLE,
          MANAGEMENT, "Give a problem's reservation up, and its money back.", media_type=HTML,
          permission=Permission.SERVE),
    Route("GET", "/operator/setup/alerts", alerts.show_alerts, Who.CONSOLE, MANAGEMENT,
          "Who is told of problems.", asks=OfStore, media_type=HTML,
          permission=Permission.SET_UP, by_store=True),
    Route("POST", "/operator/setup/alerts", alerts.keep_alerts, Who.CONSOLE, MANAGEMENT,
          "Say who is told of every store's problems.", asks=alerts.AlertsForm, media_type=HTML,
          permission=Permission.SET_UP),
    Route("POST", "/operator/setup/alerts/{store}", alerts.keep_alerts, Who.CONSOLE, MANAGEMENT,
          "Say who is told of a store's problems.", asks=alerts.AlertsForm, media_type=HTML,
          permission=Permission.SET_UP),
    Route("POST", "/operator/setup/alerts/{store}/forget", alerts.forget_alerts, Who.CONSOLE,
          MANAGEMENT, "Have a store told as every store is.", media_type=HTML,
          permission=Permission.SET_UP),
)
# fmt: on
"""What somebody must look at, and who is told of it."""

CONSOLE_ROUTES: Final = (
    *BOARD_ROUTES,
    *TERMINAL_PAGES,
    *SETUP_ROUTES,
    *PROBLEM_ROUTES,
)

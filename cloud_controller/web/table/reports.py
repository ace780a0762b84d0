"""Reports: figures of a period, sheets of them, and audits, for programs and for the console."""

from __future__ import annotations

from typing import Final

from cloud_controller.web import figures
from cloud_controller.web.pages.console import audits, reports
from cloud_controller.web.routes import API, MANAGEMENT, Route, Who
from cloud_controller.web.table.pages import HTML
from common.rules.accounts import Permission

CSV: Final = "text/csv"

# fmt: off
REPORT_ROUTES: Final = (
    Route("GET", f"{API}/stores/{{store}}/figures", figures.show_figures, Who.OPERATOR, MANAGEMENT,
          "Use, money, no-shows, what was paid back, devices and leaks of a period.",
          asks=figures.FiguresWanted, answers=figures.FiguresTold, permission=Permission.LOOK),
    Route("GET", f"{API}/stores/{{store}}/figures.csv", figures.give_sheet, Who.OPERATOR,
          MANAGEMENT, "The same as a sheet.", asks=figures.SheetWanted, media_type=CSV,
          permission=Permission.LOOK),
    Route("GET", f"{API}/audits", figures.list_audits, Who.OPERATOR, MANAGEMENT,
          "The latest audits of the books, and what they found.", answers=figures.Audits,
          permission=Permission.LOOK),
    Route("POST", f"{API}/audits", figures.audit_now, Who.OPERATOR, MANAGEMENT,
          "Audit the books now.", answers=figures.AuditTold, permission=Permission.SET_UP),
    Route("GET", "/operator/reports", reports.show_reports, Who.CONSOLE, MANAGEMENT,
          "The figures of a period, with plots.", asks=reports.ReportWanted, media_type=HTML,
          permission=Permission.LOOK, by_store=True),
    Route("GET", "/operator/reports/figures.csv", reports.show_sheet, Who.CONSOLE, MANAGEMENT,
          "The same as a sheet.", asks=reports.SheetOfStores, media_type=CSV,
          permission=Permission.LOOK, by_store=True),
    Route("GET", "/operator/reports/audit", audits.show_audits, Who.CONSOLE, MANAGEMENT,
          "What the audits of the books have found.", asks=audits.AuditsWanted, media_type=HTML,
          permission=Permission.LOOK, by_store=True),
    Route("POST", "/operator/reports/audit", audits.audit_now, Who.CONSOLE, MANAGEMENT,
          "Audit the books now.", media_type=HTML, permission=Permission.SET_UP),
)
# fmt: on

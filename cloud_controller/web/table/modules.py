"""Packages and modules: what the operator sees of them and asks."""

from __future__ import annotations

from typing import Final

from cloud_controller.web import module_logs, modules, royalties
from cloud_controller.web.pages.console import modules as module_pages
from cloud_controller.web.reservations import CREATED
from cloud_controller.web.routes import API, MANAGEMENT, Route, Who
from common.rules.accounts import Permission

# fmt: off
MODULE_ROUTES: Final = (
    Route("GET", f"{API}/modules", royalties.list_modules, Who.OPERATOR, MANAGEMENT,
          "List the licensed modules, with seats and match.", answers=royalties.Modules,
          permission=Permission.LOOK),
    Route("GET", f"{API}/modules/{{module}}/reports", royalties.list_reports, Who.OPERATOR,
          MANAGEMENT, "List a module's royalty reports, and what the next one says.",
          answers=royalties.Reports, permission=Permission.LOOK),
    Route("POST", f"{API}/modules/{{module}}/reports", royalties.close_report, Who.OPERATOR,
          MANAGEMENT, "Close a royalty report for good.", asks=royalties.ReportWanted,
          answers=royalties.Report, status=CREATED, permission=Permission.OWN),
    Route("GET", f"{API}/modules/{{module}}/reports.csv", royalties.show_sheet, Who.OPERATOR,
          MANAGEMENT, "A module's closed royalty reports, a row for each line.",
          media_type="text/csv", permission=Permission.LOOK),
    Route("GET", "/operator/modules", module_pages.show_page, Who.CONSOLE, MANAGEMENT,
          "Modules: installs, seats, who has them, royalties.", media_type="text/html",
          permission=Permission.LOOK),
    Route("GET", "/operator/modules/installs", module_pages.show_installs, Who.CONSOLE,
          MANAGEMENT, "The installs alone.", media_type="text/html", permission=Permission.LOOK),
    Route("GET", "/operator/modules/{module}/reports.csv", royalties.show_sheet, Who.CONSOLE,
          MANAGEMENT, "A module's closed royalty reports.", media_type="text/csv",
          permission=Permission.LOOK),
    Route("GET", f"{API}/modules/{{module}}/log/downloads", module_logs.list_downloads,
          Who.OPERATOR, MANAGEMENT, "List who got a module from us, page by page.",
          asks=module_logs.LogWanted, answers=module_logs.DownloadLog, permission=Permission.LOOK),
    Route("GET", f"{API}/modules/{{module}}/log/users", module_logs.list_users, Who.OPERATOR,
          MANAGEMENT, "List who uses a module, page by page.", asks=module_logs.LogWanted,
          answers=module_logs.UserLog, permission=Permission.LOOK),
    Route("POST", f"{API}/terminals/{{terminal}}/modules/{{module}}/uninstall",
          modules.wish_uninstall, Who.OPERATOR, MANAGEMENT,
          "Want a package off a terminal.", answers=modules.Wished, permission=Permission.SET_UP),
    Route("POST", f"{API}/terminals/{{terminal}}/modules/{{module}}/install",
          modules.wish_install, Who.OPERATOR, MANAGEMENT,
          "Want a package at a terminal.", answers=modules.Wished, permission=Permission.SET_UP),
)
# fmt: on

"""The routes about packages and modules, a row each: part of the table of all routes."""

from __future__ import annotations

from typing import Final

from cloud_controller.web import module_logs, modules
from cloud_controller.web.routes import API, MANAGEMENT, Route, Who

# fmt: off
MODULE_ROUTES: Final = (
    Route("GET", f"{API}/modules/{{module}}/log/downloads", module_logs.list_downloads,
          Who.OPERATOR, MANAGEMENT, "List who got a module from us, page by page.",
          asks=module_logs.LogWanted, answers=module_logs.DownloadLog),
    Route("GET", f"{API}/modules/{{module}}/log/users", module_logs.list_users, Who.OPERATOR,
          MANAGEMENT, "List who uses a module, page by page.", asks=module_logs.LogWanted,
          answers=module_logs.UserLog),
    Route("POST", f"{API}/terminals/{{terminal}}/modules/{{module}}/uninstall",
          modules.wish_uninstall, Who.OPERATOR, MANAGEMENT,
          "Want a package off a terminal.", answers=modules.Wished),
    Route("POST", f"{API}/terminals/{{terminal}}/modules/{{module}}/install",
          modules.wish_install, Who.OPERATOR, MANAGEMENT,
          "Want a package at a terminal.", answers=modules.Wished),
)
# fmt: on

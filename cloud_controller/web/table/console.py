"""The console: the owner's pages and their forms, a block of rows for each part of it."""

from __future__ import annotations

from typing import Final

from cloud_controller.web.routes import Route

BOARD_ROUTES: Final[tuple[Route, ...]] = ()
"""Every device now, and the day."""

CONSOLE_ROUTES: Final = (*BOARD_ROUTES,)

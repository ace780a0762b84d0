"""Whose something was is forgotten in time: each hour, some at once, so that nobody waits."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from cloud_controller.flows import privacy
from cloud_controller.ports import Books
from cloud_controller.settings import PrivacySettings

FORGET_SECONDS: Final = 3_600.0
"""Between two looks: what is kept for months may be kept an hour longer."""


class Forgetting:
    """One loop that forgets what the settings want forgotten."""

    def __init__(self, books: Books, settings: PrivacySettings) -> None:
        """Take the books, and how long what is known."""
        self._books, self._settings = books, settings
        self._log = structlog.get_logger("privacy")

    async def run(self) -> None:
        """Forget, for ever; a fault is logged and the work tried again."""
        while True:
            try:
                await self.look()
            except Exception:  # noqa: BLE001 - the next hour tries again
                self._log.exception("old orders could not be forgotten")
            await asyncio.sleep(FORGET_SECONDS)

    async def look(self) -> int:
        """Forget all that is due, and return of how many orders it was."""
        settings, forgotten = self._settings, 0
        while some := await self._books.transact(
            privacy.forget, settings.orders_seconds, settings.waits_seconds
        ):
            forgotten += some
        if forgotten:
            self._log.info("customers of old orders forgotten", orders=forgotten)
        return forgotten

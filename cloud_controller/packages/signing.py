"""Keeps the signed lists fresh, and has the books say what they say, while the controller runs.

Its law: that it could not is a problem before a terminal notices.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import structlog

from cloud_controller.flows import modules
from cloud_controller.packages.keys import ONLINE, has_online, online
from cloud_controller.packages.lists import WARNED_DAYS
from cloud_controller.packages.repository import Repository
from cloud_controller.ports import Books, Clock, Names, Published
from common.errors import RusubanError

LOOK_SECONDS: Final = 10.0
"""How often it is looked whether somebody has published: as long as he waits until he sees it."""

RENEW_SECONDS: Final = 600.0
"""How often the lists are looked through whole: many times before they are old."""

_DAY_MS: Final = 86_400_000


class Signing:
    """One loop beside the others; without packages it only looks whether there are any."""

    def __init__(
        self, folder: Path, keys_folder: Path, books: Books, clock: Clock, names: Names
    ) -> None:
        """Take the repository's folder and the controller's keys; `run` is the loop."""
        self._repository = Repository(folder)
        self._keys_folder, self._books, self._clock, self._names = keys_folder, books, clock, names
        self._seen: tuple[int, int] | None = None
        self._renew_at = 0.0
        self._told: tuple[str, ...] | None = None
        self._log = structlog.get_logger("packages")

    async def run(self) -> None:
        """Look, sign and tell, for ever; a fault is a problem and the work is tried again."""
        while True:
            try:
                await self.look()
            except Exception:  # noqa: BLE001 - time goes on whatever one round met
                self._log.exception("packages could not be looked after")
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Do what is due: sign anew what is old, and tell the books what has changed."""
        stamp = self._repository.stamp()
        is_due = self._clock.steady_seconds() >= self._renew_at
        if stamp is None or (stamp == self._seen and not is_due):
            return
        try:
            published, whys = await asyncio.to_thread(self._renew)
        except RusubanError as fault:
            published, whys = None, (str(fault),)
        if published is not None and stamp != self._seen:
            await self._books.transact(modules.project, published)
        if whys != self._told:
            await self._books.transact(modules.note_lists, whys)
        self._told = whys
        if published is not None:
            self._seen = self._repository.stamp()
            self._renew_at = self._clock.steady_seconds() + RENEW_SECONDS

    def _renew(self) -> tuple[tuple[Published, ...], tuple[str, ...]]:
        """Return what is published, and what somebody has to look at."""
        now = self._clock.now_ms()
        if has_online(self._keys_folder):
            self._repository.renew(online(self._keys_folder, self._names), now)
        ends = self._repository.current().expires_at()
        whys = tuple(_why(name, at - now) for name, at in sorted(ends.items()))
        return self._repository.releases(), tuple(why for why in whys if why)


def _why(name: str, left_ms: int) -> str:
    if left_ms <= 0:
        return f"the list {name} has run out"
    if name not in ONLINE and left_ms < WARNED_DAYS * _DAY_MS:
        return f"the list {name} runs out in {left_ms // _DAY_MS} days"
    return ""

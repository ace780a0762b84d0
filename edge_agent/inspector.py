"""Looks at this PC again and again, and has the journal take in what has changed (A8)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from common.errors import StorageIsFull
from common.messages.specification import Specification
from edge_agent.flows import registration
from edge_agent.ports import Journal
from edge_agent.threads import in_own_thread

LOOK_EACH_SECONDS: Final = 60.0
"""Soon enough for a part that is gone, and nothing next to the ten minutes it may be missing."""

LOOK_SECONDS_MAX: Final = 10.0
"""A look that takes longer hangs on some part: what is remembered holds, and it is waited for."""


class Inspector:
    """One loop; a look runs in a thread of its own, for a part that hangs must hold up nobody."""

    def __init__(
        self,
        journal: Journal,
        look: Callable[[], Specification],
        on_looked: Callable[[], None],
        *,
        each_seconds: float = LOOK_EACH_SECONDS,
        seconds_max: float = LOOK_SECONDS_MAX,
    ) -> None:
        """Take what looks, and whom to tell that it has; also when it could not in time."""
        self._journal = journal
        self._look = look
        self._on_looked = on_looked
        self._each_seconds = each_seconds
        self._seconds_max = seconds_max
        self._under_way: asyncio.Future[Specification] | None = None
        self._log = structlog.get_logger("inspector")

    async def run(self) -> None:
        """Look at once, and for ever after."""
        while True:
            try:
                await self._inspect()
                self._on_looked()
            except StorageIsFull as fault:
                self._log.warning("the journal cannot be used", why=str(fault))
            await asyncio.sleep(self._each_seconds)

    async def _inspect(self) -> None:
        """Look once; never a second time before the first look has come back."""
        looking = self._under_way or in_own_thread("inspector", self._look)
        done, _ = await asyncio.wait({looking}, timeout=self._seconds_max)
        self._under_way = None if done else looking
        if not done:
            self._log.warning("this PC takes long to look at", seconds=self._seconds_max)
        elif (fault := looking.exception()) is not None:
            self._log.error("this PC cannot be looked at", exc_info=fault)
        else:
            self._journal.transact(registration.take_look, looking.result())

"""Each minute of a session: what the runner has measured of it, into the journal and onwards."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from common.errors import StorageIsFull
from common.rules.sessions import SESSION_HEARTBEAT_SECONDS
from edge_agent.flows import sessions
from edge_agent.ports import Journal, ProgramSeen, RunnerIsAway


class Measuring(Protocol):
    """Whoever measures what is given."""

    async def list(self) -> Sequence[ProgramSeen]:
        """Return every session that is kept.

        Raises:
            RunnerIsAway: there is no answer.
        """
        ...


class Heartbeats:
    """One loop; while nothing runs it asks nobody."""

    def __init__(self, journal: Journal, runner: Measuring) -> None:
        """Take the journal, which says what was seen running, and whoever has measured it."""
        self._journal = journal
        self._runner = runner
        self._log = structlog.get_logger("heartbeats")

    async def run(self) -> None:
        """Tell of what runs, each minute, for ever."""
        while True:
            await asyncio.sleep(SESSION_HEARTBEAT_SECONDS)
            try:
                await self.beat()
            except (RunnerIsAway, StorageIsFull) as fault:
                self._log.warning("heartbeat left out", why=str(fault))

    async def beat(self) -> None:
        """Tell what was given so far of each session that runs.

        Raises:
            RunnerIsAway: there is no answer.
            StorageIsFull: the disk takes nothing.
        """
        running = self._journal.transact(sessions.running_sessions)
        if not running:
            return
        for seen in await self._runner.list():
            if seen.session in running:
                self._journal.transact(sessions.note_alive, seen)

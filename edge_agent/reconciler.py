"""Compares what should run with what does run and closes the difference, again and again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from common.errors import StorageIsFull
from common.rules.modules import Start, StartVerdict
from common.rules.sessions import EndReason, SessionState
from edge_agent.flows import devices, sessions
from edge_agent.ports import Journal, ProgramSeen, RunnerIsAway

AGAIN_SECONDS: Final = 1.0
"""How much later something is tried again that could not be done, unless something changes."""

_LIVE = frozenset({SessionState.STARTING, SessionState.RUNNING, SessionState.ENDING})


class Runner(Protocol):
    """The runner beside the agent."""

    async def start(self, due: sessions.ToStart) -> ProgramSeen | EndReason:
        """Start a program; a reason when the runner will not.

        Raises:
            RunnerIsAway: there is no answer.
        """
        ...

    async def extend(self, session: str, deadline_boot_seconds: float) -> ProgramSeen | None:
        """Let a session end at this instant; None: it is ending, or not there any more.

        Raises:
            RunnerIsAway: there is no answer, or it cannot write that down now.
        """
        ...

    async def resume(self, session: str, deadline_boot_seconds: float) -> ProgramSeen | None:
        """Go on with a session that waits, until this instant at most; None: it will not.

        Raises:
            RunnerIsAway: there is no answer, or it cannot write that down now.
        """
        ...

    async def stop(self, session: str, reason: EndReason) -> ProgramSeen | None:
        """Begin the end of a session.

        Raises:
            RunnerIsAway: there is no answer.
        """
        ...

    async def list(self) -> Sequence[ProgramSeen]:
        """Return every session the runner keeps.

        Raises:
            RunnerIsAway: there is no answer.
        """
        ...

    async def forget(self, session: str) -> None:
        """Let the runner drop an ended session whose end is in the journal.

        Raises:
            RunnerIsAway: there is no answer.
        """
        ...


class Starts(Protocol):
    """Who says whether a program has what it needs: `edge_agent.modules.starts.Starts`."""

    def judge(self, due: sessions.ToStart) -> Start:
        """Say whether a session's program may start now; what it lacks is asked for."""
        ...

    def may_resume(self, session: str) -> bool:
        """Say whether a session that was interrupted may go on."""
        ...

    def note_seen(self, seen: ProgramSeen) -> None:
        """Take in what became of a start."""
        ...


class Reconciler:
    """One loop; `nudge` it when either side may have changed."""

    def __init__(self, journal: Journal, runner: Runner, starts: Starts | None = None) -> None:
        """Take the journal, which says what should run, and the runner, which says what does.

        Without `starts` every program has what it needs.
        """
        self._starts = starts
        self._waits = False
        self._journal = journal
        self._runner = runner
        self._nudged = asyncio.Event()
        self._look_at_all = True
        self._over: set[str] = set()
        self._log = structlog.get_logger("reconciler")

    def nudge(self) -> None:
        """Look again at what should run."""
        self._nudged.set()

    def on_connected(self) -> None:
        """Look at everything the runner keeps: events may have been missed."""
        self._look_at_all = True
        self._nudged.set()

    def on_seen(self, seen: ProgramSeen) -> None:
        """Take in what the runner says by itself; what finds no room is asked for again."""
        try:
            self._take(seen)
        except StorageIsFull:
            self.on_connected()

    def on_warned(self, session: str, seconds_left: float) -> None:
        """Take in that the customer was warned; of all that is told, this alone may be lost."""
        with contextlib.suppress(StorageIsFull):
            self._journal.transact(sessions.note_warned, session, seconds_left)

    async def run(self) -> None:
        """Close differences for ever."""
        while True:
            await self._nudged.wait()
            self._nudged.clear()
            try:
                await self._close_differences()
                waits = self._waits or self._journal.transact(sessions.waits_to_try_again)
            except (RunnerIsAway, StorageIsFull) as fault:
                self._log.warning("differences stay open", why=str(fault))
                self._look_at_all = True
                waits = True
            if waits:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(AGAIN_SECONDS):
                        await self._nudged.wait()
                self._nudged.set()

    async def _close_differences(self) -> None:
        """Look first where something may have been missed: what runs has not failed to start."""
        self._waits = False
        if self._look_at_all:
            await self._compare_all()
        for due in self._journal.transact(sessions.to_start):
            if not self._has_what_it_needs(due):
                continue
            started = await self._runner.start(due)
            if isinstance(started, EndReason):
                self._journal.transact(sessions.note_refused, due.session, started)
            else:
                self._take(started)
        await self._let_go_on()
        for due_to_stop in self._journal.transact(sessions.to_stop):
            seen = await self._runner.stop(due_to_stop.session, due_to_stop.reason)
            if seen is not None:
                self._take(seen)
        while self._over:
            session = next(iter(self._over))
            await self._runner.forget(session)
            self._over.discard(session)

    def _has_what_it_needs(self, due: sessions.ToStart) -> bool:
        """Say whether a program may start; one that may not now is tried again or fails."""
        verdict = StartVerdict.GO if self._starts is None else self._starts.judge(due).verdict
        if verdict is StartVerdict.WAIT:
            self._waits = True
        elif verdict is StartVerdict.REFUSE:
            self._journal.transact(sessions.note_refused, due.session, EndReason.PROGRAM_FAILED)
        return verdict is StartVerdict.GO

    async def _let_go_on(self) -> None:
        """Have the runner go on with what was interrupted, and with what may last longer."""
        for to_resume in self._journal.transact(sessions.to_resume):
            if self._starts is not None and not self._starts.may_resume(to_resume.session):
                self._waits = True
                continue
            seen = await self._runner.resume(to_resume.session, to_resume.deadline_boot_seconds)
            if seen is not None:
                self._take(seen)
        for longer in self._journal.transact(sessions.to_extend):
            extended = await self._runner.extend(longer.session, longer.deadline_boot_seconds)
            self._journal.transact(sessions.note_extended, longer, extended)

    async def _compare_all(self) -> None:
        """Settle every session that only one of the two sides knows."""
        should_run = self._journal.transact(sessions.running_sessions)
        kept = await self._runner.list()
        for seen in kept:
            self._take(seen)
            if seen.state in _LIVE and self._journal.transact(sessions.is_over, seen.session):
                await self._runner.stop(seen.session, EndReason.SUPERSEDED)
        for session in should_run - {seen.session for seen in kept}:
            self._journal.transact(sessions.note_missing, session)
        self._look_at_all = False

    def _take(self, seen: ProgramSeen) -> None:
        self._journal.transact(sessions.note_seen, seen)
        if self._starts is not None:
            self._starts.note_seen(seen)
        if seen.is_broken:
            self._journal.transact(devices.note_broken, seen.session)
        if seen.state in _LIVE:
            if self._journal.transact(sessions.is_over, seen.session):
                self._look_at_all = True
                self._nudged.set()
        else:
            if self._journal.transact(sessions.is_over, seen.session):
                self._over.add(seen.session)
            self._nudged.set()

"""The course of a session: its program started, watched, warned of, ended as its deadline says."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from common.rules.sessions import SESSION, EndReason, SessionEvent, SessionState
from edge_agent.runner.held import Held, moved
from edge_agent.runner.programs import ProgramCannotStart
from edge_agent.runner.records import Session
from edge_agent.runner.tree import Identity
from edge_agent.runner.wire import EventKind, ProgramRecord, Refusal

OVERRUN_SECONDS_MAX: Final = 0.8
"""How long past its deadline a program may take to leave: 1 s is promised, the kill needs some."""

ORPHAN_GRACE_SECONDS: Final = 2.0
"""How long a program without a session may take to leave: it must be gone in 5 s."""


class Course:
    """What happens to a session next."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._means = held.means

    def spawn(self, session: Session) -> ProgramRecord | Refusal:
        """Start the program of a session that is written down."""
        program = self._means.catalogue.programs[session.program]
        try:
            leader = self._means.programs.start(session.session, program)
        except ProgramCannotStart as fault:
            self._means.report(f"session {session.session}: {fault}")
            self.close(replace(session, end_reason=EndReason.PROGRAM_FAILED))
            return Refusal.BROKEN
        self.go_on(session, leader)
        return self._held.told(self._held.sessions[session.session])

    def go_on(self, session: Session, leader: Identity) -> None:
        """Hold a session whose program is there: new or adopted."""
        held = replace(session, pid=leader.pid, born_ticks=leader.born_ticks)
        self._held.sessions[held.session] = held
        self._means.programs.watch(leader, partial(self._gone, held.session))
        self.set_alarms(held)
        if held.state is SessionState.STARTING:
            ready_after_seconds = self._held.program(held).ready_after_seconds
            if not ready_after_seconds:
                self._run(held.session)
                return
            ready_at = self._held.now() + ready_after_seconds
            self._held.ring(held.session, ready_at, partial(self._run, held.session))
        self._held.keep(held)

    def set_alarms(self, session: Session) -> None:
        """Ring for the warnings that are still to come, and for the end."""
        name, deadline = session.session, session.deadline_boot_seconds
        self._held.cancel_alarms(name)
        now = self._held.now()
        for seconds in self._means.warn_before_seconds:
            if now < deadline - seconds:
                self._held.ring(name, deadline - seconds, partial(self._warn, name, seconds))
        self._held.ring(name, deadline, partial(self.begin_end, name, EndReason.TIME_UP))
        self._held.checkpoint_later()

    def begin_end(self, name: str, reason: EndReason) -> None:
        """Begin the end of a session; one that is ending or ended stays as it is."""
        session = self._held.sessions.get(name)
        if session is None or session.is_leaving or not session.is_live:
            return
        counted = session.counted(self._held.now())
        leaving = replace(moved(counted, SessionEvent.STOP), end_reason=reason)
        self._held.cancel_alarms(name)
        self._held.sessions[name] = leaving
        if reason is not EndReason.TIME_UP:  # a passed deadline is written already: the row says it
            self._held.keep(leaving)
        self.see_out(leaving)

    def see_out(self, session: Session) -> None:
        """End all that belongs to a session whose end has begun, then close it."""
        self._means.tasks.create_task(self._end(session), name=f"end {session.session}")

    def see_out_orphan(self, name: str) -> None:
        """End what runs for a session that is not held."""
        self._means.tasks.create_task(self._end_orphan(name), name=f"end orphan {name}")

    def close(self, session: Session) -> None:
        """Write and tell that a session has ended, or that it never ran."""
        ran = SESSION.step(session.state, SessionEvent.END) is not None
        event = SessionEvent.END if ran else SessionEvent.FAIL
        closed = replace(moved(session, event), ended_at=self._means.clock.now_ms())
        self._held.keep(closed)
        self._held.announce(EventKind.ENDED if ran else EventKind.FAILED, closed)
        self._held.rest()

    def _run(self, name: str) -> None:
        running = replace(
            moved(self._held.sessions[name], SessionEvent.RUN),
            running_boot_seconds=self._held.now(),
            started_at=self._means.clock.now_ms(),
        )
        self._held.keep(running)
        self._held.announce(EventKind.RUNNING, running)

    def _warn(self, name: str, seconds_left: int) -> None:
        self._held.announce(EventKind.WARNED, self._held.sessions[name], seconds_left)

    def _gone(self, name: str, exit_code: int | None) -> None:
        """Tell why, as far as the exit code says; if we ended it, this changes nothing."""
        by_code = {None: EndReason.UNKNOWN, 0: EndReason.CUSTOMER_ENDED}
        self.begin_end(name, by_code.get(exit_code, EndReason.PROGRAM_FAILED))

    async def _end(self, session: Session) -> None:
        now = self._held.now()
        grace_ends = now + self._held.program(session).stop_grace_seconds
        kill_at = max(now, min(grace_ends, session.deadline_boot_seconds + OVERRUN_SECONDS_MAX))
        await self._end_all(session.session, kill_at)
        self.close(session)

    async def _end_orphan(self, name: str) -> None:
        self._means.report(f"a program of session {name} runs without it and is ended")
        await self._end_all(name, self._held.now() + ORPHAN_GRACE_SECONDS)

    async def _end_all(self, name: str, kill_at: float) -> None:
        left = await self._means.programs.end(name, kill_at_boot_seconds=kill_at)
        if left:
            self._means.report(f"{left} processes of session {name} cannot be killed")

"""The course of a session: its program started, watched, warned of, ended as its deadline says."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace
from functools import partial
from typing import Final

from common.rules.sessions import SESSION, EndReason, SessionEvent, SessionState
from edge_agent.runner.budget import Budget
from edge_agent.runner.catalogue import Program
from edge_agent.runner.held import Held, moved
from edge_agent.runner.programs import ProgramCannotStart
from edge_agent.runner.readiness import Before, Readiness
from edge_agent.runner.records import Session
from edge_agent.runner.tree import Identity
from edge_agent.runner.wire import EventKind, ProgramRecord, Refusal

OVERRUN_SECONDS_MAX: Final = 0.8
"""How long past its deadline a program may take to leave: 1 s is promised, the kill needs some."""

ORPHAN_GRACE_SECONDS: Final = 2.0
"""How long a program without a session may take to leave: it must be gone in 5 s."""

AT_ONCE_SECONDS: Final = 2.0
"""Nobody has used a program that left so soon, whatever its exit code says."""

RESTART_AFTER_SECONDS: Final = 0.2
"""Before a program is started again: what it held, such as a port, is let go by then."""

NOTHING_BEFORE: Final = Before()


class Course:
    """What happens to a session next."""

    def __init__(self, held: Held, budget: Budget) -> None:
        self._held = held
        self._means = means = held.means
        self._budget = budget
        self._readiness = Readiness(means.programs, means.catalogue, means.clock)
        self._getting_ready: dict[str, asyncio.Task[None]] = {}
        self._starting_again: set[str] = set()

    def spawn(self, session: Session) -> ProgramRecord | Refusal:
        """Start the program of a session that is written down."""
        program = self._held.program(session)
        before = self._readiness.before(program)
        try:
            leader = self._means.programs.start(session.session, program)
        except ProgramCannotStart as fault:
            self._means.report(f"session {session.session}: {fault}")
            self.close(replace(session, end_reason=EndReason.PROGRAM_FAILED))
            return Refusal.CANNOT_START
        self.go_on(session, leader, before)
        return self._held.told(self._held.sessions[session.session])

    def go_on(self, session: Session, leader: Identity, before: Before = NOTHING_BEFORE) -> None:
        """Hold a session whose program is there: new, started again, or adopted."""
        held = replace(session, pid=leader.pid, born_ticks=leader.born_ticks)
        self._held.sessions[held.session] = held
        self._means.programs.watch(leader, partial(self.gone, held.session, leader))
        self.set_alarms(held)
        if _is_up(held):
            self._held.keep(held)
            return
        program = self._held.program(held)
        if program.ready:
            self._getting_ready[held.session] = self._means.tasks.create_task(
                self._get_ready(held.session, program, before), name=f"ready {held.session}"
            )
        elif program.ready_after_seconds:
            ready_at = self._held.now() + program.ready_after_seconds
            get_ready = partial(self._get_ready_by_time, held.session, leader)
            self._means.deadlines.ring_at(ready_at, get_ready)  # no new deadline takes it away
        else:
            self._run(held.session)
            return
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
        if session.waits:  # what ended it was the power, whoever says so now
            reason = session.cut_reason or reason
        counted = session.counted(self._held.now())
        leaving = replace(moved(counted, SessionEvent.STOP), end_reason=reason)
        self._held.cancel_alarms(name)
        self._look_no_more(name)
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

    def gone(self, name: str, leader: Identity, exit_code: int | None) -> None:
        """Take in that a program has left by itself; if we ended it, this changes nothing."""
        session = self._held.sessions.get(name)
        if session is None or session.is_leaving or not session.is_live:
            return
        if name in self._starting_again:  # we ended it ourselves, and see to what comes next
            return
        if (session.pid, session.born_ticks) != (leader.pid, leader.born_ticks):
            return
        if exit_code is None:
            self._fail(session, EndReason.UNKNOWN)
        elif exit_code == 0 and _is_up(session) and not self._left_at_once(leader):
            self.begin_end(name, EndReason.CUSTOMER_ENDED)
        else:
            self._fail(session, EndReason.PROGRAM_FAILED)

    def _run(self, name: str) -> None:
        """It is there for its customer, for the first time or again."""
        session = self._held.sessions[name].counted(self._held.now())
        if session.state is SessionState.STARTING:
            running = replace(
                moved(session, SessionEvent.RUN),
                running_boot_seconds=self._held.now(),
                started_at=self._means.clock.now_ms(),
            )
            self._held.keep(self._held.checkpoint(running))
            self._held.announce(EventKind.RUNNING, running)
        else:
            again = replace(session, down_boot_seconds=None)
            self._held.keep(again)
            self._held.announce(EventKind.RESTARTED, again)

    def _get_ready_by_time(self, name: str, leader: Identity) -> None:
        session = self._held.sessions.get(name)
        if session is None or session.is_leaving or not session.is_live:
            return
        if (session.pid, session.born_ticks) == (leader.pid, leader.born_ticks):
            self._run(name)

    async def _get_ready(self, name: str, program: Program, before: Before) -> None:
        if await self._readiness.is_ready_in_time(name, program, before):
            self._getting_ready.pop(name, None)
            self._run(name)
            return
        self._getting_ready.pop(name, None)
        session = self._held.sessions[name]
        self._means.report(f"session {name}: {session.program} does not get ready in time")
        if session.state is SessionState.STARTING:
            self.begin_end(name, EndReason.START_TIMEOUT)
        else:
            self._fail(session, EndReason.PROGRAM_FAILED)

    def _look_no_more(self, name: str) -> None:
        if waiting := self._getting_ready.pop(name, None):
            waiting.cancel()

    def _fail(self, session: Session, reason: EndReason) -> None:
        """Start a program that has failed once more, or end its session for this reason."""
        if not self._budget.allows(session):
            is_broken = (session.device, session.program) in self._held.broken
            self.begin_end(session.session, EndReason.PROGRAM_FAILED if is_broken else reason)
            return
        now = self._held.now()
        counted = session.counted(now)
        down_from = now if _is_up(counted) else counted.down_boot_seconds
        self._look_no_more(session.session)
        self._held.keep(
            replace(counted, restarts=counted.restarts + 1, down_boot_seconds=down_from)
        )
        self._starting_again.add(session.session)
        self._means.tasks.create_task(
            self._start_again(session.session), name=f"start again {session.session}"
        )

    async def _start_again(self, name: str) -> None:
        """Clear away what it has left behind, and start it once more, unless its time is up."""
        await self._end_all(name, self._held.now(), None)
        await asyncio.sleep(RESTART_AFTER_SECONDS)
        self._starting_again.discard(name)
        session = self._held.sessions.get(name)
        if session is None or session.is_leaving:
            return
        program = self._held.program(session)
        before = self._readiness.before(program)
        try:
            leader = self._means.programs.start(name, program)
        except ProgramCannotStart as fault:
            self._means.report(f"session {name}: {fault}")
            self._fail(session, EndReason.PROGRAM_FAILED)
            return
        self.go_on(session, leader, before)

    def _left_at_once(self, leader: Identity) -> bool:
        return self._held.now() - leader.born_boot_seconds < AT_ONCE_SECONDS

    def _warn(self, name: str, seconds_left: int) -> None:
        self._held.announce(EventKind.WARNED, self._held.sessions[name], seconds_left)

    async def _end(self, session: Session) -> None:
        now, program = self._held.now(), self._held.program(session)
        grace_ends = now + program.stop_grace_seconds
        kill_at = max(now, min(grace_ends, session.deadline_boot_seconds + OVERRUN_SECONDS_MAX))
        asked_by: signal.Signals | None = signal.Signals[f"SIG{program.stop_signal}"]
        if program.stop_command and await self._is_told(session, program.stop_command, kill_at):
            asked_by = None
        await self._end_all(session.session, kill_at, asked_by)
        self.close(session)

    async def _is_told(self, session: Session, command: str, give_up_at: float) -> bool:
        """Return whether the command that asks a program to leave has worked."""
        try:
            code = await self._means.programs.run_through(
                f"stop {session.session}",
                self._means.catalogue.commands[command],
                give_up_at_boot_seconds=give_up_at,
            )
        except ProgramCannotStart as fault:
            self._means.report(f"session {session.session}: {fault}")
            return False
        return code == 0

    async def _end_orphan(self, name: str) -> None:
        self._means.report(f"a program of session {name} runs without it and is ended")
        await self._end_all(name, self._held.now() + ORPHAN_GRACE_SECONDS, signal.SIGTERM)

    async def _end_all(self, name: str, kill_at: float, asked_by: signal.Signals | None) -> None:
        left = await self._means.programs.end(name, kill_at_boot_seconds=kill_at, asked_by=asked_by)
        if left:
            self._means.report(f"{left} processes of session {name} cannot be killed")


def _is_up(session: Session) -> bool:
    """Return whether its program is there for the customer."""
    return session.state is SessionState.RUNNING and session.down_boot_seconds is None

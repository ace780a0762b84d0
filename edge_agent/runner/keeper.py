"""Keeps sessions: written, then done, ended by their own deadline, taken up after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from common.rules.sessions import SESSION, EndReason, SessionEvent, SessionState
from edge_agent.runner.catalogue import Program
from edge_agent.runner.deadlines import Alarm, Clock, Deadlines
from edge_agent.runner.programs import ProgramCannotStart, Programs
from edge_agent.runner.records import Records, RecordsCannotBeUsed, Session
from edge_agent.runner.tree import Identity
from edge_agent.runner.wire import (
    PAGE_RECORDS_MAX,
    REMAINING_SECONDS_MAX,
    EventKind,
    ExtendProgram,
    ForgetProgram,
    ListPrograms,
    ProgramRecord,
    Refusal,
    RunnerEvent,
    StartProgram,
    StopProgram,
)

OVERRUN_SECONDS_MAX: Final = 0.8
"""How long past its deadline a program may take to leave: 1 s is promised, the kill needs some."""

CHECKPOINT_SECONDS: Final = 5.0
"""How often the remaining time is written: the most that a power cut may cost the customer."""

ORPHAN_GRACE_SECONDS: Final = 2.0
"""How long a program without a session may take to leave: it must be gone in 5 s."""

KEPT_MAX: Final = 256
"""Sessions kept until the agent has them forgotten; no terminal has so many devices."""


@dataclass(frozen=True, kw_only=True)
class Means:
    """All that a keeper works with."""

    catalogue: Mapping[str, Program]
    warn_before_seconds: tuple[int, ...]
    boot_id: str
    clock: Clock
    deadlines: Deadlines
    records: Records
    programs: Programs
    tasks: asyncio.TaskGroup
    announce: Callable[[RunnerEvent], None]
    report: Callable[[str], None]


class Keeper:
    """Every session that is not forgotten, and what is to happen to it next."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._sessions: dict[str, Session] = {}
        self._alarms: dict[str, list[Alarm]] = {}
        self._unsaved: set[str] = set()
        self._checkpoint: Alarm | None = None

    def start(self, ask: StartProgram) -> ProgramRecord | Refusal:
        """Start a program once for its session, unless its deadline has passed."""
        if known := self._sessions.get(ask.session):
            return self._started_before(known, ask)
        now = self._means.clock.boot_seconds()
        try:
            if refusal := _why_not_until(ask.deadline_boot_seconds, now) or self._why_not(ask):
                return refusal
            session = self._granted(ask, now)
            self._means.records.add(session)
        except RecordsCannotBeUsed as fault:
            self._means.report(f"start of {ask.session} refused: {fault}")
            return Refusal.NOT_JOURNALLED
        self._sessions[session.session] = session
        return self._spawn(session)

    def stop(self, ask: StopProgram) -> ProgramRecord | Refusal:
        """Begin the end of a session; one that is ending or ended stays as it is."""
        if ask.session not in self._sessions:
            return Refusal.UNKNOWN_SESSION
        self._begin_end(ask.session, ask.reason)
        return self._sessions[ask.session].record()

    def extend(self, ask: ExtendProgram) -> ProgramRecord | Refusal:
        """Move the deadline to another instant that is still to come."""
        session = self._sessions.get(ask.session)
        if session is None:
            return Refusal.UNKNOWN_SESSION
        if session.is_leaving:
            return Refusal.ALREADY_ENDED
        if refusal := _why_not_until(ask.deadline_boot_seconds, self._means.clock.boot_seconds()):
            return refusal
        added_seconds = ask.deadline_boot_seconds - session.deadline_boot_seconds
        extended = replace(
            session,
            deadline_boot_seconds=ask.deadline_boot_seconds,
            granted_seconds=session.granted_seconds + added_seconds,
        )
        try:
            self._means.records.save([extended])
        except RecordsCannotBeUsed as fault:
            self._means.report(f"extension of {ask.session} refused: {fault}")
            return Refusal.NOT_JOURNALLED
        self._sessions[ask.session] = extended
        self._set_alarms(extended)
        return self._told(extended)

    def list(self, ask: ListPrograms) -> tuple[tuple[ProgramRecord, ...], bool]:
        """Return the next page of what is kept, and whether there is more."""
        names = sorted(name for name in self._sessions if name > ask.after)
        page = tuple(self._told(self._sessions[name]) for name in names[:PAGE_RECORDS_MAX])
        return page, len(names) > PAGE_RECORDS_MAX

    def forget(self, ask: ForgetProgram) -> Refusal | None:
        """Drop the record of an ended session; one that is not there is forgotten already."""
        session = self._sessions.get(ask.session)
        if session is None:
            return None
        if session.is_live:
            return Refusal.STILL_LIVE
        try:
            self._means.records.remove(ask.session)
        except RecordsCannotBeUsed as fault:
            self._means.report(f"{ask.session} is not forgotten: {fault}")
            return Refusal.NOT_JOURNALLED
        del self._sessions[ask.session]
        self._unsaved.discard(ask.session)
        return None

    def take_up(self) -> None:
        """Carry on where an earlier runner was cut off, and end what runs without a session."""
        left_boot_id = self._means.records.arrive()
        for session in self._means.records.all():
            self._sessions[session.session] = session
            if session.is_live and session.boot_id != self._means.boot_id:
                self._end_by_reboot(session, was_asked=session.boot_id == left_boot_id)
            elif session.is_live:
                self._adopt(session)
        marked = set(self._means.programs.marked().values())
        for name in marked - {name for name, kept in self._sessions.items() if kept.is_live}:
            self._means.tasks.create_task(self._end_orphan(name), name=f"end orphan {name}")

    def leave(self) -> None:
        """Write where everything stands; the programs go on without us until the next runner."""
        try:
            self._save_all()
            self._means.records.leave(self._means.boot_id)
        except RecordsCannotBeUsed as fault:
            self._means.report(f"left without a last checkpoint: {fault}")

    # --- beginning -----------------------------------------------------------------------------

    def _started_before(self, known: Session, ask: StartProgram) -> ProgramRecord | Refusal:
        if (known.device, known.program, known.fence) != (ask.device, ask.program, ask.fence):
            return Refusal.BAD_REQUEST
        never_was = known.state is SessionState.FAILED and known.pid is None
        return self._try_again(ask) if never_was else self._told(known)

    def _try_again(self, ask: StartProgram) -> ProgramRecord | Refusal:
        """Start what did not come up the last time that it was asked for."""
        now = self._means.clock.boot_seconds()
        if refusal := _why_not_until(ask.deadline_boot_seconds, now) or self._why_none(ask):
            return refusal
        again = self._granted(ask, now)
        self._keep(again)
        return self._spawn(again)

    def _why_not(self, ask: StartProgram) -> Refusal | None:
        if ask.fence <= self._means.records.highest_fence(ask.device):
            return Refusal.LATE_FENCE
        if len(self._sessions) >= KEPT_MAX:
            return Refusal.TOO_MANY_KEPT
        return self._why_none(ask)

    def _why_none(self, ask: StartProgram) -> Refusal | None:
        if ask.program not in self._means.catalogue:
            return Refusal.UNKNOWN_PROGRAM
        is_taken = any(
            kept.is_live and kept.device == ask.device for kept in self._sessions.values()
        )
        return Refusal.DEVICE_IN_USE if is_taken else None

    def _granted(self, ask: StartProgram, now: float) -> Session:
        granted_seconds = ask.deadline_boot_seconds - now
        return Session(
            session=ask.session,
            device=ask.device,
            program=ask.program,
            fence=ask.fence,
            granted_seconds=granted_seconds,
            remaining_seconds=granted_seconds,
            boot_id=self._means.boot_id,
            deadline_boot_seconds=ask.deadline_boot_seconds,
        )

    def _spawn(self, session: Session) -> ProgramRecord | Refusal:
        program = self._means.catalogue[session.program]
        try:
            leader = self._means.programs.start(session.session, program)
        except ProgramCannotStart as fault:
            self._means.report(f"session {session.session}: {fault}")
            self._close(replace(session, end_reason=EndReason.PROGRAM_FAILED))
            return Refusal.BROKEN
        self._go_on(session, leader)
        return self._told(self._sessions[session.session])

    def _go_on(self, session: Session, leader: Identity) -> None:
        """Hold a session whose program is there: new or adopted."""
        held = replace(session, pid=leader.pid, born_ticks=leader.born_ticks)
        self._sessions[held.session] = held
        self._means.programs.watch(leader, partial(self._gone, held.session))
        self._set_alarms(held)
        if held.state is SessionState.STARTING:
            ready_after_seconds = self._program(held).ready_after_seconds
            if not ready_after_seconds:
                self._run(held.session)
                return
            ready_at = self._means.clock.boot_seconds() + ready_after_seconds
            self._ring(held.session, ready_at, partial(self._run, held.session))
        self._keep(held)

    def _run(self, name: str) -> None:
        running = replace(
            self._moved(self._sessions[name], SessionEvent.RUN),
            running_boot_seconds=self._means.clock.boot_seconds(),
            started_at=self._means.clock.now_ms(),
        )
        self._keep(running)
        self._announce(EventKind.RUNNING, running)

    def _set_alarms(self, session: Session) -> None:
        name, deadline = session.session, session.deadline_boot_seconds
        self._cancel_alarms(name)
        now = self._means.clock.boot_seconds()
        for seconds in self._means.warn_before_seconds:
            if now < deadline - seconds:
                self._ring(name, deadline - seconds, partial(self._warn, name, seconds))
        self._ring(name, deadline, partial(self._begin_end, name, EndReason.TIME_UP))
        self._checkpoint_later()

    # --- ending --------------------------------------------------------------------------------

    def _warn(self, name: str, seconds_left: int) -> None:
        self._announce(EventKind.WARNED, self._sessions[name], seconds_left)

    def _gone(self, name: str, exit_code: int | None) -> None:
        """Tell why, as far as the exit code says; if we ended it, this changes nothing."""
        by_code = {None: EndReason.UNKNOWN, 0: EndReason.CUSTOMER_ENDED}
        self._begin_end(name, by_code.get(exit_code, EndReason.PROGRAM_FAILED))

    def _begin_end(self, name: str, reason: EndReason) -> None:
        session = self._sessions.get(name)
        if session is None or session.is_leaving or not session.is_live:
            return
        counted = session.counted(self._means.clock.boot_seconds())
        leaving = replace(self._moved(counted, SessionEvent.STOP), end_reason=reason)
        self._cancel_alarms(name)
        self._sessions[name] = leaving
        if reason is not EndReason.TIME_UP:  # a passed deadline is written already: the row says it
            self._keep(leaving)
        self._see_out(leaving)

    def _see_out(self, session: Session) -> None:
        self._means.tasks.create_task(self._end(session), name=f"end {session.session}")

    async def _end(self, session: Session) -> None:
        now = self._means.clock.boot_seconds()
        grace_ends = now + self._program(session).stop_grace_seconds
        kill_at = max(now, min(grace_ends, session.deadline_boot_seconds + OVERRUN_SECONDS_MAX))
        await self._end_all(session.session, kill_at)
        self._close(session)

    async def _end_orphan(self, name: str) -> None:
        self._means.report(f"a program of session {name} runs without it and is ended")
        await self._end_all(name, self._means.clock.boot_seconds() + ORPHAN_GRACE_SECONDS)

    async def _end_all(self, name: str, kill_at: float) -> None:
        left = await self._means.programs.end(name, kill_at_boot_seconds=kill_at)
        if left:
            self._means.report(f"{left} processes of session {name} cannot be killed")

    def _close(self, session: Session) -> None:
        ran = SESSION.step(session.state, SessionEvent.END) is not None
        event = SessionEvent.END if ran else SessionEvent.FAIL
        closed = replace(self._moved(session, event), ended_at=self._means.clock.now_ms())
        self._keep(closed)
        self._announce(EventKind.ENDED if ran else EventKind.FAILED, closed)
        if self._checkpoint and not self._due():
            self._checkpoint.cancel()
            self._checkpoint = None

    # --- taking up after a restart ---------------------------------------------------------------

    def _adopt(self, session: Session) -> None:
        known = (
            Identity(pid=session.pid, born_ticks=session.born_ticks)
            if session.pid is not None and session.born_ticks is not None
            else None
        )
        leader = self._means.programs.adopt(session.session, known)
        if session.is_leaving:
            self._see_out(session)
        elif leader:
            self._go_on(session, leader)
        else:
            reason = EndReason.UNKNOWN if known else EndReason.PROGRAM_FAILED
            stopped = replace(self._moved(session, SessionEvent.STOP), end_reason=reason)
            self._keep(stopped)
            self._see_out(stopped)

    def _end_by_reboot(self, session: Session, *, was_asked: bool) -> None:
        """End it as of its last checkpoint; resuming what a reboot cut off will begin here."""
        reason = EndReason.REBOOT if was_asked else EndReason.POWER_LOSS
        self._close(replace(session, end_reason=session.end_reason or reason))

    # --- what all of it needs --------------------------------------------------------------------

    def _program(self, session: Session) -> Program:
        """Return what the catalogue says now; a program taken out of it may be ended at once."""
        gone = Program(argv=(), environment={}, stop_grace_seconds=0)
        return self._means.catalogue.get(session.program, gone)

    def _moved(self, session: Session, event: SessionEvent) -> Session:
        """Return it one step on; one that never ran has no `ending` and stays `starting`."""
        return replace(session, state=SESSION.step(session.state, event) or session.state)

    def _told(self, session: Session) -> ProgramRecord:
        return session.counted(self._means.clock.boot_seconds()).record()

    def _announce(self, kind: EventKind, session: Session, seconds_left: int | None = None) -> None:
        record = self._told(session)
        self._means.announce(RunnerEvent(kind=kind, record=record, seconds_left=seconds_left))

    def _ring(self, name: str, at_boot_seconds: float, ring: Callable[[], None]) -> None:
        alarm = self._means.deadlines.ring_at(at_boot_seconds, ring)
        self._alarms.setdefault(name, []).append(alarm)

    def _cancel_alarms(self, name: str) -> None:
        for alarm in self._alarms.pop(name, ()):
            alarm.cancel()

    def _keep(self, session: Session) -> None:
        """Hold what is now true, and write it: a full disk delays the writing, never an end."""
        self._sessions[session.session] = session
        try:
            self._means.records.save([session])
        except RecordsCannotBeUsed as fault:
            self._means.report(f"session {session.session} is written later: {fault}")
            self._unsaved.add(session.session)
            self._checkpoint_later()

    def _checkpoint_later(self) -> None:
        if self._checkpoint is None:
            due_at = self._means.clock.boot_seconds() + CHECKPOINT_SECONDS
            self._checkpoint = self._means.deadlines.ring_at(due_at, self._write_checkpoint)

    def _write_checkpoint(self) -> None:
        self._checkpoint = None
        try:
            self._save_all()
        except RecordsCannotBeUsed as fault:
            self._means.report(f"no checkpoint: {fault}")
        if self._due():
            self._checkpoint_later()

    def _save_all(self) -> None:
        now = self._means.clock.boot_seconds()
        self._means.records.save([session.counted(now) for session in self._due()])
        self._unsaved.clear()

    def _due(self) -> tuple[Session, ...]:
        """Return the sessions that a checkpoint has to write: what runs, and what could not be."""
        kept = self._sessions.values()
        return tuple(one for one in kept if one.is_live or one.session in self._unsaved)


def _why_not_until(deadline_boot_seconds: float, now: float) -> Refusal | None:
    if deadline_boot_seconds <= now:
        return Refusal.TOO_LATE
    is_too_far = deadline_boot_seconds - now > REMAINING_SECONDS_MAX
    return Refusal.BAD_REQUEST if is_too_far else None

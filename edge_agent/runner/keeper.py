"""What may be asked of the sessions that are kept: each is written, then done, or refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from common.rules.sessions import SessionState
from edge_agent.runner import resumes
from edge_agent.runner.adoption import take_up
from edge_agent.runner.budget import Budget
from edge_agent.runner.course import Course
from edge_agent.runner.held import Held, Means
from edge_agent.runner.records import RecordsCannotBeUsed, Session
from edge_agent.runner.wire import (
    PAGE_RECORDS_MAX,
    REMAINING_SECONDS_MAX,
    ExtendProgram,
    ForgetProgram,
    ListPrograms,
    MendProgram,
    ProgramRecord,
    Refusal,
    ResumeProgram,
    StartProgram,
    StopProgram,
)

KEPT_MAX: Final = 256
"""Sessions kept until the agent has them forgotten; no terminal has so many devices."""


class Keeper:
    """Answers for every session that is not forgotten."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._held = Held(means)
        self._budget = Budget(self._held)
        self._course = Course(self._held, self._budget)

    def start(self, ask: StartProgram) -> ProgramRecord | Refusal:
        """Start a program once for its session, unless its deadline has passed."""
        if known := self._held.sessions.get(ask.session):
            return self._started_before(known, ask)
        now = self._held.now()
        try:
            if refusal := _why_not_until(ask.deadline_boot_seconds, now) or self._why_not(ask):
                return refusal
            session = self._granted(ask, now)
            self._means.records.add(session)
        except RecordsCannotBeUsed as fault:
            self._means.report(f"start of {ask.session} refused: {fault}")
            return Refusal.NOT_JOURNALLED
        self._held.sessions[session.session] = session
        return self._course.spawn(session)

    def stop(self, ask: StopProgram) -> ProgramRecord | Refusal:
        """Begin the end of a session; one that is ending or ended stays as it is."""
        if ask.session not in self._held.sessions:
            return Refusal.UNKNOWN_SESSION
        self._course.begin_end(ask.session, ask.reason)
        return self._held.told(self._held.sessions[ask.session])

    def extend(self, ask: ExtendProgram) -> ProgramRecord | Refusal:
        """Move the deadline to another instant that is still to come."""
        session = self._held.sessions.get(ask.session)
        if session is None:
            return Refusal.UNKNOWN_SESSION
        if session.is_leaving:
            return Refusal.ALREADY_ENDED
        if refusal := _why_not_until(ask.deadline_boot_seconds, self._held.now()):
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
        self._held.sessions[ask.session] = extended
        if not extended.waits:
            self._course.set_alarms(extended)
        return self._held.told(extended)

    def resume(self, ask: ResumeProgram) -> ProgramRecord | Refusal:
        """Go on with a session that was interrupted and waits."""
        return resumes.resume(self._held, self._course, ask)

    def live_programs(self) -> frozenset[str]:
        """Return the programs of sessions that hold their devices."""
        held = self._held.sessions.values()
        return frozenset(session.program for session in held if session.is_live)

    def list(self, ask: ListPrograms) -> tuple[tuple[ProgramRecord, ...], bool]:
        """Return the next page of what is kept, and whether there is more."""
        sessions = self._held.sessions
        names = sorted(name for name in sessions if name > ask.after)
        page = tuple(self._held.told(sessions[name]) for name in names[:PAGE_RECORDS_MAX])
        return page, len(names) > PAGE_RECORDS_MAX

    def forget(self, ask: ForgetProgram) -> Refusal | None:
        """Drop the record of an ended session; one that is not there is forgotten already."""
        session = self._held.sessions.get(ask.session)
        if session is None:
            return None
        if session.is_live:
            return Refusal.STILL_LIVE
        try:
            self._means.records.remove(ask.session)
        except RecordsCannotBeUsed as fault:
            self._means.report(f"{ask.session} is not forgotten: {fault}")
            return Refusal.NOT_JOURNALLED
        self._held.drop(ask.session)
        return None

    def mend(self, ask: MendProgram) -> Refusal | None:
        """Take a program for whole again that has failed too often."""
        return self._budget.mend(ask)

    def take_up(self) -> None:
        """Carry on where an earlier runner was cut off, and end what runs without a session."""
        take_up(self._held, self._course)

    def leave(self) -> None:
        """Write where everything stands; the programs go on without us until the next runner."""
        try:
            self._held.save_all()
            self._means.records.leave(self._means.boot_id)
        except RecordsCannotBeUsed as fault:
            self._means.report(f"left without a last checkpoint: {fault}")

    def _started_before(self, known: Session, ask: StartProgram) -> ProgramRecord | Refusal:
        if (known.device, known.program, known.fence) != (ask.device, ask.program, ask.fence):
            return Refusal.BAD_REQUEST
        never_was = known.state is SessionState.FAILED and known.pid is None
        return self._try_again(ask) if never_was else self._held.told(known)

    def _try_again(self, ask: StartProgram) -> ProgramRecord | Refusal:
        """Start what did not come up the last time that it was asked for."""
        now = self._held.now()
        if refusal := _why_not_until(ask.deadline_boot_seconds, now) or self._why_none(ask):
            return refusal
        again = self._granted(ask, now)
        try:
            self._means.records.begin_again(again)
        except RecordsCannotBeUsed as fault:
            self._means.report(f"start of {ask.session} refused: {fault}")
            return Refusal.NOT_JOURNALLED
        self._held.sessions[again.session] = again
        return self._course.spawn(again)

    def _why_not(self, ask: StartProgram) -> Refusal | None:
        if ask.fence <= self._means.records.highest_fence(ask.device):
            return Refusal.LATE_FENCE
        if len(self._held.sessions) >= KEPT_MAX:
            return Refusal.TOO_MANY_KEPT
        return self._why_none(ask)

    def _why_none(self, ask: StartProgram) -> Refusal | None:
        if ask.program not in self._means.catalogue.programs:
            return Refusal.UNKNOWN_PROGRAM
        if (ask.device, ask.program) in self._held.broken:
            return Refusal.BROKEN
        is_taken = any(
            kept.is_live and kept.device == ask.device for kept in self._held.sessions.values()
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


def _why_not_until(deadline_boot_seconds: float, now: float) -> Refusal | None:
    if deadline_boot_seconds <= now:
        return Refusal.TOO_LATE
    is_too_far = deadline_boot_seconds - now > REMAINING_SECONDS_MAX
    return Refusal.BAD_REQUEST if is_too_far else None

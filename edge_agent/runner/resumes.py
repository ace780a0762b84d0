"""A session that the PC's end has interrupted: it waits, goes on once, or ends as it stood.

Its law: written, then done. Whoever is killed in between finds in the row what was to be done.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from common.rules.sessions import Chance, Cut, EndReason, SessionState, chance
from edge_agent.runner.course import Course
from edge_agent.runner.held import Held
from edge_agent.runner.records import RecordsCannotBeUsed, Session
from edge_agent.runner.wire import EventKind, ProgramRecord, Refusal, ResumeProgram

LOOK_AGAIN_SECONDS: Final = 30.0
"""A PC that has just started hears from a time server a little later: then it is known how long the
power was gone."""


def interrupt(held: Held, course: Course, session: Session, reason: EndReason) -> None:
    """Let a session of an earlier boot wait, go on by itself, or end as of its last checkpoint."""
    may_go_on = session.state is SessionState.RUNNING and not session.is_leaving
    found = _chance(held, session, was_interrupted=session.cut_reason is not None)
    if not may_go_on or found is None:
        course.close(
            replace(session, end_reason=session.end_reason or session.cut_reason or reason)
        )
        return
    now = held.now()
    waiting = replace(
        session,
        boot_id=held.means.boot_id,
        deadline_boot_seconds=now + found.remaining_seconds,
        running_boot_seconds=None,
        down_boot_seconds=None,
        pid=None,
        born_ticks=None,
        cut_reason=reason,
        resume_by_boot_seconds=now + found.within_seconds,
    )
    held.keep(waiting)
    if held.means.resume_requires_scan:
        wait(held, course, waiting)
        return
    try:
        _go_on(held, course, waiting)
    except RecordsCannotBeUsed as fault:
        held.means.report(f"{session.session} waits for its ticket: {fault}")
        wait(held, course, waiting)


def wait(held: Held, course: Course, session: Session) -> None:
    """Let a session wait for whoever has its ticket; one for whom nobody comes is over."""
    _set_alarms(held, course, session)
    held.announce(EventKind.INTERRUPTED, session)


def resume(held: Held, course: Course, ask: ResumeProgram) -> ProgramRecord | Refusal:
    """Go on with a session that waits, until the earlier of two deadlines; asked twice, once."""
    session = held.sessions.get(ask.session)
    if session is None:
        return Refusal.UNKNOWN_SESSION
    if session.is_leaving:
        return Refusal.ALREADY_ENDED
    if not session.waits:
        return held.told(session)
    known = _by_what_is_known(held, session)
    if known is None or min(known.deadline_boot_seconds, ask.deadline_boot_seconds) <= held.now():
        return Refusal.TOO_LATE
    deadline = min(known.deadline_boot_seconds, ask.deadline_boot_seconds)
    try:
        return _go_on(held, course, replace(known, deadline_boot_seconds=deadline))
    except RecordsCannotBeUsed as fault:
        held.means.report(f"{ask.session} does not go on: {fault}")
        return Refusal.NOT_JOURNALLED


def begin_again(course: Course, session: Session) -> bool:
    """Start what a killed runner was about to go on with; say whether that is what it was."""
    was_about_to = session.cut_reason is not None and session.pid is None
    if was_about_to and session.state is SessionState.RUNNING and not session.is_leaving:
        course.spawn(session)
        return True
    return False


def _chance(held: Held, session: Session, *, was_interrupted: bool) -> Chance | None:
    cut = Cut(
        remaining_seconds=session.remaining_seconds,
        checkpoint_at=session.checkpoint_at,
        was_interrupted=was_interrupted,
    )
    limit_seconds = held.means.resume_limit_seconds
    return chance(cut, trusted_now=held.trusted_now(), limit_seconds=limit_seconds)


def _by_what_is_known(held: Held, session: Session) -> Session | None:
    """Return a session that waits with how long it may, by now; None: it is over."""
    assert session.resume_by_boot_seconds is not None, "it waits"
    found = _chance(held, session, was_interrupted=False)
    if found is None:
        return None
    ends, by = held.now() + found.remaining_seconds, held.now() + found.within_seconds
    return replace(
        session,
        deadline_boot_seconds=min(session.deadline_boot_seconds, ends),
        resume_by_boot_seconds=min(session.resume_by_boot_seconds, by),
    )


def _set_alarms(held: Held, course: Course, session: Session) -> None:
    assert session.resume_by_boot_seconds is not None, "it waits"
    name = session.session
    held.cancel_alarms(name)
    end = partial(course.begin_end, name, session.cut_reason or EndReason.POWER_LOSS)
    held.ring(name, session.resume_by_boot_seconds, end)
    again = partial(_look_again, held, course, name)
    held.ring(name, held.now() + LOOK_AGAIN_SECONDS, again)


def _look_again(held: Held, course: Course, name: str) -> None:
    """End what is over by a clock that can be trusted by now; let the rest wait on."""
    session = held.sessions[name]
    known = _by_what_is_known(held, session)
    if known is None:
        course.begin_end(name, session.cut_reason or EndReason.POWER_LOSS)
        return
    if known != session:
        held.keep(known)
    _set_alarms(held, course, known)


def _go_on(held: Held, course: Course, session: Session) -> ProgramRecord | Refusal:
    """Write that it goes on, then start its program; until that is ready it is lost, not delivered.

    Raises:
        RecordsCannotBeUsed: it cannot be written, and is not done.
    """
    now = held.now()
    remaining_seconds = session.deadline_boot_seconds - now
    lost_seconds = session.granted_seconds - session.delivered_seconds - remaining_seconds
    lost_seconds = max(session.lost_seconds, lost_seconds)
    # As if it had been there without a break up to now, and down for as long as nobody had it.
    began = now - session.delivered_seconds - lost_seconds
    going = replace(
        session,
        running_boot_seconds=began,
        lost_seconds=lost_seconds,
        down_boot_seconds=now,
        resume_by_boot_seconds=None,
    )
    held.means.records.save([going])
    held.cancel_alarms(session.session)
    held.sessions[session.session] = going
    return course.spawn(going)

"""A runner that comes back: what runs is taken up, what has no session is ended."""

from __future__ import annotations

from dataclasses import replace

from common.rules.sessions import EndReason, SessionEvent
from edge_agent.runner import resumes
from edge_agent.runner.course import Course
from edge_agent.runner.held import Held, moved
from edge_agent.runner.records import Session
from edge_agent.runner.tree import Identity


def take_up(held: Held, course: Course) -> None:
    """Carry on where an earlier runner was cut off, and end what runs without a session."""
    means = held.means
    held.broken |= means.records.broken()
    left_boot_id = means.records.arrive()
    for session in means.records.all():
        held.sessions[session.session] = session
        if session.is_live and session.boot_id != means.boot_id:
            was_asked = session.boot_id == left_boot_id
            reason = EndReason.REBOOT if was_asked else EndReason.POWER_LOSS
            resumes.interrupt(held, course, session, reason)
        elif session.waits:
            resumes.wait(held, course, session)
        elif session.is_live:
            _adopt(held, course, session)
    means.programs.sweep([name for name, kept in held.sessions.items() if kept.is_live])
    marked = set(means.programs.marked().values())
    for name in marked - {name for name, kept in held.sessions.items() if kept.is_live}:
        course.see_out_orphan(name)


def _adopt(held: Held, course: Course, session: Session) -> None:
    known = (
        Identity(pid=session.pid, born_ticks=session.born_ticks)
        if session.pid is not None and session.born_ticks is not None
        else None
    )
    leader = held.means.programs.adopt(session.session, known)
    if session.is_leaving:
        course.see_out(session)
    elif leader:
        course.go_on(session, leader)
    elif known:
        course.gone(session.session, known, None)
    elif not resumes.begin_again(course, session):
        stopped = replace(moved(session, SessionEvent.STOP), end_reason=EndReason.PROGRAM_FAILED)
        held.keep(stopped)
        course.see_out(stopped)

"""What should run is a row, what does run is the runner's word; each change is reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from common.messages.sessions import (
    CommandTold,
    Desired,
    SessionEnded,
    SessionEnding,
    SessionFailed,
    SessionRunning,
    StopSession,
)
from common.rules.sessions import (
    DEVICE_IS_TO_BLAME,
    SESSION,
    START_AGAIN_SECONDS,
    START_TRIES,
    CommandState,
    EndReason,
    InterruptionState,
    Notice,
    SessionEvent,
    SessionState,
)
from edge_agent.flows.sessions.extending import (
    ToExtend,
    extends_itself,
    may_go_on,
    note_extended,
    to_extend,
)
from edge_agent.flows.sessions.interruption import ToResume, note_interruption, to_resume
from edge_agent.flows.sessions.programs import Running, program_of, running_programs
from edge_agent.flows.sessions.proof import (
    note_alive,
    note_lost,
    note_warned,
    note_warning_shown,
)
from edge_agent.ports import NoticeShown, ProgramSeen, Row, SessionOnScreen, Transaction

__all__ = [
    "Running",
    "ToExtend",
    "ToResume",
    "ToStart",
    "ToStop",
    "end_by_customer",
    "end_without_seat",
    "extends_itself",
    "forget_old",
    "is_over",
    "may_go_on",
    "note_alive",
    "note_extended",
    "note_missing",
    "note_refused",
    "note_seen",
    "note_warned",
    "note_warning_shown",
    "on_screen",
    "program_of",
    "running_programs",
    "running_sessions",
    "take_desired",
    "take_stop",
    "to_extend",
    "to_resume",
    "to_start",
    "to_stop",
    "waits_to_try_again",
]

ALREADY_ENDED: Final = "already_ended"
"""What a stop that comes after the end is answered with (C5)."""

KEPT_SECONDS: Final = 7 * 86_400
"""How long what is over stays in the journal, for whoever looks at what happened."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ToStart:
    """A session whose program should run and does not yet, and the instant it is to end at."""

    session: str
    device: str
    program: str
    fence: int
    deadline_boot_seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ToStop:
    """A session whose program should end."""

    session: str
    reason: EndReason


def to_start(journal: Transaction) -> list[ToStart]:
    """Return what is to be started now; what comes too late for that fails instead."""
    due = []
    for row in journal.rows.live_sessions():
        if row["state"] != SessionState.STARTING or row["wanted"] != "run":
            continue
        if not _may_start(journal, row):
            _fail(journal, row["session"], EndReason.START_TIMEOUT)
            continue
        if journal.boot_seconds < row["try_at_boot_seconds"]:
            continue
        due.append(
            ToStart(
                session=row["session"],
                device=row["device"],
                program=row["program"],
                fence=row["fence"],
                deadline_boot_seconds=row["deadline_boot_seconds"],
            )
        )
    return due


def to_stop(journal: Transaction) -> list[ToStop]:
    """Return what is to be stopped now."""
    return [
        ToStop(session=row["session"], reason=EndReason(row["stop_reason"]))
        for row in journal.rows.live_sessions()
        if row["wanted"] == "stop"
    ]


def note_seen(journal: Transaction, seen: ProgramSeen) -> None:
    """Take in what the runner says of a session, and report what is new."""
    row = journal.rows.session(session=seen.session)
    if row is None:
        return
    before = SessionState(row["state"])
    if seen.state in {SessionState.RUNNING, SessionState.ENDING} or seen.started_at is not None:
        before = _note_running(journal, before, seen)
        note_lost(journal, row, seen)
        note_interruption(journal, row, seen)
    if seen.state is SessionState.ENDED:
        _note_ended(journal, before, seen)
    elif seen.state is SessionState.FAILED and before is not SessionState.STARTING:
        note_missing(journal, seen.session)  # its runner has forgotten that it ran
    elif seen.state is SessionState.FAILED:
        _note_failed(journal, row, seen.end_reason or EndReason.UNKNOWN)


def note_refused(journal: Transaction, session: str, reason: EndReason) -> bool:
    """Take in that the runner has not started it; say whether it is to be tried again.

    It is while there is time and the customer still stands there; what came too late never is. The
    runner tells a failure twice, as its answer and as an event: until the next try it is one.
    """
    row = journal.rows.session(session=session)
    if journal.boot_seconds < row["try_at_boot_seconds"]:
        return True
    is_last = row["start_tries"] + 1 >= START_TRIES
    if reason is EndReason.START_TIMEOUT or is_last or not _may_start(journal, row):
        _fail(journal, session, reason)
        return False
    journal.rows.try_again(
        session=session, try_at_boot_seconds=journal.boot_seconds + START_AGAIN_SECONDS
    )
    return True


def note_missing(journal: Transaction, session: str) -> None:
    """The runner has lost what we saw running: it is over, and nobody knows how.

    Of what was given only that is known for sure which it had told before.
    """
    row = journal.rows.session(session=session)
    if row is None or SESSION.step(SessionState(row["state"]), SessionEvent.END) is None:
        return
    seen = ProgramSeen(
        session=session,
        state=SessionState.ENDED,
        end_reason=EndReason.UNKNOWN,
        remaining_seconds=0.0,
        delivered_seconds=row["delivered_seconds"],
        started_at=None,
        ended_at=None,
        lost_seconds=row["lost_seconds"],
    )
    _note_ended(journal, SessionState(row["state"]), seen)


def waits_to_try_again(journal: Transaction) -> bool:
    """Say whether a program is to be started once more a little later."""
    return any(
        row["state"] == SessionState.STARTING and row["try_at_boot_seconds"]
        for row in journal.rows.live_sessions()
    )


def running_sessions(journal: Transaction) -> frozenset[str]:
    """Return the sessions whose program was seen running and not yet ended."""
    return frozenset(
        row["session"]
        for row in journal.rows.live_sessions()
        if row["state"] != SessionState.STARTING
    )


def on_screen(journal: Transaction) -> dict[str, SessionOnScreen]:
    """Return the live session of each device, as its customer's screen is told of it."""
    return {
        row["device"]: SessionOnScreen(
            session=row["session"],
            state=SessionState(row["state"]),
            ends_at=row["deadline_boot_seconds"] if row["boot_id"] == journal.boot_id else None,
            granted_seconds=row["granted_seconds"],
            waits=row["interruption"] == InterruptionState.WAITING,
        )
        for row in journal.rows.live_sessions()
    }


def end_by_customer(journal: Transaction, session: str) -> bool:
    """Have a session ended because its customer wishes it; False when it is over anyway."""
    if is_over(journal, session):
        return False
    _want_stop(journal, session, EndReason.CUSTOMER_ENDED)
    return True


def end_without_seat(journal: Transaction, session: str) -> bool:
    """Have a session ended whose module has no seat any more; False when it is over anyway."""
    if is_over(journal, session):
        return False
    _want_stop(journal, session, EndReason.REVOKED)
    return True


def is_over(journal: Transaction, session: str) -> bool:
    """Say whether the journal holds the end of a session, so that the runner may forget it."""
    row = journal.rows.session(session=session)
    return row is None or row["state"] in {SessionState.ENDED, SessionState.FAILED}


def take_stop(journal: Transaction, told: StopSession) -> None:
    """Accept a stop, or answer that the session has ended; repeated, it changes nothing (C5)."""
    if journal.rows.command(command=told.command) is not None:
        return
    row = journal.rows.session(session=told.session)
    if row is None or row["state"] in {SessionState.ENDED, SessionState.FAILED}:
        _answer(journal, told, CommandState.SUCCEEDED, ALREADY_ENDED)
        return
    _answer(journal, told, CommandState.ACCEPTED, "")
    _want_stop(journal, told.session, told.reason)


def take_desired(journal: Transaction, told: Desired) -> None:
    """Take over what the controller wants; an older revision changes nothing."""
    if told.revision <= (journal.rows.revision() or 0):
        return
    journal.rows.keep_revision(revision=told.revision, revoked_until=told.revoked_until)
    journal.rows.forget_revoked()
    for dead in told.revoked:
        journal.rows.add_revoked(ticket=dead.ticket, revision=dead.revision, dies_at=dead.dies_at)
    for wanted in told.sessions:
        journal.rows.note_desired(
            session=wanted.session,
            extended_seconds=wanted.extended_seconds,
            extends_itself=int(wanted.extends_itself),
        )
        if wanted.wanted == "stop":
            _want_stop(journal, wanted.session, wanted.reason or EndReason.TIME_UP)


def forget_old(journal: Transaction, trusted_now: int | None) -> None:
    """Drop from the journal what has been over for long.

    By the wall clock and by `trusted_now`, whichever is earlier: what is forgotten to have been
    used could be used again. Without a time that can be trusted nothing is forgotten.
    """
    if trusted_now is None:
        return
    before = min(journal.now, trusted_now) - KEPT_SECONDS * 1000
    journal.rows.forget_sessions(before=before)
    journal.rows.forget_uncovered()
    journal.rows.forget_commands(before=before)


def _may_start(journal: Transaction, row: Row) -> bool:
    """Say whether it is still time: in the same boot, soon after the scan, before the end."""
    by = min(row["start_by_boot_seconds"], row["deadline_boot_seconds"])
    return bool(row["boot_id"] == journal.boot_id and journal.boot_seconds < by)


def _note_failed(journal: Transaction, row: Row, reason: EndReason) -> None:
    """A program did not come up: it is tried again, unless it is not wanted any more."""
    is_wanted = (row["state"], row["wanted"]) == (SessionState.STARTING, "run")
    if is_wanted and reason is EndReason.PROGRAM_FAILED:
        note_refused(journal, row["session"], reason)
    else:
        _fail(journal, row["session"], reason)


def _note_running(journal: Transaction, before: SessionState, seen: ProgramSeen) -> SessionState:
    after = SESSION.step(before, SessionEvent.RUN)
    if after is None:
        return before
    journal.rows.move_session(session=seen.session, before=before, state=after)
    journal.say(
        SessionRunning(
            session=seen.session,
            at=seen.started_at or journal.now,
            remaining_seconds=max(0.0, seen.remaining_seconds),
            verified_by=seen.ready_by,
        )
    )
    return after


def _note_ended(journal: Transaction, before: SessionState, seen: ProgramSeen) -> None:
    after = SESSION.step(before, SessionEvent.END)
    if after is None:
        _fail(journal, seen.session, seen.end_reason or EndReason.UNKNOWN)
        return
    journal.rows.move_session(session=seen.session, before=before, state=after)
    journal.say(
        SessionEnded(
            session=seen.session,
            at=seen.ended_at or journal.now,
            reason=seen.end_reason or EndReason.UNKNOWN,
            delivered_seconds=seen.delivered_seconds,
            remaining_seconds=max(0.0, seen.remaining_seconds),
            lost_seconds=seen.lost_seconds,
        )
    )
    _settle_commands(journal, seen.session)


def _fail(journal: Transaction, session: str, reason: EndReason) -> None:
    row = journal.rows.session(session=session)
    after = SESSION.step(SessionState(row["state"]), SessionEvent.FAIL)
    if after is None:
        return
    journal.rows.move_session(session=session, before=row["state"], state=after)
    journal.say(SessionFailed(session=session, at=journal.now, reason=reason))
    if reason in DEVICE_IS_TO_BLAME:
        journal.show(NoticeShown(device=row["device"], notice=Notice.DID_NOT_START))
    _settle_commands(journal, session)


def _want_stop(journal: Transaction, session: str, reason: str) -> None:
    known = reason if reason in set(EndReason) else EndReason.UNKNOWN
    if not journal.rows.want_stop(session=session, stop_reason=known):
        return
    row = journal.rows.session(session=session)
    before = SessionState(row["state"])
    after = SESSION.step(before, SessionEvent.STOP)
    if after is not None:
        journal.rows.move_session(session=session, before=before, state=after)
        journal.say(SessionEnding(session=session, at=journal.now))
    elif before is SessionState.STARTING:
        _fail(journal, session, EndReason(known))


def _answer(journal: Transaction, told: StopSession, state: CommandState, detail: str) -> None:
    journal.rows.add_command(
        command=told.command, session=told.session, state=state, taken_at=journal.now
    )
    journal.say(CommandTold(command=told.command, state=state, at=journal.now, detail=detail))


def _settle_commands(journal: Transaction, session: str) -> None:
    """Report as done every command that waited for this end."""
    for row in journal.rows.accepted_commands(session=session):
        journal.rows.move_command(command=row["command"], state=CommandState.SUCCEEDED)
        journal.say(
            CommandTold(command=row["command"], state=CommandState.SUCCEEDED, at=journal.now)
        )

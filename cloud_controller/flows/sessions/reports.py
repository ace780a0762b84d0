"""What terminals report of their sessions becomes the ledger, and what it means for the ticket."""

from __future__ import annotations

from cloud_controller.flows.sessions.debts import settle
from cloud_controller.flows.sessions.entries import enter, happened_at, known_of
from cloud_controller.flows.sessions.proof import heartbeats_of
from cloud_controller.flows.sessions.stops import BATCH_MAX, ask_to_stop
from cloud_controller.ports import Received, Row, Transaction
from common.ids import SessionId
from common.messages.sessions import (
    SessionEnded,
    SessionEnding,
    SessionExtended,
    SessionFailed,
    SessionResumed,
    SessionRunning,
    SessionStarting,
    SessionWarned,
)
from common.rules.problems import ProblemKind
from common.rules.sessions import (
    CLOCK_TOLERANCE_SECONDS,
    DEVICE_IS_TO_BLAME,
    SESSION,
    EndReason,
    SessionEvent,
    SessionState,
)


def note_starting(books: Transaction, said: Received) -> None:
    """The terminal holds the right and begins."""
    message: SessionStarting = said.message
    known = known_of(books, said, message.session)
    if known is not None and books.sessions.mark_starting(session_id=message.session):
        enter(books, known, message.type, happened_at(books, known, message.at), {})


def note_running(books: Transaction, said: Received) -> None:
    """The program verifiably runs: its ticket is spent and its reservation in use."""
    message: SessionRunning = said.message
    known = known_of(books, said, message.session)
    if known is None:
        return
    at = happened_at(books, known, message.at)
    after = SESSION.step(SessionState(known["state"]), SessionEvent.RUN)
    if after is not None:
        books.sessions.mark_running(
            session_id=message.session, before=known["state"], running_at=at
        )
    elif not books.sessions.ran_after_all(session_id=message.session, running_at=at):
        return
    books.sessions.spend_ticket(ticket_id=known["ticket_id"])
    books.sessions.begin_use(reservation_id=known["reservation_id"], changed_at=books.now)
    books.solve_problem(ProblemKind.PROGRAM_DID_NOT_START, message.session)
    facts = {
        "remaining_seconds": message.remaining_seconds,
        **({"verified_by": message.verified_by} if message.verified_by else {}),
    }
    enter(books, known, message.type, at, facts)


def note_warned(books: Transaction, said: Received) -> None:
    """The customer was warned."""
    message: SessionWarned = said.message
    known = known_of(books, said, message.session)
    if known is not None:
        at = happened_at(books, known, message.at)
        enter(books, known, message.type, at, {"seconds_left": message.seconds_left})


def note_extended(books: Transaction, said: Received) -> None:
    """The runner lets the program run for longer, as was granted."""
    message: SessionExtended = said.message
    known = known_of(books, said, message.session)
    if known is not None:
        facts = {
            "extended_seconds": message.extended_seconds,
            "remaining_seconds": message.remaining_seconds,
        }
        enter(books, known, message.type, happened_at(books, known, message.at), facts)


def note_resumed(books: Transaction, said: Received) -> None:
    """It goes on after a power cut, to its old end at the latest; one believed over is stopped."""
    message: SessionResumed = said.message
    known = known_of(books, said, message.session)
    if known is None:
        return
    at = happened_at(books, known, message.at)
    books.sessions.end_earlier(
        session_id=message.session, deadline_at=at + int(message.remaining_seconds * 1000)
    )
    facts = {
        "remaining_seconds": message.remaining_seconds,
        "delivered_seconds": message.delivered_seconds,
    }
    enter(books, known, message.type, at, facts)
    if known["is_presumed"]:
        ask_to_stop(books, SessionId(message.session), said.terminal, EndReason.TIME_UP)


def note_ending(books: Transaction, said: Received) -> None:
    """The program is being ended."""
    message: SessionEnding = said.message
    known = known_of(books, said, message.session)
    if known is not None and books.sessions.mark_ending(session_id=message.session):
        enter(books, known, message.type, happened_at(books, known, message.at), {})


def note_ended(books: Transaction, said: Received) -> None:
    """The program is verifiably gone: the use is complete, its seconds are known (C6)."""
    message: SessionEnded = said.message
    known = known_of(books, said, message.session)
    if known is None or not _close(books, known, message):
        return
    books.sessions.complete_use(
        reservation_id=known["reservation_id"], ended_at=books.now, changed_at=books.now
    )
    facts = {
        "reason": message.reason,
        "delivered_seconds": message.delivered_seconds,
        **({"lost_seconds": message.lost_seconds} if message.lost_seconds else {}),
        **heartbeats_of(books, message.session),
    }
    enter(books, known, message.type, happened_at(books, known, message.at), facts)
    enter(books, known, "reservation.completed", books.now, {})
    settle(books, known["reservation_id"])
    if message.reason == EndReason.TIME_UP:  # its report may be here before our timer rings
        ask_to_stop(books, SessionId(message.session), said.terminal, EndReason.TIME_UP)


def note_failed(books: Transaction, said: Received) -> None:
    """The program never came to run: the ticket is good again, here or on another device."""
    message: SessionFailed = said.message
    known = known_of(books, said, message.session)
    if known is None or not _close(books, known, message):
        return
    books.sessions.give_ticket_back(ticket_id=known["ticket_id"])
    if message.reason in DEVICE_IS_TO_BLAME:
        books.sessions.mark_to_move(session_id=message.session)
    at = happened_at(books, known, message.at)
    enter(books, known, message.type, at, {"reason": message.reason})


def presume_stopped(books: Transaction) -> None:
    """Presume ended what no terminal has reported since its deadline; a later report settles it."""
    before = books.now - int(CLOCK_TOLERANCE_SECONDS * 1000)
    for row in books.sessions.lost_sight_of(before=before, most=BATCH_MAX):
        has_run = row["running_at"] is not None
        books.sessions.mark_ended(
            session_id=row["session_id"],
            before=row["state"],
            state=SessionState.ENDED if has_run else SessionState.FAILED,
            ended_at=row["deadline_at"],
            end_reason=EndReason.UNKNOWN,
            delivered_seconds=None,
            remaining_seconds=None,
            lost_seconds=0.0,
            is_presumed=1,
        )
        if has_run:
            books.sessions.complete_use(
                reservation_id=row["reservation_id"], ended_at=books.now, changed_at=books.now
            )
        facts = heartbeats_of(books, row["session_id"])
        enter(books, row, "session.presumed_stopped", books.now, facts)


def _close(books: Transaction, known: Row, message: SessionEnded | SessionFailed) -> bool:
    """Mark the end that a terminal reports, also where it was only presumed; say if it is news."""
    ended = message if isinstance(message, SessionEnded) else None
    event = SessionEvent.FAIL if ended is None else SessionEvent.END
    end = {
        "session_id": message.session,
        "state": SessionState.FAILED if ended is None else SessionState.ENDED,
        "ended_at": happened_at(books, known, message.at),
        "end_reason": message.reason,
        "delivered_seconds": 0.0 if ended is None else ended.delivered_seconds,
        "remaining_seconds": None if ended is None else ended.remaining_seconds,
        "lost_seconds": 0.0 if ended is None else ended.lost_seconds,
    }
    if SESSION.step(SessionState(known["state"]), event) is None:
        return bool(books.sessions.settle_presumed(**end))
    return bool(books.sessions.mark_ended(**end, before=known["state"], is_presumed=0))

"""What terminals report becomes the ledger; every session is told to stop at its end (C5)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from cloud_controller.ports import NotFound, Problem, Received, Row, Transaction
from common.ids import CommandId, SessionId, TerminalId
from common.messages.registration import Hello, Welcome
from common.messages.sessions import (
    CommandTold,
    Desired,
    DesiredSession,
    SessionEnded,
    SessionEnding,
    SessionFailed,
    SessionRunning,
    SessionStarting,
    SessionWarned,
    StopSession,
)
from common.rules.problems import ProblemKind
from common.rules.sessions import (
    CLOCK_TOLERANCE_SECONDS,
    COMMAND,
    SESSION,
    STOP_ACCEPT_SECONDS,
    CommandEvent,
    CommandState,
    EndReason,
    SessionEvent,
    SessionState,
)
from common.topics import BrokerRole, Channel

RESEND_SECONDS: Final = 2.0
"""Before a command is sent for the second time; it doubles until the command expires."""

PROTOCOL: Final = 1
"""The version of the protocol that this controller speaks."""

BATCH_MAX: Final = 200
"""Sessions or commands looked at in one transaction, so that it stays short."""

REVISION_BELIEVED_MAX: Final = 2**53
"""No controller comes to a higher revision; one that was, could soon not be raised any more."""

_COMMAND_EVENTS: Final[Mapping[str, CommandEvent]] = {
    CommandState.ACCEPTED: CommandEvent.ACCEPT,
    CommandState.EXECUTING: CommandEvent.EXECUTE,
    CommandState.SUCCEEDED: CommandEvent.SUCCEED,
    CommandState.FAILED: CommandEvent.FAIL,
    CommandState.REJECTED: CommandEvent.REJECT,
}


def hello(books: Transaction, said: Received) -> None:
    """Welcome a terminal back: what has been received, what is desired, what time it is.

    One that knows more of us than we do ourselves shows that an old backup was put back.
    """
    message: Hello = said.message
    lowest, highest = message.protocol
    if not lowest <= PROTOCOL <= highest:
        books.raise_problem(_unspoken(said.terminal, message))
        return
    books.solve_problem(ProblemKind.PROTOCOL_UNSPOKEN, said.terminal)
    applied = _applied_up_to(books, said, before=message.outbox_first)
    known = books.registration.terminal(terminal_id=said.terminal)
    if known["broker_role"] != BrokerRole.SERVICE:
        return  # while it settles, acknowledgements and stops are all it hears
    revision = known["desired_revision"]
    if revision < message.applied_revision <= REVISION_BELIEVED_MAX:
        revision = books.sessions.raise_revision_above(
            terminal_id=said.terminal, applied=message.applied_revision
        )
    welcome = Welcome(
        epoch=said.epoch,
        acknowledged_up_to=applied,
        desired_revision=revision,
        server_at=books.now,
    )
    books.say(said.terminal, Channel.WELCOME, welcome, corr=said.corr)
    if message.applied_revision < revision:
        _say_desired(books, said.terminal, revision)


def note_starting(books: Transaction, said: Received) -> None:
    """The terminal holds the right and begins."""
    message: SessionStarting = said.message
    known = _known(books, said, message.session)
    if known is not None and books.sessions.mark_starting(session_id=message.session):
        _enter(books, known, message.type, message.at, {})


def note_running(books: Transaction, said: Received) -> None:
    """The program verifiably runs: its ticket is spent and its reservation in use."""
    message: SessionRunning = said.message
    known = _known(books, said, message.session)
    if known is None:
        return
    after = SESSION.step(SessionState(known["state"]), SessionEvent.RUN)
    if after is not None:
        books.sessions.mark_running(
            session_id=message.session, before=known["state"], running_at=message.at
        )
    elif not books.sessions.ran_after_all(session_id=message.session, running_at=message.at):
        return
    books.sessions.spend_ticket(ticket_id=known["ticket_id"])
    books.sessions.begin_use(reservation_id=known["reservation_id"], changed_at=books.now)
    _enter(books, known, message.type, message.at, {"remaining_seconds": message.remaining_seconds})


def note_warned(books: Transaction, said: Received) -> None:
    """The customer was warned."""
    message: SessionWarned = said.message
    known = _known(books, said, message.session)
    if known is not None:
        _enter(books, known, message.type, message.at, {"seconds_left": message.seconds_left})


def note_ending(books: Transaction, said: Received) -> None:
    """The program is being ended."""
    message: SessionEnding = said.message
    known = _known(books, said, message.session)
    if known is not None and books.sessions.mark_ending(session_id=message.session):
        _enter(books, known, message.type, message.at, {})


def note_ended(books: Transaction, said: Received) -> None:
    """The program is verifiably gone: the use is complete, its seconds are known (C6)."""
    message: SessionEnded = said.message
    known = _known(books, said, message.session)
    if known is None or not _close(books, known, message, message.delivered_seconds):
        return
    books.sessions.complete_use(reservation_id=known["reservation_id"], changed_at=books.now)
    facts = {"reason": message.reason, "delivered_seconds": message.delivered_seconds}
    _enter(books, known, message.type, message.at, facts)
    _enter(books, known, "reservation.completed", books.now, {})
    if message.reason == EndReason.TIME_UP:  # its report may be here before our timer rings
        ask_to_stop(books, SessionId(message.session), said.terminal, EndReason.TIME_UP)


def note_failed(books: Transaction, said: Received) -> None:
    """The program never came to run: the ticket is good again."""
    message: SessionFailed = said.message
    known = _known(books, said, message.session)
    if known is None or not _close(books, known, message, 0.0):
        return
    books.sessions.give_ticket_back(ticket_id=known["ticket_id"])
    _enter(books, known, message.type, message.at, {"reason": message.reason})


def note_command(books: Transaction, said: Received) -> None:
    """How far the terminal has got with a command."""
    message: CommandTold = said.message
    known = books.sessions.command(command_id=message.command, terminal_id=said.terminal)
    event = _COMMAND_EVENTS.get(message.state)
    if known is None or event is None:
        return
    after = COMMAND.step(CommandState(known["state"]), event)
    if after is None:
        return
    books.sessions.change_command(
        command_id=message.command, before=known["state"], state=after, detail=message.detail
    )
    session = _known(books, said, known["session_id"])
    facts = {"command": known["type"], "state": after, "detail": message.detail}
    _enter(books, session, message.type, message.at, facts)


def ask_to_stop(
    books: Transaction, session: SessionId, terminal: TerminalId, reason: EndReason
) -> None:
    """Instruct the stop of a session, by command and in the desired document.

    Raises:
        NotFound: that terminal has no such session.
    """
    known = books.sessions.session(session_id=session, terminal_id=terminal)
    if known is None:
        raise NotFound(what="session")
    command = StopSession(
        command=CommandId(books.names.new("c")),
        session=session,
        reason=reason,
        accept_by=books.now + int(STOP_ACCEPT_SECONDS * 1000),
    )
    made = books.sessions.add_command(
        command_id=command.command,
        terminal_id=terminal,
        session_id=session,
        type=command.type,
        body=command.model_dump_json(),
        accept_by=command.accept_by,
        next_send_at=books.now + int(RESEND_SECONDS * 1000),
        made_at=books.now,
    )
    if not made:
        return
    books.sessions.want_stop(session_id=session)
    books.say(terminal, Channel.COMMANDS, command, tail=command.command)
    _say_desired(books, terminal, books.sessions.raise_revision(terminal_id=terminal))
    _enter(books, known, "stop.instructed", books.now, {"reason": reason})


def stop_what_is_due(books: Transaction) -> None:
    """Instruct the stop of every session whose end has come."""
    for row in books.sessions.due_for_stop(now=books.now, most=BATCH_MAX):
        ask_to_stop(books, row["session_id"], row["terminal_id"], EndReason.TIME_UP)


def send_commands_again(books: Transaction) -> None:
    """Repeat commands nobody has accepted, with the same id; expire those past their time."""
    for row in books.sessions.commands_to_send(now=books.now, most=BATCH_MAX):
        if books.now >= row["accept_by"]:
            books.sessions.expire_command(command_id=row["command_id"])
            continue
        age_seconds = (books.now - row["made_at"]) / 1000
        wait_seconds = max(RESEND_SECONDS, age_seconds)
        books.sessions.send_again(
            command_id=row["command_id"],
            next_send_at=min(books.now + int(wait_seconds * 1000), row["accept_by"]),
        )
        command = StopSession.model_validate_json(row["body"])
        books.say(row["terminal_id"], Channel.COMMANDS, command, tail=row["command_id"])


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
            is_presumed=1,
        )
        _enter(books, row, "session.presumed_stopped", books.now, {})


def next_moment(books: Transaction) -> int | None:
    """Return when one of the three above has something to do next, or None."""
    lost_at = books.sessions.next_lost()
    moments = [
        books.sessions.next_deadline(),
        books.sessions.next_send(),
        lost_at + int(CLOCK_TOLERANCE_SECONDS * 1000) if lost_at is not None else None,
    ]
    return min((moment for moment in moments if moment is not None), default=None)


def _applied_up_to(books: Transaction, said: Received, *, before: int) -> int:
    """Return up to where the events of a terminal that has none `before` this one are applied.

    It drops what we acknowledged and nothing else: of what it has not, and we do not know, only the
    number is left, and what comes after must not wait for it.
    """
    who, epoch = said.terminal, said.epoch
    applied: int = books.post.mark(terminal_id=who, epoch=epoch) or 0
    if before <= applied + 1:
        return applied
    books.post.raise_mark(terminal_id=who, epoch=epoch, applied_up_to=before - 1)
    books.post.applied(terminal_id=who, epoch=epoch, seq=before - 1)
    books.post.enter(
        at=books.now,
        type="events.lost",
        terminal_id=who,
        reservation_id=None,
        session_id=None,
        body=json.dumps({"from": applied + 1, "to": before - 1}),
    )
    return before - 1


def _unspoken(terminal: TerminalId, message: Hello) -> Problem:
    return Problem(
        kind=ProblemKind.PROTOCOL_UNSPOKEN,
        subject=terminal,
        terminal=terminal,
        why=f"It speaks versions {message.protocol[0]} to {message.protocol[1]}, we {PROTOCOL}.",
        evidence={"protocol": list(message.protocol)},
    )


def _known(books: Transaction, said: Received, session: str) -> Row:
    return books.sessions.session(session_id=session, terminal_id=said.terminal)


def _close(
    books: Transaction,
    known: Row,
    message: SessionEnded | SessionFailed,
    delivered_seconds: float,
) -> bool:
    """Mark the end that a terminal reports, also where it was only presumed; say if it is news."""
    has_ended = isinstance(message, SessionEnded)
    event = SessionEvent.END if has_ended else SessionEvent.FAIL
    end = {
        "session_id": message.session,
        "state": SessionState.ENDED if has_ended else SessionState.FAILED,
        "ended_at": message.at,
        "end_reason": message.reason,
        "delivered_seconds": delivered_seconds,
    }
    if SESSION.step(SessionState(known["state"]), event) is None:
        return bool(books.sessions.settle_presumed(**end))
    return bool(books.sessions.mark_ended(**end, before=known["state"], is_presumed=0))


def _say_desired(books: Transaction, terminal: TerminalId, revision: int) -> None:
    rows = books.sessions.desired(terminal_id=terminal)
    sessions = tuple(
        DesiredSession(session=row["session_id"], device=row["device_id"], wanted=row["wanted"])
        for row in rows
    )
    books.say(terminal, Channel.DESIRED, Desired(revision=revision, sessions=sessions))


def _enter(books: Transaction, session: Row, kind: str, at: int, facts: dict[str, Any]) -> None:
    """Add a line about a session to the ledger; `at` is when it happened, by whoever reports it."""
    books.post.enter(
        at=at,
        type=kind,
        terminal_id=session["terminal_id"],
        reservation_id=session["reservation_id"],
        session_id=session["session_id"],
        body=json.dumps(facts),
    )

"""Every session is told to stop at its end (C5), again until it is heard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cloud_controller.flows.sessions.entries import enter, happened_at, known_of
from cloud_controller.flows.sessions.revoked import revoked_for
from cloud_controller.ports import NotAllowed, NotFound, Received, Transaction
from common.ids import CommandId, SessionId, TerminalId
from common.messages.sessions import CommandTold, Desired, DesiredSession, StopSession
from common.rules.sessions import (
    COMMAND,
    STOP_ACCEPT_SECONDS,
    CommandEvent,
    CommandState,
    EndReason,
    SessionState,
)
from common.topics import BrokerRole, Channel

RESEND_SECONDS: Final = 2.0
"""Before a command is sent for the second time; it doubles until the command expires."""

BATCH_MAX: Final = 200
"""Sessions or commands looked at in one transaction, so that it stays short."""

_COMMAND_EVENTS: Final[Mapping[str, CommandEvent]] = {
    CommandState.ACCEPTED: CommandEvent.ACCEPT,
    CommandState.EXECUTING: CommandEvent.EXECUTE,
    CommandState.SUCCEEDED: CommandEvent.SUCCEED,
    CommandState.FAILED: CommandEvent.FAIL,
    CommandState.REJECTED: CommandEvent.REJECT,
}


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
    session = known_of(books, said, known["session_id"])
    facts = {"command": known["type"], "state": after, "detail": message.detail}
    enter(books, session, message.type, happened_at(books, session, message.at), facts)


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
    say_desired(books, terminal, books.sessions.raise_revision(terminal_id=terminal))
    enter(books, known, "stop.instructed", books.now, {"reason": reason})


def end_for_holder(books: Transaction, link: str) -> None:
    """Have the session of a ticket ended because its holder wishes it; said again it is the same.

    Raises:
        NotFound: there is no such ticket.
        NotAllowed: nothing of it runs, or it runs at a terminal that another controller commands.
    """
    if books.reservations.by_link(link=link) is None:
        raise NotFound(what="ticket")
    known = books.sessions.used_now(link=link)
    if known is None:
        raise NotAllowed(why="nothing runs that could be ended")
    if not known["is_ours"]:
        raise NotAllowed(why="this booth's own screen ends it")
    if known["state"] == SessionState.RUNNING:
        ask_to_stop(books, known["session_id"], known["terminal_id"], EndReason.CUSTOMER_ENDED)


def may_end(books: Transaction, link: str) -> bool:
    """Say whether a ticket's holder can have what runs ended from here."""
    known = books.sessions.used_now(link=link)
    return known is not None and bool(known["is_ours"])


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


def has_to_tell_revoked(books: Transaction) -> bool:
    """Say whether a ticket was revoked that its store's terminals have not been told of."""
    return bool(books.sessions.has_to_tell_revoked())


def tell_revoked(books: Transaction) -> None:
    """Tell the terminals of a store which of its tickets are dead: now, or at their next hello."""
    for store in list(books.sessions.stores_to_tell(most=BATCH_MAX)):
        for row in list(books.sessions.terminals_to_tell(store_id=store["store_id"])):
            terminal = TerminalId(row["terminal_id"])
            revision = books.sessions.raise_revision(terminal_id=terminal)
            if row["broker_role"] == BrokerRole.SERVICE:
                say_desired(books, terminal, revision)
        books.sessions.note_told(store_id=store["store_id"])


def tell_desired(books: Transaction, terminal: TerminalId) -> None:
    """Say anew what is wanted of a terminal: now if it is in service, else at its next hello.

    It is kept until the broker has it: who sells time need not be who speaks to terminals.
    """
    revision = books.sessions.raise_revision(terminal_id=terminal)
    known = books.registration.admission(terminal_id=terminal)
    if known is not None and known["broker_role"] == BrokerRole.SERVICE:
        say_desired(books, terminal, revision, kept=True)


def say_desired(
    books: Transaction, terminal: TerminalId, revision: int, *, kept: bool = False
) -> None:
    """Say the whole of what is wanted of a terminal."""
    rows = books.sessions.desired(terminal_id=terminal)
    sessions = tuple(
        DesiredSession(
            session=row["session_id"],
            device=row["device_id"],
            wanted=row["wanted"],
            reason=_reason_of(row["stop"]),
            extended_seconds=row["extended_seconds"],
            extends_itself=row["extends_itself"] == 1,
        )
        for row in rows
    )
    revoked, until = revoked_for(books, terminal)
    desired = Desired(revision=revision, sessions=sessions, revoked=revoked, revoked_until=until)
    books.say(terminal, Channel.DESIRED, desired, kept=kept)


def _reason_of(stop: str | None) -> str:
    """Return for what a stop was instructed; a session without one runs, or its time is up."""
    return "" if stop is None else StopSession.model_validate_json(stop).reason

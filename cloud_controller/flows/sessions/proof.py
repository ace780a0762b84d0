"""What shows that a session was given: heartbeats, interruptions, warnings that were seen.

Its law: none of it moves money. What was given is told in full by the end, or never was.
"""

from __future__ import annotations

from typing import Any

from cloud_controller.flows.sessions.entries import enter, happened_at, known_of
from cloud_controller.ports import Received, Row, Transaction
from common.messages.sessions import SessionAlive, SessionInterrupted, WarningShown
from common.rules.sessions import Heartbeat, missed_heartbeats


def note_alive(books: Transaction, said: Received) -> None:
    """Keep the newest heartbeat of a session, and enter a gap before it, if there is one."""
    message: SessionAlive = said.message
    known = known_of(books, said, message.session)
    if known is None:
        return
    at = happened_at(books, known, message.at)
    before = _heartbeat_in(books.sessions.heartbeat(session_id=message.session))
    heard = Heartbeat(
        number=message.number,
        at=at,
        delivered_seconds=message.delivered_seconds,
        lost_seconds=message.lost_seconds,
    )
    books.sessions.keep_heartbeat(
        session_id=message.session,
        at=at,
        number=message.number,
        delivered_seconds=message.delivered_seconds,
        lost_seconds=message.lost_seconds,
        remaining_seconds=message.remaining_seconds,
    )
    if missed := missed_heartbeats(before, heard):
        since_at = known["running_at"] if before is None else before.at
        facts = {"missed": missed, "since_at": since_at}
        enter(books, known, "session.unwatched", at, facts)


def note_interrupted(books: Transaction, said: Received) -> None:
    """The program went and is back."""
    message: SessionInterrupted = said.message
    known = known_of(books, said, message.session)
    if known is not None:
        facts = {"lost_seconds": message.lost_seconds}
        enter(books, known, message.type, happened_at(books, known, message.at), facts)


def note_warning_shown(books: Transaction, said: Received) -> None:
    """The page before the customer has shown a warning."""
    message: WarningShown = said.message
    known = known_of(books, said, message.session)
    if known is not None:
        at = happened_at(books, known, message.at)
        enter(books, known, message.type, at, {"seconds_left": message.seconds_left})


def heartbeats_of(books: Transaction, session: str) -> dict[str, Any]:
    """Return what the line of an end says of the heartbeats before it; nothing without any."""
    row = books.sessions.heartbeat(session_id=session)
    if row is None:
        return {}
    return {
        "heartbeats": row["number"],
        "first_heartbeat_at": row["first_at"],
        "last_heartbeat_at": row["last_at"],
    }


def _heartbeat_in(row: Row | None) -> Heartbeat | None:
    if row is None:
        return None
    return Heartbeat(
        number=row["number"],
        at=row["last_at"],
        delivered_seconds=row["delivered_seconds"],
        lost_seconds=row["lost_seconds"],
    )

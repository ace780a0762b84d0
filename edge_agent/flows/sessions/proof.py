"""What shows that a session was given: heartbeats, what was lost on the way, warnings seen.

Its law: what is told was measured by the runner, on the clock that cannot be set.
"""

from __future__ import annotations

from common.messages.sessions import (
    SessionAlive,
    SessionInterrupted,
    SessionWarned,
    WarningShown,
)
from common.rules.sessions import SessionState
from edge_agent.ports import ProgramSeen, Row, Transaction


def note_alive(journal: Transaction, seen: ProgramSeen) -> None:
    """Tell how much of a running session was given so far.

    The newest word takes the place of one that was not told yet, so that a session without the
    line never has more than one in the outbox.
    """
    row = journal.rows.session(session=seen.session)
    if row is None or seen.waits or not row["state"] == seen.state == SessionState.RUNNING:
        return
    note_lost(journal, row, seen)
    beat = SessionAlive(
        session=seen.session,
        at=journal.now,
        number=journal.rows.count_heartbeat(
            session=seen.session, delivered_seconds=seen.delivered_seconds
        ),
        delivered_seconds=seen.delivered_seconds,
        remaining_seconds=max(0.0, seen.remaining_seconds),
        lost_seconds=seen.lost_seconds,
    )
    told_instead = journal.rows.tell_newer_heartbeat(
        session=seen.session, body=beat.model_dump_json(), made_at=journal.now
    )
    if told_instead is None:
        journal.say(beat)


def note_lost(journal: Transaction, row: Row, seen: ProgramSeen) -> None:
    """Tell that more was lost than we knew: the program went, and is back."""
    if seen.lost_seconds > row["lost_seconds"]:
        journal.rows.note_lost(session=seen.session, lost_seconds=seen.lost_seconds)
        journal.say(
            SessionInterrupted(session=seen.session, at=journal.now, lost_seconds=seen.lost_seconds)
        )


def note_warned(journal: Transaction, session: str, seconds_left: float) -> None:
    """The customer is told how little is left; whether he can have seen it is told apart."""
    journal.rows.note_warned(session=session, seconds_left=seconds_left)
    journal.say(SessionWarned(session=session, at=journal.now, seconds_left=seconds_left))


def note_warning_shown(journal: Transaction, session: str, seconds_left: float) -> None:
    """The page in front of the customer has shown the last warning; said again, it is no news."""
    if journal.rows.note_warning_shown(session=session, seconds_left=seconds_left):
        journal.say(WarningShown(session=session, at=journal.now, seconds_left=seconds_left))

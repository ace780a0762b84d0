"""A session that its PC's end has interrupted: who is told that it waits, and that it goes on.

Its law: that it waits and that it has gone on is the runner's word, taken in once, however often
it is said.
"""

from __future__ import annotations

from dataclasses import dataclass

from common.messages.sessions import SessionResumed
from common.rules.sessions import (
    INTERRUPTION,
    InterruptionEvent,
    InterruptionState,
    Notice,
    SessionState,
)
from edge_agent.ports import NoticeShown, ProgramSeen, Row, Transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class ToResume:
    """A session whose ticket was shown again, and until when it may go on."""

    session: str
    deadline_boot_seconds: float


def to_resume(journal: Transaction) -> list[ToResume]:
    """Return what the runner is to go on with now."""
    return [
        ToResume(session=row["session"], deadline_boot_seconds=row["deadline_boot_seconds"])
        for row in journal.rows.live_sessions()
        if row["interruption"] == InterruptionState.SCANNED and row["wanted"] == "run"
    ]


def note_interruption(journal: Transaction, row: Row, seen: ProgramSeen) -> None:
    """Tell the customer that he can go on, or that he does; and of the latter the controller."""
    if seen.state is not SessionState.RUNNING or not seen.was_interrupted:
        return
    event = InterruptionEvent.CUT if seen.waits else InterruptionEvent.RESUME
    before = InterruptionState(row["interruption"])
    after = INTERRUPTION.step(before, event)
    if after is None:
        return
    untold_seconds = row["extended_seconds"] - row["told_extended_seconds"]
    journal.rows.move_interruption(
        session=seen.session,
        before=before,
        state=after,
        deadline_boot_seconds=journal.boot_seconds + seen.remaining_seconds + untold_seconds,
        boot_id=journal.boot_id,
    )
    if seen.waits:
        journal.show(NoticeShown(device=row["device"], notice=Notice.SCAN_TO_GO_ON))
        return
    journal.say(
        SessionResumed(
            session=seen.session,
            at=journal.now,
            remaining_seconds=max(0.0, seen.remaining_seconds),
            delivered_seconds=seen.delivered_seconds,
        )
    )
    journal.show(NoticeShown(device=row["device"], notice=Notice.GOES_ON))

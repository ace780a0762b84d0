"""A ticket that is shown again after a power cut: its session goes on, if it still waits for it.

Nobody is asked: the ticket was redeemed here, its right is here, and the power may be back before
the line is. A code that changes by itself and a short code only the controller can check: for those
the scan goes its usual way.
"""

from __future__ import annotations

from common.rules.sessions import (
    INTERRUPTION,
    InterruptionEvent,
    InterruptionState,
    SessionState,
)
from common.rules.tickets import Denial, short_code_in, sight
from common.seals import token_is_ours
from edge_agent.flows.rights.holding import trusted_now
from edge_agent.flows.rights.keys import live_keys
from edge_agent.ports import Row, Transaction


def note_end(journal: Transaction, session: str, left_seconds: float) -> None:
    """Remember when a session's slot is over, if a clock can be trusted now: a boot forgets it."""
    now = trusted_now(journal)
    if now is not None:
        journal.rows.note_end(session=session, ends_at=now + int(1000 * left_seconds))


def device_of(journal: Transaction, token: str) -> str | None:
    """Return the device on which a session waits for this ticket, or None."""
    row = _interrupted(journal, token)
    return None if row is None else str(row["device"])


def resume(journal: Transaction, token: str, device: str) -> bool:
    """Let the session of this ticket go on where it waits; say whether there is one.

    It goes on no longer than its slot, as far as a clock can be trusted.
    """
    row = _interrupted(journal, token)
    if row is None or row["device"] != device:
        return False
    left_seconds = row["granted_seconds"]
    now = trusted_now(journal)
    if now is not None and row["ends_at"] is not None:
        left_seconds = min(left_seconds, (row["ends_at"] - now) / 1000)
    if left_seconds <= 0:
        return False
    before = InterruptionState(row["interruption"])
    after = INTERRUPTION.step(before, InterruptionEvent.SCAN)
    if after is not None:
        journal.rows.move_interruption(
            session=row["session"],
            before=before,
            state=after,
            deadline_boot_seconds=journal.boot_seconds + left_seconds,
            boot_id=journal.boot_id,
        )
    return True


def _interrupted(journal: Transaction, token: str) -> Row | None:
    if short_code_in(token) is not None:
        return None
    read = sight(token)
    if isinstance(read, Denial) or read.token.rotates:
        return None
    session = journal.rows.session_of_ticket(ticket=read.token.ticket)
    row = None if session is None else journal.rows.session(session=session)
    if row is None or not _waits(row) or not token_is_ours(read, live_keys(journal)):
        return None
    dead = journal.rows.dead_revision(ticket=read.token.ticket)
    return None if dead is not None and read.token.revision <= dead else row


def _waits(row: Row) -> bool:
    """Say whether a session is interrupted and has not gone on yet."""
    is_wanted = (row["state"], row["wanted"]) == (SessionState.RUNNING, "run")
    return is_wanted and row["interruption"] in {
        InterruptionState.WAITING,
        InterruptionState.SCANNED,
    }

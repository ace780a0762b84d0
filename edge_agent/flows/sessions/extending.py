"""A session that lasts longer: its runner is told from its row until it has said so."""

from __future__ import annotations

from dataclasses import dataclass

from common.messages.sessions import SessionExtended
from common.rules.sessions import SessionState
from edge_agent.ports import ProgramSeen, Transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class ToExtend:
    """A session whose runner has still to hear of a later deadline; the sum of its extensions."""

    session: str
    deadline_boot_seconds: float
    extended_seconds: float


def to_extend(journal: Transaction) -> list[ToExtend]:
    """Return what is to run for longer than its runner has been heard to know."""
    return [ToExtend(**dict(row)) for row in journal.rows.to_extend(boot_id=journal.boot_id)]


def note_extended(journal: Transaction, due: ToExtend, seen: ProgramSeen | None) -> None:
    """Take in that the runner has moved a deadline, and report it; None: there is nothing to move.

    Then the program is ending or gone, and what was granted more is owed by what its end reports.
    """
    told = journal.rows.note_told_extension(
        session=due.session, extended_seconds=due.extended_seconds
    )
    if told and seen is not None:
        journal.say(
            SessionExtended(
                session=due.session,
                at=journal.now,
                extended_seconds=due.extended_seconds,
                remaining_seconds=max(0.0, seen.remaining_seconds),
            )
        )


def extends_itself(journal: Transaction, session: str) -> bool:
    """Say whether a session runs whose customer has agreed that it goes on by itself."""
    row = journal.rows.session(session=session)
    is_running = row is not None and (row["state"], row["wanted"]) == (SessionState.RUNNING, "run")
    return bool(is_running and row["extends_itself"])


def may_go_on(journal: Transaction, session: str) -> str | None:
    """Return the device of a session that runs and is not told to stop, or None."""
    row = journal.rows.session(session=session)
    is_running = row is not None and (row["state"], row["wanted"]) == (SessionState.RUNNING, "run")
    return str(row["device"]) if is_running else None

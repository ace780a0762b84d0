"""Which programs run, for whoever looks after what they need."""

from __future__ import annotations

from dataclasses import dataclass

from common.rules.sessions import SessionState
from edge_agent.ports import Transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A session whose program was seen running, and has not been told to end."""

    session: str
    device: str
    program: str


def running_programs(journal: Transaction) -> list[Running]:
    """Return every session whose program runs, or waits to go on."""
    return [
        Running(session=row["session"], device=row["device"], program=row["program"])
        for row in journal.rows.live_sessions()
        if row["state"] == SessionState.RUNNING
    ]


def program_of(journal: Transaction, session: str) -> str | None:
    """Return the program of a session, or None: there is no such session."""
    row = journal.rows.session(session=session)
    return None if row is None else str(row["program"])

"""What every file here says of a session: its line in the ledger, and its row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloud_controller.ports import Received, Row, Transaction
from common.rules.clock import believed
from common.rules.sessions import CLOCK_TOLERANCE_SECONDS


def known_of(books: Transaction, said: Received, session: str) -> Row:
    """Return a session of the terminal that speaks, or None."""
    return books.sessions.session(session_id=session, terminal_id=said.terminal)


def enter(books: Transaction, session: Row, kind: str, at: int, facts: Mapping[str, Any]) -> None:
    """Add a line about a session to the ledger; `at` is when it happened, by whoever reports it."""
    books.enter(
        kind,
        facts,
        terminal=session["terminal_id"],
        reservation=session["reservation_id"],
        session=session["session_id"],
        at=at,
    )


def happened_at(books: Transaction, session: Row, at: int) -> int:
    """Return when a session's terminal saw something, also where its wall clock is years off.

    By what is returned a device is sold again: an end of the year 2036 would close it until then.
    """
    tolerance = int(CLOCK_TOLERANCE_SECONDS * 1000)
    latest = min(books.now, session["deadline_at"] + tolerance)
    return believed(at, earliest=session["granted_at"] - tolerance, latest=latest)

"""What every file here says of a session: its line in the ledger, and its row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloud_controller.ports import Received, Row, Transaction


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

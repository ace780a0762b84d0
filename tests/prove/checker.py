"""What must be true when a race is over, in the books and in every journal."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.prove.laws import IN_ALL_BOOKS
from tests.prove.reader import Reader

BREACHES: Mapping[str, str] = {
    **IN_ALL_BOOKS,
    "a right has no session, or a session no right": """
        SELECT coalesce(r.session_id, s.session_id) FROM rights AS r
        FULL JOIN sessions AS s USING (session_id)
        WHERE r.right_id IS NULL OR s.ticket_id IS NULL""",
}
"""Each query finds what broke its promise."""


def wrong(books: Path, readers: Sequence[Reader], answers: Mapping[str, set[str]]) -> Iterator[str]:
    """Yield a sentence for each promise that is broken."""
    with contextlib.closing(sqlite3.connect(books)) as connection:
        for what, query in BREACHES.items():
            yield from (f"{what}: {found}" for (found,) in connection.execute(query))
        sold = dict(connection.execute("SELECT session_id, ticket_id FROM sessions").fetchall())
    yield from _wrong_at_the_readers(sold, readers)
    for comm_id, given in answers.items():
        if len(given) > 1:
            yield f"{comm_id} was given {len(given)} answers (promise 7)"


def _wrong_at_the_readers(sold: Mapping[str, str], readers: Sequence[Reader]) -> Iterator[str]:
    """Count what ran where it ran: the books might have been told less."""
    ran = [session for reader in readers for session in reader.ran]
    tickets = Counter(sold.get(session) for session in set(ran))
    for ticket, times in tickets.items():
        if ticket is None:
            yield "a program ran without a session"
        elif times > 1:
            yield f"ticket {ticket} was running {times} times (promise 2)"
    held = set().union(*(reader.held() for reader in readers))
    for session in sold.keys() - held:
        yield f"the right of {session} was issued and is held by nobody (promise 7)"

"""What must be true when a race is over, in the books and in every journal."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.prove.reader import Reader

BREACHES: Mapping[str, str] = {
    "a ticket was running twice": """
        SELECT ticket_id FROM sessions WHERE running_at IS NOT NULL
        GROUP BY ticket_id HAVING count(*) > 1""",
    "a comm_id made two rights": """
        SELECT comm_id FROM rights GROUP BY comm_id HAVING count(*) > 1""",
    "a right has no session, or a session no right": """
        SELECT coalesce(r.session_id, s.session_id) FROM rights AS r
        FULL JOIN sessions AS s USING (session_id)
        WHERE r.right_id IS NULL OR s.ticket_id IS NULL""",
    "a session still lives": """
        SELECT session_id FROM sessions WHERE state NOT IN ('ended', 'failed')""",
    "a ticket's state is not what became of it": """
        SELECT ticket_id FROM tickets AS t WHERE (t.state = 'spent') <> EXISTS (
            SELECT 1 FROM sessions AS s WHERE s.ticket_id = t.ticket_id
            AND s.running_at IS NOT NULL) OR t.state = 'reserved'""",
    "the ledger tells a thing twice": """
        SELECT session_id || ' ' || type FROM ledger WHERE session_id IS NOT NULL
        GROUP BY session_id, type HAVING count(*) > 1""",
    "the ledger does not tell what the sessions say": """
        SELECT session_id FROM sessions AS s WHERE (s.running_at IS NOT NULL) <> EXISTS (
            SELECT 1 FROM ledger AS l WHERE l.session_id = s.session_id
            AND l.type = 'session.running')""",
    "the ledger tells an end before its beginning": """
        SELECT a.session_id FROM ledger AS a JOIN ledger AS b USING (session_id)
        WHERE a.type = 'session.ended' AND b.type IN ('session.running', 'session.starting')
        AND a.entry_id < b.entry_id""",
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

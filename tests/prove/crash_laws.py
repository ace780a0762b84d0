"""What must hold when all is quiet again, in the books, in the journal and between the two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from common.rules.rights import ClientState
from tests.prove.crash_moments import Moment, Side
from tests.prove.laws import IN_ALL_BOOKS

if TYPE_CHECKING:
    from tests.prove.crash_world import World

IN_THE_BOOKS: Final = {
    **IN_ALL_BOOKS,
    "a session that was granted has no right, or a right no session": """
        SELECT coalesce(r.session_id, s.session_id) FROM rights AS r
        FULL JOIN sessions AS s USING (session_id)
        WHERE (r.kind LIKE 'session:%' AND s.session_id IS NULL)
        OR (s.admission = 'right' AND r.right_id IS NULL)""",
    "an event waits for one that is not coming": "SELECT type FROM inbox",
    "an event was set aside": "SELECT body FROM ledger WHERE type = 'event.set_aside'",
    "an honest terminal is accused": "SELECT seq FROM quarantines",
    "somebody has to look at something": "SELECT kind || ' ' || why FROM problems",
}
"""Each query finds what broke its promise."""

IN_THE_JOURNAL: Final = {
    "the journal still owes an answer": """
        SELECT kind || ' ' || state FROM exchanges WHERE state NOT IN ('idle', 'announced')""",
    "an event was not taken": "SELECT type FROM outbox",
    "a ticket ran twice by the journal": """
        SELECT ticket FROM sessions WHERE state <> 'failed'
        GROUP BY ticket HAVING count(*) > 1""",
}


def wrong_with_the_answers(moment: Moment) -> Iterator[str]:
    """Yield what was answered in two ways."""
    for comm_id, count in Counter(comm_id for comm_id, _ in moment.answers).items():
        if count > 1:
            yield f"{comm_id} was given {count} answers (B7)"


def wrong_with_the_exchange(world: World) -> Iterator[str]:
    """Yield what is wrong with the protocol's own rows."""
    for side, laws in ((Side.CONTROLLER, IN_THE_BOOKS), (Side.TERMINAL, IN_THE_JOURNAL)):
        for what, query in laws.items():
            yield from (f"{what}: {row[0]}" for row in world.rows(side, query))
    query = "SELECT kind, mark_seq, mark_nonce, seq, nonce FROM exchanges ORDER BY kind"
    there = [tuple(row) for row in world.rows(Side.CONTROLLER, query)]
    query = "SELECT kind, done_seq, done_nonce, seq, nonce, state FROM exchanges ORDER BY kind"
    here = [
        (*row[:3], *((row[3], row[4]) if row[5] == ClientState.ANNOUNCED else (0, "")))
        for row in world.rows(Side.TERMINAL, query)
    ]
    if there != here:
        yield f"the books say {there}, the journal {here}"


def wrong_with_sessions(world: World, *, used: int, admitted: int) -> Iterator[str]:
    """Yield what is wrong with what ran: so many tickets were used, so many of them alone."""
    query = "SELECT session_id, ticket_id, admission FROM sessions WHERE running_at IS NOT NULL"
    sold = {row[0]: (row[1], row[2]) for row in world.rows(Side.CONTROLLER, query)}
    if sorted(sold) != sorted(world.ran):
        yield f"the books know of {sorted(sold)}, the runner of {sorted(world.ran)}"
    if len({ticket for ticket, _ in sold.values()}) != used:
        yield f"{len(sold)} tickets were used, not {used}"
    if sum(admission != "right" for _, admission in sold.values()) != admitted:
        yield "sessions were begun by another authority than they were"
    query = "SELECT session FROM sessions"
    held = {row[0] for row in world.rows(Side.TERMINAL, query)}
    query = "SELECT session_id FROM sessions"
    for (session,) in world.rows(Side.CONTROLLER, query):
        if session not in held:
            yield f"{session} was issued and is held by nobody"
    for session in held - {row[0] for row in world.rows(Side.CONTROLLER, query)}:
        yield f"the terminal holds {session}, of which the books know nothing"

"""What must hold when all is quiet again, in the books, in the journal and between the two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from common.rules.rights import ClientState
from tests.prove.crash_moments import Moment, Side

if TYPE_CHECKING:
    from tests.prove.crash_world import World

IN_THE_BOOKS: Final = {
    "a ticket was running twice": """
        SELECT ticket_id FROM sessions WHERE running_at IS NOT NULL
        GROUP BY ticket_id HAVING count(*) > 1""",
    "an identification made two rights": """
        SELECT comm_id FROM rights GROUP BY comm_id HAVING count(*) > 1""",
    "a session that was granted has no right, or a right no session": """
        SELECT coalesce(r.session_id, s.session_id) FROM rights AS r
        FULL JOIN sessions AS s USING (session_id)
        WHERE (r.kind LIKE 'session:%' AND s.session_id IS NULL)
        OR (s.admission = 'right' AND r.right_id IS NULL)""",
    "a session still lives": """
        SELECT session_id FROM sessions WHERE state NOT IN ('ended', 'failed')""",
    "a ticket is not what became of it": """
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

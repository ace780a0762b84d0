"""What must hold in the books of every proof when all is quiet again."""

from __future__ import annotations

from typing import Final

IN_ALL_BOOKS: Final = {
    "a ticket was running twice": """
        SELECT ticket_id FROM sessions WHERE running_at IS NOT NULL
        GROUP BY ticket_id HAVING count(*) > 1""",
    "an identification made two rights": """
        SELECT comm_id FROM rights GROUP BY comm_id HAVING count(*) > 1""",
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
}
"""Each query finds what broke its promise."""

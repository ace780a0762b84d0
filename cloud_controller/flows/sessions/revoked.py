"""Which tickets of its store are dead, for a terminal that may have only a signature to go by.

Tiny: a ticket dies at its slot's end, and so does what is said of it.
"""

from __future__ import annotations

from cloud_controller.ports import Transaction
from common.ids import TerminalId
from common.messages.sessions import REVOKED_MAX, RevokedTicket


def revoked_for(
    books: Transaction, terminal: TerminalId
) -> tuple[tuple[RevokedTicket, ...], int | None]:
    """Return the dead tickets of a terminal's store, and until which end they are all of them.

    None: there are no more. Of too many those are told that die first: they are what somebody may
    still show soon.
    """
    rows = list(books.sessions.revoked(terminal_id=terminal, now=books.now, most=REVOKED_MAX + 1))
    told = tuple(
        RevokedTicket(ticket=row["ticket_id"], revision=row["revision"], dies_at=row["dies_at"])
        for row in rows[:REVOKED_MAX]
    )
    return told, told[-1].dies_at - 1 if len(rows) > REVOKED_MAX else None

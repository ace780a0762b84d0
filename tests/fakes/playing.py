"""A session that runs, put into the books as its terminal's reports would have it."""

from __future__ import annotations

from cloud_controller.ports import Transaction


def run(books: Transaction, link: str, terminal: str) -> None:
    """Have the ticket's program run since its slot's begin, as its terminal would report."""
    row = books.reservations.by_link(link=link)
    session = books.names.new("s")
    books.rights.grant_session(
        session_id=session,
        ticket_id=row["ticket_id"],
        reservation_id=row["reservation_id"],
        store_id=row["store_id"],
        device_id=row["device_id"],
        terminal_id=terminal,
        program="game",
        fence=1,
        granted_seconds=1800.0,
        granted_at=row["starts_at"],
        deadline_at=row["ends_at"],
    )
    books.sessions.mark_running(session_id=session, before="granted", running_at=row["starts_at"])
    books.sessions.spend_ticket(ticket_id=row["ticket_id"])
    books.sessions.begin_use(reservation_id=row["reservation_id"], changed_at=row["starts_at"])

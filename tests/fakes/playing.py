"""A session that runs, put into the books as its terminal's reports would have it."""

from __future__ import annotations

from cloud_controller.flows.sessions.debts import settle
from cloud_controller.ports import Transaction


def fail(books: Transaction, link: str) -> None:
    """Have the ticket's program fail after ten minutes of a slot of thirty."""
    reservation = books.reservations.by_link(link=link)["reservation_id"]
    latest = books.extensions.latest_of(link=link)
    books.sessions.mark_ended(
        session_id=latest["session_id"],
        before="running",
        state="ended",
        ended_at=books.now,
        end_reason="program_failed",
        delivered_seconds=600.0,
        remaining_seconds=1200.0,
        lost_seconds=0.0,
        is_presumed=0,
    )
    books.sessions.complete_use(
        reservation_id=reservation, ended_at=books.now, changed_at=books.now
    )
    settle(books, reservation)


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

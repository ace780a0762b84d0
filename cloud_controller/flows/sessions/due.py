"""What is due to the second for sessions, and when that is next."""

from __future__ import annotations

from cloud_controller.flows.sessions.reports import presume_stopped
from cloud_controller.flows.sessions.starts import move_failed
from cloud_controller.flows.sessions.stops import send_commands_again, stop_what_is_due
from cloud_controller.ports import Transaction
from common.rules.sessions import CLOCK_TOLERANCE_SECONDS


def do_what_is_due(books: Transaction) -> None:
    """Stop, repeat, presume and move what is due."""
    stop_what_is_due(books)
    send_commands_again(books)
    presume_stopped(books)
    move_failed(books)


def next_moment(books: Transaction) -> int | None:
    """Return when any of that is due next, or None."""
    if books.sessions.has_to_move():
        return books.now
    lost_at = books.sessions.next_lost()
    moments = [
        books.sessions.next_deadline(),
        books.sessions.next_send(),
        lost_at + int(CLOCK_TOLERANCE_SECONDS * 1000) if lost_at is not None else None,
    ]
    return min((moment for moment in moments if moment is not None), default=None)

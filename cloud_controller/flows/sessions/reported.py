"""What another controller reports of the uses of tickets that it has borrowed, each line once (C1).

Its law: a use is what its own controller's books say of it, and reservation, money and story here
follow from that as they would from a terminal of our own.
"""

from __future__ import annotations

from typing import Final

from cloud_controller.flows.sessions.debts import settle
from cloud_controller.ports import Row, Transaction
from common.messages.reservations import LineTold, Report, Reported, SessionTold, UseTold
from common.rules.sessions import LIVE, SessionState
from common.rules.tickets import TicketState

OUR_OWN_LINES: Final = frozenset({"reservation.compensated", "ticket.borrowed", "ticket.returned"})
"""Lines that are not repeated here: money is reckoned here, and loans have lines of their own."""


def note_report(books: Transaction, peer: str, epoch: str, report: Report) -> Reported:
    """Keep what is new in a report and say up to where all is kept; said again, nothing is new.

    Of one that begins after what is kept nothing is: an old backup was put back here, and what is
    missing between is to be told first.
    """
    kept = books.sessions.reported_up_to(peer=peer, epoch=epoch)
    if kept is not None and (report.since > kept or report.up_to <= kept):
        return Reported(up_to=kept)
    for use in report.uses:
        row = books.sessions.told_of(reservation_id=use.reservation, peer=peer)
        if row is not None and row["ticket_id"] == use.ticket:
            _keep_use(books, row, use)
    for line in report.lines:
        if kept is None or line.entry > kept:
            _keep_line(books, peer, line)
    books.sessions.keep_reported(peer=peer, epoch=epoch, up_to=report.up_to)
    return Reported(up_to=report.up_to)


def _keep_use(books: Transaction, row: Row, use: UseTold) -> None:
    reservation = use.reservation
    for session in use.sessions:
        _keep_session(books, row, session)
    if use.ticket_state == TicketState.SPENT:
        books.sessions.spend_ticket(ticket_id=use.ticket)
        books.sessions.begin_use(reservation_id=reservation, changed_at=books.now)
    if use.reservation_state == "completed":
        ended_at = max((each.ended_at or 0 for each in use.sessions), default=books.now)
        books.sessions.complete_use(
            reservation_id=reservation, ended_at=ended_at, changed_at=books.now
        )
    elif use.reservation_state == "cancelled":
        books.sessions.cancel_undelivered(reservation_id=reservation, changed_at=books.now)
        books.sessions.void_ticket(reservation_id=reservation)
    has_ended = any(each.state == "ended" and not each.is_presumed for each in use.sessions)
    if has_ended or use.reservation_state == "cancelled":
        settle(books, reservation)


def _keep_session(books: Transaction, row: Row, told: SessionTold) -> None:
    """Keep a session as it is told, if it is one of a device of the reservation's own store."""
    is_of_the_store = books.sessions.is_device_of(
        device_id=told.device, terminal_id=told.terminal, store_id=row["store_id"]
    )
    if not is_of_the_store or told.state not in set(SessionState):
        return
    if told.state in LIVE:
        books.sessions.over_by_now(
            device_id=told.device,
            ticket_id=row["ticket_id"],
            session_id=told.session,
            ended_at=told.granted_at,
        )
    books.sessions.keep_told(
        session_id=told.session,
        ticket_id=row["ticket_id"],
        reservation_id=row["reservation_id"],
        store_id=row["store_id"],
        device_id=told.device,
        terminal_id=told.terminal,
        program=told.program,
        fence=told.fence,
        state=told.state,
        is_presumed=int(told.is_presumed),
        granted_seconds=told.granted_seconds,
        granted_at=told.granted_at,
        deadline_at=told.deadline_at,
        running_at=told.running_at,
        ended_at=told.ended_at,
        end_reason=told.end_reason,
        delivered_seconds=told.delivered_seconds,
        remaining_seconds=told.remaining_seconds,
        lost_seconds=told.lost_seconds,
        admission=told.admission,
    )


def _keep_line(books: Transaction, peer: str, line: LineTold) -> None:
    """Add a line to our ledger about a reservation of this peer's, when it happened there."""
    known = books.sessions.told_of(reservation_id=line.reservation, peer=peer)
    if known is None or line.type in OUR_OWN_LINES:
        return
    books.enter(
        line.type,
        line.body,
        terminal=line.terminal,
        reservation=line.reservation,
        session=line.session,
        at=line.at,
    )

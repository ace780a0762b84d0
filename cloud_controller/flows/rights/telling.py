"""What has become of borrowed tickets, told in order to who keeps their reservations (C1).

The ledger itself is the outbox: every change of a ticket, a session or a reservation has its line
there in the same transaction, and up to which line the other side has kept all of it is a row.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from cloud_controller.ports import Row, Transaction
from common.messages.reservations import (
    LINES_MAX,
    USES_MAX,
    LineTold,
    Report,
    Reported,
    SessionTold,
    UseTold,
)

SERVER: Final = "reservations"
"""Under which name it is kept how much that server has been told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Untold:
    """What is to be told next; without a report, nothing is up to `looked_up_to`."""

    report: Report | None
    looked_up_to: int


def untold(books: Transaction, looked_up_to: int = 0) -> Untold:
    """Return the next report; what was looked at before is passed over."""
    told = books.lending.told_up_to(server=SERVER) or 0
    last = books.lending.last_line()
    since = max(told, looked_up_to)
    rows = list(books.lending.lines_to_tell(since=since, up_to=last, most=LINES_MAX))
    if not rows:
        return Untold(report=None, looked_up_to=last)
    up_to = rows[-1]["entry_id"] if len(rows) == LINES_MAX else last
    return Untold(
        report=Report(
            since=told,
            up_to=up_to,
            lines=tuple(_line(row) for row in rows),
            uses=tuple(_use(books, each) for each in dict.fromkeys(_about(rows))),
        ),
        looked_up_to=since,
    )


def note_told(books: Transaction, report: Report, heard: Reported) -> None:
    """Note up to where everything is kept there; what is spent by then is settled here too.

    Where less is kept there than was told before, an old backup was put back: it is told again.
    """
    if heard.up_to < report.since:
        books.lending.tell_again(server=SERVER, up_to=heard.up_to)
        return
    books.lending.keep_told(server=SERVER, up_to=heard.up_to)
    if heard.up_to >= report.up_to:
        for use in report.uses:
            books.lending.settle_used(reservation_id=use.reservation)


def note_looked(books: Transaction, looked_up_to: int) -> None:
    """Note that there is nothing to tell up to this line, so that it is not looked for again."""
    books.lending.keep_told(server=SERVER, up_to=looked_up_to)


def _about(rows: list[Row]) -> list[str]:
    return [row["reservation_id"] for row in rows]


def _line(row: Row) -> LineTold:
    body: dict[str, Any] = json.loads(row["body"])
    return LineTold(
        entry=row["entry_id"],
        at=row["at"],
        type=row["type"],
        reservation=row["reservation_id"],
        terminal=row["terminal_id"],
        session=row["session_id"],
        body=body,
    )


def _use(books: Transaction, reservation: str) -> UseTold:
    row = books.lending.use_to_tell(reservation_id=reservation)
    sessions = books.lending.sessions_to_tell(reservation_id=reservation, most=USES_MAX)
    return UseTold(
        reservation=reservation,
        ticket=row["ticket_id"],
        ticket_state=row["ticket_state"],
        reservation_state=row["reservation_state"],
        sessions=tuple(_session(each) for each in reversed(list(sessions))),
    )


def _session(row: Row) -> SessionTold:
    return SessionTold(
        session=row["session_id"],
        device=row["device_id"],
        terminal=row["terminal_id"],
        program=row["program"],
        fence=row["fence"],
        state=row["state"],
        is_presumed=bool(row["is_presumed"]),
        granted_seconds=row["granted_seconds"],
        granted_at=row["granted_at"],
        deadline_at=row["deadline_at"],
        running_at=row["running_at"],
        ended_at=row["ended_at"],
        end_reason=row["end_reason"],
        delivered_seconds=row["delivered_seconds"],
        remaining_seconds=row["remaining_seconds"],
        lost_seconds=row["lost_seconds"],
        admission=row["admission"],
    )

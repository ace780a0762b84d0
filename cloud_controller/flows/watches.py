"""Problems that no message tells of: looked for from time to time, and solved the same way."""

from __future__ import annotations

from typing import Final

from cloud_controller.ports import Problem, Row, Transaction
from common.ids import TerminalId
from common.rules.problems import (
    AWAY_SECONDS,
    CLOCK_CALM_SECONDS,
    NOTED_SECONDS,
    START_LATE_SECONDS,
    ProblemKind,
    seats_are_low,
    seats_are_plenty,
)
from common.rules.reservations import is_open, read_hours

BATCH_MAX: Final = 50
"""New problems of one kind in one look: after a power cut the rest comes with the next."""

LATELY_SECONDS: Final = 86_400
"""How far back it is looked for what has failed or was paid back: we may have been away a night."""

_CLOSE: Final = {"do": "close"}


def look_after(books: Transaction) -> None:
    """Raise what is found, and solve what is over."""
    _solve(books)
    for row in books.watches.late_starts(before=_ago(books, START_LATE_SECONDS), most=BATCH_MAX):
        books.raise_problem(_late(row))
    for row in books.watches.failed_programs(since=_ago(books, LATELY_SECONDS), most=BATCH_MAX):
        books.raise_problem(_failed(row))
    for row in books.watches.compensations(since=_ago(books, LATELY_SECONDS), most=BATCH_MAX):
        books.raise_problem(_paid_back(row))
    _look_at_terminals(books)
    _look_at_seats(books)


def _solve(books: Transaction) -> None:
    books.problems.solve_late_starts(at=books.now)
    books.problems.solve_failed_programs(at=books.now)
    books.problems.solve_noted(before=_ago(books, NOTED_SECONDS), at=books.now)
    books.problems.solve_away(at=books.now)
    books.problems.solve_clocks(before=_ago(books, CLOCK_CALM_SECONDS), at=books.now)


def _look_at_terminals(books: Transaction) -> None:
    for row in books.watches.away(before=_ago(books, AWAY_SECONDS), most=BATCH_MAX):
        if is_open(read_hours(row["hours"]), row["time_zone"], books.now):
            books.raise_problem(_away(row))
    since = _ago(books, CLOCK_CALM_SECONDS)
    for row in books.watches.untrusted_clocks(since=since, most=BATCH_MAX):
        books.raise_problem(_untrusted(row))


def _look_at_seats(books: Transaction) -> None:
    for row in books.watches.pools():
        owned, used = row["owned"], row["used"]
        if row["is_open"] and seats_are_plenty(owned, used):
            books.solve_problem(ProblemKind.LICENCE_LOW, row["module"])
        elif not row["is_open"] and seats_are_low(owned, used):
            books.raise_problem(
                Problem(
                    kind=ProblemKind.LICENCE_LOW,
                    subject=row["module"],
                    why=f"Of {owned} seats of {row['module']} {used} are in use.",
                    evidence={"module": row["module"], "owned": owned, "used": used},
                    proposals=({"do": "own_more"}, {"do": "return_seats"}),
                )
            )


def _late(row: Row) -> Problem:
    return Problem(
        kind=ProblemKind.START_LATE,
        subject=row["session_id"],
        terminal=TerminalId(row["terminal_id"]),
        reservation=row["reservation_id"],
        why=f"{row['title']} was scanned, and nothing runs there yet.",
        evidence={"device": row["device_id"], "granted_at": row["granted_at"]},
        proposals=({"do": "take_out_of_order", "device": row["device_id"]},),
    )


def _failed(row: Row) -> Problem:
    keys = ("program", "end_reason", "running_at", "ended_at")
    seconds = ("granted_seconds", "delivered_seconds")
    return Problem(
        kind=ProblemKind.PROGRAM_FAILED,
        subject=row["session_id"],
        terminal=TerminalId(row["terminal_id"]),
        reservation=row["reservation_id"],
        why=f"{row['program']} on {row['title']} ended: {row['end_reason']}.",
        evidence={"device": row["device_id"], **{key: row[key] for key in (*keys, *seconds)}},
        proposals=({"do": "take_out_of_order", "device": row["device_id"]}, _CLOSE),
    )


def _paid_back(row: Row) -> Problem:
    keys = ("seconds", "cents", "currency", "made_at")
    return Problem(
        kind=ProblemKind.COMPENSATION_MADE,
        subject=row["reservation_id"],
        reservation=row["reservation_id"],
        why=f"{row['seconds']:.0f} s were not delivered.",
        evidence={key: row[key] for key in keys},
        proposals=({"do": "look_at_ticket"}, _CLOSE),
    )


def _away(row: Row) -> Problem:
    return Problem(
        kind=ProblemKind.TERMINAL_OFFLINE,
        subject=row["terminal_id"],
        terminal=TerminalId(row["terminal_id"]),
        why=f"Nothing was heard of {row['hostname']}.",
        evidence={"hostname": row["hostname"], "away_since_at": row["presence_at"]},
        proposals=({"do": "look_at_terminal"},),
    )


def _untrusted(row: Row) -> Problem:
    return Problem(
        kind=ProblemKind.CLOCK_UNTRUSTED,
        subject=row["terminal_id"],
        terminal=TerminalId(row["terminal_id"]),
        why=f"{row['hostname']} has refused {row['times']} tickets for it.",
        evidence={"hostname": row["hostname"], "times": row["times"], "last_at": row["last_at"]},
        proposals=({"do": "look_at_terminal"}, _CLOSE),
    )


def _ago(books: Transaction, seconds: int) -> int:
    return books.now - seconds * 1000

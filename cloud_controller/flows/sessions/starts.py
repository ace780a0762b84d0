"""A program that does not start: the ticket goes to another device, or the customer is told.

Its law: nothing moves before the first terminal has said that it runs nothing, so that a ticket
never runs twice.
"""

from __future__ import annotations

from cloud_controller.flows.sessions.entries import enter
from cloud_controller.flows.sessions.stops import BATCH_MAX
from cloud_controller.ports import Problem, Row, Transaction
from common.ids import TerminalId
from common.messages.sessions import CustomerTold
from common.rules.problems import ProblemKind
from common.rules.sessions import CLOCK_TOLERANCE_SECONDS, START_WITHIN_SECONDS, Notice
from common.topics import Channel


def held_by_who_failed(books: Transaction) -> list[str]:
    """Return tickets to be called back, so that they may be used on another device."""
    return [row["ticket_id"] for row in books.sessions.failed_and_held(most=BATCH_MAX)]


def move_failed(books: Transaction) -> None:
    """Give the ticket of each failed start another device, if one is free; else say what is next.

    The right was given back with the failure, so the reservation is good all the while.
    """
    for row in books.sessions.failed_to_move(most=BATCH_MAX):
        books.sessions.mark_moved(session_id=row["session_id"])
        if row["reservation_state"] != "confirmed" or row["ends_at"] <= books.now:
            continue
        if row["is_staffs"]:  # it was begun for this device; whoever began it takes it back
            books.raise_problem(_problem(row, None, "Its program did not start."))
            continue
        other = books.sessions.another_device(
            offering_id=row["offering_id"],
            device_id=row["device_id"],
            reservation_id=row["reservation_id"],
            free_from=min(books.now, row["starts_at"]),
            blocked_until=row["blocked_until"],
        )
        if other is not None:
            books.sessions.move_reservation(
                reservation_id=row["reservation_id"],
                device_id=other["device_id"],
                changed_at=books.now,
            )
            facts = {"from": row["device_id"], "to": other["device_id"]}
            enter(books, row, "reservation.moved", books.now, facts)
        _tell_customer(books, row, other)
        books.raise_problem(_problem(row, other, "Its program did not start."))


def tell_moved(books: Transaction, session: str, device: str | None) -> None:
    """Tell the customer of a failed start which device is his now, by whoever keeps its times."""
    row = books.sessions.moved(session_id=session)
    if row is None:
        return
    title = None if device is None else books.sessions.device_title(device_id=device)
    other = None if title is None else {"device_id": device, "title": title}
    _tell_customer(books, row, other)
    books.raise_problem(_problem(row, other, "Its program did not start."))


def call_for_unconfirmed(books: Transaction) -> None:
    """Call the operator where neither a running program nor a failure was reported in time."""
    late = int((START_WITHIN_SECONDS + CLOCK_TOLERANCE_SECONDS) * 1000)
    for row in books.sessions.unconfirmed(before=books.now - late, most=BATCH_MAX):
        why = "Whether its program has started is not known: its terminal says nothing."
        books.raise_problem(_problem(row, None, why))


def _tell_customer(books: Transaction, row: Row, other: Row | None) -> None:
    command = books.names.new("n")
    told = CustomerTold(
        command=command,
        notice=Notice.NO_DEVICE_FREE if other is None else Notice.GO_TO_DEVICE,
        device=row["device_id"],
        to=None if other is None else other["title"],
    )
    terminal = TerminalId(row["terminal_id"])
    books.say(terminal, Channel.COMMANDS, told, tail=command, kept=True)


def _problem(row: Row, other: Row | None, why: str) -> Problem:
    moved_to = None if other is None else other["device_id"]
    return Problem(
        kind=ProblemKind.PROGRAM_DID_NOT_START,
        subject=row["session_id"],
        terminal=TerminalId(row["terminal_id"]),
        reservation=row["reservation_id"],
        why=why,
        evidence={
            "device": row["device_id"],
            "reason": row["end_reason"],
            "granted_at": row["granted_at"],
            "moved_to": moved_to,
        },
        proposals=({"do": "take_out_of_order", "device": row["device_id"]}, {"do": "close"}),
    )

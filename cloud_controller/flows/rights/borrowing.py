"""A ticket whose reservation another controller keeps: asked for, borrowed, given back (C1).

Its law: what is asked and what goes back are rows, kept before they are sent and said until they
are answered; a ticket that goes back opens nothing here from that commit on.
"""

from __future__ import annotations

import json
from typing import Any, Final

from cloud_controller.flows.rights.scene import Scene
from cloud_controller.ports import Received, Row, Transaction
from common.ids import TerminalId
from common.messages.reservations import GiveBack, TicketLent, UseAsked
from common.messages.rights import ReportScan, Request, ScanRequest
from common.rules.tickets import (
    BORROWING,
    BorrowingEvent,
    BorrowingState,
    Denial,
    DenialReason,
    TicketFacts,
    TicketState,
    sight,
    token_part,
)
from common.seals import ReadToken, token_is_ours, verifying_key

ASKED_MAX: Final = 50
"""Tickets asked for at once: more customers than stand before all readers in the same second."""

WAITING_SECONDS: Final = 3
"""How long a reader waits for an answer: what is older, nobody stands there for any more."""

RETURNS_MAX: Final = 50
"""Tickets that go back in one round."""


def is_of_our_server(books: Transaction, read: ReadToken) -> bool:
    """Say whether who keeps our reservations signed this token; without one, nobody does."""
    raw = books.lending.server_key(key_id=read.token.key_id)
    return raw is not None and token_is_ours(
        read, {read.token.key_id: verifying_key(bytes.fromhex(raw))}
    )


def is_elsewhere(books: Transaction, text: str, ticket: TicketFacts | None) -> bool:
    """Say whether only another controller can tell what this ticket is good for now."""
    if ticket is not None and ticket.ticket_state != TicketState.VOID:
        return False
    read = sight(text)
    if isinstance(read, Denial) or not is_of_our_server(books, read):
        return False
    known = books.lending.borrowed(ticket_id=read.token.ticket)
    ours = {BorrowingState.BORROWED, BorrowingState.USED}
    return known is None or known["state"] not in ours


def has_vouched_for(books: Transaction, text: str, ticket: TicketFacts | None) -> bool:
    """Say whether another controller looks at this text's code yet, or has found it fresh.

    Then it has lent the ticket for this very text, to the letter.
    """
    if is_elsewhere(books, text, ticket):
        return True
    read = sight(text)
    known = None
    if not isinstance(read, Denial):
        known = books.lending.borrowed(ticket_id=read.token.ticket)
    return known is not None and known["token"] == text


def ask(
    books: Transaction, scene: Scene, message: Request, asked: ScanRequest, ticket_id: str
) -> Denial | None:
    """Ask for a ticket; None: the answer to this scan comes with the one to that.

    Asked again by the same terminal, it is asked once. One that is on its way back after its
    program did not start is first told where it is to be used.
    """
    known = books.lending.borrowed(ticket_id=ticket_id)
    state = BorrowingState(known["state"]) if known is not None else None
    is_asked = state is BorrowingState.ASKED
    is_elsewhere = is_asked and known["terminal_id"] != scene.comm_id.party
    is_moving = state is BorrowingState.RETURNING and known["failed_session"] is not None
    is_refused = state is not None and BORROWING.step(state, BorrowingEvent.ASK) is None
    if is_elsewhere or is_moving or is_refused:
        return Denial(reason=DenialReason.BUSY_TRY_AGAIN)
    is_same = is_asked and (known["device_id"], known["token"]) == (asked.device, asked.token)
    books.lending.ask(
        ticket_id=ticket_id,
        claim=known["claim"] if is_same else _next_claim(books, known),
        token=asked.token,
        device_id=asked.device,
        terminal_id=scene.comm_id.party,
        epoch=scene.comm_id.epoch,
        corr=scene.received.corr,
        request=message.model_dump_json(),
        asked_at=books.now,
    )
    return None


def questions(books: Transaction) -> dict[str, UseAsked]:
    """Return what is asked and has no answer, by ticket, while somebody waits for it."""
    return {
        row["ticket_id"]: UseAsked(
            claim=row["claim"],
            token=row["token"],
            device=row["device_id"],
            terminal=row["terminal_id"],
        )
        for row in books.lending.asked(most=ASKED_MAX)
        if not _is_stale(books, row)
    }


def stale_questions(books: Transaction) -> dict[str, int]:
    """Return claims that nobody waits for any more, by ticket: we were away meanwhile."""
    rows = books.lending.asked(most=ASKED_MAX)
    return {row["ticket_id"]: row["claim"] for row in rows if _is_stale(books, row)}


def waiting_for(row: Row) -> Received:
    """Return the request that has waited for an answer, as it came."""
    message = Request.model_validate_json(row["request"])
    terminal = TerminalId(row["terminal_id"])
    return Received(terminal=terminal, epoch=row["epoch"], seq=0, corr=row["corr"], message=message)


def keep_lent(books: Transaction, row: Row, lent: TicketLent) -> DenialReason | None:
    """Enter a borrowed ticket with its reservation, or say why it cannot be used here.

    Ours to redeem it is from now on, so where it cannot be used it goes back.
    """
    reason = _why_not_here(books, row, lent)
    if reason is not None:
        begin_return(books, row, BorrowingEvent.RETURN)
        return reason
    books.lending.mirror_reservation(
        reservation_id=lent.reservation,
        store_id=lent.store,
        offering_id=lent.offering,
        device_id=lent.device,
        starts_at=lent.starts_at,
        ends_at=lent.ends_at,
        blocked_until=lent.blocked_until,
        party_size=lent.party_size,
        link=f"elsewhere:{lent.reservation}",
        now=books.now,
    )
    books.lending.mirror_ticket(
        ticket_id=lent.ticket,
        reservation_id=lent.reservation,
        device_number=lent.device_number,
        revision=lent.revision,
        token=token_part(row["token"]),
        now=books.now,
    )
    books.lending.now_borrowed(
        ticket_id=lent.ticket, claim=row["claim"], reservation_id=lent.reservation
    )
    facts = {"claim": row["claim"], "device": lent.device}
    books.enter("ticket.borrowed", facts, reservation=lent.reservation)
    return None


def begin_return(
    books: Transaction, row: Row, event: BorrowingEvent, failed_session: str | None = None
) -> None:
    """Send a ticket back; nothing here opens by it any more, whenever that is heard."""
    after = BORROWING.step(BorrowingState(row["state"]), event)
    if after is BorrowingState.RETURNING:
        books.lending.begin_return(
            ticket_id=row["ticket_id"],
            claim=row["claim"],
            before=row["state"],
            failed_session=failed_session,
        )
    elif after is not None:
        _change(books, row, after)
    reservation = row["reservation_id"]
    if row["state"] != BorrowingState.BORROWED or reservation is None:
        return
    books.lending.put_away(ticket_id=row["ticket_id"])
    books.lending.set_aside(reservation_id=reservation, now=books.now)
    books.rights.move_no_more(ticket_id=row["ticket_id"])
    facts = {"claim": row["claim"], "failed": failed_session}
    books.enter("ticket.returned", facts, reservation=reservation)


def return_unused(books: Transaction) -> int:
    """Send back what is borrowed and neither granted nor running; return how many."""
    rows = books.lending.unused(most=RETURNS_MAX)
    for each in rows:
        row = books.lending.borrowed(ticket_id=each["ticket_id"])
        begin_return(books, row, BorrowingEvent.RETURN, each["failed_session"])
    return len(rows)


def has_unused(books: Transaction) -> bool:
    """Say whether something borrowed is neither granted nor running."""
    return bool(books.lending.unused(most=1))


def returns(books: Transaction) -> list[GiveBack]:
    """Return what is on its way back and was not heard."""
    return [
        GiveBack(claim=row["claim"], ticket=row["ticket_id"], failed_on=row["failed_on"])
        for row in books.lending.returning(most=RETURNS_MAX)
    ]


def note_returned(books: Transaction, said: GiveBack) -> str | None:
    """Note that a return was heard; return the session that failed, if one was the reason."""
    row = books.lending.borrowed(ticket_id=said.ticket)
    if row is None or row["claim"] != said.claim:
        return None
    after = BORROWING.step(BorrowingState(row["state"]), BorrowingEvent.HEARD)
    if after is None:
        return None
    _change(books, row, after)
    failed: str | None = row["failed_session"]
    return failed


def show(books: Transaction, said: Received) -> None:
    """Have it found out what a ticket is for that an entrance has read, and nobody here knows."""
    message: ReportScan = said.message
    books.lending.show(
        scan_id=message.scan,
        terminal_id=said.terminal,
        epoch=said.epoch,
        report=message.model_dump_json(),
        asked_at=books.now,
    )


def shown(books: Transaction) -> list[tuple[str, str]]:
    """Return the scans of entrances that wait for that, each with its text."""
    rows = books.lending.shown(most=ASKED_MAX)
    return [(row["scan_id"], json.loads(row["report"])["token"]) for row in rows]


def report_of(row: Any) -> Received:  # noqa: ANN401 - a row
    """Return an entrance's report that has waited, as it came."""
    message = ReportScan.model_validate_json(row["report"])
    terminal = TerminalId(row["terminal_id"])
    return Received(terminal=terminal, epoch=row["epoch"], seq=0, corr="", message=message)


def _is_stale(books: Transaction, row: Row) -> bool:
    return bool(row["asked_at"] < books.now - WAITING_SECONDS * 1000)


def _next_claim(books: Transaction, known: Row | None) -> int:
    """Return a claim above every one before, also those that an old backup has forgotten."""
    return max(books.now, 0 if known is None else known["claim"] + 1)


def _change(books: Transaction, row: Row, state: BorrowingState) -> None:
    books.lending.change_borrowed(
        ticket_id=row["ticket_id"], claim=row["claim"], before=row["state"], state=state
    )


def _why_not_here(books: Transaction, row: Row, lent: TicketLent) -> DenialReason | None:
    """Say why what is lent cannot be entered: it is not for here, or its time is not free here."""
    read = sight(row["token"])
    is_the_one = not isinstance(read, Denial) and read.token.ticket == lent.ticket
    is_here = books.lending.is_here(
        store_id=lent.store, offering_id=lent.offering, device_id=lent.device
    )
    if not (is_the_one and is_here):
        return DenialReason.BUSY_TRY_AGAIN
    is_taken = books.rights.is_taken(
        device_id=lent.device,
        reservation_id=lent.reservation,
        starts_at=lent.starts_at,
        blocked_until=lent.blocked_until,
    )
    return DenialReason.RESERVED_FOR_ANOTHER if is_taken else None

"""Tickets lent to who has the terminals: one borrower at a time, and not given up meanwhile (C1).

Its law: a claim is decided once and answered the same again; whatever comes late of an earlier
claim changes nothing, so that no line can lend a ticket twice or for ever.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from cloud_controller.flows.rights.readings import has_fresh_code
from cloud_controller.flows.rights.verdicts import judge, particulars_of
from cloud_controller.ports import NotAllowed, Problem, Row, Transaction
from common.messages.reservations import (
    DenialTold,
    GiveBack,
    GivenBack,
    TicketAsked,
    TicketFound,
    TicketLent,
    UseAsked,
)
from common.rules.problems import ProblemKind
from common.rules.tickets import (
    LOAN,
    Denial,
    DenialReason,
    LoanEvent,
    LoanState,
    TicketFacts,
    is_the_one_issued,
    sight,
)
from common.seals import TicketToken

OVERDUE_SECONDS: Final = 600
"""How long after a lent ticket's time its borrower may be silent before somebody has to look."""

BATCH_MAX: Final = 200
"""Loans looked at in one transaction, so that it stays short."""


def verify(books: Transaction, peer: str, asked: TicketAsked) -> TicketFound:
    """Say what a ticket of a peer's stores is for, and why it would not open; changes nothing."""
    read = _read(books, peer, asked.token)
    if isinstance(read, Denial):
        return TicketFound(denied=DenialTold(reason=read.reason))
    token, row = read
    device, terminal = asked.device or row["device_id"], asked.terminal or row["terminal_id"]
    denied = _why_not(books, token, row, device, terminal)
    return TicketFound(ticket=_lent(row), denied=denied)


def lend(books: Transaction, peer: str, asked: UseAsked) -> TicketFound:
    """Lend a ticket for use at this device, or say why not; asked again, say the same (C4).

    Where any device of the offering will do, its time is moved to this one with it.
    """
    read = _read(books, peer, asked.token)
    if isinstance(read, Denial):
        return TicketFound(denied=DenialTold(reason=read.reason))
    token, row = read
    loan = books.lending.loan(ticket_id=row["ticket_id"], peer=peer)
    if loan is not None and asked.claim <= loan["claim"]:
        return _said_before(loan, asked)
    if loan is not None and loan["state"] == LoanState.LENT and not _free(books, row):
        return TicketFound(denied=DenialTold(reason=DenialReason.IN_USE_ELSEWHERE))
    denied = _why_not(books, token, row, asked.device, asked.terminal)
    if denied is None:
        found = TicketFound(ticket=_take_out(books, peer, row, asked))
    else:
        found = TicketFound(denied=denied)
    event = LoanEvent.LEND if denied is None else LoanEvent.DENY
    _keep(books, peer, row["ticket_id"], asked.claim, event, found.model_dump_json())
    return found


def take_back(books: Transaction, peer: str, said: GiveBack) -> GivenBack:
    """Take a ticket back; where its device has failed, keep its time on another that is free.

    Said before its question has come, it takes that back as well.

    Raises:
        NotAllowed: by what is reported a use of it is not over; it is to be reported first.
    """
    row = books.lending.ticket_of(ticket_id=said.ticket, peer=peer)
    if row is None:
        return GivenBack()
    loan = books.lending.loan(ticket_id=said.ticket, peer=peer)
    if loan is not None and said.claim < loan["claim"]:
        return GivenBack()
    if loan is not None and loan["state"] == LoanState.GIVEN_BACK and said.claim == loan["claim"]:
        return GivenBack.model_validate_json(loan["answer"])
    was_lent = loan is not None and loan["state"] == LoanState.LENT
    if was_lent and not _free(books, row):
        raise NotAllowed(why="a use of this ticket is not over by what is reported")
    is_to_move = was_lent and said.failed_on is not None
    moved_to = _move(books, row, said.failed_on or "") if is_to_move else None
    answer = GivenBack(moved_to=moved_to)
    _keep(books, peer, said.ticket, said.claim, LoanEvent.GIVE_BACK, answer.model_dump_json())
    return answer


def call_for_overdue(books: Transaction) -> None:
    """Have an operator look where a lent ticket's time is long over and nobody says what it was."""
    before = books.now - OVERDUE_SECONDS * 1000
    for row in books.lending.overdue_loans(before=before, most=BATCH_MAX):
        books.raise_problem(
            Problem(
                kind=ProblemKind.LOAN_OVERDUE,
                subject=row["ticket_id"],
                reservation=row["reservation_id"],
                why="Its store took this ticket for a use and has not said what became of it.",
                evidence={"peer": row["peer"], "ends_at": row["ends_at"]},
                proposals=({"do": "look_at_store", "peer": row["peer"]}, {"do": "close"}),
            )
        )


def _read(books: Transaction, peer: str, text: str) -> tuple[TicketToken, Row] | Denial:
    """Return a ticket of a peer's stores; one of anybody else is to it as if it were not."""
    read = sight(text)
    if isinstance(read, Denial):
        return read
    row = books.lending.ticket_of(ticket_id=read.token.ticket, peer=peer)
    facts = _facts(books, read.token.ticket)
    if not is_the_one_issued(text, facts) and not books.keys.have_signed(read):
        return Denial(reason=DenialReason.BAD_SIGNATURE)
    if row is None:
        return Denial(reason=DenialReason.UNKNOWN_TICKET)
    if read.token.rotates and not has_fresh_code(books, text, read.token):
        return Denial(reason=DenialReason.REVOKED)
    return read.token, row


def _facts(books: Transaction, ticket_id: str) -> TicketFacts | None:
    facts: TicketFacts | None = books.rights.ticket(ticket_id=ticket_id)
    return facts


def _why_not(
    books: Transaction, token: TicketToken, row: Row, device: str, terminal: str
) -> DenialTold | None:
    """Say why the ticket does not open this device now, by what is known here.

    Whether the device is whole and idle only its own controller knows.
    """
    ticket = _facts(books, row["ticket_id"])
    known = books.rights.door(device_id=device, terminal_id=terminal)
    if known is None or known.store != row["store_id"]:
        return DenialTold(reason=DenialReason.WRONG_DEVICE, device=row["device_id"])
    door = replace(known, is_in_use=False, is_out_of_order=False, ready_at=None, device_state="")
    denial = judge(books, token, ticket, door)
    if denial is None:
        return None
    told, another = particulars_of(books, denial, token, ticket, door)
    return DenialTold(reason=denial.reason, device=another, **told.model_dump(exclude_none=True))


def _take_out(books: Transaction, peer: str, row: Row, asked: UseAsked) -> TicketLent:
    reserved = books.rights.reserve_ticket(ticket_id=row["ticket_id"])
    assert reserved == 1, "one writer decides, so the ticket is as it was read"
    if row["device_id"] != asked.device:
        books.rights.move_reservation(
            reservation_id=row["reservation_id"], device_id=asked.device, changed_at=books.now
        )
    facts = {"peer": peer, "claim": asked.claim, "device": asked.device}
    reservation = row["reservation_id"]
    books.enter("ticket.lent", facts, terminal=asked.terminal, reservation=reservation)
    return _lent(row).model_copy(update={"device": asked.device})


def _free(books: Transaction, row: Row) -> bool:
    """Make a lent ticket good for everybody again; say no where something of it still lives."""
    if books.lending.is_in_use(ticket_id=row["ticket_id"]):
        return False
    if books.rights.give_ticket_back(ticket_id=row["ticket_id"]):
        books.enter("ticket.given_back", {}, reservation=row["reservation_id"])
    return True


def _move(books: Transaction, row: Row, failed_on: str) -> str | None:
    """Keep the time of a ticket on another device than the one that failed, if one is free."""
    if row["state"] != "confirmed" or row["ends_at"] <= books.now:
        return None
    other = books.sessions.another_device(
        offering_id=row["offering_id"],
        device_id=failed_on,
        reservation_id=row["reservation_id"],
        free_from=min(books.now, row["starts_at"]),
        blocked_until=row["blocked_until"],
    )
    if other is None:
        return None
    device: str = other["device_id"]
    reservation = row["reservation_id"]
    books.rights.move_reservation(
        reservation_id=reservation, device_id=device, changed_at=books.now
    )
    facts = {"from": failed_on, "to": device}
    books.enter("reservation.moved", facts, reservation=reservation)
    return device


def _keep(
    books: Transaction, peer: str, ticket: str, claim: int, event: LoanEvent, answer: str
) -> None:
    state = LOAN.step(LoanState.ASKED, event)
    assert state is not None, "every event may be the first of a claim"
    books.lending.keep_loan(
        ticket_id=ticket,
        peer=peer,
        claim=claim,
        state=state,
        answer=answer,
        asked_at=books.now,
    )


def _said_before(loan: Row, asked: UseAsked) -> TicketFound:
    """Return what this claim was answered; one that is over or late gets nothing any more."""
    if asked.claim < loan["claim"] or loan["state"] == LoanState.GIVEN_BACK:
        return TicketFound(denied=DenialTold(reason=DenialReason.BUSY_TRY_AGAIN))
    return TicketFound.model_validate_json(loan["answer"])


def _lent(row: Row) -> TicketLent:
    return TicketLent(
        ticket=row["ticket_id"],
        reservation=row["reservation_id"],
        store=row["store_id"],
        offering=row["offering_id"],
        device=row["device_id"],
        device_number=row["device_number"],
        revision=row["revision"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        blocked_until=row["blocked_until"],
        party_size=row["party_size"],
    )

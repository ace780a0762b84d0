"""Tickets that a terminal alone may redeem, also without the line: given, recalled, reported on.

Its law: a ticket has one redeemer at a time. While a terminal holds it nobody else may redeem it,
and nothing that needs it unused counts before the terminal has said that it is (C4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import ValidationError

from cloud_controller.flows.rights.scene import (
    Answer,
    Issuing,
    Scene,
    heading,
    hosts_its_device,
    issue,
    keep_right,
)
from cloud_controller.ports import Problem, Received, Row, Transaction
from common.ids import TerminalId
from common.messages.rights import (
    HELD_TICKETS_MAX,
    HeldTicket,
    HoldTickets,
    OfflineRequest,
    Refused,
    ReleaseTicket,
    Request,
    TicketKept,
    TicketReleased,
)
from common.messages.sessions import SessionAdmitted
from common.rules.problems import ProblemKind
from common.rules.sessions import CLOCK_TOLERANCE_SECONDS, EndReason
from common.rules.tickets import (
    HOLD,
    HOLD_AHEAD_SECONDS,
    Admission,
    DenialReason,
    HoldEvent,
    HoldState,
    RecallWhy,
    believed,
    outranks,
    token_digest,
    why_doubted,
)
from common.topics import Channel

RECALL_AGAIN_SECONDS: Final = 2.0
"""Before a recall that had no answer is said again."""

LEFT_ELSEWHERE_SECONDS: Final = 60
"""How long a ticket that was shown at another terminal is left for that one to redeem."""

_TO_BE_TOLD: Final = -1  # the operator's switch is 0 or 1: whatever it is, it is told again

BATCH_MAX: Final = 200
"""Tickets or devices looked at in one transaction, so that it stays short."""


def recall(books: Transaction, ticket_id: str, why: RecallWhy) -> bool:
    """Ask whoever may redeem this ticket alone to give it back; say whether somebody may.

    Asked again for a lesser reason it changes nothing.
    """
    row = books.rights.held(ticket_id=ticket_id)
    if row is None:
        return False
    is_first = HoldState(row["state"]) is HoldState.HELD
    if is_first or outranks(why, RecallWhy(row["recall_why"])):
        asked_at = row["recall_asked_at"] or books.now
        books.rights.recall(ticket_id=ticket_id, why=why, asked_at=asked_at)
        _say_release(books, row, asked_at)
    return True


def note_released(books: Transaction, said: Received) -> None:
    """The terminal will not redeem this ticket any more: what has waited for it may count now.

    It says by which right: one that was issued since, and is still on its way, lets it hold the
    ticket again, so that nothing counts before that is given back as well.
    """
    message: TicketReleased = said.message
    row = books.rights.held(ticket_id=message.ticket)
    if row is None or (row["terminal_id"], row["right_id"]) != (said.terminal, message.right):
        return
    if message.asked_at is not None and message.asked_at != row["recall_asked_at"]:
        return
    _release(books, row)


def note_kept(books: Transaction, said: Received) -> None:
    """The ticket was redeemed before its recall came: what has waited for it does not count.

    Where its time is over nothing is held any more.
    """
    message: TicketKept = said.message
    row = books.rights.held(ticket_id=message.ticket)
    is_its_own = row is not None and row["terminal_id"] == said.terminal
    if not is_its_own or row["recall_asked_at"] != message.asked_at:
        return
    is_over = row["recall_why"] == RecallWhy.LAPSE
    event = HoldEvent.RELEASE if is_over else HoldEvent.KEEP
    after = HOLD.step(HoldState(row["state"]), event)
    if after is HoldState.RELEASED:
        books.rights.release(ticket_id=message.ticket)
    elif after is HoldState.HELD:
        books.rights.keep_held(ticket_id=message.ticket)
        books.rights.move_no_more(ticket_id=message.ticket)
    _forget_cancel(books, row)


def note_admitted(books: Transaction, said: Received) -> None:
    """Enter a session that a terminal began by itself; nothing it did is reconciled away.

    A start without our right of a ticket that it does not hold is flagged for the operator, and
    one that cannot be true of this ticket makes no session of ours. The ticket stays held: should
    its program fail, that terminal may redeem it again, and nobody else before it is given back.
    """
    message: SessionAdmitted = said.message
    _supersede(books, said)
    ticket = books.rights.ticket(ticket_id=message.ticket)
    door = books.rights.door(device_id=message.device, terminal_id=said.terminal)
    held = books.rights.held(ticket_id=message.ticket)
    is_held = held is not None and held["terminal_id"] == said.terminal
    doubt = why_doubted(ticket, door, is_held=is_held, admission=Admission(message.admission))
    if ticket is not None and door is not None and not (doubt and doubt.is_impossible):
        books.rights.reserve_ticket(ticket_id=message.ticket)
        books.rights.raise_fence(device_id=door.device, fence=door.last_fence + 1)
        began = believed(ticket, message.at, message.granted_seconds)
        books.rights.admit_session(
            session_id=message.session,
            ticket_id=message.ticket,
            reservation_id=ticket.reservation,
            store_id=door.store,
            device_id=door.device,
            terminal_id=said.terminal,
            program=message.program,
            fence=door.last_fence + 1,
            granted_seconds=began.granted_seconds,
            granted_at=began.at,
            deadline_at=ticket.ends_at,
            admission=message.admission,
        )
    reservation = ticket.reservation if ticket is not None else None
    facts = {
        "scan": message.scan,
        "admission": message.admission,
        "seconds": message.granted_seconds,
    }
    books.enter(
        message.type,
        facts,
        terminal=said.terminal,
        reservation=reservation,
        session=message.session,
        at=message.at,
    )
    if doubt is not None:
        _raise_doubt(books, said, reservation, doubt.why)


def hold_anew(books: Transaction, devices: Iterable[str]) -> None:
    """Have the holders of these devices' tickets be given them again: their tokens have changed."""
    for device in devices:
        books.rights.note_signature_starts(device_id=device, told=_TO_BE_TOLD)


def has_to_look_after_held(books: Transaction) -> bool:
    """Say whether a ticket is to be held, recalled, asked about or freed."""
    return bool(_devices_to_hold(books, most=1)) or bool(
        books.rights.has_to_settle_held(before=books.now - int(CLOCK_TOLERANCE_SECONDS * 1000))
    )


def hold_what_comes(books: Transaction) -> None:
    """Have terminals that are here take over their devices' coming tickets, and renew that."""
    for row in _devices_to_hold(books, most=BATCH_MAX):
        hold = HoldTickets(command=books.names.new("h"), device=row["device_id"])
        books.say(TerminalId(row["terminal_id"]), Channel.COMMANDS, hold, tail=hold.command)


def settle_held(books: Transaction) -> None:
    """Ask again for what is recalled, ask for what is over or shut out, drop what is fenced."""
    for row in books.rights.held_by_the_fenced(most=BATCH_MAX):
        _release(books, row)
    over = books.now - int(CLOCK_TOLERANCE_SECONDS * 1000)
    for row in books.rights.held_and_over(before=over, most=BATCH_MAX):
        recall(books, row["ticket_id"], RecallWhy.LAPSE)
    for row in books.rights.held_by_the_shut_out(most=BATCH_MAX):
        recall(books, row["ticket_id"], RecallWhy.ELSEWHERE)
    before = books.now - int(RECALL_AGAIN_SECONDS * 1000)
    for row in books.rights.recalled(before=before, most=BATCH_MAX):
        _say_release(books, row, row["recall_asked_at"])
    books.rights.forget_released(before=over)


def _give(books: Transaction, scene: Scene, message: Request) -> Answer:
    """Give a terminal the coming tickets of its device: those that nobody else holds."""
    try:
        asked = OfflineRequest.model_validate(message.request)
    except ValidationError:
        return Refused(comm_id=message.comm_id, reason=DenialReason.BUSY_TRY_AGAIN)
    if asked.device != scene.subject or not hosts_its_device(books, scene):
        return Refused(comm_id=message.comm_id, reason=DenialReason.WRONG_DEVICE)
    who, until = scene.comm_id, books.now + HOLD_AHEAD_SECONDS * 1000
    rows = books.rights.tickets_to_hold(
        device_id=asked.device,
        terminal_id=who.party,
        now=books.now,
        until=until,
        shown_before=books.now - LEFT_ELSEWHERE_SECONDS * 1000,
        most=HELD_TICKETS_MAX,
    )
    tickets = [_held(row).model_dump(mode="json") for row in rows]
    ends_at = max([until, *(row["ends_at"] for row in rows)])
    by_signature = bool(books.service.signature_starts(device_id=asked.device))
    document = {
        **heading(books, scene),
        "device": asked.device,
        "ends_at": ends_at,
        "may_start_by_signature": by_signature,
        "tickets": tickets,
    }
    books.rights.note_signature_starts(device_id=asked.device, told=int(by_signature))
    for row in rows:
        books.rights.hold(
            ticket_id=row["ticket_id"],
            device_id=asked.device,
            terminal_id=who.party,
            epoch=who.epoch,
            right_id=document["right"],
            ends_at=row["ends_at"],
        )
    return issue(books, scene, document, lease_ends_at=ends_at, amount=len(rows))


def _devices_to_hold(books: Transaction, *, most: int) -> list[Row]:
    """Return devices that have a coming ticket to be held, or the operator's switch to be told."""
    return list(
        books.rights.devices_to_hold(
            now=books.now,
            until=books.now + HOLD_AHEAD_SECONDS * 1000,
            shown_before=books.now - LEFT_ELSEWHERE_SECONDS * 1000,
            held_max=HELD_TICKETS_MAX,
            most=most,
        )
    )


def _restore(books: Transaction, scene: Scene, document: Mapping[str, Any]) -> None:
    """Count tickets as held again that an old backup has forgotten to be."""
    for ticket in document["tickets"]:
        if books.rights.ticket(ticket_id=ticket["ticket"]) is not None:
            books.rights.hold(
                ticket_id=ticket["ticket"],
                device_id=document["device"],
                terminal_id=scene.comm_id.party,
                epoch=scene.comm_id.epoch,
                right_id=document["right"],
                ends_at=ticket["ends_at"],
            )
    keep_right(books, scene, document, lease_ends_at=document["ends_at"])


def _held(row: Row) -> HeldTicket:
    return HeldTicket(
        ticket=row["ticket_id"],
        token_digest=token_digest(row["token"]),
        opens_at=row["starts_at"] - row["early_seconds"] * 1000,
        ends_at=row["ends_at"],
    )


def _release(books: Transaction, row: Row) -> None:
    """Free a ticket of its holder, and let count what has waited for that."""
    books.rights.release(ticket_id=row["ticket_id"])
    if row["recall_why"] == RecallWhy.CANCEL:
        reservation = row["reservation_id"]
        if books.rights.cancel(reservation_id=reservation, changed_at=books.now):
            books.rights.revoke(ticket_id=row["ticket_id"], revoked_at=books.now)
            books.rights.void_ticket(ticket_id=row["ticket_id"])
            who = row["terminal_id"]
            books.enter("reservation.cancelled", {}, terminal=who, reservation=reservation)


def _supersede(books: Transaction, said: Received) -> None:
    """End what was granted here for this device or ticket and never began: another has begun.

    The answer with that right was lost, or came when nobody waited for it any more.
    """
    superseded = books.rights.supersede(
        device_id=said.message.device,
        ticket_id=said.message.ticket,
        terminal_id=said.terminal,
        ended_at=books.now,
        end_reason=EndReason.SUPERSEDED,
    )
    for row in superseded:
        books.rights.give_ticket_back(ticket_id=row["ticket_id"])
        facts = {"reason": EndReason.SUPERSEDED}
        reservation, session = row["reservation_id"], row["session_id"]
        books.enter(
            "session.failed",
            facts,
            terminal=said.terminal,
            reservation=reservation,
            session=session,
        )


def _forget_cancel(books: Transaction, row: Row) -> None:
    """Note that a ticket was used before its customer gave it up: that does not count any more."""
    if row["recall_why"] == RecallWhy.CANCEL:
        reservation = row["reservation_id"]
        books.rights.forget_cancel(reservation_id=reservation)
        who = row["terminal_id"]
        books.enter("cancellation.too_late", {}, terminal=who, reservation=reservation)


def _say_release(books: Transaction, row: Row, asked_at: int) -> None:
    command = books.names.new("h")
    release = ReleaseTicket(
        command=command, ticket=row["ticket_id"], right=row["right_id"], asked_at=asked_at
    )
    books.rights.note_said(ticket_id=row["ticket_id"], said_at=books.now)
    books.say(TerminalId(row["terminal_id"]), Channel.COMMANDS, release, tail=command)


def _raise_doubt(books: Transaction, said: Received, reservation: str | None, why: str) -> None:
    message: SessionAdmitted = said.message
    books.raise_problem(
        Problem(
            kind=ProblemKind.OFFLINE_START_DOUBTED,
            subject=message.session if reservation is not None else said.terminal,
            terminal=said.terminal,
            reservation=reservation,
            why=why,
            evidence={"ticket": message.ticket, "device": message.device, "at": message.at},
            proposals=({"do": "look_at_ticket"}, {"do": "close"}),
        )
    )


OFFLINE_RIGHTS: Final = Issuing(is_known=hosts_its_device, decide=_give, restore=_restore)

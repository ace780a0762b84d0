"""A session's right: does this ticket open this device now, and what changes if it does (C4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from cloud_controller.flows.rights import borrowing
from cloud_controller.flows.rights.holding import recall
from cloud_controller.flows.rights.readings import enter_denial, read_ticket
from cloud_controller.flows.rights.scene import (
    Answer,
    Issuing,
    Scene,
    heading,
    hosts_its_device,
    issue,
    keep_right,
)
from cloud_controller.flows.rights.verdicts import judge, particulars_of
from cloud_controller.flows.rights.words import OPENED, tell_verdict
from cloud_controller.ports import Received, Transaction
from common.messages.base import NOTHING_IN_PARTICULAR, Particulars
from common.messages.reservations import DenialTold
from common.messages.rights import Refused, Request, ScanRequest
from common.messages.sessions import ScanDenied
from common.rules.sessions import CLOCK_TOLERANCE_SECONDS, START_WITHIN_SECONDS
from common.rules.tickets import (
    Denial,
    DenialReason,
    DoorFacts,
    RecallWhy,
    TicketFacts,
    granted_seconds,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Use:
    """A ticket at a door, as the books know both."""

    ticket_id: str
    ticket: TicketFacts
    door: DoorFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class _Elsewhere:
    """A good ticket of which only another controller knows what it opens."""

    ticket_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _No:
    """Why a ticket does not open its door, what there is to say of it, and which ticket it is."""

    denial: Denial
    told: Particulars = NOTHING_IN_PARTICULAR
    device: str | None = None
    ticket_id: str | None = None


def note_denied(books: Transaction, said: Received) -> None:
    """Keep what a reader turned away by itself."""
    message: ScanDenied = said.message
    books.rights.add_scan(
        scan_id=message.scan,
        terminal_id=said.terminal,
        reader_id=None,
        device_id=None,
        ticket_id=None,
        verdict=message.reason,
        told="",
        read_at=message.at,
        received_at=books.now,
    )
    enter_denial(books, said.terminal, None, {"reason": message.reason, "why": message.why})


def refuse(books: Transaction, scene: Scene, message: Request, *, told: DenialTold) -> Refused:
    """Refuse a scan for a reason that another controller has found, in its words."""
    asked = _asked_in(message)
    reason = DenialReason(told.reason)
    if asked is None:
        return Refused(comm_id=message.comm_id, reason=reason)
    said = Particulars.model_validate(told.model_dump(include=set(Particulars.model_fields)))
    no = _No(denial=Denial(reason=reason), told=said, device=told.device)
    return _refuse(books, scene, asked, no)


def _decide(books: Transaction, scene: Scene, message: Request) -> Answer | None:
    """Issue the right or say why not; all that the right changes is in this transaction.

    None: who keeps the ticket's reservation is asked, and the answer comes with theirs (C1).
    """
    asked = _asked_in(message)
    if asked is None:
        return Refused(comm_id=message.comm_id, reason=DenialReason.BUSY_TRY_AGAIN)
    found = _found(books, scene, asked)
    if isinstance(found, _Elsewhere):
        busy = borrowing.ask(books, scene, message, asked, found.ticket_id)
        return None if busy is None else _refuse(books, scene, asked, _No(denial=busy))
    if isinstance(found, _No):
        return _refuse(books, scene, asked, found)
    return _grant(books, scene, asked, found)


def _asked_in(message: Request) -> ScanRequest | None:
    try:
        return ScanRequest.model_validate(message.request)
    except ValidationError:
        return None


def _found(books: Transaction, scene: Scene, asked: ScanRequest) -> _Use | _Elsewhere | _No:
    """Return the ticket at its door, or why it does not open it."""
    door = books.rights.door(device_id=asked.device, terminal_id=scene.comm_id.party)
    if door is None or asked.device != scene.subject:
        return _No(denial=Denial(reason=DenialReason.WRONG_DEVICE))
    read = read_ticket(books, asked.token, scan=asked.scan, terminal=scene.comm_id.party)
    if isinstance(read, Denial):
        return _No(denial=read)
    token, ticket = read
    if borrowing.is_elsewhere(books, asked.token, ticket):
        return _Elsewhere(ticket_id=token.ticket)
    denial = judge(books, token, ticket, door)
    if ticket is None or denial is not None:
        assert denial is not None, "an unknown ticket has a reason"
        told, device = particulars_of(books, denial, token, ticket, door)
        known = None if ticket is None else token.ticket
        return _No(denial=denial, told=told, device=device, ticket_id=known)
    return _Use(ticket_id=token.ticket, ticket=ticket, door=door)


def _refuse(books: Transaction, scene: Scene, asked: ScanRequest, no: _No) -> Refused:
    """Say no; a ticket that only another terminal may redeem is called back for the next scan."""
    reason, told = no.denial.reason, no.told.model_dump(exclude_none=True)
    refused = Refused(comm_id=str(scene.comm_id), reason=reason, device=no.device, **told)
    if not _add_scan(books, scene, asked, no.ticket_id, reason, refused):
        return _said_before(books, scene, asked) or refused
    if no.denial.is_held and no.ticket_id is not None:
        recall(books, no.ticket_id, RecallWhy.ELSEWHERE)
    _tell_reader(books, asked, refused, None)
    facts = {"reason": reason, "read_at": asked.read_at, **told}
    enter_denial(books, scene.comm_id.party, no.ticket_id, facts)
    return refused


def _said_before(books: Transaction, scene: Scene, asked: ScanRequest) -> Refused | None:
    """Return what this very scan was told before, if that was no: it stays so."""
    known = books.rights.scan(scan_id=asked.scan)
    is_same = (known["terminal_id"], known["device_id"]) == (scene.comm_id.party, asked.device)
    if not is_same or not known["told"]:
        return None
    before = Refused.model_validate_json(known["told"])
    return before.model_copy(update={"comm_id": str(scene.comm_id)})


def _grant(books: Transaction, scene: Scene, asked: ScanRequest, use: _Use) -> Answer:
    ticket, door = use.ticket, use.door
    if not _add_scan(books, scene, asked, use.ticket_id, OPENED, None):
        before = _said_before(books, scene, asked)
        if before is not None:
            return before
    document = _document(books, scene, use)
    reserved = books.rights.reserve_ticket(ticket_id=use.ticket_id)
    assert reserved == 1, "one writer decides, so the ticket is as it was read"
    if ticket.device != door.device:
        books.rights.move_reservation(
            reservation_id=ticket.reservation, device_id=door.device, changed_at=books.now
        )
    books.rights.raise_fence(device_id=door.device, fence=document["fence"])
    _keep_session(books, scene, document, use)
    _tell_reader(books, asked, None, use.door.title)
    facts = {"scan": asked.scan, "read_at": asked.read_at, "seconds": document["granted_seconds"]}
    who, session = scene.comm_id.party, document["session"]
    books.enter(
        "right.issued", facts, terminal=who, reservation=ticket.reservation, session=session
    )
    return issue(
        books,
        scene,
        document,
        session=document["session"],
        lease_ends_at=ticket.ends_at + int(CLOCK_TOLERANCE_SECONDS * 1000),
    )


def _document(books: Transaction, scene: Scene, use: _Use) -> dict[str, Any]:
    """Return the right: permission to run this program for so long, begun within so long (C4)."""
    return {
        **heading(books, scene),
        "session": books.names.new("s"),
        "ticket": use.ticket_id,
        "device": use.door.device,
        "program": use.door.program,
        "fence": use.door.last_fence + 1,
        "granted_seconds": granted_seconds(use.ticket, now=books.now),
        "start_within_seconds": START_WITHIN_SECONDS,
        "extends_itself": bool(
            books.extensions.extends_itself(reservation_id=use.ticket.reservation)
        ),
    }


def _keep_session(books: Transaction, scene: Scene, document: Mapping[str, Any], use: _Use) -> None:
    books.rights.grant_session(
        session_id=document["session"],
        ticket_id=use.ticket_id,
        reservation_id=use.ticket.reservation,
        store_id=use.door.store,
        device_id=use.door.device,
        terminal_id=scene.comm_id.party,
        program=document["program"],
        fence=document["fence"],
        granted_seconds=document["granted_seconds"],
        granted_at=document["issued_at"],
        deadline_at=use.ticket.ends_at,
    )


def _restore(books: Transaction, scene: Scene, document: Mapping[str, Any]) -> None:
    """Enter a session that an old backup has forgotten: its ticket opens nothing else any more.

    Where the books know of no such ticket or device either, the right alone is kept: it is ours,
    and whoever looks for what became of the lost hours finds it.
    """
    party = scene.comm_id.party
    ticket = books.rights.ticket(ticket_id=document["ticket"])
    door = books.rights.door(device_id=document["device"], terminal_id=party)
    lease_ends_at = None
    session = None
    is_free = ticket is not None and door is not None and not door.is_in_use
    if is_free and books.rights.reserve_ticket(ticket_id=document["ticket"]):
        books.rights.raise_fence(device_id=door.device, fence=document["fence"])
        use = _Use(ticket_id=document["ticket"], ticket=ticket, door=door)
        _keep_session(books, scene, document, use)
        lease_ends_at = ticket.ends_at + int(CLOCK_TOLERANCE_SECONDS * 1000)
        session = document["session"]
    keep_right(books, scene, document, session=session, lease_ends_at=lease_ends_at)


def _add_scan(
    books: Transaction,
    scene: Scene,
    asked: ScanRequest,
    ticket: str | None,
    verdict: str,
    refused: Refused | None,
) -> bool:
    """Keep a scan with its verdict; say whether it was not kept before."""
    added = books.rights.add_scan(
        scan_id=asked.scan,
        terminal_id=scene.comm_id.party,
        reader_id=asked.reader,
        device_id=asked.device,
        ticket_id=ticket,
        verdict=verdict,
        told="" if refused is None else refused.model_dump_json(exclude_none=True),
        read_at=asked.read_at,
        received_at=books.now,
    )
    return bool(added)


def _tell_reader(
    books: Transaction, asked: ScanRequest, refused: Refused | None, title: str | None
) -> None:
    """Tell the entrance what came of a scan that it has passed on, if one of this store did."""
    if asked.reader is None or not books.service.are_of_one_store(
        terminal_id=asked.reader, device_id=asked.device
    ):
        return
    tell_verdict(books, asked.reader, asked.scan, refused, title)


SESSION_RIGHTS: Final = Issuing(is_known=hosts_its_device, decide=_decide, restore=_restore)

"""The issuing side of the exchange: decide once, store the answer with its changes, repeat it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from cloud_controller.ports import Received, Transaction
from common.ids import CommId
from common.messages.base import Message
from common.messages.rights import (
    Abort,
    Aborted,
    Announce,
    Announced,
    Complete,
    Completed,
    Refused,
    Request,
    Right,
    Troubled,
)
from common.messages.sessions import ScanDenied
from common.rules.registration import Standing
from common.rules.rights import (
    ServerRecord,
    ServerState,
    Verdict,
    announced,
    closed,
    hear_abort,
    hear_announce,
    hear_complete,
    hear_request,
)
from common.rules.sessions import CLOCK_TOLERANCE_SECONDS, START_WITHIN_SECONDS
from common.rules.tickets import (
    Denial,
    DenialReason,
    DoorFacts,
    TicketFacts,
    granted_seconds,
    is_the_one_issued,
    sight,
    why_not,
)
from common.topics import Channel

OPENED: Final = "opened"
"""The verdict on a scan that got its right; every other verdict is a denial reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scene:
    """One exchange's message with what the books know of it."""

    said: Received
    comm_id: CommId
    record: ServerRecord


def announce(books: Transaction, said: Received) -> None:
    """Store the identification and say that it has been received (B2)."""
    message: Announce = said.message
    scene = _gather(books, said)
    if scene is None:
        return
    before = message.completed
    completed = (CommId.parse(before.comm_id), before.digest) if before is not None else None
    verdict = hear_announce(scene.record, scene.comm_id, completed)
    if verdict is Verdict.STORE and not _has_its_device(books, scene):
        verdict = Verdict.BUSY
    if verdict is Verdict.STORE:
        _keep(books, scene, announced(scene.record, scene.comm_id))
    if verdict in {Verdict.STORE, Verdict.SAY_ANNOUNCED}:
        _reply(books, said, Announced(comm_id=message.comm_id))
    else:
        _trouble(books, said, verdict)


def request(books: Transaction, said: Received) -> None:
    """Decide a request once and answer it; asked again, give the stored answer (B4-B7)."""
    message: Request = said.message
    scene = _gather(books, said)
    if scene is None:
        return
    verdict = hear_request(scene.record, scene.comm_id, message.digest)
    if verdict is Verdict.DECIDE:
        answer = _decide(books, scene, message)
        _keep_answer(books, scene, message.digest, answer)
        _reply(books, said, answer)
    elif verdict is Verdict.REPEAT:
        _reply(books, said, _stored(scene.record))
    else:
        _trouble(books, said, verdict)


def complete(books: Transaction, said: Received) -> None:
    """Close the exchange: the client has stored its answer (B8, B9)."""
    message: Complete = said.message
    scene = _gather(books, said)
    if scene is None:
        return
    verdict = hear_complete(scene.record, scene.comm_id, message.digest)
    if verdict is Verdict.CLOSE:
        _keep(books, scene, closed(scene.record))
    if verdict in {Verdict.CLOSE, Verdict.SAY_COMPLETED}:
        _reply(books, said, Completed(comm_id=message.comm_id))
    else:
        _trouble(books, said, verdict)


def abort(books: Transaction, said: Received) -> None:
    """Give the exchange up, unless its right is made already: then that is the answer."""
    message: Abort = said.message
    scene = _gather(books, said)
    if scene is None:
        return
    verdict = hear_abort(scene.record, scene.comm_id)
    if verdict is Verdict.CLOSE:
        _keep(books, scene, closed(scene.record, scene.comm_id))
    if verdict in {Verdict.CLOSE, Verdict.SAY_ABORTED}:
        _reply(books, said, Aborted(comm_id=message.comm_id))
    elif verdict is Verdict.REPEAT:
        _reply(books, said, _stored(scene.record))
    else:
        _trouble(books, said, verdict)


def note_denied(books: Transaction, said: Received) -> None:
    """Keep what a reader turned away by itself."""
    message: ScanDenied = said.message
    books.rights.add_scan(
        scan_id=message.scan,
        terminal_id=said.terminal,
        device_id=None,
        ticket_id=None,
        verdict=message.reason,
        read_at=message.at,
        received_at=books.now,
    )
    _enter_denial(books, said, None, {"reason": message.reason, "why": message.why})


def _gather(books: Transaction, said: Received) -> _Scene | None:
    """Return the exchange this message belongs to, or None when its sender has been told off."""
    known = books.rights.standing(terminal_id=said.terminal)
    try:
        comm_id = CommId.parse(said.message.comm_id)
    except ValueError:
        return None
    if known is None or comm_id.party != said.terminal:
        return None
    if not known["epoch"] == said.epoch == comm_id.epoch:
        _reply(books, said, Troubled(comm_id=said.message.comm_id, trouble="fenced"))
        return None
    if known["standing"] != Standing.CONFIRMED:
        _reply(books, said, Troubled(comm_id=said.message.comm_id, trouble="busy"))
        return None
    record = books.rights.exchange(party=comm_id.party, epoch=comm_id.epoch, kind=comm_id.kind)
    return _Scene(said=said, comm_id=comm_id, record=record or ServerRecord())


def _has_its_device(books: Transaction, scene: _Scene) -> bool:
    """Say whether the terminal has the device of this class: what is kept for ever must be few."""
    kind, _, device = scene.comm_id.kind.partition(":")
    party = scene.said.terminal
    door = books.rights.door(device_id=device, terminal_id=party) if kind == "session" else None
    return door is not None


def _decide(books: Transaction, scene: _Scene, message: Request) -> Right | Refused:
    """Issue the right or say why not; all that the right changes is in this transaction."""
    asked = message.request
    door = books.rights.door(device_id=asked.device, terminal_id=scene.said.terminal)
    if door is None or scene.comm_id.kind != f"session:{asked.device}":
        return _refuse(books, scene, message, None, Denial(reason=DenialReason.WRONG_DEVICE))
    read = sight(asked.token)
    if isinstance(read, Denial):
        return _refuse(books, scene, message, None, read)
    ticket = books.rights.ticket(ticket_id=read.token.ticket)
    if not is_the_one_issued(asked.token, ticket) and not books.keys.have_signed(read):
        denial = Denial(reason=DenialReason.BAD_SIGNATURE)
        return _refuse(books, scene, message, None, denial)
    why = why_not(read.token, ticket, door, now=books.now)
    if why is None and ticket is not None:
        why = _why_taken(books, ticket, door)
    if why is not None:
        return _refuse(books, scene, message, read.token.ticket if ticket else None, why)
    assert ticket is not None, "an unknown ticket has a reason"
    return _grant(books, scene, message, (read.token.ticket, ticket, door))


def _why_taken(books: Transaction, ticket: TicketFacts, door: DoorFacts) -> Denial | None:
    """Say why the device cannot be had from now on: somebody else has booked it.

    One's own device may still be another's while one is early; any other is so while it is booked.
    """
    is_taken = books.rights.is_taken(
        device_id=door.device,
        reservation_id=ticket.reservation,
        starts_at=min(books.now, ticket.starts_at),
        blocked_until=ticket.blocked_until,
    )
    if not is_taken:
        return None
    if ticket.device == door.device:
        return Denial(reason=DenialReason.TOO_EARLY, opens_at=ticket.starts_at)
    return Denial(reason=DenialReason.RESERVED_FOR_ANOTHER)


def _refuse(
    books: Transaction, scene: _Scene, message: Request, ticket: str | None, denial: Denial
) -> Refused:
    _add_scan(books, scene, message, ticket, denial.reason)
    facts = {"reason": denial.reason, "read_at": message.request.read_at}
    _enter_denial(books, scene.said, ticket, facts)
    return Refused(
        comm_id=message.comm_id,
        reason=denial.reason,
        opens_at=denial.opens_at,
        device=denial.device,
    )


def _grant(
    books: Transaction,
    scene: _Scene,
    message: Request,
    use: tuple[str, TicketFacts, DoorFacts],
) -> Right:
    ticket_id, ticket, door = use
    document = _document(books, scene, ticket, door)
    reserved = books.rights.reserve_ticket(ticket_id=ticket_id)
    assert reserved == 1, "one writer decides, so the ticket is as it was read"
    if ticket.device != door.device:
        books.rights.move_reservation(
            reservation_id=ticket.reservation, device_id=door.device, changed_at=books.now
        )
    books.rights.raise_fence(device_id=door.device, fence=document["fence"])
    _keep_session(books, scene, document, use)
    _add_scan(books, scene, message, ticket_id, OPENED)
    books.post.enter(
        at=books.now,
        type="right.issued",
        terminal_id=scene.said.terminal,
        reservation_id=ticket.reservation,
        session_id=document["session"],
        body=json.dumps(
            {
                "scan": message.request.scan,
                "read_at": message.request.read_at,
                "seconds": document["granted_seconds"],
            }
        ),
    )
    return Right(
        comm_id=message.comm_id,
        document=document,
        signature=books.keys.seal_document(document),
    )


def _document(
    books: Transaction, scene: _Scene, ticket: TicketFacts, door: DoorFacts
) -> dict[str, Any]:
    """Return the right: permission to run this program for so long, begun within so long (C4)."""
    return {
        "right": books.names.new("g"),
        "comm_id": str(scene.comm_id),
        "kind": scene.comm_id.kind,
        "terminal": scene.said.terminal,
        "epoch": scene.comm_id.epoch,
        "session": books.names.new("s"),
        "device": door.device,
        "program": door.program,
        "fence": door.last_fence + 1,
        "granted_seconds": granted_seconds(ticket, now=books.now),
        "start_within_seconds": START_WITHIN_SECONDS,
        "issued_at": books.now,
    }


def _keep_session(
    books: Transaction,
    scene: _Scene,
    document: dict[str, Any],
    use: tuple[str, TicketFacts, DoorFacts],
) -> None:
    ticket_id, ticket, door = use
    books.rights.grant_session(
        session_id=document["session"],
        ticket_id=ticket_id,
        reservation_id=ticket.reservation,
        store_id=door.store,
        device_id=door.device,
        terminal_id=scene.said.terminal,
        program=door.program,
        fence=document["fence"],
        granted_seconds=document["granted_seconds"],
        granted_at=books.now,
        deadline_at=ticket.ends_at,
    )
    books.rights.add_right(
        right_id=document["right"],
        comm_id=document["comm_id"],
        terminal_id=scene.said.terminal,
        kind=scene.comm_id.kind,
        session_id=document["session"],
        issued_at=books.now,
        lease_ends_at=ticket.ends_at + int(CLOCK_TOLERANCE_SECONDS * 1000),
    )


def _keep_answer(books: Transaction, scene: _Scene, digest: str, answer: Right | Refused) -> None:
    state = ServerState.ISSUED if isinstance(answer, Right) else ServerState.REFUSED
    after = ServerRecord(
        mark_seq=scene.record.mark_seq,
        mark_nonce=scene.record.mark_nonce,
        seq=scene.comm_id.seq,
        nonce=scene.comm_id.nonce,
        state=state,
        request_digest=digest,
        answer=answer.model_dump_json(),
        answer_digest=answer.digest(),
    )
    _keep(books, scene, after)


def _keep(books: Transaction, scene: _Scene, record: ServerRecord) -> None:
    books.rights.keep_exchange(
        party=scene.comm_id.party,
        epoch=scene.comm_id.epoch,
        kind=scene.comm_id.kind,
        mark_seq=record.mark_seq,
        mark_nonce=record.mark_nonce,
        seq=record.seq,
        nonce=record.nonce,
        state=record.state,
        request_digest=record.request_digest,
        answer=record.answer,
        answer_digest=record.answer_digest,
    )


def _stored(record: ServerRecord) -> Right | Refused:
    model = Right if record.state is ServerState.ISSUED else Refused
    return model.model_validate_json(record.answer)


def _reply(books: Transaction, said: Received, message: Message) -> None:
    books.say(said.terminal, Channel.REPLIES, message, corr=said.corr)


def _trouble(books: Transaction, said: Received, verdict: Verdict) -> None:
    _reply(books, said, Troubled(comm_id=said.message.comm_id, trouble=verdict))


def _add_scan(
    books: Transaction, scene: _Scene, message: Request, ticket: str | None, verdict: str
) -> None:
    books.rights.add_scan(
        scan_id=message.request.scan,
        terminal_id=scene.said.terminal,
        device_id=message.request.device,
        ticket_id=ticket,
        verdict=verdict,
        read_at=message.request.read_at,
        received_at=books.now,
    )


def _enter_denial(
    books: Transaction, said: Received, ticket: str | None, facts: dict[str, Any]
) -> None:
    known = books.rights.ticket(ticket_id=ticket) if ticket else None
    books.post.enter(
        at=books.now,
        type="scan.denied",
        terminal_id=said.terminal,
        reservation_id=known.reservation if known else None,
        session_id=None,
        body=json.dumps(facts),
    )

"""The receiving side of the exchange: each step is in the journal before its message leaves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from pydantic import ValidationError

from common.errors import SealIsBroken
from common.ids import CommId
from common.messages.rights import (
    Abort,
    Aborted,
    Announce,
    Announced,
    Complete,
    Completed,
    CompletedBefore,
    Refused,
    Request,
    Right,
    ScanRequest,
    SessionRight,
    Troubled,
)
from common.messages.sessions import ScanDenied, SessionStarting
from common.rules.rights import CLIENT, ClientEvent, ClientState
from common.rules.sessions import SessionState
from common.rules.tickets import DenialReason
from common.seals import check_document, digest_of
from common.topics import Channel
from edge_agent.ports import Identity, Row, Transaction, Verdict

NONCE_DIGITS: Final = 32
"""Hex digits of a nonce: 128 bits."""

BEGINNING_LENGTH: Final = 40
"""Characters of a code that was no ticket which are kept, for whoever looks at what went wrong."""


def kind_of(device: str) -> str:
    """Return the class of right that a session on a device needs."""
    return f"session:{device}"


def prepare(journal: Transaction, who: Identity, device: str) -> None:
    """Announce the next identification while nobody waits: a scan costs one round trip (B1, B2)."""
    row = journal.rows.exchange(kind=kind_of(device))
    state = ClientState(row["state"]) if row is not None else CLIENT.first
    after = CLIENT.step(state, ClientEvent.INTEND)
    if after is None:
        return
    seq = row["seq"] + 1 if row is not None else 1
    nonce = journal.names.hex_digits(NONCE_DIGITS)
    journal.rows.intend(kind=kind_of(device), seq=seq, nonce=nonce, state=after)
    _ask(journal, who, journal.rows.exchange(kind=kind_of(device)))


def scan(journal: Transaction, who: Identity, device: str, token: str) -> None:
    """Freeze what a reader read as the request of the announced exchange, and send it (B3, C3).

    Without an announced exchange there is nobody to ask: the customer is told to try again, and an
    announcement that found no room when it was due is made now.
    """
    kind = kind_of(device)
    row = journal.rows.exchange(kind=kind)
    name = journal.names.new("x")
    after = CLIENT.step(ClientState(row["state"]), ClientEvent.ASK) if row is not None else None
    if after is None:
        prepare(journal, who, device)
        journal.show(Verdict(device=device, scan=name, reason=DenialReason.BUSY_TRY_AGAIN))
        return
    request = ScanRequest(
        scan=name, device=device, token=token, read_at=journal.now, clock_is_trusted=True
    )
    journal.rows.freeze_request(
        kind=kind,
        before=row["state"],
        state=after,
        request=request.model_dump_json(),
        asked_boot_seconds=journal.boot_seconds,
        asked_boot_id=journal.boot_id,
    )
    _ask(journal, who, journal.rows.exchange(kind=kind))


def first_ready(journal: Transaction, devices: Sequence[str]) -> str:
    """Return the first device that is free and whose exchange waits for a scan, or the first."""
    for device in devices:
        row = journal.rows.exchange(kind=kind_of(device))
        is_ready = row is not None and row["state"] == ClientState.ANNOUNCED
        if is_ready and journal.rows.live_session_on(device=device) is None:
            return device
    return devices[0]


def deny(journal: Transaction, reason: DenialReason, why: str, text: str) -> None:
    """Turn away what is no ticket at all, without asking anybody, and report it."""
    name = journal.names.new("x")
    journal.show(Verdict(device=None, scan=name, reason=reason))
    journal.say(
        ScanDenied(
            scan=name, at=journal.now, reason=reason, why=why, beginning=text[:BEGINNING_LENGTH]
        )
    )


def take_announced(journal: Transaction, who: Identity, told: Announced) -> None:
    """The identification is known: the next scan may carry it."""
    row = _current(journal, who, told.comm_id)
    if row is not None:
        _move(journal, row, ClientEvent.HEAR_ANNOUNCED)


def right_in(who: Identity, told: Right) -> SessionRight | None:
    """Return the right, if a controller of ours signed it for this very exchange."""
    try:
        right = SessionRight.model_validate(told.document)
    except ValidationError:
        return None
    said = (right.comm_id, right.terminal, right.epoch, right.kind)
    if said != (told.comm_id, who.terminal, who.epoch, kind_of(right.device)):
        return None
    for key in who.keys.values():
        try:
            check_document(told.document, told.signature, key)
        except SealIsBroken:
            continue
        return right
    return None


def take_right(journal: Transaction, who: Identity, told: Right, right: SessionRight) -> bool:
    """Store the right and the session it permits, and say that they are stored (B8).

    `right` is what `right_in` found in the answer. Returns whether there is a new session to start.
    """
    row = _current(journal, who, told.comm_id)
    after = _after(row, ClientEvent.HEAR_ANSWER)
    if row is None or after is None:
        return False
    digest = told.digest()
    journal.rows.keep_answer(
        kind=row["kind"], before=row["state"], state=after, answer_digest=digest
    )
    request = json.loads(row["request"])
    _add_session(journal, row, right, told.document)
    journal.show(Verdict(device=right.device, scan=request["scan"], reason=None))
    _complete(journal, told.comm_id, digest)
    return True


def take_refused(journal: Transaction, who: Identity, told: Refused) -> None:
    """Store that there is no right, tell the customer why, and say that it is stored."""
    row = _current(journal, who, told.comm_id)
    after = _after(row, ClientEvent.HEAR_ANSWER)
    if row is None or after is None:
        return
    digest = told.digest()
    journal.rows.keep_answer(
        kind=row["kind"], before=row["state"], state=after, answer_digest=digest
    )
    request = json.loads(row["request"])
    reason = _reason(told.reason)
    journal.show(
        Verdict(
            device=request["device"], scan=request["scan"], reason=reason, opens_at=told.opens_at
        )
    )
    _complete(journal, told.comm_id, digest)


def take_completed(journal: Transaction, who: Identity, told: Completed | Aborted) -> str | None:
    """Let go of the exchange; return the device whose next one can be prepared (B10)."""
    row = _current(journal, who, told.comm_id)
    event = ClientEvent.HEAR_COMPLETED if isinstance(told, Completed) else ClientEvent.HEAR_ABORTED
    after = _after(row, event)
    if row is None or after is None:
        return None
    journal.rows.finish_exchange(kind=row["kind"], before=row["state"], state=after)
    return str(row["kind"]).removeprefix("session:")


def take_trouble(journal: Transaction, who: Identity, told: Troubled) -> None:
    """Announce again where the server does not know us; stop where it proves a copied disk."""
    row = _current(journal, who, told.comm_id)
    if row is None:
        return
    if told.trouble == "unknown":
        _move(journal, row, ClientEvent.HEAR_UNKNOWN)
        _ask(journal, who, journal.rows.exchange(kind=row["kind"]))
    elif told.trouble in {"forked", "closed", "fenced"}:
        _move(journal, row, ClientEvent.HEAR_FORKED)


def ask_again(journal: Transaction, who: Identity) -> None:
    """Repeat every open exchange from what is stored (B11)."""
    for row in journal.rows.open_exchanges():
        _ask(journal, who, row)


def _ask(journal: Transaction, who: Identity, row: Row) -> None:
    comm_id = str(_comm_id(who, row))
    match ClientState(row["state"]):
        case ClientState.ANNOUNCING:
            before = _completed_before(who, row)
            journal.ask(Channel.REQUESTS, Announce(comm_id=comm_id, completed=before))
        case ClientState.REQUESTING:
            request = ScanRequest.model_validate_json(row["request"])
            digest = digest_of(request.model_dump(mode="json"))
            journal.ask(Channel.REQUESTS, Request(comm_id=comm_id, request=request, digest=digest))
        case ClientState.COMPLETING:
            _complete(journal, comm_id, row["answer_digest"])
        case ClientState.ABORTING:
            journal.ask(Channel.REQUESTS, Abort(comm_id=comm_id))
        case ClientState.IDLE | ClientState.ANNOUNCED | ClientState.QUARANTINED:
            pass


def _complete(journal: Transaction, comm_id: str, digest: str) -> None:
    journal.ask(Channel.REQUESTS, Complete(comm_id=comm_id, digest=digest))


def _completed_before(who: Identity, row: Row) -> CompletedBefore | None:
    if not row["done_seq"] or not row["done_digest"]:
        return None
    done = CommId(
        party=who.terminal,
        epoch=who.epoch,
        kind=row["kind"],
        seq=row["done_seq"],
        nonce=row["done_nonce"],
    )
    return CompletedBefore(comm_id=str(done), digest=row["done_digest"])


def _comm_id(who: Identity, row: Row) -> CommId:
    return CommId(
        party=who.terminal, epoch=who.epoch, kind=row["kind"], seq=row["seq"], nonce=row["nonce"]
    )


def _current(journal: Transaction, who: Identity, comm_id: str) -> Row:
    """Return the exchange that an answer is about, if it is the one that is open now."""
    try:
        told = CommId.parse(comm_id)
    except ValueError:
        return None
    row = journal.rows.exchange(kind=told.kind)
    return row if row is not None and _comm_id(who, row) == told else None


def _after(row: Row, event: ClientEvent) -> ClientState | None:
    return CLIENT.step(ClientState(row["state"]), event) if row is not None else None


def _move(journal: Transaction, row: Row, event: ClientEvent) -> None:
    after = _after(row, event)
    if after is not None:
        journal.rows.move_exchange(kind=row["kind"], before=row["state"], state=after)


def _add_session(
    journal: Transaction, row: Row, right: SessionRight, document: dict[str, Any]
) -> None:
    """Keep the session; its deadline counts from the scan, so that no delay outruns its slot."""
    asked = row["asked_boot_seconds"]
    journal.rows.add_session(
        session=right.session,
        device=right.device,
        program=right.program,
        fence=right.fence,
        right_document=json.dumps(document),
        granted_seconds=right.granted_seconds,
        start_by_boot_seconds=asked + right.start_within_seconds,
        deadline_boot_seconds=asked + right.granted_seconds,
        boot_id=row["asked_boot_id"],
        state=SessionState.STARTING,
        made_at=journal.now,
    )
    journal.say(SessionStarting(session=right.session, at=journal.now))


def _reason(text: str) -> DenialReason:
    try:
        return DenialReason(text)
    except ValueError:
        return DenialReason.BUSY_TRY_AGAIN

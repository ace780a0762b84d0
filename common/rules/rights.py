"""A right crosses exactly once: both sides' tables, the same in production and in proofs.

The client is who receives the right, the server who issues it; this file does not know which of the
two programs it runs in.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.ids import CommId
from common.machine import Machine


class ClientState(StrEnum):
    """Where the receiving side of an exchange is; `announced` waits for something to ask."""

    IDLE = "idle"
    ANNOUNCING = "announcing"
    ANNOUNCED = "announced"
    REQUESTING = "requesting"
    COMPLETING = "completing"
    ABORTING = "aborting"
    QUARANTINED = "quarantined"


class ClientEvent(StrEnum):
    """What the receiving side does or hears."""

    INTEND = "intend"
    HEAR_ANNOUNCED = "hear_announced"
    ASK = "ask"
    HEAR_ANSWER = "hear_answer"
    HEAR_COMPLETED = "hear_completed"
    HEAR_UNKNOWN = "hear_unknown"
    HEAR_FORKED = "hear_forked"
    GIVE_UP = "give_up"
    HEAR_ABORTED = "hear_aborted"


class ServerState(StrEnum):
    """Where the issuing side of an exchange is."""

    NONE = "none"
    ANNOUNCED = "announced"
    ISSUED = "issued"
    REFUSED = "refused"
    CLOSED = "closed"


class ServerEvent(StrEnum):
    """What the issuing side hears or decides."""

    ANNOUNCE = "announce"
    ISSUE = "issue"
    REFUSE = "refuse"
    COMPLETE = "complete"
    ABORT = "abort"


CLIENT: Final = Machine(
    name="rights client",
    first=ClientState.IDLE,
    table={
        (ClientState.IDLE, ClientEvent.INTEND): ClientState.ANNOUNCING,
        (ClientState.ANNOUNCING, ClientEvent.HEAR_ANNOUNCED): ClientState.ANNOUNCED,
        (ClientState.ANNOUNCED, ClientEvent.ASK): ClientState.REQUESTING,
        (ClientState.REQUESTING, ClientEvent.HEAR_ANSWER): ClientState.COMPLETING,
        (ClientState.COMPLETING, ClientEvent.HEAR_COMPLETED): ClientState.IDLE,
        (ClientState.REQUESTING, ClientEvent.HEAR_UNKNOWN): ClientState.ANNOUNCING,
        (ClientState.ANNOUNCED, ClientEvent.GIVE_UP): ClientState.ABORTING,
        (ClientState.REQUESTING, ClientEvent.GIVE_UP): ClientState.ABORTING,
        (ClientState.ABORTING, ClientEvent.HEAR_ABORTED): ClientState.IDLE,
        (ClientState.ABORTING, ClientEvent.HEAR_ANSWER): ClientState.COMPLETING,
        (ClientState.ANNOUNCING, ClientEvent.HEAR_FORKED): ClientState.QUARANTINED,
        (ClientState.ANNOUNCED, ClientEvent.HEAR_FORKED): ClientState.QUARANTINED,
        (ClientState.REQUESTING, ClientEvent.HEAR_FORKED): ClientState.QUARANTINED,
    },
)

SERVER: Final = Machine(
    name="rights server",
    first=ServerState.NONE,
    table={
        (ServerState.NONE, ServerEvent.ANNOUNCE): ServerState.ANNOUNCED,
        (ServerState.NONE, ServerEvent.ABORT): ServerState.CLOSED,
        (ServerState.ANNOUNCED, ServerEvent.ISSUE): ServerState.ISSUED,
        (ServerState.ANNOUNCED, ServerEvent.REFUSE): ServerState.REFUSED,
        (ServerState.ANNOUNCED, ServerEvent.ABORT): ServerState.CLOSED,
        (ServerState.ISSUED, ServerEvent.COMPLETE): ServerState.CLOSED,
        (ServerState.REFUSED, ServerEvent.COMPLETE): ServerState.CLOSED,
        (ServerState.REFUSED, ServerEvent.ABORT): ServerState.CLOSED,
    },
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerRecord:
    """What the server keeps for ever of one class of one terminal: the mark and the open exchange.

    `mark_seq` is the highest closed number, `mark_nonce` its nonce; `seq` 0: none is open.
    """

    mark_seq: int = 0
    mark_nonce: str = ""
    seq: int = 0
    nonce: str = ""
    state: ServerState = ServerState.NONE
    request_digest: str = ""
    answer: str = ""
    answer_digest: str = ""


class Verdict(StrEnum):
    """What the server does with a message of an exchange."""

    STORE = "store"
    DECIDE = "decide"
    REPEAT = "repeat"
    CLOSE = "close"
    SAY_ANNOUNCED = "say_announced"
    SAY_COMPLETED = "say_completed"
    SAY_ABORTED = "say_aborted"
    UNKNOWN = "unknown"
    MISMATCH = "mismatch"
    CLOSED = "closed"
    FORKED = "forked"
    BUSY = "busy"


def hear_announce(
    record: ServerRecord, comm_id: CommId, completed: tuple[CommId, str] | None
) -> Verdict:
    """Say what an announcement leads to; `completed` is the exchange it closes, and its digest."""
    old = _about_old(record, comm_id)
    if old is not None:
        return old
    if record.seq in {0, comm_id.seq}:
        return Verdict.SAY_ANNOUNCED if record.seq else Verdict.STORE
    if completed is not None and _closes(record, completed):
        return Verdict.STORE
    return Verdict.MISMATCH


def hear_request(record: ServerRecord, comm_id: CommId, digest: str) -> Verdict:
    """Say what a request leads to: a decision once, the stored answer ever after."""
    old = _about_old(record, comm_id)
    if old is not None:
        return old
    if record.seq != comm_id.seq:
        return Verdict.UNKNOWN
    if record.state is ServerState.ANNOUNCED:
        return Verdict.DECIDE
    return Verdict.REPEAT if record.request_digest == digest else Verdict.MISMATCH


def hear_complete(record: ServerRecord, comm_id: CommId, digest: str) -> Verdict:
    """Say what a completion leads to; one already closed is said to be completed again."""
    old = _about_old(record, comm_id)
    if old is not None:
        return Verdict.SAY_COMPLETED if old is Verdict.CLOSED else old
    if record.seq != comm_id.seq:
        return Verdict.UNKNOWN
    if record.state is ServerState.ANNOUNCED:
        return Verdict.BUSY
    return Verdict.CLOSE if record.answer_digest == digest else Verdict.MISMATCH


def hear_abort(record: ServerRecord, comm_id: CommId) -> Verdict:
    """Say what giving up leads to: the mark rises also for an unknown id; a right is answered."""
    old = _about_old(record, comm_id)
    if old is not None:
        return Verdict.SAY_ABORTED if old is Verdict.CLOSED else old
    if record.seq == comm_id.seq and record.state is ServerState.ISSUED:
        return Verdict.REPEAT
    if record.seq not in {0, comm_id.seq}:
        return Verdict.MISMATCH
    return Verdict.CLOSE


def announced(record: ServerRecord, comm_id: CommId) -> ServerRecord:
    """Return the record after an announcement; an exchange that it completes is closed by it."""
    done = closed(record) if record.seq else record
    return ServerRecord(
        mark_seq=done.mark_seq,
        mark_nonce=done.mark_nonce,
        seq=comm_id.seq,
        nonce=comm_id.nonce,
        state=ServerState.ANNOUNCED,
    )


def closed(record: ServerRecord, comm_id: CommId | None = None) -> ServerRecord:
    """Return the record with the mark raised to the open exchange, or to `comm_id`."""
    if comm_id is not None:
        return ServerRecord(mark_seq=comm_id.seq, mark_nonce=comm_id.nonce)
    return ServerRecord(mark_seq=record.seq, mark_nonce=record.nonce)


def _about_old(record: ServerRecord, comm_id: CommId) -> Verdict | None:
    """Say what a number that is closed, or open under another nonce, proves."""
    if comm_id.seq < record.mark_seq:
        return Verdict.CLOSED
    if comm_id.seq == record.mark_seq:
        return Verdict.CLOSED if comm_id.nonce == record.mark_nonce else Verdict.FORKED
    if comm_id.seq == record.seq and comm_id.nonce != record.nonce:
        return Verdict.FORKED
    return None


def _closes(record: ServerRecord, completed: tuple[CommId, str]) -> bool:
    comm_id, digest = completed
    answered = record.state in {ServerState.ISSUED, ServerState.REFUSED}
    same = (comm_id.seq, comm_id.nonce) == (record.seq, record.nonce)
    return answered and same and digest == record.answer_digest

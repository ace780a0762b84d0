"""Who issues the right: what it keeps for ever, and what each message leads to.

Its law: what a message leads to is durable, with all that it changes, before it is answered; and
only a completion or an abort closes a record (B9), never the time that has passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from common.machine import Machine
from common.rules.rights.exchange import Said, Saying


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
    PRESENT = "present"
    ABORT = "abort"


SERVER: Final = Machine(
    name="rights server",
    first=ServerState.NONE,
    table={
        (ServerState.NONE, ServerEvent.ANNOUNCE): ServerState.ANNOUNCED,
        (ServerState.NONE, ServerEvent.PRESENT): ServerState.CLOSED,
        (ServerState.NONE, ServerEvent.ABORT): ServerState.CLOSED,
        (ServerState.ANNOUNCED, ServerEvent.ISSUE): ServerState.ISSUED,
        (ServerState.ANNOUNCED, ServerEvent.REFUSE): ServerState.REFUSED,
        (ServerState.ANNOUNCED, ServerEvent.PRESENT): ServerState.CLOSED,
        (ServerState.ANNOUNCED, ServerEvent.ABORT): ServerState.CLOSED,
        (ServerState.ISSUED, ServerEvent.COMPLETE): ServerState.CLOSED,
        (ServerState.REFUSED, ServerEvent.COMPLETE): ServerState.CLOSED,
        (ServerState.REFUSED, ServerEvent.ABORT): ServerState.CLOSED,
    },
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerRecord:
    """What the server keeps for ever of one class of one client: the mark and the open exchange.

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
    """What the server does about a message of an exchange."""

    STORE = "store"
    DECIDE = "decide"
    REPEAT = "repeat"
    CLOSE = "close"
    RESTORE = "restore"
    """Believe the answer that is presented, if it is ours, and close: our own record is lost."""
    SAY_ANNOUNCED = "say_announced"
    SAY_COMPLETED = "say_completed"
    SAY_ABORTED = "say_aborted"
    UNKNOWN = "unknown"
    MISMATCH = "mismatch"
    """Another request under the same identification: only a copy freezes two."""
    MISPLACED = "misplaced"
    """It cannot follow what is open here; a client that has completed that one says so."""
    CLOSED = "closed"
    FORKED = "forked"


def proves_a_copy(verdict: Verdict) -> bool:
    """Say whether a verdict shows that two disks speak under one identity.

    That a number is closed does not: an honest message may come twice. Who is told so while it
    still asks contests it, and that does.
    """
    return verdict in {Verdict.FORKED, Verdict.MISMATCH}


def hear(record: ServerRecord, said: Said, *, is_quarantined: bool = False) -> Verdict:
    """Say what a message leads to; of a client in quarantine nothing leads to anything."""
    if is_quarantined or said.saying is Saying.CONTEST:
        return Verdict.FORKED
    return _about_old(record, said) or _HEARD[said.saying](record, said)


def after(record: ServerRecord, said: Said, verdict: Verdict) -> ServerRecord:
    """Return the record after a message; one to be decided is `answered` instead.

    An announcement closes all up to what it carries; the mark rises also to a number nobody knew.
    """
    if verdict is Verdict.STORE:
        marked = _closed_before(record, said)
        return replace(marked, seq=said.seq, nonce=said.nonce, state=ServerState.ANNOUNCED)
    if verdict in {Verdict.CLOSE, Verdict.RESTORE}:
        return _closed(record, said.seq, said.nonce)
    return record


def answered(
    record: ServerRecord, said: Said, *, is_issued: bool, answer: str, answer_digest: str
) -> ServerRecord:
    """Return the record with a decision that stands from now on."""
    event = ServerEvent.ISSUE if is_issued else ServerEvent.REFUSE
    state = SERVER.step(record.state, event)
    assert state is not None, "only what is announced is decided"
    return replace(
        record,
        state=state,
        request_digest=said.digest,
        answer=answer,
        answer_digest=answer_digest,
    )


def _closed(record: ServerRecord, seq: int, nonce: str) -> ServerRecord:
    assert seq > record.mark_seq, "the mark only grows"
    return ServerRecord(mark_seq=seq, mark_nonce=nonce)


def _closed_before(record: ServerRecord, said: Said) -> ServerRecord:
    """Return the record with nothing open: whoever announces a number is through with the rest."""
    seq, nonce, _ = said.completed or (0, "", "")
    return _closed(record, seq, nonce) if record.mark_seq < seq < said.seq else record


def _about_old(record: ServerRecord, said: Said) -> Verdict | None:
    """Say what a number proves that is closed, or known here under another nonce."""
    known = {record.mark_seq: record.mark_nonce, record.seq: record.nonce}
    carried_seq, carried_nonce, _ = said.completed or (0, "", "")
    for seq, nonce in ((said.seq, said.nonce), (carried_seq, carried_nonce)):
        if known.get(seq, nonce) != nonce:
            return Verdict.FORKED
    if said.seq <= record.mark_seq:
        return _ABOUT_CLOSED.get(said.saying, Verdict.CLOSED)
    return None


_ABOUT_CLOSED: Final[Mapping[Saying, Verdict]] = {
    Saying.COMPLETE: Verdict.SAY_COMPLETED,
    Saying.PRESENT: Verdict.SAY_COMPLETED,
    Saying.ABORT: Verdict.SAY_ABORTED,
}


def _hear_announce(record: ServerRecord, said: Said) -> Verdict:
    if record.seq == said.seq:
        return Verdict.SAY_ANNOUNCED
    return Verdict.STORE if _may_follow(record, said) else Verdict.MISPLACED


def _may_follow(record: ServerRecord, said: Said) -> bool:
    """Say whether nothing is open here, or what the client says is over was it.

    It was when it is the same, and when it is a later one: the client has one at a time, so ours
    was over before. Either is so only where we have lost its end with an old backup, and the digest
    of its answer bars nothing: a late request may have been decided anew since.
    """
    if record.seq == 0:
        return True
    if said.completed is None:
        return False
    return record.seq <= said.completed[0] < said.seq


def _hear_request(record: ServerRecord, said: Said) -> Verdict:
    if record.seq != said.seq:
        return Verdict.UNKNOWN
    if record.state is ServerState.ANNOUNCED:
        return Verdict.DECIDE
    return Verdict.REPEAT if record.request_digest == said.digest else Verdict.MISMATCH


def _hear_complete(record: ServerRecord, said: Said) -> Verdict:
    if record.seq != said.seq or record.state is ServerState.ANNOUNCED:
        return Verdict.UNKNOWN
    return Verdict.CLOSE if record.answer_digest == said.digest else Verdict.UNKNOWN


def _hear_present(record: ServerRecord, said: Said) -> Verdict:
    if _hear_complete(record, said) is Verdict.CLOSE:
        return Verdict.CLOSE
    return Verdict.RESTORE if said.seq >= record.seq else Verdict.MISPLACED


def _hear_abort(record: ServerRecord, said: Said) -> Verdict:
    if record.seq == said.seq:
        return Verdict.REPEAT if record.state is ServerState.ISSUED else Verdict.CLOSE
    return Verdict.CLOSE if _may_follow(record, said) else Verdict.MISPLACED


_HEARD: Final = {
    Saying.ANNOUNCE: _hear_announce,
    Saying.REQUEST: _hear_request,
    Saying.COMPLETE: _hear_complete,
    Saying.PRESENT: _hear_present,
    Saying.ABORT: _hear_abort,
}

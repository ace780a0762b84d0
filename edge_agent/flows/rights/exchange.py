"""The receiving side of the exchange: each step is in the journal before its message leaves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from common.ids import CommId
from common.messages.base import Message
from common.messages.rights import (
    Abort,
    Aborted,
    Announce,
    Announced,
    Complete,
    Completed,
    CompletedBefore,
    Contest,
    Refused,
    Request,
    Right,
    Troubled,
)
from common.rules.rights import (
    ClientRecord,
    ClientState,
    Said,
    Saying,
    Told,
    Trouble,
    asked,
    gave_up,
    intended,
    told as heard,
)
from common.seals import digest_of
from common.topics import Channel
from edge_agent.ports import Identity, Row, Transaction

NONCE_DIGITS: Final = 32
"""Hex digits of a nonce: 128 bits."""

_TROUBLES: Final[Mapping[str, Told]] = {
    Trouble.UNKNOWN: Told.UNKNOWN,
    Trouble.MISMATCH: Told.MISMATCH,
    Trouble.CLOSED: Told.CLOSED,
    Trouble.FORKED: Told.FORKED,
    Trouble.FENCED: Told.FORKED,
}
"""What a trouble is to the client; of one that is not here it hears nothing, and asks again."""


def begin(journal: Transaction, who: Identity, kind: str) -> bool:
    """Announce the next exchange of a class, if none is open; say whether it was begun (B1, B2)."""
    row = journal.rows.exchange(kind=kind)
    record = intended(record_of(row), journal.names.hex_digits(NONCE_DIGITS))
    if record is None:
        return False
    _owe(journal, who, _keep(journal, kind, row, record, request="", answer=""))
    return True


def freeze(journal: Transaction, who: Identity, kind: str, request: Mapping[str, Any]) -> bool:
    """Make a request of the announced exchange and send it; say whether one was announced (B3).

    It stays as it is from now on, with the moment on the clock since boot at which it was asked.
    """
    row = journal.rows.exchange(kind=kind)
    record = asked(record_of(row), digest_of(request))
    if record is None:
        return False
    kept = _keep(journal, kind, row, record, request=json.dumps(request))
    journal.rows.note_asked(kind=kind, boot_seconds=journal.boot_seconds, boot_id=journal.boot_id)
    _owe(journal, who, kept)
    return True


def abandon(journal: Transaction, who: Identity, kind: str) -> bool:
    """Give an open exchange up, if its right is not here yet; say whether there was one."""
    row = journal.rows.exchange(kind=kind)
    record = gave_up(record_of(row))
    if record is None:
        return False
    _owe(journal, who, _keep(journal, kind, row, record))
    return True


def store(journal: Transaction, who: Identity, told: Right | Refused) -> Row | None:
    """Store an answer and say that it is stored (B8); return the exchange as it was before.

    None: it answers nothing that is open. What the answer means is its caller's, in this very
    transaction.
    """
    row = current(journal, who, told.comm_id)
    if row is None:
        return None
    record = heard(record_of(row), Told.ANSWER, row["seq"], row["nonce"], told.digest())
    if record is None:
        return None
    _owe(journal, who, _keep(journal, row["kind"], row, record, answer=told.model_dump_json()))
    return row


def take_announced(journal: Transaction, who: Identity, told: Announced) -> str | None:
    """Note that the identification is known; return the class that may ask now.

    One that has asked already, and was told that nobody knew it, asks the same again.
    """
    kept = _step(journal, current(journal, who, told.comm_id), Told.ANNOUNCED)
    if kept is None:
        return None
    _owe(journal, who, kept)
    return None if kept["request"] else str(kept["kind"])


def take_over(journal: Transaction, who: Identity, told: Completed | Aborted) -> str | None:
    """Let go of an exchange that the other side has closed; return its class (B10)."""
    what = Told.COMPLETED if isinstance(told, Completed) else Told.ABORTED
    kept = _step(journal, current(journal, who, told.comm_id), what)
    return str(kept["kind"]) if kept is not None else None


def take_trouble(journal: Transaction, who: Identity, told: Troubled) -> bool:
    """Go on as the trouble asks; say whether it proves that our journal is a copy, or has one.

    Then no class of ours asks for anything any more, until an operator enrols this PC anew.
    """
    what = _TROUBLES.get(told.trouble)
    kept = _step(journal, current(journal, who, told.comm_id), what) if what is not None else None
    if kept is None:
        return False
    _owe(journal, who, kept)
    after = ClientState(kept["state"])
    if after is ClientState.QUARANTINED:
        journal.rows.quarantine_all(state=ClientState.QUARANTINED)
    return after in {ClientState.QUARANTINED, ClientState.CONTESTING}


def keep_right(journal: Transaction, told: Right, kind: str) -> None:
    """Keep the latest right of a class: it takes the earlier one's place."""
    journal.rows.keep_right(
        kind=kind,
        comm_id=told.comm_id,
        document=json.dumps(told.document),
        signature=told.signature,
        stored_at=journal.now,
    )


def is_quarantined(journal: Transaction) -> bool:
    """Say whether this terminal was told that its journal is a copy, or has one."""
    return bool(
        journal.rows.in_a_state(first=ClientState.QUARANTINED, second=ClientState.CONTESTING)
    )


def ask_again(journal: Transaction, who: Identity) -> None:
    """Repeat whatever is owed, from what is stored and nothing else (B11)."""
    for row in journal.rows.exchanges():
        _owe(journal, who, row)


def record_of(row: Row | None) -> ClientRecord:
    """Return what the journal holds of a class, as the rules know it."""
    if row is None:
        return ClientRecord()
    return ClientRecord(
        seq=row["seq"],
        nonce=row["nonce"],
        state=ClientState(row["state"]),
        request_digest=row["request_digest"],
        answer_digest=row["answer_digest"],
        done_seq=row["done_seq"],
        done_nonce=row["done_nonce"],
        done_digest=row["done_digest"],
    )


def current(journal: Transaction, who: Identity, comm_id: str) -> Row | None:
    """Return the exchange that an answer is about, if it is the one that is open now."""
    try:
        told = CommId.parse(comm_id)
    except ValueError:
        return None
    row = journal.rows.exchange(kind=told.kind)
    return (
        row
        if row is not None and _comm_id(who, row["kind"], row["seq"], row["nonce"]) == told
        else None
    )


def _step(journal: Transaction, row: Row | None, what: Told) -> Row | None:
    """Take a word of the server about what is open; return the exchange as it is kept after it."""
    if row is None:
        return None
    record = heard(record_of(row), what, row["seq"], row["nonce"])
    return _keep(journal, row["kind"], row, record) if record is not None else None


def _keep(
    journal: Transaction,
    kind: str,
    row: Row | None,
    record: ClientRecord,
    *,
    request: str | None = None,
    answer: str | None = None,
) -> Row:
    """Keep the record of a class, with its request and answer as they were if there are none new.

    Returned is the row as it is now.
    """
    kept = journal.rows.keep_exchange(
        kind=kind,
        before=row["state"] if row is not None else "",
        seq=record.seq,
        nonce=record.nonce,
        state=record.state,
        request=request if request is not None else row["request"] if row is not None else "",
        request_digest=record.request_digest,
        answer=answer if answer is not None else row["answer"] if row is not None else "",
        answer_digest=record.answer_digest,
        done_seq=record.done_seq,
        done_nonce=record.done_nonce,
        done_digest=record.done_digest,
    )
    assert kept is not None, "one loop writes the journal, so the exchange is as it was read"
    return kept


def _owe(journal: Transaction, who: Identity, row: Row) -> None:
    """Send what is owed in an exchange that is in the journal now."""
    message = _message(who, row)
    if message is not None:
        journal.ask(Channel.REQUESTS, message)


def _message(who: Identity, row: Row) -> Message | None:
    """Return what is owed in an exchange, as it crosses the wire."""
    said = record_of(row).owes()
    if said is None:
        return None
    comm_id = str(_comm_id(who, row["kind"], said.seq, said.nonce))
    completed = _completed(who, row["kind"], said)
    match said.saying:
        case Saying.ANNOUNCE:
            return Announce(comm_id=comm_id, completed=completed)
        case Saying.REQUEST:
            request = json.loads(row["request"])
            return Request(comm_id=comm_id, request=request, digest=said.digest)
        case Saying.COMPLETE | Saying.PRESENT:
            presented = _presented(row) if said.saying is Saying.PRESENT else None
            return Complete(comm_id=comm_id, digest=said.digest, presented=presented)
        case Saying.ABORT:
            return Abort(comm_id=comm_id, completed=completed)
        case Saying.CONTEST:
            return Contest(comm_id=comm_id)


def _presented(row: Row) -> Right | Refused:
    answer = json.loads(row["answer"])
    return (Right if "document" in answer else Refused).model_validate(answer)


def _completed(who: Identity, kind: str, said: Said) -> CompletedBefore | None:
    if said.completed is None:
        return None
    seq, nonce, digest = said.completed
    return CompletedBefore(comm_id=str(_comm_id(who, kind, seq, nonce)), digest=digest or None)


def _comm_id(who: Identity, kind: str, seq: int, nonce: str) -> CommId:
    return CommId(party=who.terminal, epoch=who.epoch, kind=kind, seq=seq, nonce=nonce)

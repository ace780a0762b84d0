"""The receiving side of the exchange: each step is in the journal before its message leaves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from common.messages.rights import Aborted, Announced, Completed, Refused, Right, Troubled
from common.rules.rights import (
    NONCE_DIGITS,
    ClientRecord,
    ClientState,
    Speaker,
    Told,
    asked,
    class_in,
    gave_up,
    heard,
    intended,
    message_owed,
    record_of,
    told_by,
)
from common.seals import digest_of
from common.topics import Channel
from edge_agent.ports import Identity, Row, Transaction


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


def take_closed(journal: Transaction, who: Identity, told: Completed | Aborted) -> str | None:
    """Let go of an exchange that the other side has closed; return its class (B10)."""
    kept = _step(journal, current(journal, who, told.comm_id), told_by(told))
    return str(kept["kind"]) if kept is not None else None


def take_trouble(journal: Transaction, who: Identity, told: Troubled) -> bool:
    """Go on as the trouble asks; say whether it proves that our journal is a copy, or has one.

    Then no class of ours asks for anything any more, until an operator enrols this PC anew.
    """
    kept = _step(journal, current(journal, who, told.comm_id), told_by(told))
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


def current(journal: Transaction, who: Identity, comm_id: str) -> Row | None:
    """Return the exchange that an answer is about, if it is the one that is open now."""
    row = journal.rows.exchange(kind=class_in(comm_id))
    return row if row is not None and _speaker(who).said_in(row, comm_id) else None


def _step(journal: Transaction, row: Row | None, what: Told | None) -> Row | None:
    """Take a word of the server about what is open; return the exchange as it is kept after it."""
    if row is None or what is None:
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
    message = message_owed(_speaker(who), row)
    if message is not None:
        journal.ask(Channel.REQUESTS, message)


def _speaker(who: Identity) -> Speaker:
    return Speaker(party=who.terminal, epoch=who.epoch)

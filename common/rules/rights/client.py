"""Who receives the right: what it keeps, what it does about what it hears, and what it owes.

Its law: the record is durable before the message that it owes leaves (B1, B3, B8), and it is held
until the other side has said that it is closed (B10).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from common.machine import Machine
from common.rules.rights.exchange import Said, Saying, Told


class ClientState(StrEnum):
    """Where the receiving side of an exchange is; `announced` waits for something to ask."""

    IDLE = "idle"
    ANNOUNCING = "announcing"
    ANNOUNCED = "announced"
    REQUESTING = "requesting"
    COMPLETING = "completing"
    PRESENTING = "presenting"
    ABORTING = "aborting"
    CONTESTING = "contesting"
    QUARANTINED = "quarantined"


class ClientEvent(StrEnum):
    """What the receiving side does or hears."""

    INTEND = "intend"
    HEAR_ANNOUNCED = "hear_announced"
    HEAR_ANNOUNCED_AGAIN = "hear_announced_again"
    ASK = "ask"
    HEAR_ANSWER = "hear_answer"
    HEAR_COMPLETED = "hear_completed"
    HEAR_UNKNOWN = "hear_unknown"
    HEAR_MISMATCH = "hear_mismatch"
    HEAR_CLOSED = "hear_closed"
    HEAR_FORKED = "hear_forked"
    GIVE_UP = "give_up"
    HEAR_ABORTED = "hear_aborted"


CLIENT: Final = Machine(
    name="rights client",
    first=ClientState.IDLE,
    table={
        (ClientState.IDLE, ClientEvent.INTEND): ClientState.ANNOUNCING,
        (ClientState.ANNOUNCING, ClientEvent.HEAR_ANNOUNCED): ClientState.ANNOUNCED,
        (ClientState.ANNOUNCING, ClientEvent.HEAR_ANNOUNCED_AGAIN): ClientState.REQUESTING,
        (ClientState.ANNOUNCED, ClientEvent.ASK): ClientState.REQUESTING,
        (ClientState.REQUESTING, ClientEvent.HEAR_ANSWER): ClientState.COMPLETING,
        (ClientState.COMPLETING, ClientEvent.HEAR_COMPLETED): ClientState.IDLE,
        (ClientState.REQUESTING, ClientEvent.HEAR_UNKNOWN): ClientState.ANNOUNCING,
        (ClientState.COMPLETING, ClientEvent.HEAR_UNKNOWN): ClientState.PRESENTING,
        (ClientState.PRESENTING, ClientEvent.HEAR_COMPLETED): ClientState.IDLE,
        (ClientState.ANNOUNCING, ClientEvent.GIVE_UP): ClientState.ABORTING,
        (ClientState.ANNOUNCED, ClientEvent.GIVE_UP): ClientState.ABORTING,
        (ClientState.REQUESTING, ClientEvent.GIVE_UP): ClientState.ABORTING,
        (ClientState.ABORTING, ClientEvent.HEAR_ABORTED): ClientState.IDLE,
        (ClientState.ABORTING, ClientEvent.HEAR_ANSWER): ClientState.COMPLETING,
        (ClientState.ANNOUNCING, ClientEvent.HEAR_CLOSED): ClientState.CONTESTING,
        (ClientState.ANNOUNCED, ClientEvent.HEAR_CLOSED): ClientState.CONTESTING,
        (ClientState.REQUESTING, ClientEvent.HEAR_CLOSED): ClientState.CONTESTING,
        (ClientState.REQUESTING, ClientEvent.HEAR_MISMATCH): ClientState.QUARANTINED,
        (ClientState.ANNOUNCING, ClientEvent.HEAR_FORKED): ClientState.QUARANTINED,
        (ClientState.ANNOUNCED, ClientEvent.HEAR_FORKED): ClientState.QUARANTINED,
        (ClientState.REQUESTING, ClientEvent.HEAR_FORKED): ClientState.QUARANTINED,
        (ClientState.COMPLETING, ClientEvent.HEAR_FORKED): ClientState.QUARANTINED,
        (ClientState.PRESENTING, ClientEvent.HEAR_FORKED): ClientState.QUARANTINED,
        (ClientState.ABORTING, ClientEvent.HEAR_FORKED): ClientState.QUARANTINED,
        (ClientState.CONTESTING, ClientEvent.HEAR_FORKED): ClientState.QUARANTINED,
    },
)

OWED: Final[Mapping[ClientState, Saying]] = {
    ClientState.ANNOUNCING: Saying.ANNOUNCE,
    ClientState.REQUESTING: Saying.REQUEST,
    ClientState.COMPLETING: Saying.COMPLETE,
    ClientState.PRESENTING: Saying.PRESENT,
    ClientState.ABORTING: Saying.ABORT,
    ClientState.CONTESTING: Saying.CONTEST,
}
"""What a client in each state repeats until it is answered; in the others it owes nothing."""

_EVENTS: Final[Mapping[Told, ClientEvent]] = {
    Told.ANNOUNCED: ClientEvent.HEAR_ANNOUNCED,
    Told.ANSWER: ClientEvent.HEAR_ANSWER,
    Told.COMPLETED: ClientEvent.HEAR_COMPLETED,
    Told.ABORTED: ClientEvent.HEAR_ABORTED,
    Told.UNKNOWN: ClientEvent.HEAR_UNKNOWN,
    Told.MISMATCH: ClientEvent.HEAR_MISMATCH,
    Told.CLOSED: ClientEvent.HEAR_CLOSED,
    Told.FORKED: ClientEvent.HEAR_FORKED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientRecord:
    """What the client keeps of one class: the latest exchange, and the last one that is over.

    `seq` 0: there has been none. `request_digest` and `answer_digest` are empty until there is a
    request and an answer; `done_digest` is empty where the last exchange was given up.
    """

    seq: int = 0
    nonce: str = ""
    state: ClientState = ClientState.IDLE
    request_digest: str = ""
    answer_digest: str = ""
    done_seq: int = 0
    done_nonce: str = ""
    done_digest: str = ""

    def owes(self) -> Said | None:
        """Return what is to be said, again and again until it is answered, or None."""
        saying = OWED.get(self.state)
        if saying is None:
            return None
        carries = saying in {Saying.ANNOUNCE, Saying.ABORT} and self.done_seq > 0
        return Said(
            saying=saying,
            seq=self.seq,
            nonce=self.nonce,
            digest=self.request_digest if saying is Saying.REQUEST else self.answer_digest,
            completed=(self.done_seq, self.done_nonce, self.done_digest) if carries else None,
        )


def intended(record: ClientRecord, nonce: str) -> ClientRecord | None:
    """Return the record of the next exchange, or None: the one before is not over (B1)."""
    after = CLIENT.step(record.state, ClientEvent.INTEND)
    if after is None:
        return None
    return replace(
        record,
        seq=record.seq + 1,
        nonce=nonce,
        state=after,
        request_digest="",
        answer_digest="",
    )


def asked(record: ClientRecord, request_digest: str) -> ClientRecord | None:
    """Return the record with its request frozen, or None: the announcement is not known (B3)."""
    after = CLIENT.step(record.state, ClientEvent.ASK)
    return None if after is None else replace(record, state=after, request_digest=request_digest)


def gave_up(record: ClientRecord) -> ClientRecord | None:
    """Return the record of one that asks no longer, or None: there is nothing to give up."""
    after = CLIENT.step(record.state, ClientEvent.GIVE_UP)
    return None if after is None else replace(record, state=after)


def heard(
    record: ClientRecord, what: Told, seq: int, nonce: str, answer_digest: str = ""
) -> ClientRecord | None:
    """Return the record after a word of the server, or None: it changes nothing.

    It does not when it is about another exchange, or comes when it is not waited for. What was
    asked already is asked again, as it was frozen, once the server knows the exchange again.
    """
    if (seq, nonce) != (record.seq, record.nonce):
        return None
    is_again = what is Told.ANNOUNCED and record.request_digest != ""
    event = ClientEvent.HEAR_ANNOUNCED_AGAIN if is_again else _EVENTS[what]
    after = CLIENT.step(record.state, event)
    if after is None:
        return None
    if what is Told.ANSWER:
        return replace(record, state=after, answer_digest=answer_digest)
    if what in {Told.COMPLETED, Told.ABORTED}:
        return replace(
            record, state=after, done_seq=seq, done_nonce=nonce, done_digest=record.answer_digest
        )
    return replace(record, state=after)

"""What a client's record owes as a message of the wire, and what an answer of the wire is to it.

It stands between tables that know no wire and two shells with databases of their own: a terminal's,
and a controller's towards its root.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

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
from common.rules.rights.client import ClientRecord, ClientState
from common.rules.rights.exchange import Said, Saying, Told, Trouble

NONCE_DIGITS: Final = 32
"""Hex digits of a nonce: 128 bits."""

TROUBLES: Final[Mapping[str, Told]] = {
    Trouble.UNKNOWN: Told.UNKNOWN,
    Trouble.MISMATCH: Told.MISMATCH,
    Trouble.CLOSED: Told.CLOSED,
    Trouble.FORKED: Told.FORKED,
    Trouble.FENCED: Told.FORKED,
}
"""What a trouble is to the client; of one that is not here it hears nothing, and asks again."""


class Kept(Protocol):
    """An exchange as a database keeps it: its class, its record, its request and its answer."""

    def __getitem__(self, column: str, /) -> Any:  # noqa: ANN401 - columns have types of their own
        """Return a column."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Speaker:
    """Who asks for rights: the party and the epoch of its identifications."""

    party: str
    epoch: str

    def comm_id(self, kind: str, seq: int, nonce: str) -> CommId:
        """Return the identification of one exchange of a class."""
        return CommId(party=self.party, epoch=self.epoch, kind=kind, seq=seq, nonce=nonce)

    def said_in(self, kept: Kept, comm_id: str) -> bool:
        """Say whether an answer with this identification is about the exchange that is open."""
        return str(self.comm_id(kept["kind"], kept["seq"], kept["nonce"])) == comm_id


def class_in(comm_id: str) -> str | None:
    """Return the class of right that an identification names, or None: it is none."""
    try:
        return CommId.parse(comm_id).kind
    except ValueError:
        return None


def record_of(kept: Kept | None) -> ClientRecord:
    """Return an exchange as the tables know it; what is not kept has never begun."""
    if kept is None:
        return ClientRecord()
    return ClientRecord(
        seq=kept["seq"],
        nonce=kept["nonce"],
        state=ClientState(kept["state"]),
        request_digest=kept["request_digest"],
        answer_digest=kept["answer_digest"],
        done_seq=kept["done_seq"],
        done_nonce=kept["done_nonce"],
        done_digest=kept["done_digest"],
    )


def message_owed(who: Speaker, kept: Kept) -> Message | None:
    """Return what is owed in an exchange as it crosses the wire, or None: nothing is."""
    said = record_of(kept).owes()
    if said is None:
        return None
    comm_id = str(who.comm_id(kept["kind"], said.seq, said.nonce))
    completed = _completed(who, kept["kind"], said)
    match said.saying:
        case Saying.ANNOUNCE:
            return Announce(comm_id=comm_id, completed=completed)
        case Saying.REQUEST:
            request = json.loads(kept["request"])
            return Request(comm_id=comm_id, request=request, digest=said.digest)
        case Saying.COMPLETE | Saying.PRESENT:
            presented = _answer_in(kept) if said.saying is Saying.PRESENT else None
            return Complete(comm_id=comm_id, digest=said.digest, presented=presented)
        case Saying.ABORT:
            return Abort(comm_id=comm_id, completed=completed)
        case Saying.CONTEST:
            return Contest(comm_id=comm_id)


def told_by(message: Message) -> Told | None:
    """Return what an answer is to the client, or None: nothing that its table knows."""
    match message:
        case Announced():
            return Told.ANNOUNCED
        case Right() | Refused():
            return Told.ANSWER
        case Completed():
            return Told.COMPLETED
        case Aborted():
            return Told.ABORTED
        case Troubled():
            return TROUBLES.get(message.trouble)
        case _:
            return None


def _answer_in(kept: Kept) -> Right | Refused:
    answer = json.loads(kept["answer"])
    return (Right if "document" in answer else Refused).model_validate(answer)


def _completed(who: Speaker, kind: str, said: Said) -> CompletedBefore | None:
    if said.completed is None:
        return None
    seq, nonce, digest = said.completed
    return CompletedBefore(comm_id=str(who.comm_id(kind, seq, nonce)), digest=digest or None)

"""Seats from our root: announced, requested, stored and completed by us, as any client does.

Its law: what is owed is in the books before it is sent (B1, B3, B8), and seats change pools with
the record: those we take when their right is stored, those we return when the request is frozen, so
that no seat is used here and given back at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from cloud_controller.flows.rights.pools import seats_class
from cloud_controller.ports import NotAllowed, Problem, Row, Transaction
from common.messages.base import Message
from common.messages.rights import SEATS_MAX, Refused, Right, SeatsRight
from common.rules.modules import SeatRefusal
from common.rules.problems import ProblemKind
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

LEAST: Final = 1
"""So few seats will do where they are taken ahead of need: the rest is asked for later."""

_NONE_LEFT: Final = frozenset({SeatRefusal.NO_SEAT_LEFT, SeatRefusal.NO_SEAT_LEFT_HERE})


@dataclass(frozen=True, kw_only=True, slots=True)
class Branch:
    """Who we are to our root, as it has told us; `has_sealed` says whether a document is its."""

    name: str
    epoch: str
    has_sealed: Callable[[Mapping[str, Any], str], bool]

    @property
    def speaker(self) -> Speaker:
        """Return whose identifications ours are."""
        return Speaker(party=self.name, epoch=self.epoch)


def want_seats(books: Transaction, who: Branch, module: str, seats: int, least: int = 0) -> None:
    """Begin to take so many seats of a module from our root; below nought, to return them.

    `least` is how few will do where the root has not as many; nought: all or none.

    Raises:
        NotAllowed: it is no module's name, its seats are our own, as many are not free, or the
            exchange before is not over.
    """
    kind = seats_class(module)
    pool = books.rights.pool(module=module)
    if pool is not None and pool["owned"] and not books.escrow.has_own_exchange(kind=kind):
        raise NotAllowed(why=f"seats of {module} are this controller's own")
    if not 0 < abs(seats) <= SEATS_MAX:
        raise NotAllowed(why=f"one asks for 1 to {SEATS_MAX} seats")
    if seats < 0 and (pool is None or pool["owned"] - pool["used"] < -seats):
        raise NotAllowed(why=f"so many seats of {module} are not free here")
    row = books.escrow.own_exchange(epoch=who.epoch, kind=kind)
    record = intended(record_of(row), books.names.hex_digits(NONCE_DIGITS))
    if record is None:
        raise NotAllowed(why=f"the exchange of {module} before is not over ({row['state']})")
    wish = {"module": module, "seats": seats, "least": least}
    _keep(books, who, kind, row, record, request=json.dumps(wish), answer="")


def give_up_seats(books: Transaction, who: Branch, module: str) -> None:
    """Ask no longer for what our root has not answered; what it has given meanwhile is taken.

    Raises:
        NotAllowed: nothing is being asked for.
    """
    kind = seats_class(module)
    row = books.escrow.own_exchange(epoch=who.epoch, kind=kind)
    record = gave_up(record_of(row))
    if record is None:
        raise NotAllowed(why=f"no seats of {module} are being asked for")
    _keep(books, who, kind, row, record)


def owed_to_root(books: Transaction, who: Branch) -> list[Message]:
    """Return what our root is to be told, from what is stored and nothing else (B11)."""
    rows = books.escrow.own_exchanges(epoch=who.epoch)
    messages = (message_owed(who.speaker, row) for row in rows)
    return [message for message in messages if message is not None]


def hear_root(books: Transaction, who: Branch, message: Message) -> bool:
    """Take one answer of our root, all that it changes at once; say whether it changed anything."""
    row = _current(books, who, getattr(message, "comm_id", ""))
    if row is None:
        return False
    if isinstance(message, Right | Refused):
        return _store(books, who, row, message)
    what = told_by(message)
    record = None if what is None else heard(record_of(row), what, row["seq"], row["nonce"])
    if record is None:
        return False
    _keep(books, who, row["kind"], row, record)
    if record.state is ClientState.ANNOUNCED:
        _ask(books, who, row["kind"])
    elif record.state is ClientState.QUARANTINED:
        _shut(books, who, message)
    elif what is Told.ABORTED:
        _take_in_again(books, row, why="given_up")
    return True


def _ask(books: Transaction, who: Branch, kind: str) -> None:
    """Freeze the request (B3); seats that are returned are nobody's here from now on.

    Where they have been used meanwhile, nothing is returned and the exchange is given up.
    """
    row = books.escrow.own_exchange(epoch=who.epoch, kind=kind)
    wish = json.loads(row["request"])
    is_return = wish["seats"] < 0
    if is_return and not books.rights.lower_seats(module=wish["module"], seats=-wish["seats"]):
        record = gave_up(record_of(row))
        books.enter("seats.kept", wish | {"why": "they are in use"})
    else:
        record = asked(record_of(row), digest_of(wish))
    assert record is not None, "it has just been announced"
    _keep(books, who, kind, row, record)


def _store(books: Transaction, who: Branch, row: Row, message: Right | Refused) -> bool:
    """Store an answer (B8): the seats of a right are ours with it, those of a refused return too.

    A right that is not our root's, or not for what was asked, is none.
    """
    right = _right_in(who, row, message) if isinstance(message, Right) else None
    if isinstance(message, Right) and right is None:
        return False
    record = heard(record_of(row), Told.ANSWER, row["seq"], row["nonce"], message.digest())
    if record is None:
        return False
    _keep(books, who, row["kind"], row, record, answer=message.model_dump_json())
    _note_when(books, who, row, message)
    books.rights.doubt_no_seats()
    if right is None:
        assert isinstance(message, Refused), "what is no right refuses one"
        _take_in_again(books, row, why=message.reason)
        return True
    if right.seats > 0:
        books.rights.add_seats(module=right.module, seats=right.seats)
    facts = {"module": right.module, "seats": right.seats, "right": message.digest()}
    books.enter("seats.moved", facts)
    _compare(books, who, right)
    return True


def _note_when(books: Transaction, who: Branch, row: Row, message: Right | Refused) -> None:
    """Note when seats have moved, or when our root had not even one left."""
    mine = {"epoch": who.epoch, "kind": row["kind"]}
    wish = json.loads(row["request"])
    is_for_one = LEAST in {wish.get("least"), wish["seats"]}
    if isinstance(message, Right):
        books.escrow.note_moved(**mine, moved_at=books.now)
    elif is_for_one and message.reason in _NONE_LEFT:
        books.escrow.note_refused(**mine, refused_at=books.now)


def _take_in_again(books: Transaction, row: Row, *, why: str) -> None:
    """End what came to nothing; seats that were on their way back are ours again."""
    wish = json.loads(row["request"])
    if wish["seats"] < 0 and row["request_digest"]:
        books.rights.add_seats(module=wish["module"], seats=-wish["seats"])
    books.enter("seats.not_moved", wish | {"why": why})


def _compare(books: Transaction, who: Branch, right: SeatsRight) -> None:
    """Have an operator look where our root counts other seats as ours than we do."""
    owned = books.rights.pool(module=right.module)["owned"]
    books.solve_problem(ProblemKind.SEATS_UNSETTLED, who.name)
    if owned == right.holds:
        books.solve_problem(ProblemKind.SEATS_UNSETTLED, right.module)
        return
    evidence = {"module": right.module, "owned_here": owned, "given_by_root": right.holds}
    why = "What the root counts as given is not what is owned here: an old backup, or a new epoch."
    _raise_unsettled(books, right.module, why, evidence)


def _shut(books: Transaction, who: Branch, message: Message) -> None:
    """Ask for nothing more, and give nothing of it: two disks speak under our name."""
    books.escrow.quarantine_own(epoch=who.epoch, state=ClientState.QUARANTINED)
    books.rights.doubt_seats_of(epoch=who.epoch)
    facts = {"comm_id": getattr(message, "comm_id", ""), "told": getattr(message, "trouble", "")}
    books.enter("seats.quarantined", facts)
    why = "The root says that two databases speak under this controller's name."
    _raise_unsettled(books, who.name, why, facts)


def _right_in(who: Branch, row: Row, message: Right) -> SeatsRight | None:
    """Return what a right says, if it is our root's and answers what was asked."""
    try:
        right = SeatsRight.model_validate(message.document)
    except ValidationError:
        return None
    wish = json.loads(row["request"])
    is_for_us = (right.terminal, right.epoch) == (who.name, who.epoch)
    is_of_this = (right.comm_id, right.kind) == (message.comm_id, row["kind"])
    is_right = is_for_us and is_of_this and _is_asked_for(wish, right)
    return right if is_right and who.has_sealed(message.document, message.signature) else None


def _is_asked_for(wish: Mapping[str, Any], right: SeatsRight) -> bool:
    """Say whether a right is to what was wished: all of it, or as many as will do."""
    is_enough = 0 < wish.get("least", 0) <= right.seats <= wish["seats"]
    return bool(right.module == wish["module"] and (right.seats == wish["seats"] or is_enough))


def _current(books: Transaction, who: Branch, comm_id: str) -> Row | None:
    """Return the exchange that an answer is about, if it is the one that is open now."""
    row = books.escrow.own_exchange(epoch=who.epoch, kind=class_in(comm_id))
    return row if row is not None and who.speaker.said_in(row, comm_id) else None


def _keep(
    books: Transaction,
    who: Branch,
    kind: str,
    row: Row | None,
    record: ClientRecord,
    **texts: str,
) -> None:
    """Keep a record, with its request and its answer as they were unless they are told."""
    before = {"request": "", "answer": "", "state": ""} if row is None else row
    kept = books.escrow.keep_own_exchange(
        epoch=who.epoch,
        kind=kind,
        before=before["state"],
        seq=record.seq,
        nonce=record.nonce,
        state=record.state,
        request=texts.get("request", before["request"]),
        request_digest=record.request_digest,
        answer=texts.get("answer", before["answer"]),
        answer_digest=record.answer_digest,
        done_seq=record.done_seq,
        done_nonce=record.done_nonce,
        done_digest=record.done_digest,
    )
    assert kept == 1, "one writer decides, so the exchange is as it was read"


def _raise_unsettled(
    books: Transaction, subject: str, why: str, evidence: Mapping[str, Any]
) -> None:
    books.raise_problem(
        Problem(
            kind=ProblemKind.SEATS_UNSETTLED,
            subject=subject,
            why=why,
            evidence=evidence,
            proposals=({"do": "settle_at_root"}, {"do": "add_again_at_root"}),
        )
    )

"""The issuing side of the exchange: decide once, store the answer with its changes, repeat it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from cloud_controller.flows.rights import door, holding, receipts, runs, seats, uninstalls
from cloud_controller.flows.rights.scene import Answer, Issuing, Scene
from cloud_controller.ports import Problem, Received, Transaction
from common.ids import CommId, TerminalId
from common.messages.base import Message
from common.messages.reservations import DenialTold
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
from common.rules.problems import ProblemKind
from common.rules.registration import Standing
from common.rules.rights import (
    RightKind,
    Said,
    Saying,
    ServerRecord,
    ServerState,
    Trouble,
    Verdict,
    after,
    answered,
    hear,
    kind_in,
    proves_a_copy,
)
from common.topics import Channel

KINDS_OF_TERMINALS: Final[Mapping[RightKind, Issuing]] = {
    RightKind.SESSION: door.SESSION_RIGHTS,
    RightKind.OFFLINE: holding.OFFLINE_RIGHTS,
    RightKind.MODULE: receipts.MODULE_RIGHTS,
    RightKind.UNINSTALL: uninstalls.UNINSTALL_RIGHTS,
    RightKind.RUN: runs.RUN_RIGHTS,
}
KINDS_OF_PEERS: Final[Mapping[RightKind, Issuing]] = {RightKind.SEATS: seats.SEATS_RIGHTS}
"""Every kind of right that this controller issues, and to whom: one exchange carries them all."""

_NO_MORE: Final[Mapping[RightKind, Issuing]] = {}

_SAYINGS: Final[Mapping[str, Saying]] = {
    Announce.type: Saying.ANNOUNCE,
    Request.type: Saying.REQUEST,
    Complete.type: Saying.COMPLETE,
    Abort.type: Saying.ABORT,
    Contest.type: Saying.CONTEST,
}

_TROUBLES: Final[Mapping[Verdict, Trouble]] = {
    Verdict.UNKNOWN: Trouble.UNKNOWN,
    Verdict.MISMATCH: Trouble.MISMATCH,
    Verdict.MISPLACED: Trouble.BUSY,
    Verdict.CLOSED: Trouble.CLOSED,
    Verdict.FORKED: Trouble.FORKED,
}

_CLOSING: Final[Mapping[Saying, type[Completed | Aborted]]] = {
    Saying.COMPLETE: Completed,
    Saying.PRESENT: Completed,
    Saying.ABORT: Aborted,
}


def take(
    books: Transaction, received: Received, more: Mapping[RightKind, Issuing] = _NO_MORE
) -> None:
    """Take one message of an exchange with a terminal, and answer it (B2, B4-B7, B9).

    `more` are kinds of right that take other flows as well, by whoever has them all at hand.
    """
    _take(books, received, {**KINDS_OF_TERMINALS, **more})


def take_refused(books: Transaction, received: Received, told: DenialTold) -> None:
    """Take a scan's request whose answer is known: it is refused, unless it is over already."""
    refusing = replace(door.SESSION_RIGHTS, decide=partial(door.refuse, told=told))
    _take(books, received, {**KINDS_OF_TERMINALS, RightKind.SESSION: refusing})


def _take(books: Transaction, received: Received, kinds: Mapping[RightKind, Issuing]) -> None:
    known = books.rights.standing(terminal_id=received.terminal)
    if known is None:
        return
    who = _Client(
        epoch=known["epoch"],
        kinds=kinds,
        may_ask=known["standing"] == Standing.CONFIRMED,
        is_quarantined=bool(known["is_quarantined"]),
        copied=ProblemKind.IDENTITY_COPIED,
        ways_out=("enrol_again", "retire"),
    )
    answer = _answer(books, received, who)
    if answer is not None:
        books.say(received.terminal, Channel.REPLIES, answer, corr=received.corr)


def take_of_peer(books: Transaction, received: Received) -> Message | None:
    """Take one message of an exchange with another controller; return what answers it."""
    known = books.rights.peer(name=received.terminal)
    if known is None:
        return None
    who = _Client(
        epoch=known["epoch"],
        kinds=KINDS_OF_PEERS,
        may_ask=known["revoked_at"] is None,
        is_quarantined=bool(known["is_quarantined"]),
        copied=ProblemKind.PEER_COPIED,
        ways_out=("add_again", "revoke"),
    )
    return _answer(books, received, who)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Client:
    """Who asks, and what it may.

    Attributes:
        epoch: the one it has now.
        kinds: what kinds of right are for it.
        may_ask: whether it may have any now.
        is_quarantined: whether two disks were found to speak under its name.
        copied: what an operator is told when they are, and
        ways_out: what he can do then, the best first.
    """

    epoch: str
    kinds: Mapping[RightKind, Issuing]
    may_ask: bool
    is_quarantined: bool
    copied: ProblemKind
    ways_out: tuple[str, ...]


def _answer(books: Transaction, received: Received, who: _Client) -> Message | None:
    """Return what a message is answered; None where it is nobody's to ask."""
    message = received.message
    try:
        comm_id = CommId.parse(message.comm_id)
    except ValueError:
        return None
    asked_for = kind_in(comm_id.kind)
    issuing = who.kinds.get(asked_for) if asked_for is not None else None
    if issuing is None or comm_id.party != received.terminal:
        return None
    if not who.epoch == received.epoch == comm_id.epoch:
        return Troubled(comm_id=message.comm_id, trouble=Trouble.FENCED)
    if not who.may_ask:
        return Troubled(comm_id=message.comm_id, trouble=Trouble.BUSY)
    scene = _gather(books, received, comm_id)
    verdict = hear(scene.record, scene.said, is_quarantined=who.is_quarantined)
    if proves_a_copy(verdict) and not who.is_quarantined:
        _quarantine(books, who, scene, verdict)
    return _of_no_class(books, scene, issuing, verdict) or _carry_out(
        books, scene, issuing, verdict
    )


def _of_no_class(
    books: Transaction, scene: Scene, issuing: Issuing, verdict: Verdict
) -> Message | None:
    """Answer what would leave the first mark of a class that we do not know; None: go on.

    A mark stays for ever, so that nobody may leave as many as he can think of names. What was never
    announced here was never asked either, and may be given up without one.
    """
    would_mark = verdict in {Verdict.STORE, Verdict.CLOSE, Verdict.RESTORE}
    if not would_mark or scene.record != ServerRecord() or issuing.is_known(books, scene):
        return None
    comm_id = str(scene.comm_id)
    if verdict is Verdict.CLOSE:
        return Aborted(comm_id=comm_id)
    if verdict is Verdict.RESTORE and _presents_ours(books, scene):
        return None
    return Troubled(comm_id=comm_id, trouble=Trouble.BUSY)


def _carry_out(
    books: Transaction, scene: Scene, issuing: Issuing, verdict: Verdict
) -> Message | None:
    comm_id = str(scene.comm_id)
    if verdict in _TROUBLES:
        return Troubled(comm_id=comm_id, trouble=_TROUBLES[verdict])
    if verdict is Verdict.DECIDE:
        return _decide(books, scene, issuing)
    if verdict is Verdict.REPEAT:
        model = Right if scene.record.state is ServerState.ISSUED else Refused
        return model.model_validate_json(scene.record.answer)
    if verdict is Verdict.RESTORE:
        _restore(books, scene, issuing)
    changed = after(scene.record, scene.said, verdict)
    if changed is not scene.record:
        _keep(books, scene, changed)
    if scene.said.saying is Saying.ANNOUNCE:
        return Announced(comm_id=comm_id)
    return _CLOSING[scene.said.saying](comm_id=comm_id)


def _decide(books: Transaction, scene: Scene, issuing: Issuing) -> Answer | None:
    """Decide a request once: right or refusal, its changes and the record in one transaction.

    What cannot be decided yet leaves no mark here: the request comes again.
    """
    answer = issuing.decide(books, scene, scene.received.message)
    if answer is None:
        return None
    record = answered(
        scene.record,
        scene.said,
        is_issued=isinstance(answer, Right),
        answer=answer.model_dump_json(),
        answer_digest=answer.digest(),
    )
    _keep(books, scene, record)
    return answer


def _restore(books: Transaction, scene: Scene, issuing: Issuing) -> None:
    """Enter a right that the books have lost, if it is signed by us and for this exchange.

    A refusal that they have lost changed nothing, so that nothing is to be entered.
    """
    if not _presents_ours(books, scene) or books.rights.is_issued(comm_id=str(scene.comm_id)):
        return
    document = scene.received.message.presented.document
    issuing.restore(books, scene, document)
    right = document["right"]
    books.enter("right.restored", {"right": right}, terminal=scene.comm_id.party)


def _presents_ours(books: Transaction, scene: Scene) -> bool:
    """Say whether a right is presented that we have signed, for this very exchange."""
    presented = scene.received.message.presented
    if not isinstance(presented, Right):
        return False
    is_of_this = (presented.document.get("comm_id"), presented.comm_id) == (str(scene.comm_id),) * 2
    return is_of_this and books.keys.have_sealed(presented.document, presented.signature)


def _gather(books: Transaction, received: Received, comm_id: CommId) -> Scene:
    """Return the exchange this message belongs to, as it stands."""
    record = books.rights.exchange(party=comm_id.party, epoch=comm_id.epoch, kind=comm_id.kind)
    return Scene(
        received=received,
        comm_id=comm_id,
        said=_said_in(received.message, comm_id),
        record=record or ServerRecord(),
    )


def _said_in(message: Any, comm_id: CommId) -> Said:  # noqa: ANN401 - one of the five of `_SAYINGS`
    saying, digest, completed = _SAYINGS[message.type], "", None
    match message:
        case Request():
            digest = message.digest
        case Complete():
            digest = message.digest
            saying = saying if message.presented is None else Saying.PRESENT
        case Announce() | Abort():
            completed = _completed_in(message.completed, comm_id)
        case _:
            pass  # a contest says no more than what it contests
    return Said(
        saying=saying,
        seq=comm_id.seq,
        nonce=comm_id.nonce,
        digest=digest,
        completed=completed,
    )


def _completed_in(before: CompletedBefore | None, comm_id: CommId) -> tuple[int, str, str] | None:
    """Return the exchange that a message says is over, if it is one of the same class."""
    if before is None:
        return None
    try:
        done = CommId.parse(before.comm_id)
    except ValueError:
        return None
    if (done.party, done.epoch, done.kind) != (comm_id.party, comm_id.epoch, comm_id.kind):
        return None
    return done.seq, done.nonce, before.digest or ""


def _quarantine(books: Transaction, who: _Client, scene: Scene, verdict: Verdict) -> None:
    """Give this client nothing more: which of its disks is the right one, a person has to say."""
    client = scene.comm_id.party
    books.rights.quarantine(
        party=client,
        epoch=scene.comm_id.epoch,
        kind=scene.comm_id.kind,
        seq=scene.comm_id.seq,
        found_at=books.now,
    )
    evidence = {
        "verdict": verdict,
        "said": scene.said.saying,
        "comm_id": str(scene.comm_id),
        "open": scene.record.seq,
        "closed_up_to": scene.record.mark_seq,
    }
    books.enter("client.quarantined", evidence, terminal=client)
    books.raise_problem(
        Problem(
            kind=who.copied,
            subject=client,
            terminal=TerminalId(client) if who.copied is ProblemKind.IDENTITY_COPIED else None,
            why="Two disks speak under its identity: one is a copy, or was set back.",
            evidence=evidence,
            proposals=tuple({"do": way_out} for way_out in who.ways_out),
        )
    )


def _keep(books: Transaction, scene: Scene, record: ServerRecord) -> None:
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

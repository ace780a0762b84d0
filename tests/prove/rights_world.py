"""The world of the rights proof: disks, books, and steps that do what production's rules say.

Nothing of the protocol stands here. A step is what a flow does: a transaction of what a rule
returned, then what is said; it may die between any two of its stages.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias

from cloud_controller.flows.rights import exchange as issuing
from common.rules.rights import (
    TROUBLES,
    ClientRecord,
    ClientState,
    Said,
    Saying,
    ServerRecord,
    ServerState,
    Told,
    Verdict,
    after,
    answered,
    asked,
    gave_up,
    hear,
    heard as after_hearing,
    intended,
    proves_a_copy,
)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """How far an exploration goes: how many exchanges each disk begins, and what may happen."""

    name: str
    exchanges: int
    seats: int = 9
    may_refuse: bool = False
    may_give_up: bool = False
    may_copy: bool = False
    may_restore: bool = False


class Answer(NamedTuple):
    """A right that was issued or is held, by the exchange it belongs to and its digest."""

    seq: int
    nonce: str
    digest: str


class Heard(NamedTuple):
    """One message of the server."""

    what: Told
    seq: int
    nonce: str
    digest: str = ""


Letter: TypeAlias = Said | Heard


@dataclass(frozen=True, kw_only=True, slots=True)
class Disk:
    """All that is durable of a client, with what only the proof knows of it.

    `draws` and `asks` make every nonce and every request another one; `copied_at` is the number at
    which this disk was copied or is the copy.
    """

    name: str = "A"
    record: ClientRecord = field(default_factory=ClientRecord)
    held: tuple[Answer, ...] = ()
    draws: int = 0
    asks: int = 0
    intents: int = 0
    copied_at: int | None = None

    @property
    def nonce(self) -> str:
        """Return the nonce that this disk draws next; no other disk draws it."""
        return f"{self.name}{self.draws + 1}"

    def holds(self, seq: int, nonce: str) -> bool:
        return any((right.seq, right.nonce) == (seq, nonce) for right in self.held)


@dataclass(frozen=True, kw_only=True, slots=True)
class Books:
    """All that is durable of the server; of `decided` and `backup` only the proof knows."""

    record: ServerRecord = field(default_factory=ServerRecord)
    is_quarantined: bool = False
    used: int = 0
    ledger: tuple[Answer, ...] = ()
    decided: tuple[tuple[int, str], ...] = ()
    backup: Books | None = None
    is_restored: bool = False
    workers: tuple[tuple[Said, ServerRecord], ...] = ()
    """Of the variant without a lock: what is read, and not written yet."""


class Keep(NamedTuple):
    """A commit: from here on this is what a restart finds."""

    durable: Disk | Books


class Send(NamedTuple):
    """A message leaves."""

    letter: Letter


Stages: TypeAlias = tuple[Keep | Send, ...]


class Move(NamedTuple):
    """What one side does at once, stage by stage; it may die after each of them."""

    words: str
    stages: Stages


class Shell:
    """What the flows do around the rules; a broken variant does one thing otherwise."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    # --- Who receives the right

    def own_moves(self, disk: Disk) -> Iterator[Move]:
        """Yield all that a client may do unasked."""
        if disk.record.seq < self.scope.exchanges:
            yield from self.intend(disk)
        yield from self.ask(disk)
        if self.scope.may_give_up:
            yield from self.give_up(disk)
        yield from self.repeat(disk)

    def intend(self, disk: Disk) -> Iterator[Move]:
        record = intended(disk.record, disk.nonce)
        if record is not None:
            begun = replace(
                disk, record=record, draws=disk.draws + 1, intents=disk.intents + 1, asks=0
            )
            yield Move("announces", self.committed(begun))

    def ask(self, disk: Disk) -> Iterator[Move]:
        record = asked(disk.record, f"q{disk.record.seq}{disk.name}{disk.asks + 1}")
        if record is not None:
            yield Move("asks", self.committed(replace(disk, record=record, asks=disk.asks + 1)))

    def give_up(self, disk: Disk) -> Iterator[Move]:
        record = gave_up(disk.record)
        if record is not None:
            yield Move("gives up", self.committed(replace(disk, record=record)))

    def repeat(self, disk: Disk) -> Iterator[Move]:
        owed = disk.record.owes()
        if owed is not None:
            yield Move("repeats what it owes", (Send(owed),))

    def hear(self, disk: Disk, heard: Heard) -> Iterator[Move]:
        record = self.told(disk.record, heard)
        if record is not None:
            held = disk.held
            if heard.what is Told.ANSWER and is_right(heard.digest):
                held = (*held, Answer(heard.seq, heard.nonce, heard.digest))
            yield Move("hears", self.committed(replace(disk, record=record, held=held)))

    def told(self, record: ClientRecord, heard: Heard) -> ClientRecord | None:
        return after_hearing(record, heard.what, heard.seq, heard.nonce, heard.digest)

    def committed(self, disk: Disk) -> Stages:
        """Return the stages of a client's transaction: it is durable, then what it owes leaves."""
        owed = disk.record.owes()
        return (Keep(disk), Send(owed)) if owed is not None else (Keep(disk),)

    # --- Who issues the right

    def serve(self, books: Books, said: Said) -> Iterator[Move]:
        """Yield what the server may do about a message: more than one thing where it decides."""
        verdict = self.judge(books, said)
        if proves_a_copy(verdict) and not books.is_quarantined:
            books = replace(books, is_quarantined=True)
        if verdict is Verdict.DECIDE:
            for decided in self.decide(books, said):
                yield Move(verdict, self.answered(decided, self.answer_in(decided)))
        elif verdict is Verdict.REPEAT:
            yield Move(verdict, self.answered(books, self.answer_in(books)))
        elif verdict in issuing._TROUBLES:
            trouble = TROUBLES.get(issuing._TROUBLES[verdict])
            yield Move(verdict, self.answered(books, _about(said, trouble)))
        else:
            yield from self.carry_out(books, said, verdict)

    def judge(self, books: Books, said: Said) -> Verdict:
        return hear(books.record, said, is_quarantined=books.is_quarantined)

    def carry_out(self, books: Books, said: Said, verdict: Verdict) -> Iterator[Move]:
        if verdict is Verdict.RESTORE:
            books = _taken_back(books, said)
        changed = replace(books, record=self.after(books.record, said, verdict))
        what = {Saying.ANNOUNCE: Told.ANNOUNCED, Saying.ABORT: Told.ABORTED}
        yield Move(
            verdict,
            self.answered(changed, _about(said, what.get(said.saying, Told.COMPLETED))),
        )

    def after(self, record: ServerRecord, said: Said, verdict: Verdict) -> ServerRecord:
        return after(record, said, verdict)

    def decide(self, books: Books, said: Said) -> Iterator[Books]:
        """Yield the books with the right, where a seat is free, and with a refusal."""
        times = books.decided.count((said.seq, said.nonce)) + 1
        about = f"{said.seq}{said.nonce}.{times}"
        has_seat = books.used < self.scope.seats
        if has_seat:
            yield self.decided(books, said, f"right {about}")
        if self.scope.may_refuse or not has_seat:
            yield self.decided(books, said, f"refusal {about}")

    def decided(self, books: Books, said: Said, answer: str) -> Books:
        issued = (Answer(said.seq, said.nonce, answer),) if is_right(answer) else ()
        return replace(
            books,
            used=books.used + len(issued),
            ledger=(*books.ledger, *issued),
            decided=(*books.decided, (said.seq, said.nonce)),
            record=answered(
                books.record,
                said,
                is_issued=is_right(answer),
                answer=answer,
                answer_digest=answer,
            ),
        )

    def answer_in(self, books: Books) -> Heard:
        record = books.record
        assert record.state in {ServerState.ISSUED, ServerState.REFUSED}
        return Heard(Told.ANSWER, record.seq, record.nonce, record.answer_digest)

    def answered(self, books: Books, heard: Heard | None) -> Stages:
        """Return the stages of the server's transaction: it is durable, then its answer leaves."""
        return (Keep(books), Send(heard)) if heard is not None else (Keep(books),)

    def by_itself(self, books: Books) -> Iterator[Move]:
        """Yield what may happen to the server: its backup is made once, and put back once."""
        if self.scope.may_restore and not books.is_restored:
            if books.backup is None:
                yield Move("makes a backup", (Keep(replace(books, backup=books)),))
            else:
                back = replace(books.backup, decided=books.decided, is_restored=True)
                yield Move("is set back to its backup", (Keep(back),))

    def due(self, books: Books) -> Iterator[Move]:  # noqa: ARG002 - a variant has something to do
        """Yield what the server still has to do about what it has heard: nothing, in production."""
        return iter(())


def copied(disk: Disk) -> tuple[Disk, Disk]:
    """Return a disk and its copy; from here on they draw different nonces."""
    at = disk.record.seq
    return replace(disk, copied_at=at), replace(disk, copied_at=at, name="B")


def is_right(answer: str) -> bool:
    """Say whether an answer is a right; else it is a refusal."""
    return answer.startswith("right")


def is_at_rest(record: ClientRecord) -> bool:
    """Say whether a client waits for nobody."""
    return record.state in {ClientState.IDLE, ClientState.ANNOUNCED}


def _about(said: Said, what: Told | None) -> Heard | None:
    return None if what is None else Heard(what, said.seq, said.nonce)


def _taken_back(books: Books, said: Said) -> Books:
    is_issued = any((right.seq, right.nonce) == (said.seq, said.nonce) for right in books.ledger)
    if is_issued or not is_right(said.digest):
        return books
    back = Answer(said.seq, said.nonce, said.digest)
    return replace(books, used=books.used + 1, ledger=(*books.ledger, back))

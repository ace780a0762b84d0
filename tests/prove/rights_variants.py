"""What must be caught: shells of the rights exchange that each do one thing wrong.

A law that only names what is broken on purpose is spared, so that the harm it does is found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from typing_extensions import override

from common.rules.rights import (
    ClientRecord,
    ClientState,
    Said,
    Saying,
    ServerRecord,
    ServerState,
    Told,
    Verdict,
    intended,
    proves_a_copy,
)
from tests.prove.rights_world import (
    Books,
    Disk,
    Heard,
    Keep,
    Move,
    Scope,
    Shell,
    Stages,
)


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A broken shell, the world in which it does harm, and the laws that are not looked at."""

    shell: type[Shell]
    scope: Scope
    spared: frozenset[str] = frozenset()


class _ForgetsAtCompletion(Shell):
    @override
    def after(self, record: ServerRecord, said: Said, verdict: Verdict) -> ServerRecord:
        if verdict is Verdict.CLOSE and said.saying is Saying.COMPLETE:
            return ServerRecord()
        return super().after(record, said, verdict)


class _LeavesNoTombstone(Shell):
    """Deletes what is completed, and leaves the mark where it was."""

    endings = frozenset({Saying.COMPLETE})

    @override
    def after(self, record: ServerRecord, said: Said, verdict: Verdict) -> ServerRecord:
        if verdict is Verdict.CLOSE and said.saying in self.endings:
            return ServerRecord(mark_seq=record.mark_seq, mark_nonce=record.mark_nonce)
        return super().after(record, said, verdict)


class _LeavesNoMarkOfAnAbort(_LeavesNoTombstone):
    endings = frozenset({Saying.ABORT})


class _ForgetsWithTime(Shell):
    @override
    def by_itself(self, books: Books) -> Iterator[Move]:
        if books.record.seq:
            mark = ServerRecord(mark_seq=books.record.mark_seq, mark_nonce=books.record.mark_nonce)
            yield Move("forgets what is old", (Keep(replace(books, record=mark)),))


class _AnswersBeforeTheCommit(Shell):
    @override
    def answered(self, books: Books, heard: Heard | None) -> Stages:
        return tuple(reversed(super().answered(books, heard)))


class _SavesTheIdAfterSending(Shell):
    """Sends its announcement first; a nonce that dies with the process is not drawn again."""

    @override
    def intend(self, disk: Disk) -> Iterator[Move]:
        drawn = Keep(replace(disk, draws=disk.draws + 1))
        for move in super().intend(disk):
            yield Move(move.words, (drawn, *reversed(move.stages)))


class _CompletesBeforeStoring(Shell):
    @override
    def hear(self, disk: Disk, heard: Heard) -> Iterator[Move]:
        for move in super().hear(disk, heard):
            is_right = heard.what is Told.ANSWER
            yield Move(move.words, tuple(reversed(move.stages)) if is_right else move.stages)


class _TakesNoLock(Shell):
    """Has two workers: each decides on what it has read, whatever the other has written since."""

    @override
    def serve(self, books: Books, said: Said) -> Iterator[Move]:
        if self.judge(books, said) is not Verdict.DECIDE:
            yield from super().serve(books, said)
        elif len(books.workers) < 2:
            workers = (*books.workers, (said, books.record))
            yield Move("only read", (Keep(replace(books, workers=workers)),))

    @override
    def due(self, books: Books) -> Iterator[Move]:
        for number, (said, record) in enumerate(books.workers):
            others = books.workers[:number] + books.workers[number + 1 :]
            yield from super().serve(replace(books, record=record, workers=others), said)


class _WritesInTwoTransactions(Shell):
    @override
    def serve(self, books: Books, said: Said) -> Iterator[Move]:
        for move in super().serve(books, said):
            match move.stages:
                case (Keep(Books() as kept), *rest) if kept.ledger != books.ledger:
                    of_two = Keep(replace(kept, record=books.record))
                    yield Move(move.words, (of_two, Keep(kept), *rest))
                case _:
                    yield move


class _DrawsAnIdForEachRetry(Shell):
    @override
    def repeat(self, disk: Disk) -> Iterator[Move]:
        is_waiting = disk.record.state in {ClientState.ANNOUNCING, ClientState.REQUESTING}
        if not is_waiting or disk.record.seq >= self.scope.exchanges:
            yield from super().repeat(disk)
            return
        record = intended(replace(disk.record, state=ClientState.IDLE), disk.nonce)
        assert record is not None
        again = replace(disk, record=record, draws=disk.draws + 1)
        yield Move("tries again", self.committed(again))


class _CountsOnly(Shell):
    """Knows an exchange by its number alone."""

    @override
    def intend(self, disk: Disk) -> Iterator[Move]:
        record = intended(disk.record, "")
        if record is not None:
            begun = replace(disk, record=record, intents=disk.intents + 1, asks=0)
            yield Move("announces", self.committed(begun))


class _ClientForgetsAtTheRight(Shell):
    @override
    def told(self, record: ClientRecord, heard: Heard) -> ClientRecord | None:
        after = super().told(record, heard)
        is_here = after is not None and heard.what is Told.ANSWER
        return replace(record, state=ClientState.IDLE) if is_here else after


class _BelievesNoContest(Shell):
    @override
    def judge(self, books: Books, said: Said) -> Verdict:
        is_believed = books.is_quarantined or said.saying is not Saying.CONTEST
        return super().judge(books, said) if is_believed else Verdict.CLOSED


class _ServesCopies(Shell):
    @override
    def judge(self, books: Books, said: Said) -> Verdict:
        return super().judge(replace(books, is_quarantined=False), said)


class _KeepsNoQuarantine(Shell):
    """Says that it sees a copy, and remembers nothing of it."""

    @override
    def answered(self, books: Books, heard: Heard | None) -> Stages:
        return super().answered(replace(books, is_quarantined=False), heard)


class _DecidesAgain(Shell):
    @override
    def serve(self, books: Books, said: Said) -> Iterator[Move]:
        is_asked = said.saying is Saying.REQUEST and (said.seq, said.nonce) == (
            books.record.seq,
            books.record.nonce,
        )
        if is_asked and books.decided.count((said.seq, said.nonce)) < 2:
            books = replace(books, record=replace(books.record, state=ServerState.ANNOUNCED))
        yield from super().serve(books, said)


class _AsksAnew(Shell):
    """Makes another request of the same identification, instead of repeating the one it made."""

    @override
    def repeat(self, disk: Disk) -> Iterator[Move]:
        if disk.record.state is not ClientState.REQUESTING or disk.asks > 1:
            yield from super().repeat(disk)
        else:
            yield from self.ask(
                replace(disk, record=replace(disk.record, state=ClientState.ANNOUNCED))
            )


class _ForgetsWhatItAsked(Shell):
    """Waits for another scan when it has announced again, instead of asking what it asked."""

    @override
    def told(self, record: ClientRecord, heard: Heard) -> ClientRecord | None:
        if heard.what is Told.ANNOUNCED:
            record = replace(record, request_digest="")
        return super().told(record, heard)


class _WantsTheSameDigest(Shell):
    """Believes a carried completion only with the digest of the answer that it keeps."""

    @override
    def judge(self, books: Books, said: Said) -> Verdict:
        verdict, record = super().judge(books, said), books.record
        carried = said.completed
        if verdict is not Verdict.STORE or carried is None or carried[0] != record.seq:
            return verdict
        is_same = carried[2] == record.answer_digest
        return verdict if is_same or not record.answer_digest else Verdict.MISPLACED


class _MarksOnlyWhatItKnew(Shell):
    """Does not raise the mark to what an announcement carries, where it knows nothing of that."""

    @override
    def after(self, record: ServerRecord, said: Said, verdict: Verdict) -> ServerRecord:
        if verdict is Verdict.STORE and not record.seq:
            said = replace(said, completed=None)
        return super().after(record, said, verdict)


class _OverlooksCarriedNonces(Shell):
    @override
    def judge(self, books: Books, said: Said) -> Verdict:
        verdict = super().judge(books, said)
        if not proves_a_copy(verdict) or said.completed is None:
            return verdict
        alone = super().judge(books, replace(said, completed=None))
        return alone if not proves_a_copy(alone) else verdict


_PLAIN: Final = Scope(name="", exchanges=1)
_TWICE: Final = Scope(name="", exchanges=2)
_GIVEN_UP: Final = Scope(name="", exchanges=1, may_give_up=True)
_COPIED: Final = Scope(name="", exchanges=2, may_copy=True)
_RESTORED: Final = Scope(name="", exchanges=1, may_restore=True)
_BOTH: Final = Scope(name="", exchanges=2, may_copy=True, may_restore=True)


def _variant(shell: type[Shell], scope: Scope, *spared: str) -> Variant:
    return Variant(shell=shell, scope=scope, spared=frozenset(spared))


VARIANTS: Final[Mapping[str, Variant]] = {
    "forget at completion": _variant(_ForgetsAtCompletion, _PLAIN, "I5", "I8"),
    "time-limited memory of the record": _variant(_ForgetsWithTime, _PLAIN, "B9", "I8"),
    "answer before commit": _variant(_AnswersBeforeTheCommit, _PLAIN, "I8"),
    "id not saved before sending": _variant(_SavesTheIdAfterSending, _PLAIN, "I7", "L1"),
    "completion before storing": _variant(_CompletesBeforeStoring, _PLAIN, "I7"),
    "no lock": _variant(_TakesNoLock, _PLAIN),
    "no tombstone": _variant(_LeavesNoTombstone, _PLAIN, "I8"),
    "ledger and record in two transactions": _variant(_WritesInTwoTransactions, _PLAIN),
    "new id per retry": _variant(_DrawsAnIdForEachRetry, _TWICE),
    "seq-only id": _variant(_CountsOnly, _COPIED),
    "abort that does not raise the mark": _variant(_LeavesNoMarkOfAnAbort, _GIVEN_UP, "I8", "L1"),
    "client forgets at the right": _variant(_ClientForgetsAtTheRight, _PLAIN),
    "contest not believed": _variant(_BelievesNoContest, _COPIED),
    "quarantine not obeyed": _variant(_ServesCopies, _COPIED),
    "quarantine not kept": _variant(_KeepsNoQuarantine, _COPIED, "I8"),
    "another decision for each request": _variant(_DecidesAgain, _PLAIN),
    "request not frozen": _variant(_AsksAnew, _PLAIN, "I7", "L1"),
    "asked and forgotten when announced again": _variant(_ForgetsWhatItAsked, _RESTORED, "L1"),
    "carried completion only with its digest": _variant(_WantsTheSameDigest, _RESTORED),
    "no mark for what is only carried": _variant(_MarksOnlyWhatItKnew, _BOTH),
    "carried nonces overlooked": _variant(_OverlooksCarriedNonces, _BOTH),
}
"""The first eleven are those that the promises name; each later one was near at hand."""

"""What must hold of the rights exchange: of what is durable, of each step, and at the end (B.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from common.rules.rights import ClientState, Said, Saying, Told
from tests.prove.rights_world import (
    Answer,
    Books,
    Disk,
    Heard,
    Keep,
    Letter,
    Move,
    Send,
    Shell,
    Stages,
    is_at_rest,
)

ROUNDS_MAX: Final = 12
"""Round trips after which a good wire has finished whatever was open."""

_FETCHING: Final = frozenset({ClientState.REQUESTING, ClientState.ABORTING})
_ACCUSED: Final = frozenset({ClientState.CONTESTING, ClientState.QUARANTINED})
_ENDS: Final = frozenset({Saying.COMPLETE, Saying.PRESENT, Saying.ABORT})

LAWS: Final = {
    "I1": "at most one right for each identification",
    "I1b": "no more rights than were asked for",
    "I2": "what is used is what the ledger says, and within the limit",
    "I3": "what a client holds is in the ledger",
    "I4": "an issued right is held, or can still be fetched",
    "I5": "what is closed stays closed and changes nothing",
    "I6": "what is open is above the mark",
    "I7": "a client says only what is on its disk",
    "I8": "the server says only what is in its books",
    "I9": "nobody is accused whose disk was never copied",
    "I10": "two copies that went on are found out, and get nothing more",
    "B9": "a record ends by completion, presentation or abort",
    "L1": "with a good wire all comes to rest without a person, and goes on",
}
"""Each law by its name in the research; a breach names the law, then what broke it."""


def breaches(disks: Sequence[Disk], books: Books) -> Iterator[str]:
    """Yield what is wrong with what is durable."""
    issued = _ids(books.ledger)
    is_copied = any(disk.copied_at is not None for disk in disks)
    if len(issued) != len(set(issued)):
        yield "I1 two rights were issued for one identification"
    if any(len(disk.held) != len(set(_ids(disk.held))) for disk in disks):
        yield "I1 a client holds two rights of one identification"
    if not is_copied and len(issued) > disks[0].intents:
        yield "I1b more rights were issued than the client ever asked for"
    if books.used != len(issued):
        yield "I2 what is used is not what the ledger says"
    if books.record.seq and books.record.seq <= books.record.mark_seq:
        yield "I6 what is open is closed as well"
    if not is_copied and _is_anybody_accused(disks, books):
        yield "I9 an honest client is accused"
    if not books.is_restored:
        yield from _of_an_unbroken_history(disks, books)


def _ids(rights: Sequence[Answer]) -> list[tuple[int, str]]:
    return [(right.seq, right.nonce) for right in rights]


def _is_anybody_accused(disks: Sequence[Disk], books: Books) -> bool:
    return books.is_quarantined or any(disk.record.state in _ACCUSED for disk in disks)


def _of_an_unbroken_history(disks: Sequence[Disk], books: Books) -> Iterator[str]:
    """Yield what is wrong, as long as the books were never set back."""
    if any(right not in books.ledger for disk in disks for right in disk.held):
        yield "I3 a client holds a right that the ledger does not know"
    if not books.is_quarantined:
        for right in books.ledger:
            if not any(_has(disk, right, books) for disk in disks):
                yield "I4 an issued right is held by nobody and cannot be fetched any more"
    went_on = [
        disk.copied_at is not None
        and disk.record.done_seq > disk.copied_at
        and disk.record.done_digest != ""
        for disk in disks
    ]
    if len(disks) > 1 and all(went_on) and not books.is_quarantined:
        yield "I10 both copies have finished an exchange of their own unseen"


def _has(disk: Disk, right: Answer, books: Books) -> bool:
    if disk.holds(right.seq, right.nonce):
        return True
    here = (disk.record.seq, disk.record.nonce) == (right.seq, right.nonce)
    there = (books.record.seq, books.record.nonce) == (right.seq, right.nonce)
    return here and there and disk.record.state in _FETCHING


def breaches_of_a_client(disk: Disk, stages: Stages) -> Iterator[str]:
    """Yield what is wrong with a step of a client: it may say only what is durable."""
    for stage in stages:
        match stage:
            case Keep(Disk() as kept):
                disk = kept
            case Send(letter) if letter != disk.record.owes():
                yield "I7 a client says what is not on its disk"
            case _:
                pass


def breaches_of_the_server(
    books: Books, said: Said | None, stages: Stages, seats: int
) -> Iterator[str]:
    """Yield what is wrong with a step of the server; `said` is None where it acts by itself."""
    for stage in stages:
        match stage:
            case Keep(Books() as kept):
                if not (kept.is_restored and not books.is_restored):
                    yield from _of_a_commit(books, kept, said, seats)
                books = kept
            case Send(Heard() as heard):
                yield from _of_an_answer(books, heard)
            case _:
                pass


def _of_a_commit(before: Books, kept: Books, said: Said | None, seats: int) -> Iterator[str]:
    old, new = before.record, kept.record
    if new.mark_seq < old.mark_seq:
        yield "I5 the mark went down"
    has_changed = new != old or kept.ledger != before.ledger
    if said is not None and said.seq <= old.mark_seq and has_changed:
        yield "I5 a message about what is closed changed something"
    if before.is_quarantined and has_changed:
        yield "I10 somebody in quarantine changed something"
    if kept.used > max(seats, before.used) and (said is None or said.saying is Saying.REQUEST):
        yield "I2 more is used than there is"
    was_open, is_open = (old.seq, old.nonce), (new.seq, new.nonce)
    if old.seq and was_open != is_open and not _may_end(was_open, said, before):
        yield "B9 a record ended without completion, presentation or abort"


def _may_end(was_open: tuple[int, str], said: Said | None, books: Books) -> bool:
    if said is None:
        return False
    if said.saying in _ENDS and (said.seq, said.nonce) == was_open:
        return True
    if said.completed is not None and said.completed[:2] == was_open:
        return True
    carried = said.completed[0] if said.completed is not None else 0
    presented = said.seq if said.saying is Saying.PRESENT else 0
    return books.is_restored and max(carried, presented) > was_open[0]


def _of_an_answer(books: Books, heard: Heard) -> Iterator[str]:
    record = books.record
    is_open = (record.seq, record.nonce) == (heard.seq, heard.nonce)
    is_closed = record.mark_seq >= heard.seq
    match heard.what:
        case Told.ANNOUNCED:
            is_kept = is_open or is_closed
        case Told.ANSWER:
            is_kept = is_open and record.answer_digest == heard.digest
        case Told.COMPLETED | Told.ABORTED:
            is_kept = is_closed
        case Told.FORKED | Told.MISMATCH:
            is_kept = books.is_quarantined
        case _:
            is_kept = True
    if not is_kept:
        yield "I8 the server says what is not in its books"
    if books.is_quarantined and heard.what not in {Told.FORKED, Told.MISMATCH}:
        yield "I10 somebody in quarantine is told something else"


# --- What a good wire leads to --------------------------------------------------------------------


class Calm:
    """From anywhere, with a wire that carries everything at once and a world that waits for it."""

    def __init__(self, shell: Shell, disks: Sequence[Disk], books: Books) -> None:
        self._shell, self.disks, self.books = shell, list(disks), books

    def breach(self) -> str | None:
        """Return what does not come to rest, or does not go on afterwards."""
        is_copied = len(self.disks) > 1
        self._finish()
        self.talk()
        for disk in self.disks:
            is_over = is_copied and disk.record.state is ClientState.QUARANTINED
            if not (is_at_rest(disk.record) or is_over):
                return f"L1 {disk.name} stays {disk.record.state} for good"
        if not is_copied and not self.books.is_restored and not self._is_tidy():
            return "L1 the server keeps open what its client has closed"
        for number in (*range(len(self.disks)),) * len(self.disks):
            self.have_one_more(number)
        if is_copied:
            return None if self._is_found_out() else "L1 two copies go on and are not seen"
        record = self.disks[0].record
        is_done = record.state is ClientState.IDLE and record.done_digest
        return None if is_done else "L1 no further right can be had"

    def _is_tidy(self) -> bool:
        record, disk = self.books.record, self.disks[0]
        return record.seq == 0 or (
            disk.record.state is ClientState.ANNOUNCED
            and (record.seq, record.nonce) == (disk.record.seq, disk.record.nonce)
        )

    def _is_found_out(self) -> bool:
        """Say whether a copy gets nothing more; books that were set back may not know why."""
        quarantined = [disk.record.state is ClientState.QUARANTINED for disk in self.disks]
        return self.books.is_quarantined or (self.books.is_restored and any(quarantined))

    def have_one_more(self, number: int) -> None:
        """Let a client go through one more exchange, as far as it goes."""
        self.do(number, self._shell.intend(self.disks[number]))
        self.talk()
        self.do(number, self._shell.ask(self.disks[number]))
        self.talk()

    def talk(self) -> None:
        """Deliver what the clients owe until they owe nothing, or nothing moves."""
        for _ in range(ROUNDS_MAX):
            before = (tuple(self.disks), self.books)
            for number in range(len(self.disks)):
                self.do(number, self._shell.repeat(self.disks[number]))
            if before == (tuple(self.disks), self.books):
                return

    def do(self, number: int, moves: Iterator[Move]) -> None:
        """Do the first of some moves, carry what it says, and what is answered, and so on."""
        for letter in self._done(number, moves):
            if isinstance(letter, Heard):
                self.do(number, self._shell.hear(self.disks[number], letter))
            else:
                self.do(number, self._shell.serve(self.books, letter))
                self._finish()

    def _finish(self) -> None:
        """Let the server write what it has read; who asked hears of it when it asks again."""
        while (due := next(self._shell.due(self.books), None)) is not None:
            self._done(0, iter((due,)))

    def _done(self, number: int, moves: Iterator[Move]) -> list[Letter]:
        letters = []
        for stage in next(moves, Move("", ())).stages:
            match stage:
                case Keep(Disk() as disk):
                    self.disks[number] = disk
                case Keep(Books() as books):
                    self.books = books
                case Send(letter):
                    letters.append(letter)
                case _:
                    pass
        return letters


def calm_breach(shell: Shell, disks: Sequence[Disk], books: Books) -> str | None:
    """Say what a good wire does not finish from here, or None; nobody restores a backup then."""
    return Calm(shell, disks, replace(books, backup=None)).breach()

"""Both sides of the exchange back to back, over a wire that loses, repeats and reorders everything.

The two sides call the same tables and functions as production does; the wire never forgets what was
once said, so that every message may come again at any later time (B11). The exhaustive proof goes
everywhere within two or three exchanges; hypothesis goes far.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

from common.rules.rights import ClientState
from tests.prove.rights_laws import Calm, breaches, breaches_of_a_client, breaches_of_the_server
from tests.prove.rights_world import (
    Books,
    Disk,
    Heard,
    Keep,
    Letter,
    Move,
    Scope,
    Shell,
    copied,
    is_at_rest,
)

ON_THE_WIRE_MAX = 60
"""Messages the wire remembers: those said first are forgotten first."""

SEATS = 8
SCOPE = Scope(name="", exchanges=99, seats=SEATS, may_refuse=True, may_give_up=True)


class Exchanges(RuleBasedStateMachine):
    """One honest client and its server; hypothesis is the wire, the customers and the power."""

    @initialize()
    def begin(self) -> None:
        self.shell = Shell(SCOPE)
        self.disk, self.books = Disk(), Books()
        self.wire: list[Letter] = []

    @rule(dies=st.booleans())
    def prepare(self, *, dies: bool) -> None:
        self._client_does(self.shell.intend(self.disk), dies=dies)

    @rule(dies=st.booleans())
    def scan(self, *, dies: bool) -> None:
        self._client_does(self.shell.ask(self.disk), dies=dies)

    @rule(dies=st.booleans())
    def give_up(self, *, dies: bool) -> None:
        self._client_does(self.shell.give_up(self.disk), dies=dies)

    @rule()
    def repeat(self) -> None:
        self._client_does(self.shell.repeat(self.disk))

    @rule(refuses=st.booleans())
    def a_round_trip_succeeds(self, *, refuses: bool) -> None:
        for question in self._client_does(self.shell.repeat(self.disk)):
            for answer in self._deliver(question, refuses=refuses):
                self._deliver(answer)

    @rule(
        number=st.integers(0, ON_THE_WIRE_MAX - 1),
        dies=st.booleans(),
        refuses=st.booleans(),
    )
    def any_message_ever_said_comes_now(self, *, number: int, dies: bool, refuses: bool) -> None:
        if self.wire:
            self._deliver(self.wire[number % len(self.wire)], dies=dies, refuses=refuses)

    @invariant()
    def every_law_of_the_exchange_holds(self) -> None:
        assert not list(breaches([self.disk], self.books))

    @override
    def teardown(self) -> None:
        """From wherever it was left, a good wire finishes it, and one more right can be had."""
        self._calm()
        assert is_at_rest(self.disk.record)
        held, has_seat = len(self.disk.held), self.books.used < SEATS
        for moves in (self.shell.intend, self.shell.ask):
            self._client_does(moves(self.disk))
            self._calm()
        assert self.disk.record.state is ClientState.IDLE
        assert len(self.disk.held) == held + has_seat
        assert self.disk.record.seq == self.books.record.mark_seq

    def _deliver(
        self, letter: Letter, *, dies: bool = False, refuses: bool = False
    ) -> list[Letter]:
        if isinstance(letter, Heard):
            return self._client_does(self.shell.hear(self.disk, letter), dies=dies)
        moves = list(self.shell.serve(self.books, letter))
        move = moves[-1] if refuses else moves[0]
        assert not list(breaches_of_the_server(self.books, letter, move.stages, SEATS))
        return self._done(move, dies=dies)

    def _client_does(self, moves: Iterable[Move], *, dies: bool = False) -> list[Letter]:
        said = []
        for move in moves:
            assert not list(breaches_of_a_client(self.disk, move.stages))
            said += self._done(move, dies=dies)
        return said

    def _done(self, move: Move, *, dies: bool) -> list[Letter]:
        """Do the stages of a move; who dies has committed, and says nothing."""
        said: list[Letter] = []
        for stage in move.stages:
            if not isinstance(stage, Keep):
                said += [] if dies else [stage.letter]
            elif isinstance(stage.durable, Disk):
                self.disk = stage.durable
            else:
                self.books = stage.durable
        self.wire = [*self.wire, *said][-ON_THE_WIRE_MAX:]
        return said

    def _calm(self) -> None:
        """Deliver what the client owes until it owes nothing."""
        for _ in range(6):
            self.a_round_trip_succeeds(refuses=False)


class ExchangesOverOldBackups(Exchanges):
    """The same, with books that are set back to an old backup, again and again."""

    @rule()
    def a_backup_is_made(self) -> None:
        self.books = replace(self.books, backup=replace(self.books, backup=None))

    @precondition(lambda self: self.books.backup is not None)
    @rule()
    def the_backup_is_put_back(self) -> None:
        backup = self.books.backup
        assert backup is not None
        self.books = replace(backup, backup=backup, decided=self.books.decided, is_restored=True)


STEPS = settings(max_examples=300, stateful_step_count=40, deadline=None)


def test_b11_whatever_the_wire_does_there_is_the_same_right_and_only_once():
    run_state_machine_as_test(Exchanges, settings=STEPS)


def test_b11_books_that_are_set_back_accuse_nobody_and_leave_nothing_stuck():
    run_state_machine_as_test(ExchangesOverOldBackups, settings=STEPS)


def test_a_copied_disk_is_proven_by_its_first_own_word():
    calm = Calm(Shell(SCOPE), [Disk()], Books())
    calm.have_one_more(0)
    calm.disks = [*copied(calm.disks[0])]
    calm.have_one_more(0)
    calm.have_one_more(1)
    assert calm.disks[1].record.state is ClientState.QUARANTINED
    assert calm.books.is_quarantined
    assert len(calm.books.ledger) == 2


def test_a_copy_that_was_made_in_the_middle_is_proven_by_what_it_asks():
    shell = Shell(SCOPE)
    calm = Calm(shell, [Disk()], Books())
    calm.do(0, shell.intend(calm.disks[0]))
    original, copy = calm.disks = [*copied(calm.disks[0])]
    for number, disk in enumerate((original, copy)):
        calm.do(number, shell.ask(disk))
        calm.talk()
    original, copy = calm.disks
    assert copy.record.state is ClientState.QUARANTINED
    assert list(original.held) == list(calm.books.ledger)


def test_a_disk_set_back_to_yesterday_gets_no_second_right():
    calm = Calm(Shell(SCOPE), copied(Disk()), Books())
    for _ in range(3):
        calm.have_one_more(0)
    calm.have_one_more(1)
    yesterday = calm.disks[1]
    assert yesterday.record.state is ClientState.QUARANTINED
    assert not yesterday.held
    assert len(calm.books.ledger) == 3


def test_after_the_proof_neither_the_copy_nor_the_original_gets_anything_more():
    calm = Calm(Shell(SCOPE), copied(Disk()), Books())
    for number in (0, 1, 0):
        calm.have_one_more(number)
    for disk in calm.disks:
        assert disk.record.state is ClientState.QUARANTINED
    assert len(calm.books.ledger) == 1

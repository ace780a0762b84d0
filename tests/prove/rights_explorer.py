"""Every state that a world of the rights exchange can be in, and the shortest way to a wrong one.

The wire forgets nothing: whatever was said may come now, in any order, again and again, or never.
That is a wire that loses, doubles, delays and reorders, with any number of messages under way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar

from common.rules.rights import Said
from tests.prove.rights_laws import (
    breaches,
    breaches_of_a_client,
    breaches_of_the_server,
    calm_breach,
)
from tests.prove.rights_world import (
    Books,
    Disk,
    Heard,
    Keep,
    Letter,
    Move,
    Scope,
    Send,
    Shell,
    Stages,
    copied,
)

SAYS_AFTER: Final = 20_000
"""States between two words about how far it has come."""

NOBODY: Final = -1

T = TypeVar("T")


class State(NamedTuple):
    """A state by its numbers; `wire` has a bit for each message that was ever said."""

    first: int
    second: int
    books: int
    wire: int


class Outcome(NamedTuple):
    """What one move leads to, if it dies after some stage or not at all."""

    words: str
    durable: int
    said: int
    breach: str | None


@dataclass(frozen=True, kw_only=True)
class Found:
    """What an exploration has found; `trace` leads from the beginning to the breach."""

    scope: str
    states: int
    steps: int
    seconds: float
    breach: str | None = None
    trace: tuple[str, ...] = ()


class _Register(Generic[T]):
    """Numbers for things that are equal, so that a state is four small numbers."""

    def __init__(self) -> None:
        self.things: list[T] = []
        self._numbers: dict[T, int] = {}

    def number(self, thing: T) -> int:
        number = self._numbers.setdefault(thing, len(self.things))
        if number == len(self.things):
            self.things.append(thing)
        return number


_Step: TypeAlias = tuple[str, State, str | None]


class Exploration:
    """One world, explored breadth first; each rule is asked once about each thing it can be asked.

    Attributes:
        spared: the laws that are not looked at: those that only name what is broken on purpose, so
            that the harm it does is found.
    """

    def __init__(
        self,
        shell: Shell,
        *,
        spared: Iterable[str],
        states_max: int | None,
        on_states: Callable[[int, int], None],
    ) -> None:
        self._shell, self._scope = shell, shell.scope
        self._spared = frozenset(spared)
        self._states_max = states_max
        self._on_states = on_states
        self._disks: _Register[Disk] = _Register()
        self._books: _Register[Books] = _Register()
        self._letters: _Register[Letter] = _Register()
        self._from_the_server = 0
        self._own: dict[int, list[Outcome]] = {}
        self._by_itself: dict[int, list[Outcome]] = {}
        self._hearing: dict[tuple[int, int], list[Outcome]] = {}
        self._serving: dict[tuple[int, int], list[Outcome]] = {}
        self._judged: dict[tuple[int, int, int], str | None] = {}

    def run(self) -> Found:
        """Explore until there is nothing new, or until something is wrong."""
        began = time.monotonic()
        first = State(self._disks.number(Disk()), NOBODY, self._books.number(Books()), 0)
        states, came_from, seen, steps = [first], [0], {first}, 0
        for number, state in enumerate(states):
            if number == self._states_max:
                break
            if number % SAYS_AFTER == 0:
                self._on_states(number, len(states))
            for words, new, breach in self._steps(state):
                steps += 1
                wrong = breach or (self._judge(new) if new not in seen else None)
                if wrong is not None:
                    trace = (*self._trace(states, came_from, number), words)
                    return self._found(began, states, steps, wrong, trace)
                if new not in seen:
                    seen.add(new)
                    states.append(new)
                    came_from.append(number)
        self._on_states(len(states), len(states))
        return self._found(began, states, steps)

    def _found(
        self,
        began: float,
        states: Sequence[State],
        steps: int,
        breach: str | None = None,
        trace: tuple[str, ...] = (),
    ) -> Found:
        return Found(
            scope=self._scope.name,
            states=len(states),
            steps=steps,
            seconds=time.monotonic() - began,
            breach=breach,
            trace=trace,
        )

    def _trace(self, states: list[State], came_from: list[int], number: int) -> tuple[str, ...]:
        """Return the words of each step on the way to a state, which the first way is."""
        way: list[str] = []
        while number:
            before = came_from[number]
            steps = self._steps(states[before])
            way.append(next(words for words, new, _ in steps if new == states[number]))
            number = before
        return tuple(reversed(way))

    # --- What can happen next

    def _steps(self, state: State) -> Iterator[_Step]:
        first, second, books, wire = state
        for outcome in self._own_of(first):
            yield self._stepped(state, outcome, first=outcome.durable)
        if second != NOBODY:
            for outcome in self._own_of(second):
                yield self._stepped(state, outcome, second=outcome.durable)
        elif self._scope.may_copy:
            yield self._copied(state)
        for outcome in self._alone(books):
            yield self._stepped(state, outcome, books=outcome.durable)
        rest = wire
        while rest:
            bit = rest & -rest
            rest ^= bit
            yield from self._delivered(state, bit)

    def _delivered(self, state: State, bit: int) -> Iterator[_Step]:
        if not bit & self._from_the_server:
            for outcome in self._served(state.books, bit):
                yield self._stepped(state, outcome, books=outcome.durable)
            return
        for outcome in self._heard(state.first, bit):
            yield self._stepped(state, outcome, first=outcome.durable)
        if state.second != NOBODY:
            for outcome in self._heard(state.second, bit):
                yield self._stepped(state, outcome, second=outcome.durable)

    def _stepped(
        self,
        state: State,
        outcome: Outcome,
        *,
        first: int | None = None,
        second: int | None = None,
        books: int | None = None,
    ) -> _Step:
        new = State(
            state.first if first is None else first,
            state.second if second is None else second,
            state.books if books is None else books,
            state.wire | outcome.said,
        )
        return outcome.words, new, outcome.breach

    def _copied(self, state: State) -> _Step:
        first, second = copied(self._disks.things[state.first])
        numbers = self._disks.number(first), self._disks.number(second)
        return "somebody copies the disk", State(*numbers, state.books, state.wire), None

    # --- What each side does, asked once

    def _own_of(self, disk: int) -> list[Outcome]:
        if disk not in self._own:
            thing = self._disks.things[disk]
            self._own[disk] = self._of_client(thing, "", self._shell.own_moves(thing))
        return self._own[disk]

    def _heard(self, disk: int, bit: int) -> list[Outcome]:
        if (disk, bit) not in self._hearing:
            thing, letter = self._disks.things[disk], self._letters.things[bit.bit_length() - 1]
            assert isinstance(letter, Heard)
            moves = self._shell.hear(thing, letter)
            self._hearing[disk, bit] = self._of_client(thing, f" {_named(letter)}", moves)
        return self._hearing[disk, bit]

    def _served(self, books: int, bit: int) -> list[Outcome]:
        if (books, bit) not in self._serving:
            thing, letter = self._books.things[books], self._letters.things[bit.bit_length() - 1]
            assert isinstance(letter, Said)
            moves = self._shell.serve(thing, letter)
            self._serving[books, bit] = self._of_server(thing, letter, moves)
        return self._serving[books, bit]

    def _alone(self, books: int) -> list[Outcome]:
        if books not in self._by_itself:
            thing = self._books.things[books]
            moves = [*self._shell.due(thing), *self._shell.by_itself(thing)]
            self._by_itself[books] = self._of_server(thing, None, moves)
        return self._by_itself[books]

    def _of_client(self, disk: Disk, what: str, moves: Iterable[Move]) -> list[Outcome]:
        outcomes = []
        for move in moves:
            for stages, fate in _fates(move.stages):
                wrong = self._first(breaches_of_a_client(disk, stages))
                after, said = self._reached(disk, stages)
                assert isinstance(after, Disk)
                words = f"{disk.name} {move.words}{what}: {_shown(after)}{_leaving(stages)}{fate}"
                outcomes.append(Outcome(words, self._disks.number(after), said, wrong))
        return outcomes

    def _of_server(self, books: Books, said: Said | None, moves: Iterable[Move]) -> list[Outcome]:
        outcomes = []
        for move in moves:
            for stages, fate in _fates(move.stages):
                wrong = self._first(breaches_of_the_server(books, said, stages, self._scope.seats))
                after, sent = self._reached(books, stages)
                assert isinstance(after, Books)
                what = move.words if said is None else f"hears {_named(said)} ({move.words})"
                words = f"server {what}: {_shown(after)}{_leaving(stages)}{fate}"
                outcomes.append(Outcome(words, self._books.number(after), sent, wrong))
        return outcomes

    def _reached(self, durable: Disk | Books, stages: Stages) -> tuple[Disk | Books, int]:
        """Return what is durable after some stages, and a bit for each message that left."""
        said = 0
        for stage in stages:
            if isinstance(stage, Keep):
                durable = stage.durable
            else:
                bit = 1 << self._letters.number(stage.letter)
                said |= bit
                if isinstance(stage.letter, Heard):
                    self._from_the_server |= bit
        return durable, said

    # --- What is wrong

    def _judge(self, state: State) -> str | None:
        durable = state[:3]
        if durable not in self._judged:
            disks = [self._disks.things[n] for n in state[:2] if n != NOBODY]
            books = self._books.things[state.books]
            wrong = self._first(breaches(disks, books))
            self._judged[durable] = wrong or self._first(self._calm(disks, books))
        return self._judged[durable]

    def _calm(self, disks: Sequence[Disk], books: Books) -> Iterator[str]:
        wrong = calm_breach(self._shell, disks, books)
        if wrong is not None:
            yield wrong

    def _first(self, wrongs: Iterator[str]) -> str | None:
        return next((wrong for wrong in wrongs if wrong.split()[0] not in self._spared), None)


def _fates(stages: Stages) -> Iterator[tuple[Stages, str]]:
    """Yield every beginning of some stages that does something, and how it ends."""
    for count in range(1, len(stages)):
        yield stages[:count], ", and dies"
    yield stages, ""


def _shown(durable: Disk | Books) -> str:
    number = f" {durable.record.seq}{durable.record.nonce}" if durable.record.seq else ""
    if isinstance(durable, Disk):
        return f"{durable.record.state}{number}"
    record = durable.record
    mark = f"closed up to {record.mark_seq}{record.mark_nonce}, " if record.mark_seq else ""
    quarantine = ", quarantined" if durable.is_quarantined else ""
    return f"{mark}{record.state}{number}{quarantine}"


def _leaving(stages: Stages) -> str:
    return "".join(f", says {_named(stage.letter)}" for stage in stages if isinstance(stage, Send))


def _named(letter: Letter) -> str:
    what = letter.saying if isinstance(letter, Said) else letter.what
    digest = f" ({letter.digest})" if letter.digest else ""
    carried = isinstance(letter, Said) and letter.completed
    after = f" after {carried[0]}{carried[1]} ({carried[2]})" if carried else ""
    return f"{what} {letter.seq}{letter.nonce}{digest}{after}"


def explore(
    shell: type[Shell],
    scope: Scope,
    *,
    spared: Iterable[str] = (),
    states_max: int | None = None,
    on_states: Callable[[int, int], None] = lambda *_: None,
) -> Found:
    """Explore a world of this scope, moved by this shell: all of it, or so many states of it.

    `on_states` is told now and then how many states are done, and how many are known.
    """
    exploration = Exploration(
        shell(scope), spared=spared, states_max=states_max, on_states=on_states
    )
    return exploration.run()

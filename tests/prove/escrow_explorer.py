"""Every state that a root and its branches can be in, and the shortest way to a wrong one.

The wire forgets nothing: whatever was said may come now, in any order, again and again, or never:
a wire that loses, doubles, delays and reorders, and a line that is cut for as long as one likes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar

from tests.prove.escrow_world import Frozen, Letter, Move, Scope, Shell, furnished

LAWS: Final = {
    "E1": "terminals never have more seats than are owned",
    "E2": "a branch owns no more than the root counts as given to it",
    "E3": "every pool counts the seats that were given out of it, and the root those it gave on",
    "E4": "no person is called while nothing is wrong",
    "E5": "with a good line all comes to rest, and then no seat is lost",
}

ROUNDS_MAX: Final = 12
"""Round trips after which a good line has finished whatever was open."""

SAYS_AFTER: Final = 10_000
"""States between two words about how far it has come."""

T = TypeVar("T")


class State(NamedTuple):
    """A state by its numbers: the root, each branch, and a bit for each message ever said."""

    root: int
    branches: tuple[int, ...]
    wire: int


class Outcome(NamedTuple):
    """What one step leads to."""

    words: str
    after: int
    said: int
    breach: str | None


@dataclass(frozen=True, kw_only=True)
class Found:
    """What an exploration has found; `trace` leads from the beginning to the breach."""

    scope: str
    states: int
    steps: int
    transactions: int
    seconds: float
    breach: str | None = None
    trace: tuple[str, ...] = ()


_Step: TypeAlias = tuple[str, State, str | None]


class _Register(Generic[T]):
    """Numbers for things that are equal, so that a state is a few small numbers."""

    def __init__(self) -> None:
        self.things: list[T] = []
        self._numbers: dict[T, int] = {}

    def number(self, thing: T) -> int:
        number = self._numbers.setdefault(thing, len(self.things))
        if number == len(self.things):
            self.things.append(thing)
        return number


class Exploration:
    """One world, explored breadth first; each controller is asked once about each thing."""

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
        self._frozen: _Register[Frozen] = _Register()
        self._letters: _Register[Letter] = _Register()
        self._asked: dict[tuple[int, int, int], list[Outcome]] = {}
        self._judged: dict[tuple[int, tuple[int, ...]], str | None] = {}

    def run(self) -> Found:
        """Explore until there is nothing new, or until something is wrong."""
        began = time.monotonic()
        root, *branches = (self._frozen.number(each) for each in self._shell.at_first)
        first = State(root, tuple(branches), 0)
        states, came_from, seen, steps = [first], [0], {first}, 0
        for number, state in enumerate(states):
            if number == self._states_max:
                break
            if number % SAYS_AFTER == 0:
                self._on_states(number, len(states))
            for words, new, breach in self._steps(state):
                steps += 1
                is_new = new not in seen
                wrong = breach or (self._judge(new) if is_new else None)
                if wrong is not None:
                    trace = (*self._trace(states, came_from, number), words)
                    return self._found(began, states, steps, wrong, trace)
                if is_new:
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
            transactions=sum(len(each) for each in self._asked.values()),
            seconds=time.monotonic() - began,
            breach=breach,
            trace=trace,
        )

    def _trace(self, states: list[State], came_from: list[int], number: int) -> tuple[str, ...]:
        way: list[str] = []
        while number:
            before = came_from[number]
            steps = self._steps(states[before])
            way.append(next(words for words, new, _ in steps if new == states[number]))
            number = before
        return tuple(reversed(way))

    # --- What can happen next

    def _steps(self, state: State) -> Iterator[_Step]:
        for outcome in self._of_root(state.root, None):
            yield self._at_root(state, outcome)
        for number, branch in enumerate(state.branches):
            for outcome in self._of_branch(number, branch, None):
                yield self._at_branch(state, number, outcome)
        rest = state.wire
        while rest:
            bit = rest & -rest
            rest ^= bit
            at = bit.bit_length() - 1
            letter = self._letters.things[at]
            if letter.is_to_root:
                for outcome in self._of_root(state.root, at):
                    yield self._at_root(state, outcome)
            else:
                for outcome in self._of_branch(letter.branch, state.branches[letter.branch], at):
                    yield self._at_branch(state, letter.branch, outcome)

    def _at_root(self, state: State, outcome: Outcome) -> _Step:
        new = State(outcome.after, state.branches, state.wire | outcome.said)
        return f"root {outcome.words}", new, self._not_spared(outcome.breach)

    def _at_branch(self, state: State, number: int, outcome: Outcome) -> _Step:
        before, after = state.branches[:number], state.branches[number + 1 :]
        new = State(state.root, (*before, outcome.after, *after), state.wire | outcome.said)
        return f"branch {number} {outcome.words}", new, self._not_spared(outcome.breach)

    def _of_root(self, root: int, letter: int | None) -> list[Outcome]:
        key = (-1, root, -1 if letter is None else letter)
        if key not in self._asked:
            frozen = self._frozen.things[root]
            moves = (
                self._shell.root_moves(frozen)
                if letter is None
                else self._shell.serve(frozen, self._letters.things[letter])
            )
            self._asked[key] = [self._outcome(move) for move in moves]
        return self._asked[key]

    def _of_branch(self, number: int, branch: int, letter: int | None) -> list[Outcome]:
        key = (number, branch, -1 if letter is None else letter)
        if key not in self._asked:
            frozen = self._frozen.things[branch]
            moves = (
                self._shell.branch_moves(number, frozen)
                if letter is None
                else self._shell.hear(number, frozen, self._letters.things[letter])
            )
            self._asked[key] = [self._outcome(move) for move in moves]
        return self._asked[key]

    def _outcome(self, move: Move) -> Outcome:
        said = 0
        for letter in move.says:
            said |= 1 << self._letters.number(letter)
        return Outcome(move.words, self._frozen.number(move.after), said, move.wrong)

    # --- What is wrong

    def _judge(self, state: State) -> str | None:
        """Say what is wrong with what is written down, or with what a good line makes of it."""
        written = state[:2]
        if written not in self._judged:
            root = self._frozen.things[state.root]
            branches = [self._frozen.things[branch] for branch in state.branches]
            wrongs = [*self._breaches(root, branches)]
            wrong = next((each for each in wrongs if self._not_spared(each)), None)
            self._judged[written] = wrong or self._not_spared(self._calm(state))
        return self._judged[written]

    def _breaches(self, root: Frozen, branches: Sequence[Frozen]) -> Iterator[str]:
        taken = root.taken + sum(branch.taken for branch in branches)
        if taken > self._scope.owned:
            yield f"E1 {taken} terminals have one of {self._scope.owned} seats"
        given = [root.given(who.name) for who in self._shell.who]
        for number, branch in enumerate(branches):
            if branch.pool[0] > given[number]:
                yield f"E2 branch {number} owns {branch.pool[0]}, and was given {given[number]}"
        is_counted = all(branch.pool[1] == branch.taken for branch in branches)
        if not is_counted or root.pool[1] != root.taken + sum(given):
            yield "E3 a pool does not count what was given out of it"
        if root.of("quarantines"):
            yield "E4 an honest branch is taken for a copy"

    def _calm(self, state: State) -> str | None:
        """Say what a good line does not finish from here, or what is lost when it has."""
        root, branches = state.root, list(state.branches)
        for _ in range(ROUNDS_MAX):
            before = root, tuple(branches)
            for number in range(len(branches)):
                root, branches[number] = self._talked(number, root, branches[number])
            if before == (root, tuple(branches)):
                break
        for number, branch in enumerate(branches):
            there = self._frozen.things[branch]
            owned, is_at = there.pool[0], there.exchange[0]
            if is_at != "idle":
                return f"E5 branch {number} stays {is_at} for good"
            given = self._frozen.things[root].given(self._shell.who[number].name)
            if owned != given:
                return f"E5 branch {number} owns {owned} in the end, and {given} count as given"
        return None

    def _talked(self, number: int, root: int, branch: int) -> tuple[int, int]:
        """Carry what a branch owes to the root, and its answers back."""
        for owed in self._owed(number, branch):
            served = self._of_root(root, owed)[0]
            root = served.after
            if served.said:
                branch = self._of_branch(number, branch, served.said.bit_length() - 1)[0].after
        return root, branch

    def _owed(self, number: int, branch: int) -> Iterator[int]:
        for outcome in self._of_branch(number, branch, None):
            if outcome.said and outcome.after == branch:
                yield outcome.said.bit_length() - 1

    def _not_spared(self, wrong: str | None) -> str | None:
        return None if wrong is None or wrong.split()[0] in self._spared else wrong


def explore(
    shell: type[Shell],
    scope: Scope,
    *,
    spared: Iterable[str] = (),
    states_max: int | None = None,
    on_states: Callable[[int, int], None] = lambda *_: None,
) -> Found:
    """Explore a world of this scope, moved by this shell: all of it, or so many states of it.

    `spared` are laws that are not looked at, so that the harm is found that their breach does.
    """
    with furnished(shell, scope) as made:
        return Exploration(made, spared=spared, states_max=states_max, on_states=on_states).run()

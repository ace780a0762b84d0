"""Broken ways to share seats, each as small as its fault; a proof that misses one is worth nothing.

Each is the flow of production with one thing left out or done at the wrong time; it is followed
until more terminals have seats than are owned, or until seats are lost for good.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from typing_extensions import override

from cloud_controller.flows.rights import pools
from common.messages.base import Message
from common.messages.rights import Aborted, Refused, Request, Right
from tests.prove.escrow_world import (
    MODULE,
    Frozen,
    Hand,
    Letter,
    Move,
    Scope,
    Shell,
    Wish,
    message_in,
)

ONE: Final = Wish(1)
TWO: Final = Wish(2)
BACK: Final = Wish(-1)

TO_ONE: Final = Scope(
    name="two controllers, 2 exchanges", owned=2, branches=1, exchanges=2, wishes=(ONE, TWO, BACK)
)
GIVING_UP: Final = Scope(
    name="two controllers, 2 exchanges given up",
    owned=2,
    branches=1,
    exchanges=2,
    wishes=(ONE, BACK),
    may_give_up=True,
)


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A broken shell, the world in which it does harm, and the law that names the harm."""

    shell: type[Shell]
    scope: Scope = TO_ONE
    harm: str = "E1"

    @property
    def spared(self) -> frozenset[str]:
        """Return the laws that are not looked at: they name what is broken on purpose."""
        return frozenset({"E1", "E2", "E3", "E4", "E5"} - {self.harm})


class SyncedLogs(Shell):
    """No escrow: each counts its own, and tells the others of it now and then (D10 alone)."""

    @override
    def terminals(self, hand: Hand, before: Frozen) -> Iterator[Move]:
        if before.taken + before.known < self.scope.owned:
            yield Move("gives a terminal a seat", before._replace(taken=before.taken + 1))
        if before.taken:
            yield Move("has a seat free again", before._replace(taken=before.taken - 1))

    @override
    def root_moves(self, root: Frozen) -> Iterator[Move]:
        yield from super().root_moves(root)
        told = tuple(_told(number, root) for number in range(len(self.who)))
        yield Move(f"tells that it has given out {root.taken}", root, told)

    @override
    def branch_moves(self, number: int, branch: Frozen) -> Iterator[Move]:
        yield from self.terminals(self.branch, branch)
        told = (_told(number, branch, is_to_root=True),)
        yield Move(f"tells that it has given out {branch.taken}", branch, told)

    @override
    def serve(self, root: Frozen, letter: Letter) -> Iterator[Move]:
        yield Move(f"hears of {letter.text}", root._replace(known=int(letter.text)))

    @override
    def hear(self, number: int, branch: Frozen, letter: Letter) -> Iterator[Move]:
        yield Move(f"hears of {letter.text}", branch._replace(known=int(letter.text)))


_FORGETS: Final = (
    "UPDATE exchanges SET state = 'announced' WHERE state = 'issued'",
    """UPDATE rights SET comm_id = comm_id || (SELECT count(*) FROM rights),
        right_id = right_id || (SELECT count(*) FROM rights) WHERE comm_id = :comm_id""",
)
"""Also that a right has been made of it: the database itself refuses a second one."""


class _DecidesAgain(Shell):
    """The root forgets that it has decided what comes twice."""

    is_of_returns = False

    @override
    def served(self, books: Any, letter: Letter) -> Message | None:
        message = message_in(letter)
        if isinstance(message, Request) and (message.request["seats"] < 0) == self.is_of_returns:
            for forgets in _FORGETS:
                self.root.books.connection.execute(forgets, {"comm_id": message.comm_id})
        return super().served(books, letter)


class GrantAgain(_DecidesAgain):
    """A grant is not deduplicated: what is asked twice is given twice, and had once."""


class ReturnAgain(_DecidesAgain):
    """A return is not deduplicated: what comes back twice is there twice."""

    is_of_returns = True


class AddsAgain(Shell):
    """The branch adds what a right says whenever it hears it."""

    @override
    def heard(self, books: Any, number: int, letter: Letter) -> bool:
        is_new, message = super().heard(books, number, letter), message_in(letter)
        if not is_new and isinstance(message, Right) and message.document["seats"] > 0:
            books.rights.add_seats(module=MODULE, seats=message.document["seats"])
        return is_new


class LowersLate(Shell):
    """A return is sent before its seats have left the pool: they go when it is answered."""

    @override
    def heard(self, books: Any, number: int, letter: Letter) -> bool:
        message = message_in(letter)
        with _instead(books.rights, "lower_seats", 1):
            is_new = super().heard(books, number, letter)
        if is_new and isinstance(message, Right) and message.document["seats"] < 0:
            self.branch.books.connection.execute(
                "UPDATE seat_pools SET owned = max(used, owned - 1)"
            )
        return is_new


class TimeoutReclaim(Shell):
    """The root takes back what a branch has that it has not heard of for long."""

    @override
    def root_moves(self, root: Frozen) -> Iterator[Move]:
        yield from super().root_moves(root)
        for who in self.who:
            if root.given(who.name):
                self.root.names.about = f"reclaimed-{len(root.of('rights'))}"
                reclaim = partial(
                    pools.settle_seats, module=MODULE, peer=who.name, holds=0, actor=""
                )
                _, after, _ = self.root.step(root, reclaim)
                yield Move(f"takes back what {who.name} has, which is silent", after)


class SaysBeforeItKeeps(Shell):
    """A right is sent before it is kept, and the root dies in between."""

    @override
    def serve(self, root: Frozen, letter: Letter) -> Iterator[Move]:
        for move in super().serve(root, letter):
            yield move
            yield Move(f"{move.words}, and dies before it keeps it", root, move.says)


class AddsBeforeItKeeps(Shell):
    """The branch adds seats in one transaction, keeps their right in another, and dies between."""

    @override
    def hear(self, number: int, branch: Frozen, letter: Letter) -> Iterator[Move]:
        for move in super().hear(number, branch, letter):
            yield move
            if isinstance(message_in(letter), Right) and move.after.pool[0] > branch.pool[0]:
                torn = branch._replace(rows=(move.after.rows[0], *branch.rows[1:]))
                yield Move(f"{move.words}, and dies before it keeps it", torn)


class ForgetsWhatComesToNothing(Shell):
    """The seats of a return that was given up or refused are not taken in again."""

    @override
    def heard(self, books: Any, number: int, letter: Letter) -> bool:
        if isinstance(message_in(letter), Aborted | Refused):
            with _instead(books.rights, "add_seats", 1):
                return super().heard(books, number, letter)
        return super().heard(books, number, letter)


class GivesUpAlone(Shell):
    """A branch that asks no longer takes its seats in again at once, whatever the root decides."""

    @override
    def branch_moves(self, number: int, branch: Frozen) -> Iterator[Move]:
        state, wish = branch.exchange
        for move in super().branch_moves(number, branch):
            if move.words == "asks no longer" and state == "requesting" and wish["seats"] < 0:
                yield move._replace(after=self._with_seats(move.after, -wish["seats"]))
            else:
                yield move

    def _with_seats(self, branch: Frozen, count: int) -> Frozen:
        def add(books: Any) -> None:
            books.rights.add_seats(module=MODULE, seats=count)

        return self.branch.step(branch, add)[1]


VARIANTS: Final[Mapping[str, Variant]] = {
    "periodic log sync without escrow": Variant(shell=SyncedLogs),
    "grant not deduplicated": Variant(shell=GrantAgain, harm="E5"),
    "client adds twice": Variant(shell=AddsAgain),
    "return not deduplicated": Variant(shell=ReturnAgain),
    "send before lowering": Variant(shell=LowersLate),
    "timeout reclaim": Variant(shell=TimeoutReclaim),
    "right said before it is kept": Variant(shell=SaysBeforeItKeeps),
    "seats added before the right is kept": Variant(shell=AddsBeforeItKeeps),
    "what came to nothing is not taken in again": Variant(
        shell=ForgetsWhatComesToNothing, scope=GIVING_UP, harm="E5"
    ),
    "given up without the root": Variant(shell=GivesUpAlone, scope=GIVING_UP),
}


def _told(branch: int, teller: Frozen, *, is_to_root: bool = False) -> Letter:
    return Letter(branch=branch, is_to_root=is_to_root, text=f"{teller.taken}")


@contextmanager
def _instead(queries: Any, name: str, answer: int) -> Iterator[None]:
    """Answer one query without doing what it says."""
    before = getattr(queries, name)
    setattr(queries, name, lambda **_: answer)
    try:
        yield
    finally:
        setattr(queries, name, before)

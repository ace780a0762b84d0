"""A root and its branches over real flows and real SQL, each as small as a state can be.

A controller is loaded from its rows, does one thing in one transaction, and is written down again:
nothing but its rows survives a step, so that each step is also a crash before and after it.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from typing_extensions import override

from cloud_controller.flows import rights
from cloud_controller.flows.rights import peers, pools, seats, upstream
from cloud_controller.flows.rights.upstream import Branch
from cloud_controller.keys import FileKeys
from cloud_controller.ports import NotAllowed, Received
from cloud_controller.storage.sqlite import migrate
from common.codec import message_from
from common.ids import CommId, TerminalId
from common.messages.base import Message
from tests.fakes.books import BooksInHand, fresh_copy
from tests.fakes.names import CountedNames
from tests.fakes.store import ClockInHand

MODULE: Final = "m"
CLASS: Final = f"seats:{MODULE}"
ROOT: Final = "root"
TABLES: Final = ("seat_pools", "exchanges", "own_exchanges", "rights", "quarantines")
"""All that is written down of a controller; the ledger and problems are only told of."""


class Wish(NamedTuple):
    """Seats that a branch may ask for, or below nought return; `least` will do."""

    seats: int
    least: int = 0


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What may happen in a world, besides that anything said is lost, doubled, late, in any order.

    Attributes:
        owned: seats by the licence.
        exchanges: how many each branch may begin.
        may_give_up: whether a branch may stop asking for what has no answer.
    """

    name: str
    owned: int
    branches: int
    exchanges: int
    wishes: tuple[Wish, ...]
    may_give_up: bool = False


class Frozen(NamedTuple):
    """A controller between two steps.

    Attributes:
        rows: those of each table of `TABLES`.
        taken: seats that terminals have got here, whatever the rows say of it.
        begun: exchanges that it has begun.
        known: what a broken variant remembers besides.
    """

    rows: tuple[tuple[tuple[Any, ...], ...], ...]
    taken: int = 0
    begun: int = 0
    known: int = 0

    def of(self, table: str) -> tuple[tuple[Any, ...], ...]:
        return self.rows[TABLES.index(table)]

    @property
    def pool(self) -> tuple[int, int]:
        """Return how many seats are owned, and how many are used."""
        for _, owned, used, *_ in self.of("seat_pools"):
            return int(owned), int(used)
        return 0, 0

    @property
    def exchange(self) -> tuple[str, Mapping[str, Any]]:
        """Return the state of a branch's exchange, and what it wishes."""
        for row in self.of("own_exchanges"):
            named = dict(zip(_OWN_EXCHANGE, row, strict=False))
            return named["state"], json.loads(named["request"] or "{}")
        return "idle", {}

    def given(self, party: str) -> int:
        """Return how many seats a root counts as given to a branch."""
        named = (dict(zip(_RIGHT, row, strict=False)) for row in self.of("rights"))
        return sum(right["amount"] for right in named if right["party"] == party)


class Letter(NamedTuple):
    """One message under way, as text; `branch` is whose it is, or whom it is to."""

    branch: int
    is_to_root: bool
    text: str


class Move(NamedTuple):
    """One step of a controller: what it is in words, what it is then, and what it says."""

    words: str
    after: Frozen
    says: tuple[Letter, ...] = ()
    wrong: str | None = None


class NamesOfAStep(CountedNames):
    """Names that follow from what is named, so that equal steps make equal states."""

    about = ""

    @override
    def new(self, prefix: str) -> str:
        return f"{prefix}-{self.about}"

    @override
    def hex_digits(self, count: int) -> str:
        return "0" * count


class Hand:
    """One controller's database, to which every step is a new one."""

    def __init__(self, folder: Path, migrated: Path) -> None:
        folder.mkdir()
        self.names = NamesOfAStep()
        self.keys = FileKeys(folder / "keys", CountedNames())
        file = fresh_copy(migrated, folder)
        self.books = BooksInHand(file, clock=ClockInHand(), names=self.names, keys=self.keys)

    def frozen(self) -> Frozen:
        """Return what it is now, and forget it: what is in these tables comes with each step."""
        rows = self._rows()
        for table in TABLES:
            self.books.connection.execute(f"DELETE FROM {table}")  # noqa: S608 - of `TABLES`
        return Frozen(rows)

    def step(self, before: Frozen, act: Callable[[Any], Any]) -> tuple[Any, Frozen, str | None]:
        """Do one thing; return what comes of it, what it is then, and what somebody must see.

        Raises:
            NotAllowed: it is refused, and nothing has changed.
        """
        connection, transaction = self.books.connection, self.books._transaction
        transaction.begin()
        connection.execute("BEGIN IMMEDIATE")
        try:
            for table, rows in zip(TABLES, before.rows, strict=True):
                for row in rows:
                    connection.execute(_put_into(table, len(row)), row)
            result = act(transaction)
            seen = connection.execute("SELECT kind FROM problems WHERE solved_at IS NULL")
            problem = next((f"E4 a person is called: {each[0]}" for each in seen), None)
            return result, before._replace(rows=self._rows()), problem
        finally:
            connection.execute("ROLLBACK")

    def _rows(self) -> tuple[tuple[tuple[Any, ...], ...], ...]:
        return tuple(
            tuple(tuple(row) for row in self.books.connection.execute(_all_of(table)))
            for table in TABLES
        )


def _put_into(table: str, columns: int) -> str:
    return f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})"  # noqa: S608 - of `TABLES`


def _all_of(table: str) -> str:
    return f"SELECT * FROM {table} ORDER BY 1, 2"  # noqa: S608 - of `TABLES`


class Shell:
    """What every controller can do next, by the flows of production; variants break some of it."""

    def __init__(self, scope: Scope, folder: Path, migrated: Path) -> None:
        self.scope = scope
        self.root = Hand(folder / ROOT, migrated)
        self.branch = Hand(folder / "branch", migrated)
        self.who = tuple(self._joined(number) for number in range(scope.branches))
        self.root.books.do(pools.own_seats, MODULE, scope.owned, "tests")
        self.at_first = (self.root.frozen(), *(self.branch.frozen() for _ in self.who))

    def close(self) -> None:
        self.root.books.close()
        self.branch.books.close()

    # --- What a controller does by itself

    def root_moves(self, root: Frozen) -> Iterator[Move]:
        """Yield what the root can do now: terminals of its own come and go."""
        yield from self.terminals(self.root, root)

    def branch_moves(self, number: int, branch: Frozen) -> Iterator[Move]:
        """Yield what a branch can do now: terminals, a new wish, an end of asking, what it owes."""
        yield from self.terminals(self.branch, branch)
        if branch.begun < self.scope.exchanges:
            for wish in self.scope.wishes:
                yield from self.wished(number, branch, wish)
        if self.scope.may_give_up:
            act = self.moved(branch, lambda b: upstream.give_up_seats(b, self.who[number], MODULE))
            yield from (Move("asks no longer", after) for after in act)
        owed, _, _ = self.branch.step(branch, lambda b: upstream.owed_to_root(b, self.who[number]))
        for message in owed:
            letter = Letter(branch=number, is_to_root=True, text=_text(message))
            yield Move(f"says {_words(message)}", branch, (letter,))

    def wished(self, number: int, branch: Frozen, wish: Wish) -> Iterator[Move]:
        """Yield the begin of an exchange, where it may begin."""
        begun = branch._replace(begun=branch.begun + 1)
        words = f"wants {wish.seats}" if wish.seats > 0 else f"returns {-wish.seats}"
        for after in self.moved(
            begun, lambda b: upstream.want_seats(b, self.who[number], MODULE, *wish)
        ):
            yield Move(words, after)

    def terminals(self, hand: Hand, before: Frozen) -> Iterator[Move]:
        """Yield that a terminal gets a seat, and that one's seat comes free."""
        is_given, after, _ = hand.step(before, lambda b: seats.take(b, MODULE, 1))
        if is_given:
            yield Move("gives a terminal a seat", after._replace(taken=before.taken + 1))
        if before.taken:
            _, after, _ = hand.step(before, lambda b: pools.give_back(b, MODULE, 1))
            yield Move("has a seat free again", after._replace(taken=before.taken - 1))

    def moved(self, before: Frozen, act: Callable[[Any], Any]) -> Iterator[Frozen]:
        try:
            yield self.branch.step(before, act)[1]
        except NotAllowed:
            return

    # --- What it does about a message

    def serve(self, root: Frozen, letter: Letter) -> Iterator[Move]:
        """Yield what the root does about what a branch says: one transaction, then its answer."""
        answer, after, problem = self.root.step(root, lambda b: self.served(b, letter))
        yield self.answering(letter, after, answer, problem)

    def served(self, books: Any, letter: Letter) -> Message | None:
        """Take a branch's message in an open transaction of the root."""
        message = message_in(letter)
        comm_id = CommId.parse(message.comm_id)  # type: ignore[attr-defined] # each has one
        self.root.names.about = f"{comm_id.party}-{comm_id.seq}"
        received = Received(
            terminal=TerminalId(comm_id.party),
            epoch=comm_id.epoch,
            seq=0,
            corr="",
            message=message,
        )
        return rights.take_of_peer(books, received)

    def answering(
        self, letter: Letter, after: Frozen, answer: Message | None, problem: str | None = None
    ) -> Move:
        says = () if answer is None else (letter._replace(is_to_root=False, text=_text(answer)),)
        words = f"hears {_named(letter)}" + (f", says {_words(answer)}" if answer else "")
        return Move(words, after, says, problem)

    def hear(self, number: int, branch: Frozen, letter: Letter) -> Iterator[Move]:
        """Yield what a branch does about what the root answers."""
        _, after, problem = self.branch.step(branch, lambda b: self.heard(b, number, letter))
        yield Move(f"hears {_named(letter)}", after, (), problem)

    def heard(self, books: Any, number: int, letter: Letter) -> bool:
        """Take the root's answer in an open transaction of a branch."""
        return upstream.hear_root(books, self.who[number], message_in(letter))

    def _joined(self, number: int) -> Branch:
        name = f"b{number}"
        epoch = self.root.books.do(peers.add_peer, name, f"{number}" * 64, "tests")
        return Branch(name=name, epoch=epoch, has_sealed=self.root.keys.have_sealed)


@contextmanager
def furnished(shell: type[Shell], scope: Scope) -> Iterator[Shell]:
    """Make the controllers of a world, in a folder that goes with them."""
    with tempfile.TemporaryDirectory(prefix="rusuban-escrow-") as folder:
        migrated = Path(folder) / "migrated.sqlite"
        migrate(migrated)
        made = shell(scope, Path(folder), migrated)
        try:
            yield made
        finally:
            made.close()


def _text(message: Message) -> str:
    return json.dumps([message.type, message.model_dump(mode="json")], sort_keys=True)


def message_in(letter: Letter) -> Message:
    """Return what a letter says, as it comes out of the wire."""
    return message_from(*json.loads(letter.text))


def _named(letter: Letter) -> str:
    return _words(message_in(letter))


def _words(message: Message) -> str:
    said = message.type.removeprefix("rights.")
    number = str(message.comm_id).split("/")[3]  # type: ignore[attr-defined] # each has one
    wish = getattr(message, "request", None) or getattr(message, "document", None) or {}
    amount = f" of {wish['seats']}" if "seats" in wish else ""
    return f"{said} {number}{amount}"


_OWN_EXCHANGE: Final = (
    "epoch kind seq nonce state request request_digest answer answer_digest done_seq done_nonce"
    " done_digest moved_at refused_at"
).split()
_RIGHT: Final = "right_id comm_id party epoch kind session_id amount".split()

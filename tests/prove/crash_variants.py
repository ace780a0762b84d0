"""Both sides with one thing broken each, which the proof has to notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final
from unittest.mock import patch

from cloud_controller.flows.rights import exchange as issuing
from common.rules.rights import ClientState, Said, ServerRecord, Verdict, answered, hear
from edge_agent.journal import SqliteJournal
from tests.fakes.books import BooksInHand
from tests.prove.crash_moments import Letter, Moment, Side
from tests.prove.crash_world import World

Breaking = Callable[[World, ExitStack], None]


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One thing that is done otherwise, and the story in which it has to show."""

    name: str
    story: str
    breaks: Breaking


@contextmanager
def broken(world: World, variant: Variant) -> Iterator[None]:
    """Have a world do one thing otherwise, as long as this lasts."""
    with ExitStack() as patches:
        variant.breaks(world, patches)
        yield


def without_tombstone(_world: World, patches: ExitStack) -> None:
    """Forget what is closed as soon as it is: whoever announces it again begins anew."""

    def forgetful(record: ServerRecord, said: Said, **facts: Any) -> Verdict:
        return hear(replace(record, mark_seq=0, mark_nonce=""), said, **facts)

    patches.enter_context(patch.object(issuing, "hear", forgetful))


def in_two_transactions(world: World, patches: ExitStack) -> None:
    """Commit what a right changes before the record that it was issued."""

    def afterwards(*record: Any, **facts: Any) -> Any:
        connection = world.house.books.connection
        connection.execute("COMMIT")
        connection.execute("BEGIN IMMEDIATE")
        return answered(*record, **facts)

    patches.enter_context(patch.object(issuing, "answered", afterwards))


def in_memory_only(world: World, patches: ExitStack) -> None:
    """Keep an identification in memory until its request is frozen."""
    killed, disk = world._killed, world._disks[Side.TERMINAL.number]

    def forgetful(side: Side, *facts: Any) -> Moment:
        moment = killed(side, *facts)
        if side is Side.CONTROLLER:
            return moment
        at = disk.image()
        disk.be_at(moment.images[1])
        disk.connection.execute(
            "UPDATE exchanges SET state = ?, seq = done_seq, nonce = done_nonce"
            " WHERE state IN (?, ?)",
            [ClientState.IDLE, ClientState.ANNOUNCING, ClientState.ANNOUNCED],
        )
        images, dumps = (moment.images[0], disk.image()), (moment.dumps[0], disk.dump())
        disk.be_at(at)
        return replace(moment, images=images, dumps=dumps)

    patches.enter_context(patch.object(world, "_killed", forgetful))


def said_before_stored(_world: World, patches: ExitStack) -> None:
    """Let a completion, and all else, leave the terminal before it is on its disk."""
    transact = SqliteJournal.transact

    def hasty(journal: SqliteJournal, function: Any, *args: Any, **kwargs: Any) -> Any:
        def with_all_said(transaction: Any) -> Any:
            result = function(transaction, *args, **kwargs)
            journal._let_out(transaction.asked, transaction.shown, has_said=transaction.has_said)
            transaction.asked, transaction.shown, transaction.has_said = [], [], False
            return result

        return transact(journal, with_all_said)

    patches.enter_context(patch.object(SqliteJournal, "transact", hasty))


def answered_before_stored(_world: World, patches: ExitStack) -> None:
    """Let an answer leave the controller before it is in the books."""
    do = BooksInHand.do

    def hasty(books: BooksInHand, function: Any, *args: Any, **kwargs: Any) -> Any:
        def with_all_said(transaction: Any) -> Any:
            result = function(transaction, *args, **kwargs)
            books.said.extend(transaction.said)
            transaction.said = []
            return result

        return do(books, with_all_said)

    patches.enter_context(patch.object(BooksInHand, "do", hasty))


def forgotten_when_sent(world: World, patches: ExitStack) -> None:
    """Have the terminal drop an event as soon as it has left, and not when it was taken."""
    with_events, terminal = world._with_events, world._disks[Side.TERMINAL.number]

    def hasty(letters: list[Letter], after: Moment) -> tuple[list[Letter], Moment]:
        letters, after = with_events(letters, after)
        terminal.connection.execute("DELETE FROM outbox WHERE seq <= ?", [after.sent_up_to])
        return letters, world._here(after, Side.TERMINAL)

    patches.enter_context(patch.object(world, "_with_events", hasty))


VARIANTS: Final = (
    Variant(name="no tombstone", story="session", breaks=without_tombstone),
    Variant(name="ledger and record apart", story="session", breaks=in_two_transactions),
    Variant(name="more time and record apart", story="extension", breaks=in_two_transactions),
    Variant(name="identification in memory only", story="session", breaks=in_memory_only),
    Variant(name="completion before storing", story="session", breaks=said_before_stored),
    Variant(name="answer before storing", story="module", breaks=answered_before_stored),
    Variant(name="event forgotten when sent", story="session", breaks=forgotten_when_sent),
)

"""Controller and terminal on real files, the wire between them, and one step of either at a time.

A step leads from one moment to the next, and past every hook point at which a fault could have
struck: before each statement, after each commit, between two messages, and on the wire.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol

import structlog

from cloud_controller.listener import FLOWS, Listener
from cloud_controller.ports import Said
from cloud_controller.storage.sqlite import migrate
from common.codec import message_from
from common.rules.registration import Policy
from common.rules.rights import OWED
from common.topics import WITH_A_TAIL, Channel
from edge_agent.flows import rights
from tests.fakes.books import BooksInHand
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import TerminalInHand
from tests.fakes.wire import as_delivered
from tests.prove.crash_disk import Disk, Hook, queries_bound_when_used
from tests.prove.crash_moments import (
    Act,
    Fault,
    FlowBroke,
    Letter,
    Moment,
    Side,
    Step,
    letter_to,
    words_for,
)

BOOKS = """exchanges quarantines held_tickets seat_pools rights scans sessions tickets reservations
    devices commands inbox inbox_marks outbox ledger problems terminals extensions payments entries
    postings"""
JOURNAL = """exchanges held_rights held_tickets sessions commands outbox registration desired
    problems extensions"""
"""What differs between moments; the rest of either database is as it was furnished."""

SILENT: Final = structlog.wrap_logger(
    structlog.PrintLogger(), wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
)
"""Trouble on the wire is what the proof makes; nobody wants to read of it."""


class Story(Protocol):
    """What is tried: what stands in the books before, and who does what next."""

    name: str

    def furnish(self, world: World) -> None:
        """Put in place what the story begins with."""
        ...

    def next_act(self, world: World) -> Act | None:
        """Return what is done when nothing is under way, by what both sides hold; None: no more."""
        ...

    def wrong(self, world: World) -> Iterator[str]:
        """Yield what is wrong when all is quiet."""
        ...


class World:
    """Both sides, live; always at one moment, and brought to another by opening its files."""

    def __init__(self, folder: Path, story: Story) -> None:
        """Furnish a house in an empty folder, and close it so that it can be begun again."""
        self.story = story
        self.ran: tuple[str, ...] = ()
        self._patches = ExitStack()
        self._patches.enter_context(queries_bound_when_used())
        file = folder / "books.sqlite"
        migrate(file)
        self.house = HouseInHand(folder, file, policy=Policy.AUTOMATIC)
        self.terminal: TerminalInHand = self.house.confirmed("vr")
        (self.device,) = self.house.devices_of(self.terminal)
        story.furnish(self)
        self.house.books.close()
        self.terminal.journal.close()
        journal = self.terminal._file
        self._disks = (
            Disk(_folder(folder, "controller"), file, self._start_controller, BOOKS),
            Disk(_folder(folder, "terminal"), journal, self._start_agent, JOURNAL),
        )

    def close(self) -> None:
        """Close both databases."""
        for disk in self._disks:
            disk.close()
        self._patches.close()

    def first(self) -> Moment:
        """Return the moment at which the story begins."""
        return self._here(Moment(), *Side)

    def rows(self, side: Side, query: str, *facts: Any) -> list[sqlite3.Row]:
        """Return what a side holds, to look behind the curtain."""
        return self._disks[side.number].connection.execute(query, facts).fetchall()

    def be_at(self, moment: Moment) -> None:
        """Bring both sides to a moment; a file that is opened again must hold what was seen."""
        for disk, image, dump in zip(self._disks, moment.images, moment.dumps, strict=True):
            if disk.image() != image:
                disk.be_at(image)
                assert disk.dump() == dump, "what was seen is not what the file holds"
        self.house.names._counts = Counter(dict(moment.names))
        self.house.clock.now, self.house.clock.steady = moment.clocks
        self.ran = moment.ran

    def step(self, moment: Moment, *, with_faults: bool) -> Step:
        """Do what comes next; with faults, say where each at each hook point would have led."""
        self.be_at(moment)
        if moment.letters:
            return self._deliver(moment, with_faults=with_faults)
        if moment.late and moment.is_late_due:
            return Step("what is late comes again", moment.with_late())
        if self._owes():
            act = Act(Side.TERMINAL, "the terminal says again what it owes", self._say_again)
            return self._done(replace(moment, sent_up_to=0), act, with_faults=with_faults)
        act_of_story = self.story.next_act(self)
        if act_of_story is not None:
            begun = replace(moment, is_late_due=act_of_story.is_of_an_exchange)
            return self._done(begun, act_of_story, with_faults=with_faults)
        if moment.late and not moment.is_over:
            return Step("the story is told", replace(moment.with_late(), is_over=True))
        return Step("all is quiet", None)

    # --- What a side does

    def _deliver(self, moment: Moment, *, with_faults: bool) -> Step:
        letter, *rest = moment.letters
        without = replace(moment, letters=tuple(rest))
        what = letter.message.type
        act = Act(letter.to, f"{what} comes to the {letter.to}", lambda: self._hand(letter))
        step = self._done(without, act, with_faults=with_faults)
        if letter.is_late or step.after is None or not with_faults:
            return step
        on_the_wire = (
            Fault(f"{what} is lost", 1, without),
            Fault(f"{what} comes, and again later", 1, step.after.with_one_late(letter)),
        )
        return step._replace(faults=(*on_the_wire, *step.faults))

    def _done(self, moment: Moment, act: Act, *, with_faults: bool) -> Step:
        """Let a side act, and note what it leaves at each hook point."""
        disk = self._disks[act.side.number]
        said = self.terminal.asked if act.side is Side.TERMINAL else self.house.books.said
        said.clear()
        failed_before = self._failed()
        if with_faults:
            disk.watch(said)
        act.do()
        hooks = disk.watched()
        if self._failed() != failed_before:
            raise FlowBroke(words=act.words)
        letters = self._letters(act.side)
        after = self._here(moment, act.side)
        if act.side is Side.TERMINAL:
            letters, after = self._with_events(letters, after)
        faults = self._kills(act, moment, after, letters, hooks) if with_faults else []
        return Step(act.words, after.with_sent(letters), faults)

    def _kills(
        self, act: Act, before: Moment, after: Moment, letters: list[Letter], hooks: list[Hook]
    ) -> list[Fault]:
        """Return what a kill at each hook point of an act would have led to."""
        image = after.images[act.side.number]
        hooks += [(image, count) for count in range(1, len(letters) + 1)]
        return [
            Fault(
                f"{act.words}, and the {act.side} is killed{words_for(letters[:left])}",
                points,
                self._killed(act.side, before, after, left_image, letters[:left]),
            )
            for (left_image, left), points in Counter(hooks).items()
        ]

    def _killed(
        self, side: Side, before: Moment, after: Moment, image: bytes, left: Sequence[Letter]
    ) -> Moment:
        """Return what a kill leads to; names that nobody kept or heard can be drawn again."""
        if image == before.images[side.number]:
            kept = before if not left else replace(before, names=after.names, clocks=after.clocks)
            reached = replace(kept, ran=after.ran)
        elif image == after.images[side.number]:
            reached = after
        else:
            images, dumps = list(after.images), list(after.dumps)
            images[side.number] = image
            dumps[side.number] = self._dump_of(side, image)
            reached = replace(after, images=(images[0], images[1]), dumps=(dumps[0], dumps[1]))
        if side is Side.TERMINAL:
            reached = replace(reached, sent_up_to=0)
        return reached.with_sent(left)

    def _dump_of(self, side: Side, image: bytes) -> str:
        disk = self._disks[side.number]
        at = disk.image()
        disk.be_at(image)
        dump = disk.dump()
        disk.be_at(at)
        return dump

    def _here(self, moment: Moment, *acted: Side) -> Moment:
        """Return the moment that both sides are at, with what is under way in another."""
        images, dumps = list(moment.images), list(moment.dumps)
        for side in acted:
            disk = self._disks[side.number]
            images[side.number], dumps[side.number] = disk.image(), disk.dump()
        return replace(
            moment,
            images=(images[0], images[1]),
            dumps=(dumps[0], dumps[1]),
            names=tuple(sorted(self.house.names._counts.items())),
            clocks=(self.house.clock.now, self.house.clock.steady),
            ran=self.ran,
        )

    def _failed(self) -> int:
        return self.house.listener.dropped.total() + self.terminal.listener.dropped.total()

    def _start_controller(self, file: Path) -> sqlite3.Connection:
        """Start the controller on its books."""
        house = self.house
        house.books = BooksInHand(file, clock=house.clock, names=house.names, keys=house.keys)
        house.listener = Listener(
            house.books,  # type: ignore[arg-type] # its answers are done at once, as in the house
            FLOWS,
            acknowledge=lambda _: None,
            on_heard=lambda *_: None,
            on_change=lambda: None,
        )
        house.listener._log = SILENT
        return house.books.connection

    def _start_agent(self, file: Path) -> sqlite3.Connection:
        """Start the agent on its journal."""
        self.terminal._file = file
        self.terminal.asked.clear()
        self.terminal.open()
        self.terminal.listener._log = SILENT
        return self.terminal.journal._connection

    # --- The wire

    def _owes(self) -> bool:
        states = ", ".join(f"'{state}'" for state in OWED)
        query = (
            f"SELECT EXISTS (SELECT 1 FROM exchanges WHERE state IN ({states}))"  # noqa: S608 - states of a table of ours
            " OR EXISTS (SELECT 1 FROM outbox)"
        )
        ((owes,),) = self.rows(Side.TERMINAL, query)
        return bool(owes)

    def _say_again(self) -> None:
        """Do what the agent's timer does: ask everything again; events go with it."""
        self.terminal.do(rights.ask_again, self.terminal.who)

    def _letters(self, side: Side) -> list[Letter]:
        """Return what a side has just said."""
        if side is Side.TERMINAL:
            asked = self.terminal.asked
            return [letter_to(Side.CONTROLLER, each.channel, each.message) for each in asked]
        said = [each for each in self.house.books.said if isinstance(each, Said)]
        return [letter_to(Side.TERMINAL, each.channel, each.message) for each in said]

    def _with_events(self, letters: list[Letter], after: Moment) -> tuple[list[Letter], Moment]:
        """Return what leaves with the events that this run of the agent has not sent yet."""
        query = "SELECT seq, type, body FROM outbox WHERE seq > ? ORDER BY seq"
        rows = self.rows(Side.TERMINAL, query, after.sent_up_to)
        events = [
            letter_to(Side.CONTROLLER, Channel.EVENTS, message_from(kind, json.loads(body)), seq)
            for seq, kind, body in rows
        ]
        up_to = max([after.sent_up_to, *(letter.seq for letter in events)])
        return [*letters, *events], replace(after, sent_up_to=up_to)

    def _hand(self, letter: Letter) -> None:
        """Hand a letter over as bytes on its topic."""
        if letter.to is Side.TERMINAL:
            tail = letter.message.type if letter.channel in WITH_A_TAIL else ""
            self.terminal.hear(letter.message, letter.channel, tail)
            return
        word = as_delivered(
            self.terminal,
            letter.message,
            letter.channel,
            seq=letter.seq,
            at=self.house.clock.now,
        )
        self.house.listener.take(word)


def _folder(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made

"""A house, its terminals and the wire between them in hand: letters wait, are lost, come twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from cloud_controller import timers
from cloud_controller.listener import FLOWS, Listener
from cloud_controller.ports import Said
from common.codec import Envelope, message_from, write
from common.ids import TerminalId
from common.messages.base import Message
from common.mqtt import Delivery
from common.rules.sessions import EndReason, SessionState
from common.topics import WITH_A_TAIL, Address, Channel, topic_of
from edge_agent.flows import rights, sessions
from edge_agent.ports import ProgramSeen
from tests.fakes.books import BooksInHand
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import TerminalInHand, a_delivery, a_program

ROUNDS_MAX = 60
"""Rounds of saying everything again after which both sides must have come to rest."""


class Letter(NamedTuple):
    """A message under way between a terminal and the controller."""

    terminal: TerminalId
    channel: Channel
    message: Message
    seq: int = 0
    tail: str = ""
    is_down: bool = False


class Booth:
    """A terminal with its runner, its line, and what is in front of both."""

    def __init__(self, terminal: TerminalInHand, device: str) -> None:
        self.terminal = terminal
        self.device = device
        self.line_is_up = True
        self.sent_up_to = 0
        self.programs: dict[str, ProgramSeen] = {}

    @property
    def name(self) -> TerminalId:
        return self.terminal.who.terminal

    def prepare(self) -> None:
        """Announce the next exchange of the device, unless one is open."""
        self.terminal.do(rights.prepare, self.terminal.who, self.device)

    def go_on(self) -> None:
        """Have the next exchange ready where one is over, as the agent does."""
        if rights.class_for(self.device) in self.terminal.free:
            self.prepare()
        self.terminal.free.clear()

    def restart(self, boot_id: str | None = None) -> None:
        """Kill the agent, or with a boot id the PC: then its programs are gone as well."""
        if boot_id is not None:
            for session, seen in self.programs.items():
                if seen.state is SessionState.RUNNING:
                    self.programs[session] = self._ended(session)
        self.terminal.restart(boot_id=boot_id)
        self.sent_up_to = 0
        for seen in list(self.programs.values()):
            self.terminal.do(sessions.note_seen, seen)

    def reconcile(self) -> list[str]:
        """Do what the reconciler does; return the sessions whose program has begun to run."""
        begun = []
        for due in self.terminal.do(sessions.to_start):
            if due.session not in self.programs:
                begun.append(due.session)
                self._see(a_program(due.session, "running", started_at=self._now()))
        for due in self.terminal.do(sessions.to_stop):
            self.end(due.session)
        for session, seen in list(self.programs.items()):
            self.terminal.do(sessions.note_seen, seen)
            if seen.state is SessionState.RUNNING and self.terminal.do(sessions.is_over, session):
                self.end(session)
        return begun

    def refuse_all(self) -> None:
        """Have the runner refuse what is to be started now."""
        for due in self.terminal.do(sessions.to_start):
            if due.session not in self.programs:
                self.terminal.do(sessions.note_refused, due.session, EndReason.PROGRAM_FAILED)

    def end(self, session: str) -> None:
        """Let a program end, at its own wish or its time."""
        if session in self.programs and self.programs[session].state is SessionState.RUNNING:
            self._see(self._ended(session))

    def running(self) -> list[str]:
        """Return the sessions whose program runs now."""
        return [s for s, seen in self.programs.items() if seen.state is SessionState.RUNNING]

    def _now(self) -> int:
        return self.terminal._clock.now_ms()

    def _ended(self, session: str) -> ProgramSeen:
        now = self._now()
        return a_program(session, "ended", started_at=now, ended_at=now, delivered_seconds=9.0)

    def _see(self, seen: ProgramSeen) -> None:
        self.programs[seen.session] = seen
        self.terminal.do(sessions.note_seen, seen)


class WireInHand:
    """Takes what both sides say, and hands it over when it is told to."""

    def __init__(self, house: HouseInHand, *booths: Booth) -> None:
        self.house = house
        self.booths = {booth.name: booth for booth in booths}
        self.letters: list[Letter] = []

    def gather(self) -> None:
        """Take what was said since the last look; what meets a dead line is gone."""
        for booth in self.booths.values():
            booth.go_on()
            asked, events = booth.terminal.asks(), self._events(booth)
            if booth.line_is_up:
                self.letters += [Letter(booth.name, Channel.REQUESTS, message) for message in asked]
                self.letters += events
        for said in self.house.books.said:
            if isinstance(said, Said) and said.terminal in self.booths:
                self.letters.append(
                    Letter(said.terminal, said.channel, said.message, tail=said.tail, is_down=True)
                )
        self.house.books.said.clear()

    def reachable(self) -> list[int]:
        """Return which letters can be handed over, by their place."""
        places = enumerate(self.letters)
        return [at for at, each in places if self.booths[each.terminal].line_is_up]

    def hand_over(self, at: int, *, keep: bool = False) -> None:
        """Hand a letter over; kept, it will come once more."""
        letter = self.letters[at] if keep else self.letters.pop(at)
        terminal = self.booths[letter.terminal].terminal
        if not letter.is_down:
            word = as_delivered(
                terminal, letter.message, letter.channel, seq=letter.seq, at=self.house.clock.now
            )
            self.house.listener.take(word)
        else:
            terminal.hear(letter.message, letter.channel, letter.tail)
        self.gather()

    def say_again(self, booth: Booth) -> None:
        """Let a terminal repeat what it is owed an answer for."""
        booth.sent_up_to = 0
        booth.terminal.asks()
        booth.terminal.do(rights.ask_again, booth.terminal.who)
        self.gather()

    def restart_controller(self, file: Path | None = None) -> None:
        """Kill the controller and start it again, or with a file: from that backup."""
        house = self.house
        at = file or Path(house.books.connection.execute("PRAGMA database_list").fetchone()[2])
        house.books.close()
        house.books = BooksInHand(at, clock=house.clock, names=house.names, keys=house.keys)
        house.listener = Listener(
            house.books,  # type: ignore[arg-type] # its answers are done at once, as in the house
            FLOWS,
            acknowledge=lambda _: None,
            on_heard=lambda *_: None,
            on_change=lambda: None,
        )

    def do_timers(self) -> None:
        """Let the controller do all that is due."""
        for due in (timers._do_sessions, timers._hold, timers._tidy):
            self.house.books.do(due)
        self.gather()

    def settle(self) -> bool:
        """Let everything be said until all is quiet; say whether it came to that."""
        self.gather()
        for _ in range(ROUNDS_MAX):
            while self.letters:
                self.hand_over(0)
            for booth in self.booths.values():
                booth.reconcile()
                self.say_again(booth)
            if not self.letters:
                return True
        return False

    def _events(self, booth: Booth) -> list[Letter]:
        """Return the events that have not been sent since the line was last there."""
        if not booth.line_is_up:
            return []
        letters = []
        for seq, kind, body in booth.terminal.tells():
            if seq > booth.sent_up_to:
                message: Any = message_from(kind, json.loads(body))
                letters.append(Letter(booth.name, Channel.EVENTS, message, seq))
                booth.sent_up_to = seq
        return letters


def as_delivered(
    terminal: TerminalInHand, message: Message, channel: Channel, *, seq: int, at: int
) -> Delivery:
    """Return a terminal's message as the broker delivers it to the controller."""
    who = terminal.who
    tail = message.type if channel in WITH_A_TAIL else ""
    envelope = Envelope(
        id="m",
        terminal=who.terminal,
        epoch=who.epoch,
        seq=seq,
        sent_at=at,
        corr="c-1",
        message=message,
    )
    topic = topic_of(Address(terminal=who.terminal, channel=channel, tail=tail))
    return a_delivery(topic, write(envelope))

"""A terminal in a proof: real journal, flows, listener and courier; only its programs are dice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from common.ids import TerminalId
from common.messages.registration import StandingTold
from common.messages.specification import Specification
from common.mqtt import Delivery
from common.rules.registration import Standing
from common.rules.sessions import EndReason, SessionState
from edge_agent.courier import Courier
from edge_agent.flows import registration, rights, sessions
from edge_agent.gate import Gate
from edge_agent.journal import SqliteJournal
from edge_agent.listener import Hearing, Listener
from edge_agent.ports import Clock, Identity, Names, ProgramSeen
from tests.fakes.terminal import a_device
from tests.prove.wire import Wire

BOOT_ID = "b" * 36
STARTS_TO_FAIL = 0.2


@dataclass(frozen=True, kw_only=True)
class Seat:
    """Who a reader is and what it stands on."""

    who: Identity
    what: Specification
    device: str
    file: Path


class Reader:
    """One terminal with one device; `restart` loses all but its journal."""

    def __init__(self, seat: Seat, wire: Wire, clock: Clock, names: Names, dice: Random) -> None:
        self.seat, self._wire, self._clock, self._names = seat, wire, clock, names
        self._dice = dice
        self.ran: list[str] = []
        self._open()

    @property
    def terminal(self) -> TerminalId:
        return self.seat.who.terminal

    def scan(self, token: str) -> None:
        """Hold a ticket to the reader."""
        device = a_device("seat").model_copy(update={"device": self.seat.device})
        name = self._names.new("x")
        scan = rights.Scan(name=name, token=token, device=device, store_number=1)
        self.journal.transact(partial(rights.scan, line_is_up=True), self.seat.who, scan)

    def take(self, delivery: Delivery) -> None:
        """Hear a message."""
        self._listener.take(delivery)

    def ask_again(self) -> None:
        """Repeat what has had no answer, as the timers do."""
        self._courier.send_again(self._courier.acknowledged_up_to)

    def step_programs(self) -> None:
        """Let programs start, fail to start, and end."""
        for due in self.journal.transact(sessions.to_start):
            if self._dice.random() < STARTS_TO_FAIL:
                reason = EndReason.PROGRAM_FAILED
                self.journal.transact(sessions.note_refused, due.session, reason)
            else:
                self.ran.append(due.session)
                self._see(due.session, SessionState.RUNNING)
        for session in self.journal.transact(sessions.running_sessions):
            if self._dice.random() < 0.5:
                self._see(session, SessionState.ENDED)

    def restart(self) -> None:
        """Die, and come back with nothing but the journal."""
        self.journal.close()
        self._open()

    def held(self) -> set[str]:
        """Return every session this terminal was ever given a right for."""
        rows = self.journal._connection.execute("SELECT session FROM sessions").fetchall()
        return {row["session"] for row in rows}

    def is_settled(self) -> bool:
        """Say whether nothing is owed and nothing runs."""
        query = """SELECT (SELECT count(*) FROM outbox)
            + (SELECT count(*) FROM exchanges WHERE state <> 'announced')
            + (SELECT count(*) FROM sessions WHERE state NOT IN ('ended', 'failed')) AS open"""
        return not self.journal._connection.execute(query).fetchone()["open"]

    def states(self) -> tuple[str, ...]:
        """Return where its exchange and its sessions are."""
        query = "SELECT state FROM exchanges UNION ALL SELECT state FROM sessions"
        return tuple(row["state"] for row in self.journal._connection.execute(query))

    def _open(self) -> None:
        who, what = self.seat.who, self.seat.what
        self.journal = SqliteJournal(
            self.seat.file, clock=self._clock, names=self._names, boot_id=BOOT_ID
        )
        gate = Gate(self.journal)
        gate.has_looked = True
        self.journal.transact(registration.take_look, what)
        self.journal.transact(registration.take_standing, who, _confirmed(who, what))
        gate.review()
        assert gate.is_open
        self._courier = Courier(
            who,
            self.journal,
            gate,
            publish=self._wire.publish,
            clock=self._clock,
            names=self._names,
        )
        hearing = Hearing(
            on_standing=lambda: None,
            on_profile=lambda *_: self._prepare(),
            on_free=lambda _: self._prepare(),
            on_sessions=lambda: None,
            on_acknowledged=self._courier.acknowledged,
            on_quarantined=lambda: None,
            on_scan=lambda _: None,
            on_told=lambda _: None,
            on_devices=lambda _: None,
            on_strange_keys=lambda: None,
            on_offer=lambda _: None,
            on_extensions=lambda: None,
            on_modules=lambda: None,
            on_help=lambda: None,
            on_around=lambda _: None,
        )
        self._listener = Listener(
            who,
            self.journal,
            gate,
            hearing=hearing,
            acknowledge=lambda _: None,
            questions=self._courier,
        )
        self._courier.is_connected = True
        self.journal.on_said = self._courier.pump
        self.journal.on_asked = self._courier.post
        self._prepare()

    def _prepare(self) -> None:
        self.journal.transact(rights.prepare, self.seat.who, self.seat.device)

    def _see(self, session: str, state: SessionState) -> None:
        has_ended = state is SessionState.ENDED
        seen = ProgramSeen(
            session=session,
            state=state,
            end_reason=EndReason.CUSTOMER_ENDED if has_ended else None,
            remaining_seconds=60.0,
            delivered_seconds=1.0,
            started_at=self._clock.now_ms(),
            ended_at=self._clock.now_ms() if has_ended else None,
        )
        self.journal.transact(sessions.note_seen, seen)


def _confirmed(who: Identity, what: Specification) -> StandingTold:
    return StandingTold(
        standing=Standing.CONFIRMED, gate_digest=what.gate_digest, epoch=who.epoch, revision=1
    )

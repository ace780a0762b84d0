"""A terminal in the test's hand: real journal, flows and listener; no network and no runner."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from common.codec import Envelope, write
from common.ids import TerminalId
from common.messages.base import Message
from common.messages.sessions import SessionWarned
from common.mqtt import Delivery, Token
from common.rules.sessions import EndReason, SessionState
from common.seals import verifying_key
from common.topics import Address, Channel, topic_of
from edge_agent.flows import registration, rights
from edge_agent.journal import SqliteJournal
from edge_agent.listener import Hearing, Listener
from edge_agent.ports import Asked, Clock, Identity, Names, ProgramSeen, Verdict

GATE_DIGEST = "a" * 64


class TerminalInHand:
    """Hears what it is handed and keeps what it asks, says and shows."""

    def __init__(self, folder: Path, *, clock: Clock, names: Names, answer: dict[str, Any]) -> None:
        self.asked: list[Asked] = []
        self.shown: list[Verdict] = []
        self.free: list[str] = []
        self._file = folder / "journal.sqlite"
        self._clock = clock
        self._names = names
        self.boot_id = "boot-1"
        self.open()
        self.journal.transact(registration.keep_identity, answer)
        self._listen()

    def open(self) -> None:
        """Open the journal as a start of the agent does."""
        self.journal = SqliteJournal(
            self._file, clock=self._clock, names=self._names, boot_id=self.boot_id
        )
        self.journal._connection.execute("PRAGMA synchronous=OFF")
        self.journal.on_asked = self.asked.extend
        self.journal.on_shown = self.shown.append
        if self.do(registration.identity) is not None:
            self._listen()

    def restart(self, *, boot_id: str | None = None) -> None:
        """End the agent where it stands and start it again; with a boot id, the whole PC."""
        self.journal.close()
        self.asked.clear()
        self.boot_id = boot_id or self.boot_id
        self.open()

    def do(self, flow: Callable[..., Any], *args: Any) -> Any:
        """Call a flow over the open journal."""
        return self.journal.transact(flow, *args)

    def hear(self, message: Message, channel: Channel = Channel.REPLIES, tail: str = "") -> None:
        """Take in a message through the listener, as bytes on a topic."""
        address = Address(terminal=self.who.terminal, channel=channel, tail=tail)
        envelope = Envelope(
            id="m", terminal=self.who.terminal, epoch="", sent_at=0, message=message
        )
        self.listener.take(a_delivery(topic_of(address), write(envelope)))

    def asks(self) -> list[Message]:
        """Return what has been asked since the last look."""
        asked = [each.message for each in self.asked]
        self.asked.clear()
        return asked

    def tells(self) -> list[tuple[int, str, str]]:
        """Return the events still in the outbox: number, type and body."""
        rows = self.do(lambda journal: journal.rows.unsent(after=0, most=10_000))
        return [(row["seq"], row["type"], row["body"]) for row in rows]

    def told_types(self) -> list[str]:
        return [kind for _, kind, _ in self.tells()]

    def ask_again(self) -> list[Message]:
        """Return what every open exchange repeats from the journal."""
        self.asked.clear()
        self.do(rights.ask_again, self.who)
        return self.asks()

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return what a table of the journal holds, to look behind the curtain."""
        query = f"SELECT * FROM {table} ORDER BY rowid"  # noqa: S608 - named by tests
        return [dict(row) for row in self.journal._connection.execute(query)]

    def everything(self) -> list[str]:
        """Return all that the journal holds, so that two moments can be compared."""
        return list(self.journal._connection.iterdump())

    def _listen(self) -> None:
        who = self.do(registration.identity)
        assert who is not None
        self.who: Identity = who
        hearing = Hearing(
            on_gate=lambda _open: None,
            on_profile=lambda _profile: None,
            on_free=self.free.append,
            on_sessions=lambda: None,
            on_acknowledged=lambda _up_to: None,
        )
        self.listener = Listener(
            who, self.journal, GATE_DIGEST, hearing=hearing, acknowledge=lambda _: None
        )
        self.listener.gate_is_open = self.do(registration.is_open, GATE_DIGEST)


def a_delivery(topic: str, payload: bytes) -> Delivery:
    """Return what the link would hand over."""
    return Delivery(
        topic=topic, payload=payload, qos=1, retain=False, token=Token(connection=1, mid=1)
    )


def an_answer(
    public_keys: dict[int, str], *, terminal: str = "t-1", epoch: str = "e0"
) -> dict[str, Any]:
    """Return what the controller answers an enrolment."""
    assert all(verifying_key(bytes.fromhex(raw)) for raw in public_keys.values())
    return {
        "terminal": TerminalId(terminal),
        "store": "shinjuku",
        "epoch": epoch,
        "secret": "5e" * 32,
        "broker": {"host": "127.0.0.1", "port": 1883},
        "public_keys": public_keys,
    }


def a_program(session: str, state: str, **seen: Any) -> ProgramSeen:
    """Return what the runner says of a session."""
    facts: dict[str, Any] = {
        "end_reason": EndReason.TIME_UP if state in {"ended", "failed"} else None,
        "remaining_seconds": 60.0,
        "delivered_seconds": 0.0,
        "started_at": None,
        "ended_at": None,
        **seen,
    }
    return ProgramSeen(session=session, state=SessionState(state), **facts)


def say_number(journal: Any, number: int) -> None:
    """Say an event that carries a number."""
    journal.say(SessionWarned(session=f"s-{number}", at=number, seconds_left=0.0))

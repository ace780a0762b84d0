"""Out: the journal's events, in order, until the controller has them; and what was asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, Protocol

from common.codec import Envelope, message_from, write
from common.messages.base import Message
from common.messages.registration import Heartbeat, Presence, Specification
from common.mqtt import Token
from common.topics import AT_MOST_ONCE, RETAINED, WITH_A_TAIL, Address, Channel, topic_of
from edge_agent.flows import registration, rights
from edge_agent.ports import Asked, Clock, Identity, Journal, Names, Transaction

WINDOW: Final = 40
"""Events sent and not yet acknowledged: enough to fill the line, few enough to send again."""


class Publish(Protocol):
    """The link's way out: None when it cannot be sent now."""

    def __call__(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> Token | None:
        """Send now, or not at all."""
        ...


class Courier:
    """Speaks for one terminal. While the gate is closed nothing but its own gate branch is used."""

    def __init__(
        self,
        who: Identity,
        journal: Journal,
        specification: Specification,
        *,
        publish: Publish,
        clock: Clock,
        names: Names,
    ) -> None:
        """Take what it speaks for and with."""
        self.gate_is_open = False
        self.is_connected = False
        self._who = who
        self._journal = journal
        self._specification = specification
        self._publish = publish
        self._clock = clock
        self._names = names
        self._connection = names.hex_digits(16)
        self._sent_up_to = 0
        self._acknowledged_up_to = 0

    def will(self) -> tuple[str, bytes]:
        """Return the topic and the bytes that the broker publishes when we are gone."""
        gone = Presence(state="gone", connection=self._connection)
        return self._topic(Channel.PRESENCE), self._bytes(gone)

    def on_connected(self) -> None:
        """Say what we are, and who is here; everything unacknowledged goes again."""
        self.is_connected = True
        self._sent_up_to = self._acknowledged_up_to
        self._journal.transact(registration.specify, self._specification)
        if self.gate_is_open:
            self._send(Channel.PRESENCE, Presence(state="here", connection=self._connection))
            self._journal.transact(registration.greet)
            self._journal.transact(_ask_everything, self._who, self._specification)
            self.pump()

    def on_lost(self) -> None:
        """Note that nothing can be sent."""
        self.is_connected = False

    def leave(self) -> None:
        """Say that we are going, so that nobody has to wait for our silence to tell."""
        if self.gate_is_open and self.is_connected:
            self._send(Channel.PRESENCE, Presence(state="gone", connection=self._connection))

    def post(self, asked: Sequence[Asked]) -> None:
        """Send what the journal has just given a reason for."""
        for each in asked:
            if self.gate_is_open or each.channel is Channel.SPECIFICATION:
                self._send(each.channel, each.message)

    def pump(self) -> None:
        """Send the events that the window has room for."""
        if not self.gate_is_open or not self.is_connected:
            return
        room = WINDOW - (self._sent_up_to - self._acknowledged_up_to)
        if room > 0:
            for seq, kind, body in self._journal.transact(_unsent, self._sent_up_to, room):
                message = message_from(kind, json.loads(body))
                if self._send(Channel.EVENTS, message, seq=seq) is None:
                    return
                self._sent_up_to = seq

    def acknowledged(self, up_to: int) -> None:
        """Move the window: the controller has everything up to here."""
        self._acknowledged_up_to = max(self._acknowledged_up_to, up_to)
        self._sent_up_to = max(self._sent_up_to, self._acknowledged_up_to)
        self.pump()

    def beat(self) -> None:
        """Say that we are alive."""
        if self.gate_is_open and self.is_connected:
            self._send(Channel.HEARTBEAT, Heartbeat())

    def is_waiting(self) -> bool:
        """Say whether anything is owed an answer that may have been lost."""
        return self._journal.transact(_is_waiting, self._specification.gate_digest)

    def send_again(self, acknowledged_before: int) -> None:
        """Repeat what is owed an answer; events if none was acknowledged since that number."""
        if not self.is_connected:
            return
        if not self.gate_is_open:
            self._journal.transact(registration.specify, self._specification)
            return
        self._journal.transact(_ask_everything, self._who, self._specification)
        if self._acknowledged_up_to == acknowledged_before:
            self._sent_up_to = self._acknowledged_up_to
        self.pump()

    @property
    def acknowledged_up_to(self) -> int:
        """Return the number of the last event that the controller has."""
        return self._acknowledged_up_to

    def _send(self, channel: Channel, message: Message, *, seq: int = 0) -> Token | None:
        qos = 0 if channel in AT_MOST_ONCE else 1
        tail = message.type if channel in WITH_A_TAIL else ""
        topic, payload = self._topic(channel, tail), self._bytes(message, seq=seq)
        return self._publish(topic, payload, qos, retain=channel in RETAINED)

    def _topic(self, channel: Channel, tail: str = "") -> str:
        return topic_of(Address(terminal=self._who.terminal, channel=channel, tail=tail))

    def _bytes(self, message: Message, *, seq: int = 0) -> bytes:
        name = self._names.new("m")
        return write(
            Envelope(
                id=name,
                terminal=self._who.terminal,
                epoch=self._who.epoch,
                seq=seq,
                sent_at=self._clock.now_ms(),
                corr=name,
                message=message,
            )
        )


def _unsent(journal: Transaction, after: int, most: int) -> list[tuple[int, str, str]]:
    rows = journal.rows.unsent(after=after, most=most)
    return [(row["seq"], row["type"], row["body"]) for row in rows]


def _is_waiting(journal: Transaction, own_digest: str) -> bool:
    return (
        registration.awaits_word(journal, own_digest)
        or journal.rows.outbox_range()["waiting"] > 0
        or any(True for _ in journal.rows.open_exchanges())
    )


def _ask_everything(journal: Transaction, who: Identity, specification: Specification) -> None:
    """Ask again whatever has no answer yet."""
    if registration.profile(journal, specification.gate_digest) is None:
        registration.ask_for_service(journal, specification.gate_digest)
    rights.ask_again(journal, who)

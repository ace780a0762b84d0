"""Out: the journal's events, in order, until the controller has them; and what was asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, Protocol

from common.codec import Envelope, message_from, write
from common.messages.base import Message
from common.messages.registration import Heartbeat, Presence
from common.mqtt import Token
from common.topics import AT_MOST_ONCE, RETAINED, WITH_A_TAIL, Address, Channel, topic_of
from edge_agent.flows import registration, rights, service
from edge_agent.gate import Gate
from edge_agent.ports import Asked, Clock, Identity, Journal, Names, Transaction

WINDOW: Final = 40
"""Events sent and not yet acknowledged: enough to fill the line, few enough to send again."""


class Publish(Protocol):
    """The link's way out: None when it cannot be sent now."""

    def __call__(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> Token | None:
        """Send now, or not at all."""
        ...


class Courier:
    """Speaks for one terminal, on the channels that its gate lets it use."""

    def __init__(
        self,
        who: Identity,
        journal: Journal,
        gate: Gate,
        *,
        publish: Publish,
        clock: Clock,
        names: Names,
    ) -> None:
        """Take what it speaks for and with."""
        self.is_connected = False
        self._who = who
        self._journal = journal
        self._gate = gate
        self._publish = publish
        self._clock = clock
        self._names = names
        self._connection = names.hex_digits(16)
        self._awaits_standing = False
        self._standing_asked = ""
        self._greeted = ("", 0.0)
        self._sent_up_to = 0
        self._acknowledged_up_to = 0

    def will(self) -> tuple[str, bytes]:
        """Return the topic and the bytes that the broker publishes when we are gone."""
        name = self._names.new("m")
        return self._topic(Channel.PRESENCE), self._bytes(name, self._presence("gone"))

    def on_connected(self) -> None:
        """Note that we can speak; everything unacknowledged goes again."""
        self.is_connected = True
        self._sent_up_to = self._acknowledged_up_to

    def on_lost(self) -> None:
        """Note that nothing can be sent."""
        self.is_connected = False

    def ask_standing(self) -> None:
        """Say what we are, so that we are told where we stand; repeated until we are."""
        self._journal.transact(registration.specify)

    def answers_us(self, corr: str) -> bool:
        """Say of a word on our standing, once, whether it answers the last time that we asked."""
        is_answer = bool(corr) and corr == self._standing_asked
        if is_answer:
            self._standing_asked = ""
        return is_answer

    def greeted_seconds_ago(self, corr: str) -> float | None:
        """Return how long ago we said the hello that this answers, or None: it answers another."""
        greeting, at = self._greeted
        return self._clock.boot_seconds() - at if corr and corr == greeting else None

    def on_standing(self) -> None:
        """Note that we were told where we stand, whatever it is."""
        self._awaits_standing = False

    def come(self) -> None:
        """Say who is here and what is held, and ask what is open: as much as the gate allows."""
        self._send(Channel.PRESENCE, self._presence("here"))
        self._journal.transact(registration.greet, self._connection)
        self._ask_everything()
        self.pump()

    def leave(self) -> None:
        """Say that we are going, so that nobody has to wait for our silence to tell."""
        if self.is_connected:
            self._send(Channel.PRESENCE, self._presence("gone"))

    def post(self, asked: Sequence[Asked]) -> None:
        """Send what the journal has just given a reason for."""
        for each in asked:
            self._awaits_standing |= each.channel is Channel.SPECIFICATION
            self._send(each.channel, each.message)

    def pump(self) -> None:
        """Send the events that the window has room for."""
        if not self.is_connected or not self._gate.lets(Channel.EVENTS):
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

    def greet(self) -> None:
        """Say hello: what we hold and how far we have got; the answer says what time it is."""
        if self.is_connected and self._gate.lets(Channel.HELLO):
            self._journal.transact(registration.greet, self._connection)

    def beat(self) -> None:
        """Say that we are alive."""
        if self.is_connected:
            self._send(Channel.HEARTBEAT, Heartbeat())

    def is_waiting(self) -> bool:
        """Say whether anything is owed an answer that may have been lost."""
        return self._awaits_standing or self._journal.transact(_is_waiting, self._gate)

    def send_again(self, acknowledged_before: int) -> None:
        """Repeat what is owed an answer; events if none was acknowledged since that number."""
        if not self.is_connected:
            return
        if self._awaits_standing:
            self.ask_standing()
        self._ask_everything()
        if self._acknowledged_up_to == acknowledged_before:
            self._sent_up_to = self._acknowledged_up_to
        self.pump()

    @property
    def acknowledged_up_to(self) -> int:
        """Return the number of the last event that the controller has."""
        return self._acknowledged_up_to

    def _ask_everything(self) -> None:
        if self._gate.lets(Channel.REQUESTS):
            self._journal.transact(_ask_everything, self._who)

    def _presence(self, state: str) -> Presence:
        return Presence(state=state, connection=self._connection)

    def _send(self, channel: Channel, message: Message, *, seq: int = 0) -> Token | None:
        """Send on a channel, if the gate lets us; whatever is said goes through here."""
        if not self._gate.lets(channel):
            return None
        qos = 0 if channel in AT_MOST_ONCE else 1
        tail = message.type if channel in WITH_A_TAIL else ""
        name = self._names.new("m")
        if channel is Channel.SPECIFICATION:
            self._standing_asked = name
        elif channel is Channel.HELLO:
            self._greeted = name, self._clock.boot_seconds()
        topic, payload = self._topic(channel, tail), self._bytes(name, message, seq=seq)
        return self._publish(topic, payload, qos, retain=channel in RETAINED)

    def _topic(self, channel: Channel, tail: str = "") -> str:
        return topic_of(Address(terminal=self._who.terminal, channel=channel, tail=tail))

    def _bytes(self, name: str, message: Message, *, seq: int = 0) -> bytes:
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


def _is_waiting(journal: Transaction, gate: Gate) -> bool:
    """Say whether an answer is owed on a channel that is open to us."""
    if gate.lets(Channel.EVENTS) and journal.rows.outbox_range()["waiting"] > 0:
        return True
    return gate.lets(Channel.REQUESTS) and (
        service.awaits_profile(journal) or bool(journal.rows.is_owed_an_answer())
    )


def _ask_everything(journal: Transaction, who: Identity) -> None:
    """Ask again whatever has no answer yet."""
    if service.awaits_profile(journal):
        service.ask_for_service(journal)
    rights.ask_again(journal, who)

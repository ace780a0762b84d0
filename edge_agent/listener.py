"""MQTT in: a table from message type to flow; with the gate closed nothing but the standing is taken (A4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog

from common.codec import read
from common.errors import MessageIsMalformed
from common.messages.registration import (
    Acknowledged,
    ServiceProfile,
    ServiceRefused,
    StandingTold,
    Welcome,
)
from common.messages.rights import Aborted, Announced, Completed, Refused, Right, Troubled
from common.messages.sessions import Desired, StopSession
from common.mqtt import Delivery
from common.topics import CONTROLLER_STATE, Channel, address_of
from edge_agent.flows import registration, rights, sessions
from edge_agent.ports import Identity, Journal

ON_CHANNEL: Final[Mapping[Channel, tuple[type[Any], ...]]] = {
    Channel.REGISTRATION: (StandingTold,),
    Channel.WELCOME: (Welcome,),
    Channel.ACKS: (Acknowledged,),
    Channel.REPLIES: (
        ServiceProfile,
        ServiceRefused,
        Announced,
        Right,
        Refused,
        Completed,
        Aborted,
        Troubled,
    ),
    Channel.DESIRED: (Desired,),
    Channel.COMMANDS: (StopSession,),
}
"""What may come on each channel; anything else is dropped."""


class Hearing:
    """Whom the listener tells that something has changed; each does its part after the commit."""

    def __init__(
        self,
        *,
        on_gate: Callable[[bool], None],
        on_profile: Callable[[ServiceProfile], None],
        on_free: Callable[[str], None],
        on_sessions: Callable[[], None],
        on_acknowledged: Callable[[int], None],
    ) -> None:
        """Take the five that listen."""
        self.on_gate = on_gate
        self.on_profile = on_profile
        self.on_free = on_free
        self.on_sessions = on_sessions
        self.on_acknowledged = on_acknowledged


class Listener:
    """Takes what the broker delivers, and acknowledges it once it is in the journal or is nothing for it."""

    def __init__(
        self,
        who: Identity,
        journal: Journal,
        own_digest: str,
        *,
        hearing: Hearing,
        acknowledge: Callable[[Delivery], None],
    ) -> None:
        """Take the parts it speaks to; `own_digest` is the gate digest of what this terminal is now."""
        self.gate_is_open = False
        self.dropped: Counter[str] = Counter()
        self._who = who
        self._journal = journal
        self._own_digest = own_digest
        self._hearing = hearing
        self._acknowledge = acknowledge
        self._log = structlog.get_logger("listener")

    def take(self, delivery: Delivery) -> None:
        """Read one delivery and hand it to its flow."""
        message = self._message_in(delivery)
        if message is not None:
            self._hear(message)
        self._acknowledge(delivery)

    def _message_in(self, delivery: Delivery) -> Any:  # noqa: ANN401 - any message, or None
        if delivery.topic == CONTROLLER_STATE:
            return None
        address = address_of(delivery.topic)
        if address is None or address.terminal != self._who.terminal:
            return self._drop("unknown_topic", delivery.topic)
        if address.channel is not Channel.REGISTRATION and not self.gate_is_open:
            return self._drop("gate_is_closed", delivery.topic)
        try:
            message = read(delivery.payload).message
        except MessageIsMalformed as fault:
            return self._drop("malformed", str(fault))
        if not isinstance(message, ON_CHANNEL.get(address.channel, ())):
            return self._drop("wrong_channel", message.type)
        return message

    def _hear(self, message: Any) -> None:  # noqa: ANN401, C901, PLR0912 - one flat table of every message type
        transact, who, hearing = self._journal.transact, self._who, self._hearing
        match message:
            case StandingTold():
                self._note_gate(
                    is_open=transact(registration.take_standing, message, self._own_digest)
                )
            case ServiceProfile():
                if transact(registration.take_profile, message, self._own_digest):
                    hearing.on_profile(message)
            case ServiceRefused():
                transact(registration.take_refusal, message)
                self._note_gate(is_open=False)
            case Welcome():
                transact(registration.take_welcome, message)
                hearing.on_acknowledged(message.acknowledged_up_to)
            case Acknowledged():
                if message.epoch == who.epoch:
                    transact(registration.take_acknowledged, message)
                    hearing.on_acknowledged(message.up_to)
            case Announced():
                transact(rights.take_announced, who, message)
            case Right():
                if transact(rights.take_right, who, message):
                    hearing.on_sessions()
            case Refused():
                transact(rights.take_refused, who, message)
            case Completed() | Aborted():
                device = transact(rights.take_completed, who, message)
                if device is not None:
                    hearing.on_free(device)
            case Troubled():
                transact(rights.take_trouble, who, message)
            case StopSession():
                transact(sessions.take_stop, message)
                hearing.on_sessions()
            case Desired():
                transact(sessions.take_desired, message)
                hearing.on_sessions()
            case _:
                raise AssertionError(message)

    def _note_gate(self, *, is_open: bool) -> None:
        if is_open is not self.gate_is_open:
            self.gate_is_open = is_open
            self._hearing.on_gate(is_open)

    def _drop(self, why: str, detail: str) -> None:
        self.dropped[why] += 1
        self._log.warning("message dropped", why=why, detail=detail[:200])

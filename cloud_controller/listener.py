"""MQTT in: a table from message type to flow; what cannot be read, or names a false sender, is counted and dropped."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cloud_controller.flows import offerings, registration, rights, sessions
from cloud_controller.ports import Books, Received, Transaction
from common.codec import Envelope, message_from, read
from common.errors import MessageIsMalformed, TooManyWaiting
from common.ids import TerminalId
from common.messages import (
    offerings as said_of_offerings,
    registration as said_of_registration,
    rights as said_of_rights,
    sessions as said_of_sessions,
)
from common.messages.registration import Acknowledged
from common.mqtt import Delivery
from common.rules.presence import Presence
from common.rules.registration import BrokerRole
from common.rules.tickets import sight
from common.topics import Address, Channel, address_of

INBOX_WAITING_MAX: Final = 1_000
"""Events of one terminal that may wait for an earlier one; its window is 40, so more is not ours."""

Flow = Callable[[Transaction, Received], None]

EVENTS: Final[Mapping[str, Flow]] = {
    said_of_offerings.OfferingRegistered.type: offerings.register,
    said_of_offerings.OfferingOn.type: offerings.turn_on,
    said_of_offerings.OfferingOff.type: offerings.turn_off,
    said_of_sessions.SessionStarting.type: sessions.note_starting,
    said_of_sessions.SessionRunning.type: sessions.note_running,
    said_of_sessions.SessionWarned.type: sessions.note_warned,
    said_of_sessions.SessionEnding.type: sessions.note_ending,
    said_of_sessions.SessionEnded.type: sessions.note_ended,
    said_of_sessions.SessionFailed.type: sessions.note_failed,
    said_of_sessions.CommandTold.type: sessions.note_command,
    said_of_sessions.ScanDenied.type: rights.note_denied,
}
"""What the ordered stream of a terminal may carry."""

REQUESTS: Final[Mapping[str, Flow]] = {
    said_of_registration.ServiceRequest.type: registration.give_service,
    said_of_rights.Announce.type: rights.announce,
    said_of_rights.Complete.type: rights.complete,
    said_of_rights.Abort.type: rights.abort,
}
"""Questions that need an answer now; `rights.request` is the one more, whose ticket is read at the door."""


class Listener:
    """Takes what the broker delivers; acknowledges it when it is in the books, or is nothing for them."""

    def __init__(
        self,
        books: Books,
        *,
        keys: Mapping[int, Ed25519PublicKey],
        acknowledge: Callable[[Delivery], None],
        on_heard: Callable[[TerminalId, Presence], None],
        on_change: Callable[[], None],
    ) -> None:
        """Take the parts it speaks to.

        Args:
            books: where everything goes.
            keys: the public keys by which tickets are checked at the door.
            acknowledge: tells the broker that a delivery is safe.
            on_heard: called with each sign of life of a terminal.
            on_change: called after each commit that may have changed what is due when.
        """
        self.dropped: Counter[str] = Counter()
        self._books = books
        self._keys = keys
        self._acknowledge = acknowledge
        self._on_heard = on_heard
        self._on_change = on_change
        self._log = structlog.get_logger("listener")

    def take(self, delivery: Delivery) -> None:
        """Read one delivery and hand it to its flow."""
        address = address_of(delivery.topic)
        if address is None:
            self._drop(delivery, "unknown_topic", delivery.topic)
            return
        try:
            envelope = read(delivery.payload)
        except MessageIsMalformed as fault:
            self._drop(delivery, "malformed", str(fault))
            return
        if envelope.terminal != address.terminal:
            self._drop(delivery, "false_sender", envelope.terminal)
            return
        call = self._call_for(address, envelope)
        if call is None:
            self._drop(delivery, "wrong_channel", envelope.message.type)
            return
        self._enter(delivery, call)

    def _call_for(
        self, address: Address, envelope: Envelope
    ) -> Callable[[Transaction], object] | None:
        """Return what to do in the books about a message, or None: it does not belong on its topic."""
        said = Received(
            terminal=address.terminal,
            epoch=envelope.epoch,
            seq=envelope.seq,
            corr=envelope.corr,
            message=envelope.message,
        )
        match address.channel, envelope.message:
            case Channel.SPECIFICATION, said_of_registration.Specification():
                return _flow_for(registration.specify, said)
            case Channel.HELLO, said_of_registration.Hello():
                self._on_heard(said.terminal, Presence.HERE)
                return _flow_for(sessions.hello, said)
            case Channel.HEARTBEAT, said_of_registration.Heartbeat():
                self._on_heard(said.terminal, Presence.HERE)
                return _nothing
            case Channel.PRESENCE, said_of_registration.Presence(state=state):
                self._on_heard(said.terminal, Presence.GONE if state == Presence.GONE else Presence.HERE)
                return _nothing
            case Channel.EVENTS, message if message.type in EVENTS:
                return _flow_for(take_event, said)
            case Channel.REQUESTS, said_of_rights.Request() as message:
                seen = sight(message.request.token, self._keys)
                return partial(rights.request, said=said, seen=seen)
            case Channel.REQUESTS, message if message.type in REQUESTS:
                return _flow_for(REQUESTS[message.type], said)
        return None

    def _enter(self, delivery: Delivery, call: Callable[[Transaction], object]) -> None:
        if call is _nothing:
            self._acknowledge(delivery)
            return
        try:
            future = self._books.transact(call)
        except TooManyWaiting:
            self._drop(delivery, "too_many_waiting", delivery.topic)
            return
        future.add_done_callback(partial(self._entered, delivery))

    def _entered(self, delivery: Delivery, future: asyncio.Future[object]) -> None:
        """Settle a delivery: a fault of one message must neither stop nor repeat it for ever."""
        self._acknowledge(delivery)
        if future.cancelled():
            return
        fault = future.exception()
        if fault is None:
            self._on_change()
            return
        self.dropped["failed"] += 1
        self._log.error("a message failed", topic=delivery.topic, exc_info=fault)

    def _drop(self, delivery: Delivery, why: str, detail: str) -> None:
        self.dropped[why] += 1
        self._log.warning("message dropped", why=why, topic=delivery.topic, detail=detail[:200])
        self._acknowledge(delivery)


def take_event(books: Transaction, said: Received) -> None:
    """Apply a terminal's events in order, each once, and say up to where they are safe (promise 9)."""
    known = books.rights.standing(terminal_id=said.terminal)
    if known is None or known["epoch"] != said.epoch or known["broker_role"] == BrokerRole.GATE:
        return
    who = {"terminal_id": said.terminal, "epoch": said.epoch}
    mark = books.post.mark(**who) or 0
    if said.seq == mark + 1:
        mark = _apply_from(books, said, mark)
        books.post.raise_mark(**who, applied_up_to=mark)
    elif said.seq > mark:
        _keep_for_later(books, said)
    books.say(said.terminal, Channel.ACKS, Acknowledged(epoch=said.epoch, up_to=mark))


def _apply_from(books: Transaction, said: Received, mark: int) -> int:
    """Apply this event and those waiting right behind it; return the new mark."""
    who = {"terminal_id": said.terminal, "epoch": said.epoch}
    EVENTS[said.message.type](books, said)
    mark += 1
    while (row := books.post.received(**who, seq=mark + 1)) is not None:
        mark += 1
        message: Any = message_from(row["type"], json.loads(row["body"]))
        next_said = Received(
            terminal=said.terminal, epoch=said.epoch, seq=mark, corr="", message=message
        )
        EVENTS[message.type](books, next_said)
        books.post.applied(**who, seq=mark)
    return mark


def _keep_for_later(books: Transaction, said: Received) -> None:
    who = {"terminal_id": said.terminal, "epoch": said.epoch}
    if books.post.waiting_count(**who) < INBOX_WAITING_MAX:
        books.post.receive(
            **who,
            seq=said.seq,
            type=said.message.type,
            body=said.message.model_dump_json(),
            received_at=books.now,
        )


def _flow_for(flow: Flow, said: Received) -> Callable[[Transaction], None]:
    return lambda books: flow(books, said)


def _nothing(_books: Transaction) -> None:
    """Stand for a message that only shows its sender is alive."""

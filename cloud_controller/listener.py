"""MQTT in: a table from channel and message type to flow; what is not taken is counted."""

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
from common.codec import message_from, read
from common.errors import MessageIsMalformed, RusubanError, TooManyWaiting
from common.ids import TerminalId
from common.messages import (
    offerings as said_of_offerings,
    registration as said_of_registration,
    rights as said_of_rights,
    sessions as said_of_sessions,
)
from common.messages.registration import Acknowledged, Presence as PresenceTold
from common.mqtt import Delivery
from common.rules.presence import Presence
from common.rules.registration import BrokerRole
from common.rules.tickets import sight
from common.topics import Channel, address_of

INBOX_WAITING_MAX: Final = 1_000
"""Events of one terminal that may wait for an earlier one; an honest one has 40 under way."""

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


class NotTaken(RusubanError):
    """A message is not taken, {why}: {detail}."""


class Listener:
    """Takes what the broker delivers; acknowledges it when it is in the books or not for them."""

    def __init__(
        self,
        books: Books,
        *,
        keys: Mapping[int, Ed25519PublicKey],
        acknowledge: Callable[[Delivery], None],
        on_heard: Callable[[TerminalId, Presence, str], None],
        on_change: Callable[[], None],
    ) -> None:
        """Take the parts it speaks to.

        Args:
            books: where everything goes.
            keys: the public keys by which tickets are checked at the door.
            acknowledge: tells the broker that a delivery is safe.
            on_heard: called with each sign of life of a terminal, and the connection it names.
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
        try:
            said, channel = self._said_in(delivery)
            call = self._call_for(said, channel)
            self._note_life(said, channel)
        except NotTaken as refusal:
            self.dropped[str(refusal.facts["why"])] += 1
            self._log.warning("message dropped", topic=delivery.topic, **refusal.facts)
            self._acknowledge(delivery)
            return
        if call is None:
            self._acknowledge(delivery)
        else:
            self._enter(delivery, call)

    def _said_in(self, delivery: Delivery) -> tuple[Received, Channel]:
        """Return what was said and on which channel.

        Raises:
            NotTaken: it is none of ours, cannot be read, or names a false sender.
        """
        address = address_of(delivery.topic)
        if address is None:
            raise NotTaken(why="unknown_topic", detail="")
        try:
            envelope = read(delivery.payload)
        except MessageIsMalformed as fault:
            raise NotTaken(why="malformed", detail=str(fault)) from fault
        if envelope.terminal != address.terminal:
            raise NotTaken(why="false_sender", detail=envelope.terminal)
        said = Received(
            terminal=address.terminal,
            epoch=envelope.epoch,
            seq=envelope.seq,
            corr=envelope.corr,
            message=envelope.message,
        )
        return said, address.channel

    def _call_for(self, said: Received, channel: Channel) -> Callable[[Transaction], object] | None:
        """Return what to do in the books, or None: it is only a sign of life.

        Raises:
            NotTaken: this message does not belong on this channel.
        """
        message = said.message
        if (channel, message.type) == (Channel.REQUESTS, said_of_rights.Request.type):
            seen = sight(message.request.token, self._keys)
            return lambda books: rights.request(books, said, seen)
        flow = FLOWS.get((channel, message.type))
        if flow is not None:
            return lambda books: flow(books, said)
        if (channel, message.type) in SIGNS_OF_LIFE:
            return None
        raise NotTaken(why="wrong_channel", detail=message.type)

    def _note_life(self, said: Received, channel: Channel) -> None:
        """Pass on what shows that a terminal is here, or says that it has gone."""
        message = said.message
        if isinstance(message, PresenceTold):
            is_gone = message.state == Presence.GONE
            presence = Presence.GONE if is_gone else Presence.HERE
            self._on_heard(said.terminal, presence, message.connection)
        elif (channel, message.type) in SIGNS_OF_LIFE:
            self._on_heard(said.terminal, Presence.HERE, "")

    def _enter(self, delivery: Delivery, call: Callable[[Transaction], object]) -> None:
        try:
            future = self._books.transact(call)
        except TooManyWaiting:
            self.dropped["too_many_waiting"] += 1
            self._acknowledge(delivery)
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


def take_event(books: Transaction, said: Received) -> None:
    """Apply a terminal's events in order, each once, and say up to where they are safe."""
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


FLOWS: Final[Mapping[tuple[Channel, str], Flow]] = {
    (Channel.SPECIFICATION, said_of_registration.Specification.type): registration.specify,
    (Channel.HELLO, said_of_registration.Hello.type): sessions.hello,
    (Channel.REQUESTS, said_of_registration.ServiceRequest.type): registration.give_service,
    (Channel.REQUESTS, said_of_rights.Announce.type): rights.announce,
    (Channel.REQUESTS, said_of_rights.Complete.type): rights.complete,
    (Channel.REQUESTS, said_of_rights.Abort.type): rights.abort,
    **{(Channel.EVENTS, kind): take_event for kind in EVENTS},
}
"""What each channel may carry; `rights.request` is the one more, its ticket read at the door."""

SIGNS_OF_LIFE: Final = frozenset(
    {
        (Channel.HELLO, said_of_registration.Hello.type),
        (Channel.HEARTBEAT, said_of_registration.Heartbeat.type),
        (Channel.PRESENCE, PresenceTold.type),
    }
)
"""What shows that a terminal is here, or says that it has gone."""

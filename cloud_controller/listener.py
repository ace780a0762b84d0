"""MQTT in: one table says which flow takes what, one what shows life; the rest is counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import structlog

from cloud_controller import bookings
from cloud_controller.flows import devices, modules, registration, rights, service
from cloud_controller.inbox import EVENTS, EventBreaksItsFlow, take_event
from cloud_controller.ports import Books, Flow, Received, Transaction
from common.codec import read
from common.errors import MessageIsMalformed, RusubanError, TooManyWaiting
from common.ids import TerminalId
from common.messages import (
    registration as said_of_registration,
    rights as said_of_rights,
    service as said_of_service,
    specification as said_of_specification,
)
from common.messages.devices import DeviceAsk
from common.messages.extensions import ExtensionAsk
from common.messages.modules import ModulesAsk, ModulesProgress
from common.messages.registration import Presence as PresenceTold
from common.messages.scanners import ScannersCounted
from common.mqtt import Delivery
from common.rules.presence import Presence
from common.topics import OPEN_TO, BrokerRole, Channel, address_of

UNDER_WAY_MAX: Final = 128
"""Messages of one terminal before the writer at once: more than its window and exchanges."""


class NotTaken(RusubanError):
    """A message is not taken, {why}: {detail}."""


class Listener:
    """Takes what the broker delivers; acknowledges it when it is in the books or not for them."""

    def __init__(
        self,
        books: Books,
        flows: Mapping[tuple[Channel, str], Flow],
        *,
        acknowledge: Callable[[Delivery], None],
        on_heard: Callable[[TerminalId, Presence, str], None],
        on_change: Callable[[], None],
    ) -> None:
        """Take the parts it speaks to.

        Args:
            books: where everything goes.
            flows: what is done about each message; `flows_for` says it for a set of roles.
            acknowledge: tells the broker that a delivery is safe.
            on_heard: called with each sign of life of a terminal, and the connection it names.
            on_change: called after each commit that may have changed what is due when.
        """
        self.dropped: Counter[str] = Counter()
        self._under_way: Counter[TerminalId] = Counter()
        self._books = books
        self._flows = flows
        self._acknowledge = acknowledge
        self._on_heard = on_heard
        self._on_change = on_change
        self._log = structlog.get_logger("listener")

    def take(self, delivery: Delivery) -> None:
        """Read one delivery and hand it to its flow."""
        if is_taken_away(delivery):
            self._acknowledge(delivery)
            return
        try:
            said, channel = self._said_in(delivery)
            call = self._call_for(said, channel, is_kept=delivery.retain)
            self._note_life(said, channel)
        except NotTaken as refusal:
            self.dropped[str(refusal.facts["why"])] += 1
            self._log.warning("message dropped", topic=delivery.topic, **refusal.facts)
            self._acknowledge(delivery)
            return
        if call is None:
            self._acknowledge(delivery)
        else:
            self._enter(said.terminal, delivery, call)

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

    def _call_for(
        self, said: Received, channel: Channel, *, is_kept: bool
    ) -> Callable[[Transaction], object] | None:
        """Return what to do in the books, or None: it is at most a sign of life to us.

        What the broker has kept is about an earlier time: it shows life, and no more.

        Raises:
            NotTaken: this message does not belong on this channel.
        """
        kind = channel, said.message.type
        if kind not in FLOWS and kind not in SIGNS_OF_LIFE:
            raise NotTaken(why="wrong_channel", detail=said.message.type)
        flow = self._flows.get(kind)  # None where a process with another role takes it
        if flow is None or is_kept:
            return None
        return partial(_admit, said=said, channel=channel, flow=flow)

    def _note_life(self, said: Received, channel: Channel) -> None:
        """Pass on what shows that a terminal is here, or says that it has gone."""
        message = said.message
        if isinstance(message, PresenceTold):
            is_gone = message.state == Presence.GONE
            presence = Presence.GONE if is_gone else Presence.HERE
            self._on_heard(said.terminal, presence, message.connection)
        elif (channel, message.type) in SIGNS_OF_LIFE:
            self._on_heard(said.terminal, Presence.HERE, "")

    def _enter(
        self, terminal: TerminalId, delivery: Delivery, call: Callable[[Transaction], object]
    ) -> None:
        """Hand a call to the writer; a terminal that floods it takes the room of nobody else."""
        has_room = self._under_way[terminal] < UNDER_WAY_MAX
        try:
            future = self._books.transact_for(terminal, call) if has_room else None
        except TooManyWaiting:
            future = None
        if future is None:
            self.dropped["too_many_waiting"] += 1
            self._acknowledge(delivery)
            return
        self._under_way[terminal] += 1
        future.add_done_callback(partial(self._entered, terminal, delivery))

    def _entered(
        self, terminal: TerminalId, delivery: Delivery, future: asyncio.Future[object]
    ) -> None:
        """Settle a delivery: a fault of one message must neither stop nor repeat it for ever."""
        self._under_way[terminal] -= 1
        if not self._under_way[terminal]:
            del self._under_way[terminal]
        fault = None if future.cancelled() else future.exception()
        if isinstance(fault, EventBreaksItsFlow):
            self._enter(terminal, delivery, fault.set_aside)
        else:
            self._acknowledge(delivery)
        if fault is None:
            self._on_change()
        else:
            self.dropped["failed"] += 1
            self._log.error("a message failed", topic=delivery.topic, exc_info=fault)


def is_taken_away(delivery: Delivery) -> bool:
    """Say whether this is only the broker's kept presence of a terminal being taken away."""
    address = None if delivery.payload else address_of(delivery.topic)
    return address is not None and address.channel is Channel.PRESENCE


def _admit(books: Transaction, said: Received, channel: Channel, flow: Flow) -> None:
    """Carry out a flow for a terminal whose role may use this channel (A7).

    The broker has looked already; neither trusts the other to. Whoever speaks out of turn is told
    where it stands; an earlier epoch is told nothing.
    """
    row = books.registration.admission(terminal_id=said.terminal)
    if row is None or row["epoch"] != said.epoch:
        return
    if BrokerRole(row["broker_role"]) in OPEN_TO[channel]:
        flow(books, said)
    else:
        registration.tell_standing(books, said)


def _management(till: bookings.Till) -> Mapping[tuple[Channel, str], Flow]:
    """Return what whoever has the broker takes; `till` is how time that is added is paid."""
    exchange = partial(bookings.take, till=till)
    return {
        **_BY_ITSELF,
        (Channel.REQUESTS, ExtensionAsk.type): partial(bookings.answer, till=till),
        **{(Channel.REQUESTS, said.type): exchange for said in said_of_rights.FROM_THE_CLIENT},
    }


_BY_ITSELF: Final[Mapping[tuple[Channel, str], Flow]] = {
    (Channel.SPECIFICATION, said_of_specification.Specification.type): registration.specify,
    (Channel.PRESENCE, PresenceTold.type): registration.note_connection,
    (Channel.HELLO, said_of_registration.Hello.type): bookings.hello,
    (Channel.REQUESTS, said_of_rights.ReportScan.type): rights.take_report,
    (Channel.REQUESTS, ModulesAsk.type): modules.offer,
    (Channel.REQUESTS, DeviceAsk.type): devices.tell_around,
    (Channel.TELEMETRY, ModulesProgress.type): modules.keep_progress,
    **{(Channel.EVENTS, kind): take_event for kind in EVENTS},
}

_SERVICE: Final[Mapping[tuple[Channel, str], Flow]] = {
    (Channel.REQUESTS, said_of_service.ServiceRequest.type): service.give,
}

FLOWS: Final = {**_management(bookings.AT_THE_COUNTER), **_SERVICE}
"""What each channel may carry, whichever process takes it, where money is settled outside."""


def flows_for(
    roles: frozenset[str], till: bookings.Till = bookings.AT_THE_COUNTER
) -> Mapping[tuple[Channel, str], Flow]:
    """Return what a process with these roles takes from terminals, and how it is paid."""
    return {
        **(_management(till) if "management" in roles else {}),
        **(_SERVICE if "service" in roles else {}),
    }


SIGNS_OF_LIFE: Final = frozenset(
    {
        (Channel.HELLO, said_of_registration.Hello.type),
        (Channel.HEARTBEAT, said_of_registration.Heartbeat.type),
        (Channel.PRESENCE, PresenceTold.type),
        (Channel.TELEMETRY, ScannersCounted.type),
    }
)
"""What shows that a terminal is here, or says that it has gone."""

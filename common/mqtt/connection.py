"""One connection, first byte to last: one paho client, one thread; only this file knows paho."""

from __future__ import annotations

import os
import select
import socket
import ssl
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from common.mqtt.values import (
    Delivery,
    LinkSettings,
    LossReason,
    Outcome,
    SubscriptionIsRefused,
    Token,
    Will,
)

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike
    from paho.mqtt.reasoncodes import ReasonCode

_P = ParamSpec("_P")

UNSENT_MILLISECONDS = 20_000
"""The kernel ends a connection whose bytes go unconfirmed: a pulled cable, before keepalive."""

RECEIVE_MAXIMUM_UNSAID = 65_535
"""What a broker allows that does not say (MQTT 5, 3.2.2.3.3)."""

_REASONS = {
    0x86: LossReason.NOT_AUTHORISED,
    0x87: LossReason.NOT_AUTHORISED,
    0x8A: LossReason.NOT_AUTHORISED,
    0x8E: LossReason.TAKEN_OVER,
    0x98: LossReason.ADMINISTRATIVE,
}
"""MQTT 5 reason codes that mean more than a lost connection."""

_OUTCOMES = {
    0x00: Outcome.OK,
    0x10: Outcome.NO_SUBSCRIBERS,
    0x87: Outcome.NOT_AUTHORISED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Connected:
    """The broker let us in."""

    session_present: bool
    receive_maximum: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Acknowledged:
    """The broker answered a QoS 1 message."""

    token: Token
    outcome: Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Something raised in the connection's thread, or was refused there."""

    where: str
    fault: BaseException


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """The thread is at its end, whatever ended it; always the last event and always sent."""

    reason: LossReason
    dropped: int


Event = Delivery | Connected | Acknowledged | Fault | Ended


class Connection:
    """A paho client that is thrown away with its connection.

    The thread is ours, for paho's own uses `select`, which fails above 1 024 descriptors, wakes up
    every second with nothing to do, and can die of a fault while it still says connected.
    `publish`, `subscribe`, `acknowledge`, `end`, `cut` and `close` belong to the loop's thread.
    """

    def __init__(
        self,
        number: int,
        settings: LinkSettings,
        hand_over: Callable[[Connection, Event], bool],
    ) -> None:
        self.number = number
        self._settings = settings
        self._hand_over = hand_over
        self._client = self._new_client()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._reason = LossReason.NETWORK
        self._is_ending = False
        self._is_reading = False
        self._dropped = 0
        self._at_most_once_sent = 0
        self._at_most_once_written = 0

    def start(self) -> None:
        """Connect and carry messages, in a thread of its own."""
        name = f"mqtt {self._settings.name} {self.number}"
        threading.Thread(target=self._live, name=name, daemon=True).start()

    @property
    def unwritten(self) -> int:
        """How many QoS 0 messages still wait for the socket."""
        return self._at_most_once_sent - self._at_most_once_written

    def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> Token | None:
        """Hand a message to paho; None when the connection is gone already."""
        sent = self._client.publish(topic, payload, qos, retain)
        if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return None
        self._at_most_once_sent += qos == 0
        return Token(self.number, sent.mid)

    def subscribe(self, filters: Sequence[str], qos: int) -> bool:
        """Ask for topics; False when the connection is gone already."""
        result, _ = self._client.subscribe([(each, qos) for each in filters])
        return result == MQTTErrorCode.MQTT_ERR_SUCCESS

    def acknowledge(self, delivery: Delivery) -> None:
        """Send the PUBACK of a message of this connection."""
        self._client.ack(delivery.token.mid, delivery.qos)

    def end(self) -> None:
        """Say goodbye and end; the broker then leaves the will unsaid."""
        self._is_ending = True
        os.eventfd_write(self._wake, 1)

    def cut(self) -> None:
        """End without a word; the thread sees its socket closed."""
        self._is_ending = True
        if isinstance(connected := self._client.socket(), socket.socket):
            with suppress(OSError):  # closed meanwhile: as wanted
                socket.socket.shutdown(connected, socket.SHUT_RDWR)  # below TLS, which may be busy

    def close(self) -> None:
        """Give back what the thread no longer needs; call it when `Ended` has come."""
        os.close(self._wake)

    # --- what follows runs in the connection's own thread -----------------------------------------

    def _live(self) -> None:
        try:
            self._connect()
            self._converse()
        except ssl.SSLError as fault:
            _close_left_open(fault)
            self._say(Fault(where="tls", fault=fault))
        except OSError:
            pass  # not reachable: `Ended` says so
        except BaseException as fault:  # noqa: BLE001 - a fault of paho's must not end the link unheard
            self._say(Fault(where="paho", fault=fault))
        finally:
            self.cut()
            self._say(Ended(reason=self._reason, dropped=self._dropped))

    def _connect(self) -> None:
        settings = self._settings
        properties = _properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = settings.session_expiry_seconds
        properties.ReceiveMaximum = settings.receive_maximum
        self._client.connect(
            settings.host,
            settings.port,
            settings.keepalive_seconds,
            clean_start=settings.clean_start,
            properties=properties,
        )

    def _converse(self) -> None:
        """Read, write and keep alive until the socket is gone."""
        client, poll = self._client, select.poll()
        idle_milliseconds = self._settings.keepalive_seconds * 1_000 // 4
        goodbye_is_due = True
        poll.register(self._wake, select.POLLIN)
        while (connected := client.socket()) is not None:
            writing = select.POLLOUT if client.want_write() else 0
            poll.register(connected.fileno(), select.POLLIN | writing)
            has_read_ahead = isinstance(connected, ssl.SSLSocket) and connected.pending() > 0
            ready = {number for number, _ in poll.poll(0 if has_read_ahead else idle_milliseconds)}
            if self._wake in ready:
                os.eventfd_read(self._wake)
            if has_read_ahead or connected.fileno() in ready:
                self._read()
            if self._is_ending and goodbye_is_due:
                goodbye_is_due = False
                client.disconnect()
            client.loop_write()
            client.loop_misc()

    def _read(self) -> None:
        self._is_reading = True
        self._client.loop_read()
        self._is_reading = False

    def _say(self, event: Event) -> bool:
        return self._hand_over(self, event)

    def _new_client(self) -> Client:
        settings = self._settings
        client = Client(
            CallbackAPIVersion.VERSION2,
            settings.name,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        user = settings.name if settings.user is None else settings.user
        if user:
            client.username_pw_set(user, settings.password)
        client.max_inflight_messages_set(0)  # no queue in paho: the window is the link's
        if settings.tls is not None:
            client.tls_set_context(settings.tls)
        if settings.will is not None:
            _leave(settings.will, client)
        client.on_socket_open = self._guarded(_be_prompt)
        client.on_socket_register_write = self._guarded(self._on_something_to_write)
        client.on_connect = self._guarded(self._on_connect)
        client.on_message = self._guarded(self._on_message)
        client.on_publish = self._guarded(self._on_publish)
        client.on_subscribe = self._guarded(self._on_subscribe)
        client.on_disconnect = self._guarded(self._on_disconnect)
        return client

    def _guarded(self, callback: Callable[_P, None]) -> Callable[_P, None]:
        """Return a callback that cannot kill the thread: paho lets an exception do that."""

        def call(*args: _P.args, **kwargs: _P.kwargs) -> None:
            try:
                callback(*args, **kwargs)
            except Exception as fault:  # noqa: BLE001 - whatever it is, the thread must live
                self._say(Fault(where=callback.__name__, fault=fault))

        return call

    def _on_something_to_write(self, _client: Client, _: object, _socket: SocketLike) -> None:
        """Wake the thread; paho calls this in whichever thread has queued the first packet."""
        os.eventfd_write(self._wake, 1)

    def _on_connect(
        self,
        _client: Client,
        _: object,
        flags: ConnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if code.is_failure:
            self._reason = _REASONS.get(code.value, LossReason.NETWORK)
            return
        self._say(
            Connected(
                session_present=flags.session_present,
                receive_maximum=getattr(properties, "ReceiveMaximum", RECEIVE_MAXIMUM_UNSAID),
            )
        )

    def _on_message(self, _client: Client, _: object, message: MQTTMessage) -> None:
        delivery = Delivery(
            topic=message.topic,
            payload=bytes(message.payload),
            qos=message.qos,
            retain=message.retain,
            token=Token(self.number, message.mid),
        )
        if not self._say(delivery):
            self._dropped += 1
            self._reason = LossReason.OVERFLOW
            self._is_ending = True

    def _on_publish(
        self, _client: Client, _: object, mid: int, code: ReasonCode, _properties: Properties
    ) -> None:
        """Hear of a PUBACK while reading; while writing, of a QoS 0 message that has left."""
        if not self._is_reading:
            self._at_most_once_written += 1
            return
        outcome = _OUTCOMES.get(code.value, Outcome.REFUSED)
        self._say(Acknowledged(token=Token(self.number, mid), outcome=outcome))

    def _on_subscribe(
        self,
        _client: Client,
        _: object,
        _mid: int,
        codes: list[ReasonCode],
        _properties: Properties,
    ) -> None:
        if any(code.is_failure for code in codes):
            refused = SubscriptionIsRefused(codes=", ".join(map(str, codes)))
            self._say(Fault(where="subscribe", fault=refused))

    def _on_disconnect(
        self,
        _client: Client,
        _: object,
        flags: DisconnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._reason = _REASONS.get(code.value, LossReason.NETWORK)


def _close_left_open(fault: ssl.SSLError) -> None:
    """Close the socket of a handshake that has failed: paho drops it as it is."""
    for frame, _ in traceback.walk_tb(fault.__traceback__):
        for left in frame.f_locals.values():
            if isinstance(left, ssl.SSLSocket):
                left.close()


def _leave(will: Will, client: Client) -> None:
    properties = _properties(PacketTypes.WILLMESSAGE)
    properties.WillDelayInterval = will.delay_seconds
    client.will_set(will.topic, will.payload, will.qos, will.retain, properties)


def _properties(packet_type: int) -> Properties:
    return Properties(packet_type)  # type: ignore[no-untyped-call] # paho leaves it untyped


def _be_prompt(_client: Client, _: object, opened: SocketLike) -> None:
    """Send small packets at once: without it a round trip takes 44 ms longer."""
    assert isinstance(opened, socket.socket)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNSENT_MILLISECONDS)

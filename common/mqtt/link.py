"""One name's connection to the broker, made again whenever it is lost; it keeps nothing."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from common.mqtt.connection import Acknowledged, Connected, Connection, Ended, Event, Fault
from common.mqtt.patience import Patience
from common.mqtt.values import (
    PAYLOAD_BYTES_MAX,
    Delivery,
    LinkCallbacks,
    LinkCounts,
    LinkSettings,
    LossReason,
    Token,
)

CONNECT_SECONDS = 15.0
"""An attempt the broker has not answered is given up; paho waits 5 s of them for TCP."""

STOP_SECONDS = 2.0
"""A polite goodbye may take this long; then the connection is cut."""

GOODBYE_LOOKS_SECONDS = 0.005
"""How often it is looked, at a goodbye, whether the broker has everything."""

BURST_MAX = 100
"""Events handled in one turn of the loop, so that a flood of messages does not starve the rest."""

UNWRITTEN_MAX = 1_000
"""QoS 0 messages that may wait for a slow socket; beyond it they are not sent."""


class Link:
    """One name's connection to the broker, made again whenever it is lost.

    What cannot be sent now is refused now: the outbox is the only queue. Each connection has its
    own paho client, so nothing of an older one can be sent or acknowledged later. There is no task:
    paho's thread calls in, timers call out. All methods belong to the loop's thread.
    """

    def __init__(
        self,
        settings: LinkSettings,
        callbacks: LinkCallbacks,
        *,
        random: Callable[[], float],
        report: Callable[[str, BaseException], None],
    ) -> None:
        self.counts = LinkCounts()
        self.is_connected = False
        self._settings = settings
        self._callbacks = callbacks
        self._report = report
        self._patience = Patience(settings.retry, random)
        self._events: deque[tuple[Connection, Event]] = deque()
        self._drain_is_due = False
        self._connection: Connection | None = None
        self._made = 0
        self._connected_at = 0.0
        self._in_flight = 0
        self._in_flight_max = settings.in_flight_max
        self._next_step: asyncio.TimerHandle | None = None
        self._ended = asyncio.Event()
        self._is_stopping = False

    async def start(self) -> None:
        """Begin to connect; returns at once."""
        assert self._connection is None
        self._loop = asyncio.get_running_loop()
        self._is_stopping = False
        self._connect()

    async def stop(self) -> None:
        """Say goodbye, so that the will stays unsaid; returns when the connection is gone."""
        self._is_stopping = True
        self._plan_nothing()
        if self._connection is None:
            return
        connection = self._connection
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._until_all_is_acknowledged()
                connection.end()
                await self._ended.wait()
        except TimeoutError:
            connection.cut()
        finally:
            self._connection = None
            self.is_connected = False

    async def _until_all_is_acknowledged(self) -> None:
        """Wait for the last words: a socket closed on what is still to come takes them with it."""
        while self._in_flight and self.is_connected:  # noqa: ASYNC110 - for these few milliseconds
            await asyncio.sleep(GOODBYE_LOOKS_SECONDS)

    def subscribe(self, filters: Sequence[str], qos: int = 1) -> bool:
        """Ask for these topics; False when not connected, for `on_connected` will come."""
        if self._connection is None or not self.is_connected:
            return False
        return self._connection.subscribe(filters, qos)

    def publish(
        self, topic: str, payload: bytes, qos: int, *, retain: bool = False
    ) -> Token | None:
        """Send now or not at all: None when not connected or when too much is under way.

        The token of a QoS 1 message comes back to `on_acknowledged`, unless the connection ends.
        """
        assert len(payload) <= PAYLOAD_BYTES_MAX, f"{topic}: {len(payload)} bytes"
        token = None
        if self._connection is not None and self.is_connected and self._has_room_for(qos):
            token = self._connection.publish(topic, payload, qos, retain=retain)
        if token is None:
            self.counts.not_sent += 1
            return None
        self.counts.sent += 1
        self._in_flight += qos > 0
        return token

    def acknowledge(self, delivery: Delivery) -> None:
        """Tell the broker a message is safe; one of an older connection will come again."""
        connection = self._connection
        if connection is not None and connection.number == delivery.token.connection:
            connection.acknowledge(delivery)

    def _has_room_for(self, qos: int) -> bool:
        if qos > 0:
            return self._in_flight < self._in_flight_max
        return self._connection is not None and self._connection.unwritten < UNWRITTEN_MAX

    def _connect(self) -> None:
        self._made += 1
        self._ended.clear()
        self._connection = Connection(self._made, self._settings, self._hand_over)
        self._plan(CONNECT_SECONDS, self._give_up)
        self._connection.start()

    def _give_up(self) -> None:
        assert self._connection is not None
        self._connection.cut()
        self._lost(LossReason.NETWORK)

    def _hand_over(self, connection: Connection, event: Event) -> bool:
        """Take an event from paho's thread; one wake-up of the loop carries a whole burst."""
        if len(self._events) >= self._settings.waiting_max and isinstance(event, Delivery):
            return False
        self._events.append((connection, event))
        if not self._drain_is_due:
            self._drain_is_due = True
            with suppress(RuntimeError):  # the loop is closed: nobody is left to hear it
                self._loop.call_soon_threadsafe(self._drain)
        return True

    def _drain(self) -> None:
        self._drain_is_due = False
        for _ in range(BURST_MAX):
            if not self._events:
                return
            self._take(*self._events.popleft())
        self._drain_is_due = True
        self._loop.call_soon(self._drain)

    def _take(self, connection: Connection, event: Event) -> None:
        if isinstance(event, Ended):
            self.counts.dropped += event.dropped
            connection.close()
        if connection is not self._connection:
            return
        match event:
            case Delivery():
                self.counts.received += 1
                self._tell(self._callbacks.on_message, event)
            case Acknowledged(token=token, outcome=outcome):
                self._in_flight -= 1
                self._tell(self._callbacks.on_acknowledged, token, outcome)
            case Connected():
                self._connected(event)
            case Ended(reason=reason):
                self._ended.set()
                self._lost(reason)
            case Fault(where=where, fault=fault):
                self._failed(where, fault)

    def _connected(self, event: Connected) -> None:
        self._plan_nothing()
        self.is_connected = True
        self.counts.connected += 1
        self._connected_at = self._loop.time()
        self._in_flight = 0
        self._in_flight_max = min(self._settings.in_flight_max, event.receive_maximum)
        self._tell(self._callbacks.on_connected, event.session_present)

    def _lost(self, reason: LossReason) -> None:
        lived_seconds = self._loop.time() - self._connected_at if self.is_connected else None
        self.is_connected = False
        self._connection = None
        if self._is_stopping:
            return
        self.counts.lost += 1
        reason, seconds = self._patience.after(reason, lived_seconds)
        self._plan(seconds, self._connect)
        self._tell(self._callbacks.on_lost, reason)

    def _plan(self, seconds: float, step: Callable[[], None]) -> None:
        self._plan_nothing()
        self._next_step = self._loop.call_later(seconds, step)

    def _plan_nothing(self) -> None:
        if self._next_step is not None:
            self._next_step.cancel()
            self._next_step = None

    def _tell(self, callback: Callable[..., None], *facts: object) -> None:
        try:
            callback(*facts)
        except Exception as fault:  # noqa: BLE001 - whatever a callback raises, the next message must come
            self._failed(getattr(callback, "__qualname__", "callback"), fault)

    def _failed(self, where: str, fault: BaseException) -> None:
        self.counts.faults += 1
        self._report(where, fault)

"""What moves switches: MQTT messages, through a link to the store's own broker."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from common.errors import CannotStart
from common.mqtt import (
    Delivery,
    Link,
    LinkCallbacks,
    LinkSettings,
    LossReason,
    Outcome,
    RetrySettings,
    Token,
)
from common.rules.actions import Level, Trouble
from common.switches.settings import MqttSwitch, SwitchBroker
from common.switches.status import read_status

UNDER_WAY_MAX: Final = 256
"""Messages whose acknowledgement is remembered: four of each switch."""

RETRY: Final = RetrySettings(
    shortest_seconds=0.5,
    longest_seconds=15.0,
    refused_seconds=15.0,
    taken_over_seconds=(15.0, 30.0),
)
"""A broker of the store's is near, and a customer waits before its door."""

_TROUBLES: Final[Mapping[Outcome, Trouble]] = {
    Outcome.NO_SUBSCRIBERS: Trouble.NOBODY_LISTENS,
    Outcome.NOT_AUTHORISED: Trouble.BROKER_REFUSES,
    Outcome.REFUSED: Trouble.BROKER_REFUSES,
}


class Hearing(Protocol):
    """Whoever is told what became of a switch."""

    def on_way(self, switches: Sequence[str]) -> None:
        """Hear that these can be moved again, and may have been turned meanwhile."""
        ...

    def on_taken(self, switch: str, level: Level) -> None:
        """Hear that whoever listens for it was told, or that its command has run."""
        ...

    def on_failed(self, switch: str, level: Level, trouble: Trouble) -> None:
        """Hear that a try has come to nothing."""
        ...

    def on_status(self, switch: str, level: Level | None, heard: str, *, is_new: bool) -> None:
        """Hear what a switch says that it is; one that is not new is what it once said."""
        ...


class Doer(Protocol):
    """What moves some of the switches."""

    def in_the_way(self) -> Trouble | None:
        """Return why nothing can be moved now, or None."""
        ...

    def do(self, switch: str, level: Level, run: str) -> Trouble | None:
        """Begin to move a switch; why not, where it cannot. What came of it is heard later.

        `run` names the act: done twice under one name it is done once, where that can be held.
        """
        ...


class Line:
    """The link to the broker that switches listen to; a `Doer`."""

    def __init__(
        self,
        broker: SwitchBroker,
        switches: Sequence[MqttSwitch],
        hearing: Hearing,
        *,
        client: str,
        random: Callable[[], float],
        report: Callable[[str, BaseException], None],
    ) -> None:
        """Make the link; `start` connects it.

        Args:
            broker: where it is, and who we are there.
            switches: those that are moved by messages.
            hearing: who is told what became of them.
            client: our client id, where the settings give none.
            random: draws numbers from 0 up to 1.
            report: is told of faults of the link.

        Raises:
            CannotStart: a file of the broker's cannot be read.
        """
        self._switches = {switch.switch: switch for switch in switches}
        self._by_status: dict[str, list[MqttSwitch]] = {}
        for switch in switches:
            if switch.status_topic:
                self._by_status.setdefault(switch.status_topic, []).append(switch)
        self._hearing = hearing
        self._is_refused = False
        self._under_way: dict[Token, tuple[str, Level]] = {}
        self._link = Link(
            _link_settings(broker, client),
            LinkCallbacks(
                on_message=self._on_message,
                on_connected=self._on_connected,
                on_lost=self._on_lost,
                on_acknowledged=self._on_acknowledged,
            ),
            random=random,
            report=report,
        )

    async def start(self) -> None:
        """Begin to connect; returns at once."""
        await self._link.start()

    async def stop(self) -> None:
        """Say goodbye; no switch is moved by that."""
        await self._link.stop()

    def in_the_way(self) -> Trouble | None:
        """See `Doer`."""
        if self._link.is_connected:
            return None
        return Trouble.BROKER_REFUSES if self._is_refused else Trouble.BROKER_AWAY

    def do(self, switch: str, level: Level, run: str) -> Trouble | None:  # noqa: ARG002 - a message has no name
        """See `Doer`; nothing is retained: what a lamp finds when it is plugged in may be old."""
        if trouble := self.in_the_way():
            return trouble
        known = self._switches[switch]
        payload = known.payload_on if level is Level.ON else known.payload_off
        token = self._link.publish(known.topic, payload.encode(), 1)
        if token is None:
            return Trouble.BROKER_AWAY
        while len(self._under_way) >= UNDER_WAY_MAX:
            self._under_way.pop(next(iter(self._under_way)))
        self._under_way[token] = (switch, level)
        return None

    def _on_connected(self, _session_present: object) -> None:
        self._is_refused = False
        self._under_way.clear()
        if self._by_status:
            self._link.subscribe(sorted(self._by_status))
        self._hearing.on_way(list(self._switches))

    def _on_lost(self, reason: LossReason) -> None:
        self._is_refused = reason is LossReason.NOT_AUTHORISED

    def _on_acknowledged(self, token: Token, outcome: Outcome) -> None:
        known = self._under_way.pop(token, None)
        if known is None:
            return
        switch, level = known
        trouble = _TROUBLES.get(outcome)
        if trouble is not None:
            self._hearing.on_failed(switch, level, trouble)
        else:
            self._hearing.on_taken(switch, level)

    def _on_message(self, delivery: Delivery) -> None:
        if delivery.qos:
            self._link.acknowledge(delivery)
        for switch in self._by_status.get(delivery.topic, ()):
            level, heard = read_status(switch, delivery.payload)
            self._hearing.on_status(switch.switch, level, heard, is_new=not delivery.retain)


def _link_settings(broker: SwitchBroker, client: str) -> LinkSettings:
    return LinkSettings(
        host=broker.host,
        port=broker.port,
        name=broker.client or client,
        user=broker.user,
        password=_password_in(broker),
        clean_start=True,
        session_expiry_seconds=0,
        tls=_trusting(broker),
        retry=RETRY,
    )


def _password_in(broker: SwitchBroker) -> str:
    if broker.password_file is None:
        return ""
    try:
        return broker.password_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as fault:
        why = f"`switch_broker.password_file` cannot be read: {fault}"
        raise CannotStart(why=why) from fault


def _trusting(broker: SwitchBroker) -> ssl.SSLContext | None:
    if not broker.tls:
        return None
    try:
        return ssl.create_default_context(cafile=broker.authority)
    except (OSError, ssl.SSLError) as fault:
        why = f"`switch_broker.authority` cannot be read: {fault}"
        raise CannotStart(why=why) from fault

"""The controller's line to its broker: what it hears on it, and who it is to it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import asdict, dataclass

import structlog

from cloud_controller.broker import CONTROL_RESPONSES, refusals_in
from common.mqtt import (
    Delivery,
    Link,
    LinkCallbacks,
    LinkSettings,
    Outcome,
    RetrySettings,
    Token,
    Will,
)
from common.topics import CONTROLLER_STATE, controller_filters, profile_filters


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who we are to the broker; `has_broker` says whether it is ours, and with it the outbox."""

    name: str
    password: str
    has_broker: bool
    tls: ssl.SSLContext | None


@dataclass(frozen=True, kw_only=True)
class Ends:
    """Who hears of the line.

    Attributes:
        on_message: something has come in from a terminal.
        on_connected: we are let in.
        on_acknowledged: the broker has what we said.
        report: something failed, and where.
    """

    on_message: Callable[[Delivery], None]
    on_connected: Callable[[], None]
    on_acknowledged: Callable[[Token, Outcome], None]
    report: Callable[[str, BaseException], None]


class Connection:
    """One link to the broker, from its start until it is stopped."""

    def __init__(self, account: Account, ends: Ends, random: Callable[[], float]) -> None:
        """Take who we are and who listens; `random` spreads the retries."""
        self._account, self._ends, self._random = account, ends, random
        self._log = structlog.get_logger("controller")
        self._link: Link | None = None

    @property
    def is_up(self) -> bool:
        """Say whether the broker has let us in."""
        return self._link is not None and self._link.is_connected

    async def start(self, host: str, port: int) -> None:
        """Connect to the broker, and stay connected."""
        account = self._account
        gone = Will(topic=CONTROLLER_STATE, payload=b"gone", delay_seconds=0)
        self._link = Link(
            LinkSettings(
                host=host,
                port=port,
                name=account.name,
                password=account.password,
                tls=account.tls,
                session_expiry_seconds=0,
                clean_start=True,
                will=gone if account.has_broker else None,
                retry=RetrySettings(
                    shortest_seconds=0.05,
                    longest_seconds=1.0,
                    refused_seconds=1.0,
                    taken_over_seconds=(0.5, 1.0),  # nobody has our name: the broker was restarted
                ),
            ),
            LinkCallbacks(
                on_message=self._on_message,
                on_connected=self._on_connected,
                on_acknowledged=self._ends.on_acknowledged,
            ),
            random=self._random,
            report=self._ends.report,
        )
        await self._link.start()

    async def stop(self) -> None:
        """Leave the broker; whoever has it says first that no controller is there."""
        if self._link is None:
            return
        if self._account.has_broker:
            self._link.publish(CONTROLLER_STATE, b"gone", 1, retain=True)  # no will is said now
        await self._link.stop()

    def acknowledge(self, delivery: Delivery) -> None:
        """Tell the broker that a delivery is safe."""
        if self._link is not None:
            self._link.acknowledge(delivery)

    def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> Token | None:
        """Send a message; None: we are not connected."""
        if self._link is None:
            return None
        return self._link.publish(topic, payload, qos, retain=retain)

    def _on_connected(self, _session_present: object) -> None:
        assert self._link is not None
        if not self._account.has_broker:
            self._link.subscribe(profile_filters().subscribe)
            return
        self._link.subscribe((*controller_filters().subscribe, CONTROL_RESPONSES))
        self._link.publish(CONTROLLER_STATE, b"here", 1, retain=True)
        self._ends.on_connected()

    def _on_message(self, delivery: Delivery) -> None:
        """Hand on what terminals say; the broker itself speaks only when it refuses a command."""
        if delivery.topic != CONTROL_RESPONSES:
            self._ends.on_message(delivery)
            return
        for refusal in refusals_in(delivery.payload):
            self._log.error("the broker refuses a command", **asdict(refusal))
        self.acknowledge(delivery)

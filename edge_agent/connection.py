"""The line to the broker: one link at a time, made anew with each renewed credentials."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from common.errors import CannotStart
from common.mqtt import (
    Delivery,
    Link,
    LinkCallbacks,
    LinkSettings,
    LossReason,
    RetrySettings,
    SubscriptionIsRefused,
    Token,
    Will,
)
from edge_agent.enrolment import tls_of
from edge_agent.ports import Identity
from edge_agent.settings import AgentSettings

RENEWALS_WAITING_MAX: Final = 10
"""Renewed credentials not yet used; there is one in ten minutes at most."""


@dataclass(frozen=True, kw_only=True)
class Ends:
    """Who hears of the line.

    Attributes:
        will: the topic and payload that the broker says when we are gone without a word.
        on_message: something has come in.
        on_connected: we are let in.
        on_lost: we are not any more, and why.
        on_left: we leave by ourselves, to come back under renewed credentials.
    """

    will: Callable[[], tuple[str, bytes]]
    on_message: Callable[[Delivery], None]
    on_connected: Callable[[bool], None]
    on_lost: Callable[[LossReason], None]
    on_left: Callable[[], None]


class Connection:
    """Who we are at the broker, and the link that says so."""

    def __init__(
        self, who: Identity, settings: AgentSettings, ends: Ends, random: Callable[[], float]
    ) -> None:
        """Make the first link, which connects when it is started; `random` spreads its retries.

        Raises:
            CannotStart: its credentials cannot be used.
        """
        self._settings, self._ends, self._random = settings, ends, random
        self._renewed: asyncio.Queue[Identity] = asyncio.Queue(RENEWALS_WAITING_MAX)
        self.who = who
        self.link = self._made_for(who)
        self._log = structlog.get_logger("agent")

    async def start(self) -> None:
        """Connect, and again whenever the line is lost."""
        await self.link.start()

    async def stop(self) -> None:
        """Leave the broker."""
        await self.link.stop()

    async def run(self) -> None:
        """Connect again with each renewed credentials; what cannot be used leaves us as we are."""
        while True:
            renewed = await self._renewed.get()
            try:
                link = self._made_for(renewed)
            except CannotStart as fault:
                self._log.error("credentials not used", why=str(fault))
                continue
            self._ends.on_left()
            await self.link.stop()
            self.who, self.link = renewed, link
            await link.start()

    def renew(self, who: Identity) -> None:
        """Have the link made anew as this identity."""
        self._renewed.put_nowait(who)

    def subscribe(self, filters: Sequence[str]) -> None:
        """Ask for what these filters name."""
        self.link.subscribe(filters)

    def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> Token | None:
        """Send; None when there is no room or no line."""
        return self.link.publish(topic, payload, qos, retain=retain)

    def acknowledge(self, delivery: Delivery) -> None:
        """Say that what has come in is in the journal, or worth nothing."""
        self.link.acknowledge(delivery)

    def _made_for(self, who: Identity) -> Link:
        topic, payload = self._ends.will()
        retry = self._settings.retry
        return Link(
            LinkSettings(
                host=who.broker_host,
                port=who.broker_port,
                name=who.terminal,
                password=who.secret,
                will=Will(topic=topic, payload=payload),
                tls=tls_of(who, self._settings.state_folder),
                retry=RetrySettings(
                    shortest_seconds=retry.shortest_seconds,
                    longest_seconds=retry.longest_seconds,
                    refused_seconds=retry.refused_seconds,
                ),
            ),
            LinkCallbacks(
                on_message=self._ends.on_message,
                on_connected=self._ends.on_connected,
                on_lost=self._ends.on_lost,
            ),
            random=self._random,
            report=self._report,
        )

    def _report(self, where: str, fault: BaseException) -> None:
        if isinstance(fault, SubscriptionIsRefused):
            self._log.info("the broker gives us less than our role", why=str(fault))
        else:
            self._log.error("a callback failed", where=where, exc_info=fault)

"""What a link is told and what it tells: settings, deliveries, reasons; values only."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from common.errors import RusubanError

PAYLOAD_BYTES_MAX = 65_536
"""Bytes of a payload; larger things go by HTTPS."""


class SubscriptionIsRefused(RusubanError):
    """The broker refuses a subscription: {codes}."""


class LossReason(Enum):
    """Why a connection ended, or could not be made."""

    NETWORK = "network"
    ADMINISTRATIVE = "administrative"
    NOT_AUTHORISED = "not_authorised"
    TAKEN_OVER = "taken_over"
    OVERFLOW = "overflow"


class Outcome(Enum):
    """What the broker did with a QoS 1 message; `ok` is not yet delivery."""

    OK = "ok"
    NO_SUBSCRIBERS = "no_subscribers"
    NOT_AUTHORISED = "not_authorised"
    REFUSED = "refused"


class Token(NamedTuple):
    """Names one publish of one connection."""

    connection: int
    mid: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """A message as it came; QoS 1 is owed an `acknowledge` once it is safe."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    token: Token


@dataclass(frozen=True, kw_only=True, slots=True)
class Will:
    """What the broker says for us when we are gone for `delay_seconds`."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = True
    delay_seconds: int = 15


@dataclass(frozen=True, kw_only=True, slots=True)
class RetrySettings:
    """How long to wait before connecting again, in seconds."""

    shortest_seconds: float = 1.0
    """The first wait is a random part of this; each further one of twice as much."""
    longest_seconds: float = 120.0
    refused_seconds: float = 60.0
    """After the broker did not let us in: this, less up to half."""
    taken_over_seconds: tuple[float, float] = (60.0, 300.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkSettings:
    """Where the broker is and who we are there; `name` is the client id."""

    host: str
    port: int
    name: str
    password: str = field(repr=False)
    user: str | None = None
    """Who we say we are, where that is not `name`; empty: nobody, and there is no password."""
    keepalive_seconds: int = 30
    session_expiry_seconds: int = 3600
    clean_start: bool = False
    receive_maximum: int = 1_000
    """QoS 1 messages the broker may send before we acknowledge one."""
    waiting_max: int = 5_000
    """Messages that may wait for the loop; one more ends the connection: no loss is silent."""
    in_flight_max: int = 1_000
    """QoS 1 messages sent and not yet acknowledged; the broker may ask for fewer."""
    will: Will | None = None
    tls: ssl.SSLContext | None = None
    retry: RetrySettings = RetrySettings()


def _ignore(*_: object) -> None:
    """Hear and do nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkCallbacks:
    """Whom the link tells, in the loop's thread; what they raise is reported and stops nothing."""

    on_message: Callable[[Delivery], None] = _ignore
    on_connected: Callable[[bool], None] = _ignore
    """With whether the broker kept our session; subscribe here, every time."""
    on_lost: Callable[[LossReason], None] = _ignore
    """A connection ended, or an attempt failed; the link tries again by itself."""
    on_acknowledged: Callable[[Token, Outcome], None] = _ignore


@dataclass(kw_only=True, slots=True)
class LinkCounts:
    """What a link has done since it was made, for `/metrics`."""

    connected: int = 0
    lost: int = 0
    sent: int = 0
    not_sent: int = 0
    received: int = 0
    dropped: int = 0
    """Messages that found too many waiting; those of QoS 1 come again."""
    faults: int = 0
    """Callbacks that raised, subscriptions refused, and paho's own."""

"""Every MQTT topic, built and read here and nowhere else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from common.ids import TerminalId

ROOT = "rusuban/v1"
CONTROLLER_STATE = f"{ROOT}/controller/state"
BROKER_CONTROL = "$CONTROL/dynamic-security/v1"


class Channel(StrEnum):
    """What follows `rusuban/v1/{terminal}/`; `up` is towards the controller, `down` is back."""

    SPECIFICATION = "gate/up/specification"
    REGISTRATION = "gate/down/registration"
    PRESENCE = "service/up/presence"
    HELLO = "service/up/hello"
    WELCOME = "service/down/welcome"
    EVENTS = "service/up/events"
    ACKS = "service/down/acks"
    REQUESTS = "service/up/requests"
    REPLIES = "service/down/replies"
    DESIRED = "service/down/desired"
    COMMANDS = "service/down/commands"
    TELEMETRY = "service/up/telemetry"
    HEARTBEAT = "service/up/heartbeat"


WITH_A_TAIL = frozenset({Channel.REQUESTS, Channel.COMMANDS})
"""Channels with one more level: the method asked for, the command's id."""

AT_MOST_ONCE = frozenset({Channel.ACKS, Channel.TELEMETRY, Channel.HEARTBEAT})
"""Channels sent with QoS 0: the next one makes a lost one good."""

RETAINED = frozenset({Channel.PRESENCE})
"""The only channel of a terminal that the broker keeps; never a command, never a secret."""

_TOPIC = re.compile(
    rf"{ROOT}/(?P<terminal>[A-Za-z0-9_.-]{{1,64}})/"
    r"(?P<channel>[a-z]+/(?:up|down)/[a-z]+)(?:/(?P<tail>[A-Za-z0-9_.:-]{1,64}))?"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where a message is from or for; `tail` is empty except on the channels that have one."""

    terminal: TerminalId
    channel: Channel
    tail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleTopics:
    """Topic filters that a broker role may publish to and subscribe to."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def topic_of(address: Address) -> str:
    """Return the topic of an address.

    >>> topic_of(Address(terminal=TerminalId("t-1"), channel=Channel.ACKS))
    'rusuban/v1/t-1/service/down/acks'
    """
    assert bool(address.tail) == (address.channel in WITH_A_TAIL), address
    tail = f"/{address.tail}" if address.tail else ""
    return f"{ROOT}/{address.terminal}/{address.channel}{tail}"


def address_of(topic: str) -> Address | None:
    """Return the address that a topic names, or None when it is none of ours.

    >>> address_of("rusuban/v1/t-1/service/up/requests/rights.announce").tail
    'rights.announce'
    """
    found = _TOPIC.fullmatch(topic)
    if found is None:
        return None
    try:
        channel = Channel(found["channel"])
    except ValueError:
        return None
    tail = found["tail"] or ""
    if bool(tail) != (channel in WITH_A_TAIL):
        return None
    return Address(terminal=TerminalId(found["terminal"]), channel=channel, tail=tail)


def gate_filters(terminal: str) -> RoleTopics:
    """Return what role `gate` opens: the terminal's own gate branch and nothing else."""
    branch = f"{ROOT}/{terminal}/gate"
    return RoleTopics(publish=(f"{branch}/up/#",), subscribe=(f"{branch}/down/#",))


def service_filters(terminal: str) -> RoleTopics:
    """Return what role `service` opens: the whole of the terminal's own branch."""
    gate, branch = gate_filters(terminal), f"{ROOT}/{terminal}/service"
    return RoleTopics(
        publish=(*gate.publish, f"{branch}/up/#"),
        subscribe=(*gate.subscribe, f"{branch}/down/#", CONTROLLER_STATE),
    )


def settling_filters(terminal: str) -> RoleTopics:
    """Return what role `settling` opens: sessions may end and be reported, nothing new comes in."""
    gate = gate_filters(terminal)

    def own(channel: Channel, tail: str = "") -> str:
        return f"{ROOT}/{terminal}/{channel}{tail}"

    return RoleTopics(
        publish=(*gate.publish, own(Channel.EVENTS), own(Channel.HELLO), own(Channel.PRESENCE)),
        subscribe=(*gate.subscribe, own(Channel.ACKS), own(Channel.COMMANDS, "/#")),
    )


def controller_filters() -> RoleTopics:
    """Return what the controller may do: hear every terminal, speak to every terminal."""
    return RoleTopics(
        publish=(f"{ROOT}/+/gate/down/#", f"{ROOT}/+/service/down/#", CONTROLLER_STATE),
        subscribe=(f"{ROOT}/+/gate/up/#", f"{ROOT}/+/service/up/#"),
    )


def terminal_subscriptions(terminal: str, *, gate_is_open: bool) -> tuple[str, ...]:
    """Return what a terminal subscribes to; before confirmation its gate branch alone (A4)."""
    role = service_filters(terminal) if gate_is_open else gate_filters(terminal)
    return role.subscribe

"""Every MQTT topic, built and read here and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.ids import TerminalId

ROOT = "rusuban/v1"
CONTROLLER_STATE = f"{ROOT}/controller/state"
BROKER_CONTROL = "$CONTROL/dynamic-security/v1"
HOME = "rusuban/home"
"""What a house's own automation reads and presses; nothing of the protocol is below it."""
DISCOVERY = "homeassistant"
"""Where Home Assistant looks for what there is."""
BUTTONS = ("end", "extend")
"""What can be pressed there; each is the last level of its topic."""
HOME_BORN = f"{DISCOVERY}/status"
"""What Home Assistant says when it has come: it reads everything anew."""
PROFILE_ASKED = "service.request"
"""The method by which a terminal asks for its service information."""


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

    @property
    def is_up(self) -> bool:
        """Say whether it leads from the terminal to the controller."""
        return "/up/" in self.value


class BrokerRole(StrEnum):
    """What the broker lets a terminal do: wait at the gate, serve, or settle what it still has."""

    GATE = "gate"
    SERVICE = "service"
    SETTLING = "settling"


_ALWAYS: Final = frozenset(BrokerRole)
_IN_SERVICE: Final = frozenset({BrokerRole.SERVICE})
_WHILE_SOMETHING_SETTLES: Final = frozenset({BrokerRole.SERVICE, BrokerRole.SETTLING})

OPEN_TO: Final[Mapping[Channel, frozenset[BrokerRole]]] = {
    Channel.SPECIFICATION: _ALWAYS,
    Channel.REGISTRATION: _ALWAYS,
    Channel.PRESENCE: _WHILE_SOMETHING_SETTLES,
    Channel.HELLO: _WHILE_SOMETHING_SETTLES,
    Channel.WELCOME: _IN_SERVICE,
    Channel.EVENTS: _WHILE_SOMETHING_SETTLES,
    Channel.ACKS: _WHILE_SOMETHING_SETTLES,
    Channel.REQUESTS: _IN_SERVICE,
    Channel.REPLIES: _IN_SERVICE,
    Channel.DESIRED: _IN_SERVICE,
    Channel.COMMANDS: _WHILE_SOMETHING_SETTLES,
    Channel.TELEMETRY: _IN_SERVICE,
    Channel.HEARTBEAT: _IN_SERVICE,
}
"""Who may use each channel: the one rule that broker, controller and agent all go by (A4, A7)."""

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


def filters_for(terminal: str, role: BrokerRole) -> RoleTopics:
    """Return what a role opens: channels of the terminal's own branch, and no other's."""
    beside = (CONTROLLER_STATE,) if role is BrokerRole.SERVICE else ()
    return RoleTopics(
        publish=tuple(_filters(terminal, role, is_up=True)),
        subscribe=(*_filters(terminal, role, is_up=False), *beside),
    )


def controller_filters() -> RoleTopics:
    """Return what the controller may do: hear every terminal, speak to every terminal.

    It may also speak on a terminal's presence, to take away what the broker keeps of one that left.
    """
    return RoleTopics(
        publish=(
            *(f"{ROOT}/+/gate/down/#", f"{ROOT}/+/service/down/#", CONTROLLER_STATE),
            f"{ROOT}/+/{Channel.PRESENCE}",
        ),
        subscribe=(f"{ROOT}/+/gate/up/#", f"{ROOT}/+/service/up/#"),
    )


def profile_filters() -> RoleTopics:
    """Return what a service server apart may do: hear one question, and answer whoever asked."""
    return RoleTopics(
        publish=(f"{ROOT}/+/{Channel.REPLIES}",),
        subscribe=(f"{ROOT}/+/{Channel.REQUESTS}/{PROFILE_ASKED}",),
    )


def discovery_topic(name: str) -> str:
    """Return where a thing of this name is described to Home Assistant."""
    return f"{DISCOVERY}/device/rusuban_{name.replace('.', '_')}/config"


def is_told_to_homes(topic: str) -> bool:
    """Say whether this is where our bridge describes a thing, or says how it stands."""
    is_state = topic.startswith(f"{HOME}/") and topic.endswith("/state")
    return is_state or topic.startswith(f"{DISCOVERY}/device/rusuban_")


def home_topic(name: str, what: str) -> str:
    """Return where a thing says its `state`, or where its button of this name is pressed."""
    return f"{HOME}/{name}/{what}"


def pressed_in(topic: str) -> tuple[str, str] | None:
    """Return whose button was pressed and which, or None: the topic is no button's.

    >>> pressed_in("rusuban/home/d-1/end")
    ('d-1', 'end')
    """
    parts = topic.removeprefix(f"{HOME}/").split("/")
    is_button = topic.startswith(f"{HOME}/") and len(parts) == 2 and parts[1] in BUTTONS  # noqa: PLR2004 - whose, and which
    return (parts[0], parts[1]) if is_button else None


def bridge_filters() -> RoleTopics:
    """Return what our own bridge to Home Assistant may do: describe, tell, and hear buttons."""
    return RoleTopics(
        publish=(f"{DISCOVERY}/device/+/config", home_topic("+", "state")),
        subscribe=(
            *(HOME_BORN, f"{DISCOVERY}/device/+/config", home_topic("+", "state")),
            *(home_topic("+", each) for each in BUTTONS),
        ),
    )


def home_filters() -> RoleTopics:
    """Return what Home Assistant may do: read what is described, and press buttons."""
    return RoleTopics(
        publish=(HOME_BORN, *(home_topic("+", each) for each in BUTTONS)),
        subscribe=(
            *(f"{DISCOVERY}/#", home_topic("+", "state")),
            CONTROLLER_STATE,
        ),
    )


def _filters(terminal: str, role: BrokerRole, *, is_up: bool) -> Iterator[str]:
    for channel, roles in OPEN_TO.items():
        if role in roles and channel.is_up is is_up:
            yield f"{ROOT}/{terminal}/{channel}" + ("/#" if channel in WITH_A_TAIL else "")

"""What both programs are told of switches and their broker, each setting with its meaning and unit.

Topics and payloads come from here alone: nothing that is said on the wire can change or add one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from common.ids import NAME_PATTERN
from common.rules.actions import PULSES_WHEN, Kind, Patience, Switch, When
from common.settings import Settings

SWITCHES_MAX: Final = 64
"""Switches of one program: more than a store has doors, lamps and sockets at one PC."""

PLACES_MAX: Final = 64
"""Devices that one switch may be for."""

POINTER_PATTERN: Final = r"^(/([^~/]|~[01])*)*$"
"""A JSON pointer (RFC 6901); empty is the whole."""

OUR_OWN: Final = "rusuban"
"""The first word of our own topics, which no switch may use."""

Key = Annotated[str, Field(pattern=NAME_PATTERN)]
Place = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(/[A-Za-z0-9][A-Za-z0-9._-]{0,63})?$")
]
Payload = Annotated[str, Field(max_length=1_024)]
Topic = Annotated[str, Field(max_length=256)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SwitchBroker(_Part):
    """The MQTT broker that switches listen to: one of the store's, never the controller's own."""

    host: Annotated[str, Field(min_length=1, max_length=253)]
    """Its name or address; over TLS the one in its certificate."""

    port: Annotated[int, Field(ge=1, le=65_535)] = 8883
    """Its TCP port: 8883 over TLS, mostly 1883 in the clear."""

    tls: bool = True
    """Whether to speak TLS; off, whoever is on the network reads the password and opens doors."""

    authority: Path | None = None
    """A PEM file of who certifies the broker; without it, whom this system trusts."""

    user: Annotated[str, Field(max_length=254)] = ""
    """Who we are to the broker; empty where it asks nobody."""

    password_file: Path | None = None
    """A file that holds only the password, for this program's user alone; read at start."""

    client: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,64}$")] = ""
    """The client id at the broker, one for each program; empty: made from this one's own name."""

    @model_validator(mode="after")
    def _has_its_password(self) -> Self:
        if bool(self.user) != (self.password_file is not None):
            message = "`user` and `password_file` come together"
            raise ValueError(message)
        return self


class MqttSwitch(_Part):
    """A switch that is moved by an MQTT message: a door, a light, a power socket."""

    switch: Annotated[Key, Field(max_length=32)]
    """Its id, for ever; at most 32 characters."""

    title: Annotated[str, Field(max_length=200)] = ""
    """What people call it; empty: its id."""

    kind: Kind = Kind.LEVEL
    """`level`: kept as it should be. `pulse`: on once a session, for `after_seconds`."""

    when: When = When.FROM_PREPARING
    """What it is on for."""

    devices: Annotated[frozenset[Place], Field(max_length=PLACES_MAX)] = frozenset()
    """The devices it is for, on while any of them needs it; none: every one."""

    after_seconds: Annotated[float, Field(ge=0, le=86_400)] = 0.0
    """How long a level stays on when nobody needs it any more; how long a pulse is."""

    again_seconds: Annotated[float, Field(ge=0.1, le=3_600)] = 30.0
    """How often it is told what it should be, whatever somebody did by hand."""

    answer_seconds: Annotated[float, Field(ge=0.1, le=60)] = 3.0
    """How long it may take to answer before it is told once more."""

    topic: Topic = ""
    """The topic that it obeys."""

    payload_on: Payload = "ON"
    """What is published there to put it on."""

    payload_off: Payload = "OFF"
    """What is published there to put it off; empty for a pulse that ends by itself."""

    status_topic: Topic = ""
    """Where it says what it is; empty: it does not, and whoever listens to `topic` counts."""

    status_pointer: Annotated[str, Field(pattern=POINTER_PATTERN, max_length=256)] = ""
    """Where in a JSON status the word stands, such as `/state`; empty: the status is the word."""

    status_on: Payload = "ON"
    """The word that means on; `true`, `false` and numbers as JSON writes them."""

    status_off: Payload = "OFF"
    """The word that means off."""

    speaks_on_change_only: bool = False
    """Whether it is silent when it is told what it is already: what it last said then counts."""

    @field_validator("topic", "status_topic")
    @classmethod
    def _is_one_topic(cls, topic: str) -> str:
        if any(sign in topic for sign in "+#\0") or topic.startswith("$"):
            message = "is no topic of one thing: leave out +, # and a leading $"
            raise ValueError(message)
        if topic.split("/", maxsplit=1)[0] == OUR_OWN:
            message = "is one of Rusuban's own topics"
            raise ValueError(message)
        return topic

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        wrong = _what_is_wrong(self)
        if wrong:
            raise ValueError(wrong)
        return self

    @property
    def is_by_mqtt(self) -> bool:
        """Say whether a broker is needed to move it."""
        return True

    @property
    def speaks(self) -> bool:
        """Say whether it says itself what it is."""
        return bool(self.status_topic)

    @property
    def can_be_put_off(self) -> bool:
        """Say whether there is a way to put it off."""
        return bool(self.payload_off)

    @property
    def patience(self) -> Patience:
        """Return how long its answer is waited for, and how often it is looked after."""
        return Patience(answer_seconds=self.answer_seconds, again_seconds=self.again_seconds)

    def as_rule(self) -> Switch:
        """Return it as the rule sees it."""
        return Switch(
            name=self.switch,
            kind=self.kind,
            when=self.when,
            places=self.devices,
            after_seconds=self.after_seconds,
            has_off=self.can_be_put_off,
        )

    def way_is_missing(self) -> str:
        """Return what is missing to move it; empty: nothing."""
        if not self.topic:
            return "say in `topic` what it obeys"
        if not self.payload_on:
            return "say in `payload_on` what puts it on"
        return ""


class WithSwitches(Settings):
    """What a program is told that has switches."""

    switches: Annotated[tuple[MqttSwitch, ...], Field(max_length=SWITCHES_MAX)] = ()
    """What it switches itself: doors, lights, power sockets."""

    switch_broker: SwitchBroker | None = None
    """The MQTT broker that they listen to; never the controller's own."""

    @model_validator(mode="after")
    def _can_move_its_switches(self) -> Self:
        checked_together(self.switches, self.switch_broker)
        return self


def checked_together(switches: Sequence[MqttSwitch], broker: SwitchBroker | None) -> None:
    """Check that the switches of one program can be told apart, and can be moved.

    Raises:
        ValueError: two have one id, or one needs a broker that is not named.
    """
    names = [switch.switch for switch in switches]
    if len(set(names)) != len(names):
        message = "two switches have the same id"
        raise ValueError(message)
    if broker is None and any(switch.is_by_mqtt for switch in switches):
        message = "say in `[switch_broker]` to which broker switches listen"
        raise ValueError(message)


def _what_is_wrong(switch: MqttSwitch) -> str:
    if missing := switch.way_is_missing():
        return missing
    if switch.kind is Kind.PULSE:
        if switch.when not in PULSES_WHEN:
            return f"a pulse is for {' or '.join(sorted(PULSES_WHEN))}"
        if switch.can_be_put_off and not switch.after_seconds:
            return "say in `after_seconds` how long the pulse is"
    elif not switch.can_be_put_off:
        return "say how it is put off: only a pulse may end by itself"
    if switch.is_by_mqtt and switch.status_topic and switch.status_on == switch.status_off:
        return "`status_on` and `status_off` are the same word"
    return ""

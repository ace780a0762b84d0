"""What is said about a terminal's registration: specification, standing, service profile."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from common.messages.base import Count, Digest, Instant, Message, Name, Seconds, ShortText

DEVICES_MAX = 64
"""Devices one terminal may host: more than any PC drives, few enough for one message."""

PROGRAMS_MAX = 200
"""Programs in one terminal's catalogue."""


class DeviceFound(Message):
    """A device the terminal says it hosts; `key` is the terminal's own word for it."""

    type: ClassVar[str] = "registration.device_found"
    key: Name
    title: ShortText
    program: Name


class Specification(Message):
    """What a terminal is (A1). `gate_digest` covers the watched fields only."""

    type: ClassVar[str] = "registration.specification"
    digest: Digest
    gate_digest: Digest
    agent_version: ShortText
    machine: dict[str, Any]
    devices: Annotated[tuple[DeviceFound, ...], Field(max_length=DEVICES_MAX)]
    programs: Annotated[tuple[Name, ...], Field(max_length=PROGRAMS_MAX)]


class StandingTold(Message):
    """Where the terminal's registration stands, for the specification named (A3); nothing else."""

    type: ClassVar[str] = "registration.standing"
    standing: str
    gate_digest: Digest
    reason: ShortText = ""


class ServiceRequest(Message):
    """The confirmed terminal asks for its service information (A5)."""

    type: ClassVar[str] = "service.request"
    gate_digest: Digest


class ProfileDevice(Message):
    """One device as the controller knows it: its id and number, and the program it runs."""

    type: ClassVar[str] = "service.profile_device"
    key: Name
    device: Name
    number: Annotated[int, Field(ge=1, le=65_535)]
    title: ShortText
    program: Name


class ServiceProfile(Message):
    """Service information generated from the registered specification (A6)."""

    type: ClassVar[str] = "service.profile"
    store: Name
    store_number: Annotated[int, Field(ge=1, lt=2**24)]
    gate_digest: Digest
    profile_digest: Digest
    devices: tuple[ProfileDevice, ...]


class ServiceRefused(Message):
    """No service information for this terminal now (A7)."""

    type: ClassVar[str] = "service.refused"
    reason: ShortText


class Presence(Message):
    """The terminal is here, or as its will has gone; `connection` tells old from new."""

    type: ClassVar[str] = "terminal.presence"
    state: str
    connection: ShortText
    boot: ShortText = ""


class Heartbeat(Message):
    """The terminal is alive; the controller judges by its own clock when the last one came."""

    type: ClassVar[str] = "terminal.heartbeat"


class SessionHeld(Message):
    """A session that the terminal still answers for."""

    type: ClassVar[str] = "terminal.session_held"
    session: Name
    state: ShortText


class Hello(Message):
    """Said after every connect: what the terminal holds and how far it has got."""

    type: ClassVar[str] = "terminal.hello"
    protocol: tuple[int, int]
    boot: ShortText
    outbox_first: Count
    outbox_last: Count
    applied_revision: Count
    sessions: tuple[SessionHeld, ...] = ()


class Welcome(Message):
    """The answer to hello: what has been received, what is desired, what time it is."""

    type: ClassVar[str] = "terminal.welcome"
    acknowledged_up_to: Count
    desired_revision: Count
    server_at: Instant
    retry_after_seconds: Seconds = 0.0


class Acknowledged(Message):
    """Events of this epoch up to this number are in the controller's database for good."""

    type: ClassVar[str] = "events.acknowledged"
    epoch: Name
    up_to: Count

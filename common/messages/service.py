"""What is said about service information: asked for, given as a profile, or refused."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from common.messages.base import (
    CHOICES_MAX,
    DEVICES_MAX,
    PROGRAMS_MAX,
    Bytes,
    ClaimTerms,
    Digest,
    Message,
    Name,
    Pixels,
    ShortText,
    Text,
)

LENGTHS_MAX: Final = 20
"""Lengths one offering may be sold in, as many as its registration may name."""

SCREENS_MAX: Final = 32
"""Displays of one layout."""

SETTINGS_MAX: Final = 16
"""Settings of one program for one kind of hardware."""

Setting = bool | int | ShortText
Settings = Annotated[dict[Name, Setting], Field(max_length=SETTINGS_MAX)]


class OfferingDraft(ClaimTerms, Message):
    """How a device's offering may be sold where the terminal says nothing of its own."""

    type: ClassVar[str] = "service.offering_draft"
    key: Name
    title: Annotated[str, Field(min_length=1, max_length=200)]
    content: Text = ""
    price_cents: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "JPY"
    lengths_seconds: Annotated[
        tuple[Annotated[int, Field(ge=1, lt=2**24)], ...],
        Field(min_length=1, max_length=LENGTHS_MAX),
    ] = (3600,)
    grid_seconds: Annotated[int, Field(ge=1, le=86_400)] = 1800
    turnover_seconds: Annotated[int, Field(ge=0, le=86_400)] = 300
    early_seconds: Annotated[int, Field(ge=0, le=86_400)] = 300


class Requirements(Message):
    """What a program, a level of it or a store asks of a PC; what is not said is not asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: ClassVar[str] = "service.requirements"
    architectures: Annotated[tuple[ShortText, ...], Field(max_length=CHOICES_MAX)] = ()
    cores_min: Annotated[int, Field(ge=0, le=65_536)] = 0
    memory_bytes_min: Bytes = 0
    needs_gpu: bool = False
    gpu_memory_bytes_min: Bytes = 0
    displays_min: Annotated[int, Field(ge=0, le=SCREENS_MAX)] = 0
    display_width_min: Annotated[int, Field(ge=0, le=100_000)] = 0
    display_height_min: Annotated[int, Field(ge=0, le=100_000)] = 0
    needs_camera: bool = False
    needs_scanner: bool = False


class Level(Message):
    """One way to run a program: what it asks of the PC, and the settings that go with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: ClassVar[str] = "service.level"
    level: Name
    requires: Requirements = Requirements()
    settings: Settings = Field(default_factory=dict)


class Program(Message):
    """A program as the controller knows it; the first of its levels that fits is taken."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: ClassVar[str] = "service.program"
    program: Name
    requires: Requirements = Requirements()
    levels: Annotated[tuple[Level, ...], Field(max_length=CHOICES_MAX)] = ()
    modules: Annotated[tuple[Name, ...], Field(max_length=CHOICES_MAX)] = ()
    offering: OfferingDraft | None = None


class ServiceRequest(Message):
    """The confirmed terminal asks for its service information (A5)."""

    type: ClassVar[str] = "service.request"
    gate_digest: Digest


class Screen(Message):
    """Where one display stands in the layout: its left upper corner and size, in pixels."""

    type: ClassVar[str] = "service.screen"
    connector: ShortText
    x: Annotated[int, Field(ge=0)]
    y: Annotated[int, Field(ge=0)]
    width: Pixels
    height: Pixels


class ProfileProgram(Message):
    """A program that this hardware carries, and how: its level of quality and settings for it."""

    type: ClassVar[str] = "service.profile_program"
    program: Name
    level: Name | None = None
    settings: Settings = Field(default_factory=dict)
    modules: Annotated[tuple[Name, ...], Field(max_length=CHOICES_MAX)] = ()


class ProfileDevice(Message):
    """One device as the controller knows it: its id and number, and the programs it carries."""

    type: ClassVar[str] = "service.profile_device"
    key: Name
    device: Name
    number: Annotated[int, Field(ge=1, le=65_535)]
    title: ShortText
    program: Name
    programs: Annotated[tuple[Name, ...], Field(max_length=CHOICES_MAX)] = ()
    offering: OfferingDraft | None = None


class ServiceProfile(Message):
    """Service information generated from the registered specification (A6).

    `time_zone` is the store's, by its IANA name: the one that its customers read a clock in.
    """

    type: ClassVar[str] = "service.profile"
    store: Name
    store_number: Annotated[int, Field(ge=1, lt=2**24)]
    time_zone: ShortText = "UTC"
    gate_digest: Digest
    profile_digest: Digest
    devices: Annotated[tuple[ProfileDevice, ...], Field(max_length=DEVICES_MAX)]
    programs: Annotated[tuple[ProfileProgram, ...], Field(max_length=PROGRAMS_MAX)] = ()
    screens: Annotated[tuple[Screen, ...], Field(max_length=SCREENS_MAX)] = ()


class ServiceRefused(Message):
    """No service information for this terminal now (A7)."""

    type: ClassVar[str] = "service.refused"
    reason: ShortText

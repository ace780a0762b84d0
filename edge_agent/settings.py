"""What agent and runner can be told, each setting with its meaning, unit and default's reason."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import SettingsConfigDict

from common.ids import NAME_PATTERN
from common.messages.base import (
    CHOICES_MAX,
    HOLD_SECONDS_MIN,
    HORIZON_SECONDS_MAX,
    LEAD_SECONDS_MAX,
    PARTY_MAX,
)
from common.settings import Settings

Key = Annotated[str, Field(pattern=NAME_PATTERN)]
Title = Annotated[str, Field(min_length=1, max_length=200)]
Seconds = Annotated[int, Field(ge=0, le=86_400)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OfferingSettings(_Part):
    """What is offered on a device, as the customer reads it."""

    key: Key
    """Its name within the store; devices that use the same key share one offering."""

    title: Title
    """What it is called."""

    content: Annotated[str, Field(max_length=2_000)] = ""
    """What the customer gets, in a few sentences."""

    price_cents: Annotated[int, Field(ge=0)] = 0
    """The price of one slot in the currency's smallest unit."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "JPY"
    """The ISO 4217 code of the currency."""

    lengths_seconds: tuple[Annotated[int, Field(ge=1, lt=2**24)], ...] = (3600,)
    """The lengths it is sold in, in seconds."""

    grid_seconds: Annotated[int, Field(ge=1, le=86_400)] = 1800
    """Slots begin at the store's opening and at each multiple of this after it, in seconds."""

    turnover_seconds: Seconds = 300
    """The time kept free after a slot, in seconds, for reset and cleaning."""

    early_seconds: Seconds = 300
    """How long before its slot a ticket already opens the device, in seconds."""

    lead_seconds: Annotated[int, Field(ge=0, le=LEAD_SECONDS_MAX)] = 0
    """How long before its begin a slot can be booked at the latest, in seconds."""

    horizon_seconds: Annotated[int, Field(ge=1, le=HORIZON_SECONDS_MAX)] = 60 * 86_400
    """How far ahead a slot may end at the most, in seconds."""

    change_seconds: Annotated[int, Field(ge=0, le=LEAD_SECONDS_MAX)] = 0
    """How long before its begin a reservation can be changed at the latest, in seconds."""

    cancel_seconds: Annotated[int, Field(ge=0, le=LEAD_SECONDS_MAX)] = 0
    """How long before its begin a reservation can be given up at the latest, in seconds."""

    hold_seconds: Annotated[int, Field(ge=HOLD_SECONDS_MIN, le=86_400)] = 600
    """How long a slot is held while the customer decides or pays, in seconds."""

    grace_seconds: Annotated[int | None, Field(ge=0, le=86_400)] = None
    """How long a slot waits for its ticket, in seconds from its begin; without it, to its end."""

    party_max: Annotated[int, Field(ge=1, le=PARTY_MAX)] = 1
    """How many people a reservation of one device may be for."""

    rotates_code: bool = False
    """Whether the ticket page's code changes by itself, so that a picture of it opens nothing."""


class DeviceSettings(_Part):
    """A device that this terminal hosts."""

    key: Key
    """Its name on this terminal, for ever."""

    title: Title
    """What the customer looks for in the store, such as `Booth 1`."""

    program: Key
    """The id of its program in the catalogue."""

    also: Annotated[tuple[Key, ...], Field(max_length=CHOICES_MAX - 1)] = ()
    """Further programs it can carry."""

    offering: OfferingSettings | None = None
    """What is offered on it; without one it cannot be booked."""


class ImageScanner(_Part):
    """A folder whose new pictures are read: for cameras that store files, for tests and support."""

    kind: Literal["image"] = "image"
    """What kind of scanner it is."""

    folder: Path
    """The folder that is watched."""


class RunnerPart(_Part):
    """The runner beside the agent, which holds running programs and their deadlines."""

    socket: Path
    """The Unix socket on which agent and runner speak."""

    state_folder: Path
    """Where the runner keeps its records."""

    catalogue: Path
    """The TOML file of programs that may be started."""

    warn_before_seconds: tuple[Annotated[int, Field(ge=1)], ...] = (600, 300, 60)
    """How long before the end the customer is warned, in seconds."""

    allowed_users: tuple[str, ...] = ()
    """Names of further users whose processes may ask the runner; its own user always may."""

    is_started_by_agent: bool = False
    """Whether the agent starts the runner; where a service manager does, leave it off."""


class RetryPart(_Part):
    """How long the agent waits before it connects again."""

    shortest_seconds: Annotated[float, Field(gt=0)] = 1.0
    """The first wait is a random part of this; each further one of twice as much."""

    longest_seconds: Annotated[float, Field(gt=0)] = 120.0
    """No wait is longer than this."""

    refused_seconds: Annotated[float, Field(gt=0)] = 60.0
    """The wait after the broker did not let us in."""


class AgentSettings(Settings):
    """Everything the agent and its runner can be told."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="RUSUBAN_", env_nested_delimiter="__"
    )

    state_folder: Path
    """Where the journal and the terminal's key are kept; only the agent may read it."""

    runner: RunnerPart
    """The runner beside the agent."""

    devices: Annotated[tuple[DeviceSettings, ...], Field(max_length=64)] = ()
    """The devices of this terminal."""

    scanners: Annotated[tuple[ImageScanner, ...], Field(max_length=8)] = ()
    """Where tickets are read."""

    retry: RetryPart = RetryPart()
    """How the connection is made again."""

    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"
    """The lowest level that is logged."""

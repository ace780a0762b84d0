"""The devices that a terminal hosts, and what is offered on each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from common.messages.base import (
    CHOICES_MAX,
    HOLD_SECONDS_MIN,
    HORIZON_SECONDS_MAX,
    LANGUAGES_MAX,
    LEAD_SECONDS_MAX,
    PARTY_MAX,
    ShortText,
)
from common.messages.offerings import PICTURES_MAX
from edge_agent.settings.part import Key, Part, Seconds, Title
from edge_agent.settings.turnover import TurnoverPart


class OfferingWords(Part):
    """What an offering is called and what it is, in one language."""

    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")]
    """The language, such as `en`."""

    title: Title
    """What it is called there."""

    content: Annotated[str, Field(max_length=2_000)] = ""
    """What the customer gets, in a few sentences."""


class OfferingPicture(Part):
    """A picture of what is offered."""

    file: Path
    """A JPEG, PNG or WebP; a small one is made of it."""

    alt: Annotated[
        dict[Annotated[str, Field(pattern=r"^[a-z]{2}$")], ShortText],
        Field(min_length=1, max_length=LANGUAGES_MAX),
    ]
    """What is to be seen in it, by language, for whoever does not see it."""


class OfferingSettings(Part):
    """What is offered on a device, as the customer reads it."""

    key: Key
    """Its name within the store; devices that use the same key share one offering."""

    title: Title
    """What it is called."""

    content: Annotated[str, Field(max_length=2_000)] = ""
    """What the customer gets, in a few sentences."""

    texts: Annotated[tuple[OfferingWords, ...], Field(max_length=LANGUAGES_MAX)] = ()
    """The same in several languages."""

    pictures: Annotated[tuple[OfferingPicture, ...], Field(max_length=PICTURES_MAX)] = ()
    """Pictures of it."""

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


class DeviceSettings(Part):
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

    turnover: TurnoverPart = TurnoverPart()
    """What happens to it between two customers."""

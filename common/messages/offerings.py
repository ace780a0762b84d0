"""What is said about offerings: registered first, then on, then off (E1, E2)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from common.messages.base import ClaimTerms, Message, Name, ShortText, Text

LENGTHS_MAX = 20
"""Lengths one offering may be sold in: more than fit on a phone."""

Length = Annotated[int, Field(ge=1, lt=2**24)]


class OfferingRegistered(ClaimTerms, Message):
    """Explanatory information about what this terminal offers on a device (E1).

    `key` names the offering within its store: devices that register the same key share it.
    """

    type: ClassVar[str] = "offering.registered"
    key: Name
    device: Name
    title: ShortText
    content: Text = ""
    price_cents: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "JPY"
    lengths_seconds: Annotated[tuple[Length, ...], Field(min_length=1, max_length=LENGTHS_MAX)]
    grid_seconds: Length = 1800
    turnover_seconds: Annotated[int, Field(ge=0, le=86_400)] = 0
    early_seconds: Annotated[int, Field(ge=0, le=86_400)] = 300


class OfferingOn(Message):
    """The terminal can provide it on this device in real time, from now (E2)."""

    type: ClassVar[str] = "offering.on"
    key: Name
    device: Name


class OfferingOff(Message):
    """The terminal no longer provides it on this device."""

    type: ClassVar[str] = "offering.off"
    key: Name
    device: Name
    reason: ShortText = ""

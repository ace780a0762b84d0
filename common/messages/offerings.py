"""What is said about offerings: registered first, then on, then off (E1, E2)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from common.messages.base import (
    LANGUAGES_MAX,
    ClaimTerms,
    Currency,
    Digest,
    Language,
    Message,
    Name,
    ShortText,
    Text,
    Texts,
)

LENGTHS_MAX = 20
"""Lengths one offering may be sold in: more than fit on a phone."""

PICTURES_MAX: Final = 4
"""Pictures of one offering: more than a phone shows without being scrolled."""

PICTURE_BYTES_MAX: Final = 40_960
"""Bytes of one picture: as Base64 it fits one message, and four of them one tap's patience."""

PICTURE_TYPE: Final = "image/webp"

Length = Annotated[int, Field(ge=1, lt=2**24)]


class OffReason(StrEnum):
    """Why a device's part of an offering is off; a word keeps its meaning.

    Only who was `stopping` is expected back by itself, with the store's next opening.
    """

    STOPPING = "stopping"
    GATE_CLOSED = "gate_closed"
    QUARANTINED = "quarantined"
    DEVICE_GONE = "device_gone"
    OUT_OF_ORDER = "out_of_order"
    LACKS_MODULES = "lacks_modules"
    OTHER = "other"


def _known_reason(said: object) -> object:
    """Return a reason of ours; one that another version of the agent has is `other`."""
    return said if said in OffReason.__members__.values() else OffReason.OTHER


class PictureNamed(BaseModel):
    """A picture of an offering, by the SHA-256 of its bytes, and what is to be seen in it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sha256: Digest
    alt: Annotated[dict[Language, ShortText], Field(max_length=LANGUAGES_MAX)] = Field(
        default_factory=dict
    )


class OfferingSaid(ClaimTerms):
    """Explanatory information about an offering, whoever says it.

    `title` and `content` are what is shown where `texts` has not the reader's language.
    """

    title: ShortText
    content: Text = ""
    texts: Texts = Field(default_factory=dict)
    pictures: Annotated[tuple[PictureNamed, ...], Field(max_length=PICTURES_MAX)] = ()
    price_cents: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    currency: Currency = "JPY"
    lengths_seconds: Annotated[tuple[Length, ...], Field(min_length=1, max_length=LENGTHS_MAX)]
    grid_seconds: Length = 1800
    turnover_seconds: Annotated[int, Field(ge=0, le=86_400)] = 0
    early_seconds: Annotated[int, Field(ge=0, le=86_400)] = 300


class OfferingPictured(Message):
    """A picture that offerings of this terminal name: told once, before they do (E1).

    Attributes:
        sha256: of its bytes, which `body` holds as Base64.
    """

    type: ClassVar[str] = "offering.pictured"
    sha256: Digest
    media_type: Literal["image/webp"] = PICTURE_TYPE
    body: Annotated[str, Field(max_length=(PICTURE_BYTES_MAX + 2) // 3 * 4)]


class OfferingRegistered(OfferingSaid, Message):
    """Explanatory information about what this terminal offers on a device (E1).

    `key` names the offering within its store: devices that register the same key share it.
    """

    type: ClassVar[str] = "offering.registered"
    key: Name
    device: Name


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
    reason: Annotated[OffReason, BeforeValidator(_known_reason)] = OffReason.OTHER

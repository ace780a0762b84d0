"""What is asked and offered before a session goes on; that itself is an exchange of a right."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from pydantic import Field

from common.messages.base import Count, Instant, Message, Name, ShortText

CHOICES_MAX: Final = 6
"""Choices in one offer, as the rule makes them."""

CENTS_MAX: Final = 10**12
"""The highest price of an extension, in minor units."""

LINK_LENGTH_MAX: Final = 300
"""Characters of an address that a QR shows: it stays coarse enough for a phone."""

WholeSeconds = Annotated[int, Field(ge=1, le=100_000)]


class ExtensionAsk(Message):
    """By how much can this session be extended, and for how much? Changes nothing."""

    type: ClassVar[str] = "extensions.ask"
    session: Name
    device: Name


class ExtensionChoice(Message):
    """One length by which a session can go on, and what that costs in minor units."""

    type: ClassVar[str] = "extensions.choice"
    seconds: WholeSeconds
    price_cents: Annotated[int, Field(ge=0, le=CENTS_MAX)]


class ExtensionOffer(Message):
    """The answer: what can be had as things stand now, or why nothing can.

    Attributes:
        ends_at: when the session ends now.
        longest_seconds: how long it could go on at most.
        bound: a `common.rules.sessions.ExtensionNo`: what would end it then, if we know.
        refused: another: why it cannot be extended.
        pay_url: where it is paid, where that is not settled otherwise: its ticket's page.
    """

    type: ClassVar[str] = "extensions.offer"
    session: Name
    ends_at: Instant = 0
    choices: Annotated[tuple[ExtensionChoice, ...], Field(max_length=CHOICES_MAX)] = ()
    currency: Annotated[str, Field(pattern=r"^([A-Z]{3})?$")] = ""
    longest_seconds: Count = 0
    bound: ShortText | None = None
    refused: ShortText | None = None
    pay_url: Annotated[str, Field(max_length=LINK_LENGTH_MAX)] | None = None

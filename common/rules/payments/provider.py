"""What a payment provider says and is told, in our own words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic import TypeAdapter


class SaidKind(StrEnum):
    """What a provider may say that concerns us."""

    CAME_IN = "came_in"
    """The money is there."""
    UNDER_WAY = "under_way"
    """The customer is done, the money will follow: a bank transfer, a convenience store."""
    FAILED = "failed"
    """The money that was to follow does not."""
    EXPIRED = "expired"
    WENT_BACK = "went_back"
    """So much in all has been given back."""
    DISPUTED = "disputed"
    REINSTATED = "reinstated"
    BOUNCED = "bounced"
    """A refund that had been accepted could not be made after all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderSaid:
    """One word of a provider, whose signature has been checked.

    Attributes:
        event_id: the word's own name: said again, it is the same word.
        sameness: what two words of one kind have in common that say the same.
        payment: our own name of the payment, where the provider repeats it.
        ref, intent: the provider's names of it.
        cents, currency: how much it is about, in minor units; `WENT_BACK` says all there ever was.
        call: our own name of the refund it is about.
    """

    provider: str
    event_id: str
    kind: SaidKind
    sameness: str
    payment: str | None = None
    ref: str | None = None
    intent: str | None = None
    cents: int = 0
    currency: str = ""
    call: str | None = None


class CallKind(StrEnum):
    """What a provider is told."""

    OPEN = "open"
    """Make a page on which the customer pays."""
    CLOSE = "close"
    """Nobody may pay on it any more."""
    REFUND = "refund"


PAUSE_SECONDS: Final = 2
PAUSE_SECONDS_MAX: Final = 3_600
"""The first pause before a provider is told again, and the longest: each is twice the last."""

CALLED_IN_VAIN_MAX: Final = 8
"""Attempts after which an operator hears of it; it is told on all the same."""


def seconds_until_again(attempts: int) -> int:
    """Return how long to wait after so many attempts in vain, one or more."""
    return min(PAUSE_SECONDS_MAX, PAUSE_SECONDS << min(attempts - 1, 20))


def said_as_text(said: ProviderSaid) -> str:
    """Return a provider's word as it is kept."""
    return _SAID.dump_json(said).decode()


def said_in(text: str) -> ProviderSaid:
    """Return a provider's word that was kept."""
    return _SAID.validate_json(text)


_SAID: Final = TypeAdapter(ProviderSaid)

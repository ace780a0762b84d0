"""What a person is told: what happened and what to do next, in each language we speak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """What happened and what to do next, each one short sentence."""

    what: str
    next: str


LANGUAGES: Final = ("ja", "en")

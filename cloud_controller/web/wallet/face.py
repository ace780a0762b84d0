"""What a wallet shows of a ticket, in the words of one language, and its colours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

WALL: Final = "#7a2f18"
WALL_INK: Final = "#fff6ea"
WALL_SOFT: Final = "#ffdcbf"
LIT: Final = "#ffd68a"
"""The colours of a ticket's head on its page: whoever opens his wallet knows it again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Face:
    """A ticket as a wallet shows it; `ticket` and `revision` name this copy of it for good.

    `opens_at` and `ends_at` are instants as ISO 8601 in UTC.
    """

    ticket: str
    revision: int
    language: str
    token: str
    short_code: str
    title: str
    store: str
    booth: str
    day: str
    time: str
    opens_at: str
    ends_at: str
    directions: str
    url: str
    labels: Mapping[str, str]
    link_label: str
    short_label: str

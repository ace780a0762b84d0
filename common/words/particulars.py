"""When, where and how many, as a customer reads it: times are those of the store's zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from string import Formatter
from typing import Final
from zoneinfo import ZoneInfo

from common.messages.base import Particulars
from common.words.sentences import Words

_DAYS: Final = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "ja": ("月", "火", "水", "木", "金", "土", "日"),
}

_INSTANTS: Final = ("opens_at", "store_opens_at", "released_at", "pay_by")
_TEXTS: Final = ("to", "place", "store")
_NUMBERS: Final = ("number", "free_now")

NAMES: Final = frozenset((*_INSTANTS, *_TEXTS, *_NUMBERS))
"""What a sentence may name in braces."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Here:
    """Where a sentence is read: the store's time zone, and what time it is.

    Without `now`, in ms, every instant is taken to be today's; another day's is told with its date.
    """

    time_zone: str = "UTC"
    now: int | None = None


def known_texts(told: Particulars, language: str, here: Here) -> dict[str, str]:
    """Return each thing that is known, in words, by its name."""
    values = {name: getattr(told, name) for name in NAMES}
    known = {name: value for name, value in values.items() if value not in {None, ""}}
    return {
        name: time_in_words(value, language, here) if name in _INSTANTS else str(value)
        for name, value in known.items()
    }


def names_in(words: Words) -> frozenset[str]:
    """Return what the sentences name in braces."""
    parts = Formatter().parse(words.what + words.next)
    return frozenset(name for _, name, _, _ in parts if name is not None)


def time_in_words(at: int, language: str, here: Here) -> str:
    """Return an instant by the store's clock, with its date where it is another day's."""
    try:
        zone = ZoneInfo(here.time_zone)
    except (KeyError, ValueError, OSError):
        zone = ZoneInfo("UTC")
    wall = datetime.fromtimestamp(at // 1000, zone)
    clock = f"{wall:%H:%M}"
    if here.now is None or datetime.fromtimestamp(here.now // 1000, zone).date() == wall.date():
        return clock
    if language == "ja":
        return f"{wall.month}月{wall.day}日{_DAYS['ja'][wall.weekday()]}曜日{clock}"
    return f"{clock} on {_DAYS['en'][wall.weekday()]} {wall:%Y-%m-%d}"

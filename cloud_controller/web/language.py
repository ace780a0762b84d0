"""The words of the pages, Japanese and English, read once from their catalogues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_skeleton, format_time, get_timezone_location
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal, get_currency_precision

from common.words import LANGUAGES

FALLBACK: Final = "en"
"""For whoever reads none of our languages."""

COUNTED_SECONDS: Final = 120
"""What is left is told by the second from here on."""

_LOCALES = Path(__file__).parent / "locales"
_WISHES_MAX = 16  # languages of one Accept-Language that are looked at: browsers send a handful


@dataclass(frozen=True, kw_only=True, slots=True)
class Language:
    """One language: its words, and how it writes times, lengths and prices."""

    code: str
    words: Mapping[str, str]

    def say(self, word: str, **facts: object) -> str:
        """Return the words of this id with the facts filled in."""
        return self.words[word].format_map(facts)

    def knows(self, word: str) -> bool:
        """Say whether there are words of this id."""
        return word in self.words

    def time(self, at: int, zone: str) -> str:
        """Return the time of day in the store's zone; seconds only where there are any."""
        moment = _local(at, zone)
        return format_time(moment, "H:mm:ss" if moment.second else "H:mm", locale=self.code)

    def clock(self, at: int, zone: str, *, day_of: int) -> str:
        """Return the time of day to the second; its date too, where it is not that of `day_of`."""
        moment = _local(at, zone)
        told = format_time(moment, "H:mm:ss", locale=self.code)
        if moment.date() == _local(day_of, zone).date():
            return told
        day = format_skeleton("MMMd", moment, tzinfo=moment.tzinfo, locale=self.code)
        return f"{day} {told}"

    def day(self, at: int, zone: str, *, now: int) -> str:
        """Return the day in the store's zone: today, tomorrow, or its weekday and date."""
        moment = _local(at, zone)
        distance = moment.date() - _local(now, zone).date()
        if distance == timedelta(0):
            return self.say("day.today")
        if distance == timedelta(days=1):
            return self.say("day.tomorrow")
        return str(format_skeleton("MMMEd", moment, tzinfo=moment.tzinfo, locale=self.code))

    def moment(self, at: int, zone: str, *, now: int) -> str:
        """Return the time of day in the store's zone, with its day where that is not today."""
        told = self.time(at, zone)
        distance = _local(at, zone).date() - _local(now, zone).date()
        if distance == timedelta(0):
            return told
        if distance == timedelta(days=1):
            return self.say("day.tomorrow_at", time=told)
        return self.say("day.and_time", day=self.day(at, zone, now=now), time=told)

    def date(self, at: int, zone: str, *, now: int | None = None) -> str:
        """Return the weekday and date in the store's zone; the year too, unless it is `now`'s."""
        moment = _local(at, zone)
        same_year = now is not None and moment.year == _local(now, zone).year
        skeleton = "MMMEd" if same_year else "yMMMEd"
        return str(format_skeleton(skeleton, moment, tzinfo=moment.tzinfo, locale=self.code))

    def short_date(self, at: int, zone: str) -> str:
        """Return the date in this zone, without weekday and year."""
        moment = _local(at, zone)
        return str(format_skeleton("MMMd", moment, tzinfo=moment.tzinfo, locale=self.code))

    def month(self, at: int, zone: str) -> str:
        """Return the month in this zone, without its year."""
        moment = _local(at, zone)
        return str(format_skeleton("MMM", moment, tzinfo=moment.tzinfo, locale=self.code))

    def city(self, zone: str) -> str:
        """Return the city that an IANA zone is called after."""
        return str(get_timezone_location(zone, locale=self.code, return_city=True))

    def number(self, count: int) -> str:
        """Return a number with its thousands apart."""
        return str(format_decimal(count, locale=self.code))

    def signed(self, count: int) -> str:
        """Return a number with its sign, nought without one."""
        return str(format_decimal(count, "+#,##0;-#,##0" if count else "0", locale=self.code))

    def size(self, count: int) -> str:
        """Return a number of bytes in the unit that fits it, decimal ones as disks are sold by."""
        for unit, bytes_of_unit in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
            if count >= bytes_of_unit:
                value = Decimal(count) / bytes_of_unit
                return f"{format_decimal(value, '#,##0.0', locale=self.code)} {unit}"
        return f"{count} B"

    def length(self, seconds: float) -> str:
        """Return a length of time in hours, minutes and seconds, those that are not nought."""
        minutes, rest = divmod(int(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        parts = (("hours", hours), ("minutes", minutes), ("seconds", rest))
        told = [self.say(f"length.{unit}", count=count) for unit, count in parts if count]
        return " ".join(told) or self.say("length.seconds", count=0)

    @staticmethod
    def rounded(seconds: float) -> int:
        """Return what is left as one says it: in minutes, and by the second only at the end."""
        return -(-int(seconds) // 60) * 60 if seconds > COUNTED_SECONDS else int(seconds)

    def price(self, cents: int, currency: str) -> str:
        """Return a price of integer minor units, as it is written in this language."""
        return self.say("price.free") if cents == 0 else self.amount(cents, currency)

    def amount(self, cents: int, currency: str) -> str:
        """Return an amount of integer minor units; nought and below are amounts as well."""
        amount = Decimal(cents).scaleb(-get_currency_precision(currency))
        return format_currency(amount, currency, locale=self.code)

    def digits(self, currency: str) -> int:
        """Return how many of a price's digits are minor units."""
        return int(get_currency_precision(currency))


class Languages:
    """All languages we speak."""

    def __init__(self, folder: Path = _LOCALES) -> None:
        """Read every catalogue."""
        self._all = {code: Language(code=code, words=_words(folder, code)) for code in LANGUAGES}

    def __getitem__(self, code: str) -> Language:
        """Return one of ours."""
        return self._all[code]

    def known(self, code: str) -> Language:
        """Return the language of this code, or English where it is none of ours."""
        return self._all.get(code, self._all[FALLBACK])

    def chosen(self, asked_for: str | None, remembered: str | None, accepted: str) -> Language:
        """Return the language asked for, else the one remembered, else the best accepted."""
        for code in (asked_for, remembered, *_by_wish(accepted)):
            if code in self._all:
                return self._all[code]
        return self._all[FALLBACK]


@cache
def _words(folder: Path, code: str) -> Mapping[str, str]:
    """Return a catalogue's words; it is a file of this program, and read once."""
    with (folder / code / "LC_MESSAGES" / "rusuban.po").open("rb") as file:
        catalogue = read_po(file, locale=Locale(code))
    return MappingProxyType(
        {str(message.id): str(message.string) for message in catalogue if message.id}
    )


def _by_wish(accepted: str) -> list[str]:
    """Return the languages of an Accept-Language, the dearest first, without their regions."""
    wishes = []
    for wish in accepted.split(",")[:_WISHES_MAX]:
        tag, _, quality = wish.strip().partition(";q=")
        wishes.append((_weight(quality), tag.partition("-")[0].lower()))
    return [tag for weight, tag in sorted(wishes, key=lambda wish: -wish[0]) if weight > 0]


def _weight(quality: str) -> float:
    try:
        return float(quality or "1")
    except ValueError:
        return 0.0


def _local(at: int, zone: str) -> datetime:
    moment = datetime.fromtimestamp(at // 1000, UTC)
    place: tzinfo = ZoneInfo(zone)
    return moment.astimezone(place)

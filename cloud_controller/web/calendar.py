"""A ticket as an entry of a calendar: RFC 5545, always in UTC, so that no zone lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

MEDIA_TYPE: Final = "text/calendar"

LINE_BYTES_MAX: Final = 75
"""Bytes of a line before it has to be folded (RFC 5545, 3.1)."""

ALARM_MINUTES: Final = 30
"""How long before its beginning the calendar reminds: time to set out."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ESCAPES: Final = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})
_STATUS: Final = {
    "held": "TENTATIVE",
    "cancelled": "CANCELLED",
    "expired": "CANCELLED",
    "no_show": "CANCELLED",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What a calendar shows of a ticket.

    Attributes:
        uid: the same for one reservation for ever, also when it is moved.
        revision: of the ticket, from 1; a later one replaces what the calendar has.
        state: the reservation's.
        written_at: when this was said, in UTC milliseconds.
        organizer: a mail address that stands for us.
    """

    uid: str
    revision: int
    state: str
    written_at: int
    starts_at: int
    ends_at: int
    title: str
    place: str
    text: str
    url: str
    organizer: str
    organizer_name: str

    @property
    def is_off(self) -> bool:
        """Say whether it takes an earlier entry back."""
        return _STATUS.get(self.state) == "CANCELLED"


def calendar_of(entry: Entry) -> bytes:
    """Return a calendar of one entry; one that is off takes back what was there."""
    return b"".join(_folded(line) for line in _lines(entry))


def method_of(entry: Entry) -> str:
    """Return what the calendar is to do: put the entry in, or take it out."""
    return "CANCEL" if entry.is_off else "PUBLISH"


def _lines(entry: Entry) -> Iterator[str]:
    yield "BEGIN:VCALENDAR"
    yield "VERSION:2.0"
    yield "PRODID:-//Rusuban//Rusuban//EN"
    yield "CALSCALE:GREGORIAN"
    yield f"METHOD:{method_of(entry)}"
    yield "BEGIN:VEVENT"
    yield f"UID:{_text(entry.uid)}"
    # Taking it back is one step more: no revision comes after it.
    yield f"SEQUENCE:{entry.revision + entry.is_off}"
    yield f"DTSTAMP:{_instant(entry.written_at)}"
    yield f"DTSTART:{_instant(entry.starts_at)}"
    yield f"DTEND:{_instant(entry.ends_at)}"
    yield f"SUMMARY:{_text(entry.title)}"
    yield f"LOCATION:{_text(entry.place)}"
    yield f"DESCRIPTION:{_text(entry.text)}"
    yield f"URL:{entry.url}"
    yield f"ORGANIZER;CN={_quoted(entry.organizer_name)}:mailto:{entry.organizer}"
    yield f"STATUS:{_STATUS.get(entry.state, 'CONFIRMED')}"
    yield "CLASS:PRIVATE"  # the link opens the ticket: it is not for whoever sees the calendar
    yield "TRANSP:OPAQUE"
    if not entry.is_off:
        yield from _alarm(entry.title)
    yield "END:VEVENT"
    yield "END:VCALENDAR"


def _alarm(title: str) -> Iterator[str]:
    yield "BEGIN:VALARM"
    yield "ACTION:DISPLAY"
    yield f"DESCRIPTION:{_text(title)}"
    yield f"TRIGGER:-PT{ALARM_MINUTES}M"
    yield "END:VALARM"


def _instant(at: int) -> str:
    moment = _EPOCH + timedelta(seconds=at // 1000)
    return moment.strftime("%Y%m%dT%H%M%SZ")


def _text(words: str) -> str:
    """Return words as a value: what has a meaning is escaped, what may not stand there left out."""
    return "".join(letter for letter in words if letter == "\n" or letter.isprintable()).translate(
        _ESCAPES
    )


def _quoted(words: str) -> str:
    """Return words as a parameter, which may hold no quotation mark and no control."""
    kept = "".join(letter for letter in words if letter.isprintable() and letter != '"')
    return f'"{kept}"'


def _folded(line: str) -> bytes:
    """Return a line in pieces of at most 75 bytes, none of which cuts a letter in two."""
    pieces = [b""]
    for letter in line:
        encoded = letter.encode()
        if len(pieces[-1]) + len(encoded) > LINE_BYTES_MAX:
            pieces.append(b" ")
        pieces[-1] += encoded
    return b"\r\n".join(pieces) + b"\r\n"

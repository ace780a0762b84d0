"""A ticket in a calendar: read by another library, it says the same, and takes itself back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
from hypothesis import given, strategies as st

from cloud_controller.web.calendar import LINE_BYTES_MAX, Entry, calendar_of
from tests.fakes.store import HOUR_MS, MORNING_AT


def an_entry(**changed: Any) -> Entry:
    facts = {
        "uid": "r-1@play.example",
        "revision": 1,
        "state": "confirmed",
        "written_at": MORNING_AT,
        "starts_at": MORNING_AT + HOUR_MS,
        "ends_at": MORNING_AT + 2 * HOUR_MS,
        "title": "VR Arena",
        "place": "Shinjuku, booth 1",
        "text": "Opens at 9:55.\n\nhttps://play.example/t/1",
        "url": "https://play.example/t/1",
        "organizer": "noreply@play.example",
        "organizer_name": "Shinjuku",
    }
    return Entry(**{**facts, **changed})


def read(entry: Entry) -> tuple[icalendar.Calendar, Any]:
    calendar = icalendar.Calendar.from_ical(calendar_of(entry))
    assert isinstance(calendar, icalendar.Calendar)
    (event,) = calendar.walk("VEVENT")
    assert not event.errors
    return calendar, event


def test_c2_another_library_reads_what_was_booked():
    calendar, event = read(an_entry())
    assert calendar["METHOD"] == "PUBLISH"
    assert event["UID"] == "r-1@play.example"
    assert event["SEQUENCE"] == 1
    assert event["STATUS"] == "CONFIRMED"
    assert event.decoded("DTSTART") == datetime(2026, 10, 23, 1, tzinfo=UTC)
    assert event.decoded("DTEND") == datetime(2026, 10, 23, 2, tzinfo=UTC)
    assert event.decoded("DTSTAMP") == datetime(2026, 10, 23, tzinfo=UTC)
    assert event["ORGANIZER"] == "mailto:noreply@play.example"
    (alarm,) = event.walk("VALARM")
    assert alarm.decoded("TRIGGER") == timedelta(minutes=-30)


@pytest.mark.parametrize("state", ["cancelled", "expired", "no_show"])
def test_what_was_given_up_takes_itself_out_of_the_calendar(state: str):
    _, before = read(an_entry(revision=3))
    calendar, event = read(an_entry(revision=3, state=state))
    assert (calendar["METHOD"], event["STATUS"]) == ("CANCEL", "CANCELLED")
    assert event["UID"] == before["UID"]
    assert event["SEQUENCE"] > before["SEQUENCE"]
    assert not event.walk("VALARM")


def test_a_reservation_that_is_only_held_is_tentative_and_a_later_revision_replaces_it():
    _, held = read(an_entry(state="held"))
    _, moved = read(an_entry(revision=2))
    assert held["STATUS"] == "TENTATIVE"
    assert (held["UID"], held["SEQUENCE"]) == (moved["UID"], moved["SEQUENCE"] - 1)


@given(words=st.text(max_size=200), name=st.text(max_size=80))
def test_whatever_is_said_comes_back_as_it_was_and_ends_no_line(words: str, name: str):
    entry = an_entry(title=words, text=words, place=words, organizer_name=name)
    written = calendar_of(entry)
    lines = written.split(b"\r\n")
    assert lines.pop() == b""
    assert max(map(len, lines)) <= LINE_BYTES_MAX
    assert b"\n" not in b"".join(lines).replace(b"\\n", b"")
    for line in lines:
        line.decode()
    _, event = read(entry)
    kept = "".join(letter for letter in words if letter == "\n" or letter.isprintable())
    for key in ("SUMMARY", "DESCRIPTION", "LOCATION"):
        assert str(event[key]) == kept
    assert event["STATUS"] == "CONFIRMED"

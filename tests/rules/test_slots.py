"""Slots of every zone of the tz database on each of its changeover days, against stepped instants.

The reference knows nothing of gaps or folds: it looks at what the wall clock shows, minute by
minute, and cuts the day that it finds into half hours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, strategies as st

from common.rules.reservations import (
    OpeningHours,
    Range,
    SlotTerms,
    is_a_slot,
    is_in_time,
    slots,
)

YEARS = range(2026, 2031)
HALF_HOUR_MS = 30 * 60_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
LONG_BEFORE = 1_735_689_600_000
"""2025-01-01T00:00:00Z, from when all of it can be booked."""

WEEKDAYS = "mon tue wed thu fri sat sun".split()
AROUND_THE_CLOCK = OpeningHours.model_validate({"week": dict.fromkeys(WEEKDAYS, ("00:00-24:00",))})
EVERY_ZONE = sorted(available_timezones() - {"localtime"})


def terms(zone: str, hours: OpeningHours | None = None, *, length_minutes: int = 30) -> SlotTerms:
    return SlotTerms(
        length_seconds=length_minutes * 60,
        grid_seconds=1800,
        turnover_seconds=0,
        horizon_seconds=10 * 366 * 86_400,
        hours=hours,
        time_zone=zone,
    )


def midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


@cache
def changeovers(zone: str) -> tuple[int, ...]:
    """Return the instants, to the minute, at which a zone's clock changes over in those years."""
    place = ZoneInfo(zone)

    def offset(instant: int) -> timedelta | None:
        return datetime.fromtimestamp(instant // 1000, place).utcoffset()

    first, last = midnight(date(YEARS[0], 1, 1)), midnight(date(YEARS[-1] + 1, 1, 1))
    found = []
    days = list(range(first, last + 1, 4 * DAY_MS))
    offsets = [offset(at) for at in days]
    for (low, before), (high, after) in pairwise(zip(days, offsets, strict=True)):
        if before == after:
            continue
        early, late = low, high
        while late - early > MINUTE_MS:
            middle = (early + late) // 2 // MINUTE_MS * MINUTE_MS
            early, late = (middle, late) if offset(middle) == before else (early, middle)
        found.append(late)
    return tuple(found)


def days_around(zone: str) -> set[date]:
    """Return the dates on which a zone's clock changes over, and those beside them."""
    place = ZoneInfo(zone)
    around = (
        datetime.fromtimestamp((at + hours * HOUR_MS) // 1000, place).date()
        for at in changeovers(zone)
        for hours in (-24, 0, 24)
    )
    return set(around)


def first_minute_of(zone: str, day: date) -> int:
    """Return the first minute at which the wall clock shows a date, by looking at each."""
    place = ZoneInfo(zone)
    at = midnight(day) - 15 * HOUR_MS
    # It is no earlier: the date is at most 14 hours ahead of UTC anywhere.
    for step in (HOUR_MS, MINUTE_MS):
        while datetime.fromtimestamp((at + step) // 1000, place).date() < day:
            at += step
    return at + MINUTE_MS


def half_hours_of(zone: str, day: date) -> list[int]:
    begins, ends = first_minute_of(zone, day), first_minute_of(zone, day + timedelta(days=1))
    return list(range(begins, ends, HALF_HOUR_MS))


def slots_of(zone: str, day: date, hours: OpeningHours | None = None) -> list[int]:
    """Return the begins of the slots that begin on a date, by the rule."""
    window = Range(
        starts_at=first_minute_of(zone, day), ends_at=midnight(day) + 2 * DAY_MS + 12 * HOUR_MS
    )
    begins = [slot.starts_at for slot in slots(terms(zone, hours), window, now=LONG_BEFORE)]
    until = first_minute_of(zone, day + timedelta(days=1))
    return [at for at in begins if at < until]


@pytest.mark.parametrize("initial", sorted({zone[0] for zone in EVERY_ZONE}))
def test_every_changeover_day_of_every_zone_has_the_half_hours_that_pass_on_it(initial: str):
    for zone in EVERY_ZONE:
        if zone[0] == initial:
            for day in days_around(zone):
                expected = half_hours_of(zone, day)
                assert slots_of(zone, day) == expected, (zone, day)
                assert slots_of(zone, day, AROUND_THE_CLOCK) == expected, (zone, day)


def test_the_changeovers_of_five_years_are_all_looked_at():
    """The proof above cannot pass by looking at nothing."""
    assert len(EVERY_ZONE) > 590
    counted = Counter({zone: len(changeovers(zone)) for zone in EVERY_ZONE})
    assert counted["Europe/Berlin"] == counted["America/New_York"] == 10
    assert counted["Australia/Lord_Howe"] == counted["Europe/Dublin"] == 10
    assert counted["Asia/Seoul"] == counted["Asia/Tokyo"] == 0
    assert counted["Africa/Casablanca"] >= 10
    assert sum(1 for zone in EVERY_ZONE if counted[zone]) > 200


@pytest.mark.parametrize(
    ("zone", "day", "count"),
    [
        ("Europe/Berlin", "2026-03-29", 46),
        ("Europe/Berlin", "2026-10-25", 50),
        ("Europe/Berlin", "2026-10-26", 48),
        ("Australia/Lord_Howe", "2026-04-05", 49),
        ("Australia/Lord_Howe", "2026-10-04", 47),
        ("Asia/Seoul", "2026-03-29", 48),
        ("Antarctica/Troll", "2026-03-29", 44),
        ("Antarctica/Troll", "2026-10-25", 52),
        ("Asia/Kathmandu", "2026-10-25", 48),
        ("America/Havana", "2026-03-08", 46),
        ("America/Havana", "2026-11-01", 50),
    ],
)
def test_a_day_has_so_many_half_hours(zone: str, day: str, count: int):
    assert len(slots_of(zone, date.fromisoformat(day))) == count


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "America/Nuuk"])
def test_hours_over_a_changeover_offer_what_really_passes_in_them(zone: str):
    """Open from 22:00 to 06:00: what is offered lies in it, each step once, without a hole."""
    hours = OpeningHours.model_validate({"week": dict.fromkeys(WEEKDAYS, ("22:00-06:00",))})
    place = ZoneInfo(zone)
    for at in changeovers(zone):
        window = Range(starts_at=at - 30 * HOUR_MS, ends_at=at + 30 * HOUR_MS)
        offered = [slot.starts_at for slot in slots(terms(zone, hours), window, now=LONG_BEFORE)]
        walls = [datetime.fromtimestamp(begin // 1000, place).time() for begin in offered]
        assert all(wall.hour >= 22 or wall.hour < 6 for wall in walls)
        steps = Counter(later - sooner for sooner, later in pairwise(offered))
        assert set(steps) <= {HALF_HOUR_MS, 16 * HOUR_MS + HALF_HOUR_MS}


def starts(found: Iterator[Range]) -> list[str]:
    return [datetime.fromtimestamp(s.starts_at / 1000, UTC).strftime("%d %H:%M") for s in found]


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def test_a_slot_runs_over_midnight_and_into_what_follows_at_once_but_not_past_closing():
    hours = OpeningHours.model_validate(
        {"week": {"mon": ["20:00-24:00"], "tue": ["00:00-01:00", "01:00-02:15"]}}
    )
    window = Range(starts_at=at("2026-06-01T22:30Z"), ends_at=at("2026-06-02T20:00Z"))
    long = terms("UTC", hours, length_minutes=90)
    offered = ["01 22:30", "01 23:00", "01 23:30", "02 00:00", "02 00:30"]
    assert starts(slots(long, window, now=LONG_BEFORE)) == offered


def test_each_opening_begins_its_grid_anew():
    hours = OpeningHours.model_validate({"week": {"mon": ["10:10-11:20", "13:05-14:05"]}})
    window = Range(starts_at=at("2026-06-01T00:00Z"), ends_at=at("2026-06-02T00:00Z"))
    offered = ["01 10:10", "01 10:40", "01 13:05", "01 13:35"]
    assert starts(slots(terms("UTC", hours), window, now=LONG_BEFORE)) == offered


def test_a_grid_that_does_not_divide_the_day_begins_anew_at_midnight():
    seven_hours = SlotTerms(
        length_seconds=7 * 3600, grid_seconds=7 * 3600, turnover_seconds=0, time_zone="Asia/Tokyo"
    )
    now = at("2026-06-01T00:00+09:00")
    window = Range(starts_at=now, ends_at=now + 2 * DAY_MS)
    offered = [(s.starts_at - now) // HOUR_MS for s in slots(seven_hours, window, now=now)]
    assert offered == [0, 7, 14, 21, 24, 31, 38]


@given(
    lead=st.integers(0, 7_200),
    horizon=st.integers(0, 90_000),
    shift=st.integers(-90_000, 90_000),
)
def test_a_slot_is_sold_from_its_lead_to_its_horizon(lead: int, horizon: int, shift: int):
    now = at("2026-06-01T00:00Z") + shift * 1000
    kept = SlotTerms(
        length_seconds=1800,
        grid_seconds=1800,
        turnover_seconds=0,
        lead_seconds=lead,
        horizon_seconds=horizon,
    )
    window = Range(starts_at=at("2026-05-31T00:00Z"), ends_at=at("2026-06-03T00:00Z"))
    offered = list(slots(kept, window, now=now))
    every = list(range(window.starts_at, window.ends_at, HALF_HOUR_MS))
    assert [slot.starts_at for slot in offered] == [
        begin
        for begin in every
        if begin >= now + lead * 1000 and begin + HALF_HOUR_MS <= now + horizon * 1000
    ]
    for begin in every:
        slot = Range(starts_at=begin, ends_at=begin + HALF_HOUR_MS)
        assert is_a_slot(kept, slot, now=now) is (slot in offered)


@given(seconds=st.integers(0, 200_000), starts_at=st.integers(0, 10**12))
def test_a_claim_can_be_changed_or_given_up_until_its_cut_off(seconds: int, starts_at: int):
    last = starts_at - seconds * 1000
    assert is_in_time(seconds, starts_at, last)
    assert not is_in_time(seconds, starts_at, last + 1)

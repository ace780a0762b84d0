"""Opening hours as they are said, and when that is: gaps, hours that come twice, past midnight."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from common.rules.reservations import (
    HoursAreWrong,
    OpeningHours,
    Range,
    closing_after,
    hours_text,
    is_open,
    is_open_throughout,
    next_opening,
    open_ranges,
    openings,
    read_hours,
)

WEEKDAYS = "mon tue wed thu fri sat sun".split()
DAY = timedelta(days=1)
TOKYO, BERLIN, HAVANA = "Asia/Tokyo", "Europe/Berlin", "America/Havana"
SPRING, AUTUMN = "2026-03-29", "2026-10-25"
"""Berlin's changeover days: 02:00 is skipped to 03:00; 03:00 goes back to 02:00."""


def each_day(*ranges: str) -> OpeningHours:
    return OpeningHours.model_validate({"week": dict.fromkeys(WEEKDAYS, ranges)})


def at(text: str) -> int:
    """Return `2026-03-29T02:00+01:00` as milliseconds."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def utc(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).strftime("%dT%H:%M")


def shown(ranges: list[Range]) -> list[str]:
    return [f"{utc(each.starts_at)}/{utc(each.ends_at)}" for each in ranges]


def of_day(hours: OpeningHours | None, zone: str, day: str) -> list[Range]:
    """Return what begins on a date, by looking at all that is open around it."""
    noon = at(f"{day}T12:00+00:00")
    around = Range(starts_at=noon - 3 * 86_400_000, ends_at=noon + 3 * 86_400_000)
    wanted = date.fromisoformat(day)
    found = openings(hours, zone, around)
    return [each for each in found if local(each.starts_at, zone).date() == wanted]


def local(instant: int, zone: str) -> datetime:
    return datetime.fromtimestamp(instant / 1000, ZoneInfo(zone))


# --- as they are said -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("09:00-22:00", "09:00-22:00"),
        ("00:00-24:00", "00:00-24:00"),
        ("18:00-02:00", "18:00-02:00"),
        ("18:00-26:00", "18:00-02:00"),
        ("18:00-00:00", "18:00-24:00"),
        ("06:00-30:00", "06:00-30:00"),
    ],
)
def test_hours_are_kept_in_one_form_and_read_again_as_they_were(said: str, kept: str):
    hours = read_hours(f'{{"week": {{"fri": ["{said}"]}}}}')
    assert hours is not None
    assert [str(each) for each in hours.week.fri] == [kept]
    assert read_hours(hours_text(hours)) == hours
    assert hash(read_hours(hours_text(hours))) == hash(hours)


def test_nothing_said_is_always_open():
    assert read_hours("") is None
    assert hours_text(None) == ""
    assert is_open(None, TOKYO, at("2026-05-05T03:00+09:00"))


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ('{"week": {"mon": ["9-17"]}}', "range_unreadable", "week.mon.0"),
        ('{"week": {"mon": ["09:00-17:60"]}}', "range_unreadable", "week.mon.0"),
        ('{"week": {"mon": ["24:00-25:00"]}}', "range_unreadable", "week.mon.0"),
        ('{"week": {"mon": ["\uff10\uff19:00-17:00"]}}', "range_unreadable", "week.mon.0"),
        ('{"week": {"mon": [900]}}', "range_unreadable", "week.mon.0"),
        ('{"week": {"mon": ["09:00-09:00"]}}', "range_empty", "week.mon.0"),
        ('{"week": {"mon": ["09:00-34:00"]}}', "range_too_long", "week.mon.0"),
        ('{"week": {"mon": ["09:00-12:00", "11:59-13:00"]}}', "ranges_overlap", "week.mon"),
        ('{"week": {"mon": ["18:00-02:00", "01:00-02:00"]}}', None, ""),
        ('{"week": {"mon": ["18:00-20:00", "19:00-02:00"]}}', "ranges_overlap", "week.mon"),
        ('{"exceptions": [{"date": "2026-02-30"}]}', "date_parsing", None),
        ('{"exceptions": [{"date": "2026-01-01"}, {"date": "2026-01-01"}]}', "date_twice", None),
        ('{"holidays": {"dates": ["2026-01-01", "2026-01-01"]}}', "date_twice", None),
        ('{"week": {"mo": []}}', "extra_forbidden", "week.mo"),
        ("{", "json_invalid", "the whole"),
        ("[]", "model_type", "the whole"),
        (" " * 140_000, "hours_too_long", "the whole"),
    ],
)
def test_what_is_wrong_with_hours_is_said_with_its_place_and_a_code(text, code, where):
    if code is None:
        assert read_hours(text) is not None
        return
    with pytest.raises(HoursAreWrong) as caught:
        read_hours(text)
    assert caught.value.facts["code"] == code
    assert where is None or caught.value.facts["where"] == where


WALLS = st.integers(0, 1439)


@given(opens=WALLS, minutes=st.integers(1, 1440))
def test_every_range_is_written_so_that_it_is_read_the_same(opens: int, minutes: int):
    closes = opens + minutes
    said = f"{opens // 60:02}:{opens % 60:02}-{closes // 60:02}:{closes % 60:02}"
    read = OpeningHours.model_validate({"week": {"sun": [said]}}).week.sun[0]
    assert (read.opens, read.closes) == (opens, closes)
    again = OpeningHours.model_validate({"week": {"sun": [str(read)]}}).week.sun[0]
    assert again == read


def test_an_exception_counts_before_a_holiday_and_a_holiday_before_the_weekday():
    hours = OpeningHours.model_validate(
        {
            "week": dict.fromkeys(WEEKDAYS, ("09:00-22:00",)),
            "holidays": {"dates": ["2026-01-01", "2026-01-02"], "hours": ["12:00-18:00"]},
            "exceptions": [{"date": "2026-01-02"}],
        }
    )
    on = [[str(each) for each in hours.on(date(2026, 1, day))] for day in (1, 2, 3)]
    assert on == [["12:00-18:00"], [], ["09:00-22:00"]]


# --- when that is -----------------------------------------------------------------------------


def test_hours_past_midnight_belong_to_the_date_they_begin_on():
    hours = OpeningHours.model_validate(
        {
            "week": {"thu": ["18:00-02:00"], "fri": ["18:00-02:00"]},
            "exceptions": [{"date": "2026-01-02"}],
        }
    )
    assert is_open(hours, TOKYO, at("2026-01-02T01:59+09:00"))
    assert not is_open(hours, TOKYO, at("2026-01-02T02:00+09:00"))
    assert not is_open(hours, TOKYO, at("2026-01-02T18:00+09:00"))
    assert not is_open(hours, TOKYO, at("2026-01-03T01:00+09:00"))


@pytest.mark.parametrize(
    ("day", "ranges", "expected"),
    [
        # 02:00-03:00 does not exist: what begins or ends in it does so when the clock skips it.
        (SPRING, ["02:30-05:00"], ["29T01:00/29T03:00"]),
        (SPRING, ["01:00-02:30"], ["29T00:00/29T01:00"]),
        (SPRING, ["02:10-02:50"], []),
        (SPRING, ["01:00-02:30", "02:40-05:00"], ["29T00:00/29T01:00", "29T01:00/29T03:00"]),
        # 02:00-03:00 comes twice: open from the first, until the second.
        (AUTUMN, ["02:30-05:00"], ["25T00:30/25T04:00"]),
        (AUTUMN, ["01:00-02:30"], ["24T23:00/25T01:30"]),
        (AUTUMN, ["02:10-02:50"], ["25T00:10/25T01:50"]),
        (AUTUMN, ["01:00-02:30", "02:30-05:00"], ["24T23:00/25T00:30", "25T00:30/25T04:00"]),
        (AUTUMN, ["00:00-24:00"], ["24T22:00/25T23:00"]),
        (SPRING, ["00:00-24:00"], ["28T23:00/29T22:00"]),
    ],
)
def test_wall_times_that_are_skipped_or_come_twice(day, ranges, expected):
    assert shown(of_day(each_day(*ranges), BERLIN, day)) == expected


def test_a_day_ends_when_the_next_begins_also_where_midnight_comes_twice():
    """In Havana 01:00 goes back to 00:00: the hour that comes twice is all of the next date."""
    assert shown(of_day(each_day("00:00-24:00"), HAVANA, "2026-11-01")) == ["01T04:00/02T05:00"]
    saturdays = OpeningHours.model_validate({"week": {"sat": ["20:00-24:00"]}})
    assert shown(of_day(saturdays, HAVANA, "2026-10-31")) == ["01T00:00/01T04:00"]


def test_a_day_without_its_midnight_begins_when_its_clock_does():
    """In Havana 00:00 is skipped to 01:00."""
    assert shown(of_day(None, HAVANA, "2026-03-08")) == ["08T05:00/09T04:00"]


def test_where_hours_of_two_dates_overlap_the_later_goes_on_for_both():
    hours = OpeningHours.model_validate({"week": {"mon": ["20:00-06:00"], "tue": ["04:00-05:00"]}})
    around = Range(starts_at=at("2026-06-01T00:00Z"), ends_at=at("2026-06-03T00:00Z"))
    assert shown(openings(hours, "UTC", around)) == ["01T20:00/02T04:00", "02T04:00/02T06:00"]
    assert shown(open_ranges(hours, "UTC", around)) == ["01T20:00/02T06:00"]


def test_open_ranges_are_merged_and_end_with_the_window():
    window = Range(starts_at=at("2026-06-01T10:00Z"), ends_at=at("2026-06-04T10:00Z"))
    assert open_ranges(None, TOKYO, window) == [window]
    assert open_ranges(each_day(), TOKYO, window) == []
    assert open_ranges(None, TOKYO, Range(starts_at=5, ends_at=5)) == []


def test_next_opening_and_closing_after():
    hours = each_day("10:00-14:00", "14:00-22:00")
    morning, noon = at("2026-06-01T09:00+09:00"), at("2026-06-01T12:00+09:00")
    opens, closes = at("2026-06-01T10:00+09:00"), at("2026-06-01T22:00+09:00")
    assert next_opening(hours, TOKYO, morning) == opens
    assert next_opening(hours, TOKYO, noon) == noon
    assert next_opening(hours, TOKYO, closes) == opens + 86_400_000
    assert closing_after(hours, TOKYO, noon) == closes
    assert closing_after(hours, TOKYO, morning) == morning
    assert next_opening(None, TOKYO, noon) == noon
    assert closing_after(None, TOKYO, noon) is None
    assert next_opening(each_day(), TOKYO, noon) is None
    assert closing_after(each_day(), TOKYO, noon) == noon
    assert closing_after(each_day("00:00-24:00"), TOKYO, noon) is None


@pytest.mark.parametrize("instant", [0, 253_402_300_799_999])
def test_the_ends_of_our_time_are_no_fault(instant: int):
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", BERLIN):
        for hours in (None, each_day("18:00-02:00")):
            is_open(hours, zone, instant)
            next_opening(hours, zone, instant)
            closing_after(hours, zone, instant)


# --- against a slow look at the wall clock ----------------------------------------------------

ZONES = st.sampled_from(
    (BERLIN, HAVANA, TOKYO, "Australia/Lord_Howe", "America/Nuuk", "Africa/Cairo", "Asia/Beirut")
)
QUARTER_MS = 15 * 60_000
YEAR_AT = at("2026-01-01T00:00Z")


@st.composite
def a_week(draw: st.DrawFn) -> OpeningHours:
    """Draw hours on the quarter hour: some days closed, some past midnight, some all day."""
    week = {}
    for day in WEEKDAYS:
        ranges: list[str] = []
        after = 0
        while len(ranges) < 3 and after < 96 and draw(st.booleans()):
            opens = draw(st.integers(after, 95))
            after = draw(st.integers(opens + 1, opens + 96))
            ranges.append(
                f"{opens // 4:02}:{opens % 4 * 15:02}-{after // 4:02}:{after % 4 * 15:02}"
            )
        week[day] = ranges
    return OpeningHours.model_validate({"week": week})


def is_open_by_the_wall(hours: OpeningHours, zone: str, instant: int) -> bool:
    """Look at the wall clock at an instant, where it shows nothing twice and skips nothing near."""
    wall = local(instant, zone).replace(tzinfo=None)
    for day in (wall.date(), wall.date() - DAY):
        minutes = (wall - datetime.combine(day, datetime.min.time())) / timedelta(minutes=1)
        if any(each.opens <= minutes < each.closes for each in hours.on(day)):
            return True
    return False


def is_plain(zone: str, instant: int) -> bool:
    """Say whether nothing changes over in the day around an instant."""
    offsets = {local(instant + hours * 3_600_000, zone).utcoffset() for hours in range(-26, 27, 2)}
    return len(offsets) == 1


@given(hours=a_week(), zone=ZONES, quarter=st.integers(0, 5 * 365 * 96))
def test_a_store_is_open_when_its_wall_clock_says_so(hours, zone, quarter):
    instant = YEAR_AT + quarter * QUARTER_MS
    if is_plain(zone, instant):
        assert is_open(hours, zone, instant) is is_open_by_the_wall(hours, zone, instant)


@given(hours=a_week(), zone=ZONES, quarter=st.integers(0, 5 * 365 * 96), days=st.integers(1, 9))
def test_every_way_to_ask_gives_the_same_answer(hours, zone, quarter, days):
    starts_at = YEAR_AT + quarter * QUARTER_MS
    window = Range(starts_at=starts_at, ends_at=starts_at + days * 86_400_000)
    parted, merged = openings(hours, zone, window), open_ranges(hours, zone, window)
    assert all(each.starts_at < each.ends_at for each in parted + merged)
    assert all(one.ends_at <= two.starts_at for one, two in pairwise(parted))
    assert all(one.ends_at < two.starts_at for one, two in pairwise(merged))
    for instant in range(window.starts_at, window.ends_at, 7 * QUARTER_MS):
        among = any(each.starts_at <= instant < each.ends_at for each in merged)
        assert among is any(each.starts_at <= instant < each.ends_at for each in parted)
        assert among is is_open(hours, zone, instant)
        assert (next_opening(hours, zone, instant) == instant) is among
        assert (closing_after(hours, zone, instant) == instant) is not among
    later = Range(starts_at=window.starts_at + 3_600_000, ends_at=window.ends_at)
    assert openings(hours, zone, later) == [each for each in parted if each.overlaps(later)]


def test_the_longest_hours_there_can_be_can_be_kept():
    ranges = [f"{hour:02}:00-{hour:02}:30" for hour in range(8)]
    dates = [str(date(2026, 1, 1) + day * DAY) for day in range(400)]
    hours = OpeningHours.model_validate(
        {
            "week": dict.fromkeys(WEEKDAYS, tuple(ranges)),
            "holidays": {"dates": dates, "hours": ranges},
            "exceptions": [{"date": day, "hours": ranges} for day in dates],
        }
    )
    assert read_hours(hours_text(hours)) == hours


def test_a_stretch_is_open_throughout_or_not():
    hours = each_day("10:00-14:00", "14:00-22:00", "22:30-23:00")
    opens = at("2026-06-01T10:00+09:00")
    whole = Range(starts_at=opens, ends_at=opens + 12 * 3_600_000)
    assert is_open_throughout(hours, TOKYO, whole)
    longer = Range(starts_at=whole.starts_at, ends_at=whole.ends_at + 1)
    assert not is_open_throughout(hours, TOKYO, longer)
    over_a_break = Range(starts_at=whole.starts_at, ends_at=whole.ends_at + 3_600_000)
    assert not is_open_throughout(hours, TOKYO, over_a_break)
    assert is_open_throughout(None, TOKYO, over_a_break)


def test_a_clock_that_goes_back_over_midnight_takes_no_opening_back():
    """In St. John's, until 2011, 00:01 went back to 23:01 of the day before."""
    sundays = OpeningHours.model_validate({"week": {"sun": ["00:00-02:00"]}})
    again_saturday = at("2010-11-07T02:45Z")
    assert local(again_saturday, "America/St_Johns").strftime("%a %H:%M") == "Sat 23:15"
    assert is_open(sundays, "America/St_Johns", again_saturday)
    assert not is_open(sundays, "America/St_Johns", at("2010-11-07T02:29Z"))

"""What a person writes into the set-up is read as meant, and the guide follows from the books."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as some

from common.rules import setup
from common.rules.setup import (
    Changed,
    Fault,
    FirstHour,
    Stage,
    StageState,
    WrittenWrong,
    difference,
    first_hour,
    is_set_up,
)

CLOCKS = some.tuples(some.integers(0, 23), some.integers(0, 59)).map(
    lambda at: f"{at[0]:02}:{at[1]:02}"
)
WHEN = some.fixed_dictionaries(
    {
        "weekdays": some.lists(some.integers(0, 6), unique=True, max_size=6).map(sorted),
        "from_time": CLOCKS,
        "until_time": CLOCKS,
    }
)
BANDS = some.lists(
    some.builds(
        lambda when, cents: {**when, "cents_per_hour": cents}, WHEN, some.integers(0, 10**8)
    ),
    max_size=5,
)
TITLES = some.text("Night \u2013 pack 6 時間 -~", min_size=1).map(str.strip).filter(bool)
PACKAGES = some.lists(
    some.builds(
        lambda title, seconds, cents, when: {
            "title": title,
            "length_seconds": seconds,
            "cents": cents,
            **when,
        },
        TITLES,
        some.integers(1, 2**24 - 1),
        some.integers(0, 10**8),
        WHEN,
    ),
    max_size=5,
)
DATES = some.lists(
    some.dates().map(str).filter(lambda day: len(day) == 10), unique=True, max_size=9
)
ALL_DONE = FirstHour(
    has_store=True,
    says_hours=True,
    enrolled=1,
    confirmed=1,
    devices=1,
    offerings=1,
    is_priced=True,
    on_offer=1,
    sold=1,
)


@given(bands=BANDS, packages=PACKAGES, dates=DATES, digits=some.sampled_from((0, 2, 3)))
def test_what_was_written_back_is_read_as_the_same(
    bands: list[dict[str, Any]], packages: list[dict[str, Any]], dates: list[str], digits: int
):
    assert setup.bands_in(setup.bands_written(bands, digits), digits) == bands
    assert setup.packages_in(setup.packages_written(packages, digits), digits) == packages
    assert setup.dates_in(setup.dates_written(dates)) == sorted(dates)


@given(seconds=some.integers(0, 2 * 366 * 86_400), unit=some.sampled_from((1, 60, 3600, 86_400)))
def test_a_length_survives_whatever_unit_it_is_written_in(seconds: int, unit: int):
    assert setup.seconds_in(setup.seconds_written(seconds, unit), unit) == seconds
    assert setup.seconds_list_in(setup.seconds_list_written([seconds, 60])) == [seconds, 60]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("10:00-22:00", ["10:00-22:00"]),
        ("9:00 \u2013 12:00, 13:00\u301c26:00", ["09:00-12:00", "13:00-26:00"]),
        ("\uff11\uff10\uff1a\uff10\uff10\uff0d\uff12\uff12\uff1a\uff10\uff10", ["10:00-22:00"]),
        ("24h", ["00:00-24:00"]),
        ("closed", []),
        ("休み", []),
        ("", []),
    ],
)
def test_a_day_s_hours_are_read_as_people_write_them(written: str, meant: list[str]):
    assert setup.ranges_in(written) == meant


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("mon-fri 10:00-17:00 1200", [0, 1, 2, 3, 4]),
        ("土,日 10:00-17:00 1,200", [5, 6]),
        ("fri-mon 10:00-17:00 1200", [0, 4, 5, 6]),
        ("Saturday 10:00-17:00 1200", [5]),
        ("毎日 10:00-17:00 1200", []),
        ("10:00-17:00 1200", []),
    ],
)
def test_weekdays_are_read_in_both_languages(written: str, days: list[int]):
    (band,) = setup.bands_in(written, 0)
    assert (band["weekdays"], band["cents_per_hour"]) == (days, 1200)
    assert (band["from_time"], band["until_time"]) == ("10:00", "17:00")


def test_dates_are_named_alone_or_from_one_to_another_and_have_hours_of_their_own():
    assert setup.dates_in("2026-12-31..2027-01-02, 2027-05-03") == [
        *("2026-12-31", "2027-01-01", "2027-01-02"),
        "2027-05-03",
    ]
    said = "2026-12-31 10:00-18:00\n\n2027-01-01..2027-01-02 closed"
    found = setup.exceptions_in(said)
    assert [each["hours"] for each in found] == [["10:00-18:00"], [], []]
    assert setup.exceptions_in(setup.exceptions_written(found)) == found


@pytest.mark.parametrize(
    ("read", "written", "line", "fault"),
    [
        (setup.ranges_in, "ten to six", 1, Fault.NO_RANGE),
        (setup.dates_in, "2027-01-01\n2027-02-30", 2, Fault.NO_DATE),
        (setup.dates_in, "2027-01-02..2027-01-01", 1, Fault.NO_DATE),
        (setup.dates_in, "2027-01-01..2029-01-01", 1, Fault.NO_DATE),
        (setup.exceptions_in, "2027-01-01\n2027-01-02 late", 2, Fault.NO_RANGE),
        (setup.seconds_list_in, "30, soon", 1, Fault.NO_NUMBER),
        (lambda text: setup.seconds_in(text, 60), "-5", 1, Fault.NO_NUMBER),
        (lambda text: setup.seconds_in(text, 60), "NaN", 1, Fault.NO_NUMBER),
        (lambda text: setup.cents_in(text, 0), "12.5", 1, Fault.NO_AMOUNT),
        (lambda text: setup.cents_in(text, 2), "", 1, Fault.NO_AMOUNT),
        (lambda text: setup.bands_in(text, 0), "\n10:00-12:00 much", 2, Fault.NO_PRICE),
        (lambda text: setup.bands_in(text, 0), "someday 10:00-12:00 9", 1, Fault.NO_WEEKDAY),
        (lambda text: setup.packages_in(text, 0), "Night", 1, Fault.NO_PACKAGE),
        (lambda text: setup.packages_in(text, 0), "Night|6h|x", 1, Fault.NO_PRICE),
        (setup.dates_in, "2027-01-01\n" * 500, 400, Fault.TOO_MANY),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(
    read: Any, written: str, line: int, fault: Fault
):
    with pytest.raises(WrittenWrong) as refused:
        read(written)
    assert refused.value.facts == {"line": line, "fault": fault}


def test_the_guide_goes_from_nothing_to_the_first_sold_slot():
    reached = FirstHour()
    for field, stage in zip(FirstHour.__dataclass_fields__, (each for each in Stage), strict=True):
        found = dict(first_hour(reached))
        assert found[stage] is StageState.NEXT
        assert list(found.values()).count(StageState.NEXT) == 1
        assert not is_set_up(reached)
        said = {each: getattr(reached, each) for each in FirstHour.__dataclass_fields__}
        reached = FirstHour(**{**said, field: getattr(ALL_DONE, field)})
    assert is_set_up(reached)


def test_what_has_sold_something_is_asked_for_no_hours_and_no_price():
    sold = FirstHour(has_store=True, enrolled=1, confirmed=1, devices=1, offerings=1, sold=1)
    assert is_set_up(sold)


def test_a_difference_names_each_field_that_says_something_else():
    before = {"title": "Booth", "price": "¥500", "gone": "x"}
    after = {"title": "Booth", "price": "¥600", "new": "y"}
    assert difference(before, after) == (
        Changed(field="price", before="¥500", after="¥600"),
        Changed(field="new", before="", after="y"),
        Changed(field="gone", before="x", after=""),
    )

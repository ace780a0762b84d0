"""A price is what the store's clock says it is, and no unit of it is lost or made (C6)."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st
from pydantic import ValidationError

from common.rules.payments import Band, Package, Prices, Stay, price_of
from common.rules.payments.bands import pieces, wall_at
from common.rules.payments.shares import rounded, shared

TOKYO = ZoneInfo("Asia/Tokyo")
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(
    [
        TOKYO,
        BERLIN,
        *map(ZoneInfo, ("America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca")),
    ]
)
HOUR_MS = 3_600_000
INSTANTS = st.integers(1_700_000_000, 2_000_000_000).map(lambda seconds: seconds * 1000)
CLOCKS = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 45, 59]))
BANDS = st.builds(
    Band,
    weekdays=st.lists(st.integers(0, 6), max_size=7).map(tuple),
    from_time=CLOCKS,
    until_time=st.one_of(CLOCKS, st.just("24:00")),
    cents_per_hour=st.integers(0, 100_000),
)
BY_THE_HOUR = st.builds(
    Prices,
    cents_per_hour=st.integers(0, 100_000),
    bands=st.lists(BANDS, max_size=4).map(tuple),
    is_per_person=st.booleans(),
)


def at(text: str, zone: ZoneInfo = TOKYO) -> int:
    """Return an instant by a local clock; the first of two where it is set back."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def a_stay(begin: str, hours: float, zone: ZoneInfo = TOKYO, party_size: int = 1) -> Stay:
    starts_at = at(begin, zone)
    ends_at = starts_at + int(hours * HOUR_MS)
    return Stay(starts_at=starts_at, ends_at=ends_at, zone=zone, party_size=party_size)


def cents(prices: Prices, stay: Stay, flat: int = 0) -> int:
    return sum(part.cents for part in price_of(prices, flat, stay))


EVENING = Prices(
    cents_per_hour=1000,
    bands=(Band(weekdays=(4, 5), from_time="18:00", until_time="02:00", cents_per_hour=2000),),
)
"""Friday and Saturday evenings, past midnight, cost twice as much."""


@pytest.mark.parametrize(
    ("begin", "hours", "wanted"),
    [
        ("2026-11-27T17:00", 1, 1000),
        ("2026-11-27T17:30", 1, 1500),
        ("2026-11-27T18:00", 1, 2000),
        ("2026-11-28T01:00", 1, 2000),
        ("2026-11-28T01:30", 1, 1500),
        ("2026-11-29T01:30", 1, 1500),
        ("2026-11-30T01:30", 1, 1000),
        ("2026-11-26T23:00", 3, 3000),
        ("2026-11-27T17:00", 10, 1000 + 8 * 2000 + 1000),
    ],
)
def test_c6_a_band_is_of_the_day_it_began_on_also_past_midnight(begin, hours, wanted):
    assert cents(EVENING, a_stay(begin, hours)) == wanted


@pytest.mark.parametrize(
    ("begin", "hours", "wanted"),
    [
        ("2026-03-29T01:00", 1, 1000),  # 01:00 to 03:00 by the clock, one hour by the sun
        ("2026-03-29T01:00", 2, 3000),
        ("2026-10-25T01:00", 2, 2000),  # 02:00 comes twice: the band begins after the second
        ("2026-10-25T01:00", 3, 4000 - 1000),
    ],
)
def test_c6_on_the_day_the_clock_is_changed_time_costs_what_it_takes(begin, hours, wanted):
    late = Band(from_time="03:00", until_time="06:00", cents_per_hour=2000)
    prices = Prices(cents_per_hour=1000, bands=(late,))
    assert cents(prices, a_stay(begin, hours, BERLIN)) == wanted


def test_the_first_band_that_holds_counts():
    bands = [Band(cents_per_hour=n) for n in (700, 900)]
    assert cents(Prices(cents_per_hour=1, bands=tuple(bands)), a_stay("2026-11-27T17:00", 1)) == 700


def test_a_flat_price_is_the_same_for_any_length_and_once_for_each_of_a_party():
    stay = a_stay("2026-11-27T17:00", 5, party_size=3)
    assert cents(Prices(), stay, flat=1500) == 1500
    assert cents(Prices(is_per_person=True), stay, flat=1500) == 4500


THREE_HOURS = Package(title="3 hours for 2500", length_seconds=10_800, cents=2500)


@pytest.mark.parametrize(
    ("hours", "wanted"), [(2, 2000), (2.5, 2500), (3, 2500), (4, 3500), (6, 5500)]
)
def test_c6_a_package_pays_for_the_beginning_and_the_hours_for_the_rest(hours, wanted):
    prices = Prices(cents_per_hour=1000, packages=(THREE_HOURS,))
    assert cents(prices, a_stay("2026-11-27T10:00", hours)) == wanted


@pytest.mark.parametrize(
    ("begin", "wanted"),
    [("2026-11-27T09:00", 2500), ("2026-11-27T08:59", 3000), ("2026-11-27T14:01", 3000)],
)
def test_a_package_counts_only_where_its_hours_hold_all_of_it(begin, wanted):
    daytime = THREE_HOURS.model_copy(update={"from_time": "09:00", "until_time": "17:00"})
    prices = Prices(cents_per_hour=1000, packages=(daytime,))
    assert cents(prices, a_stay(begin, 3)) == wanted


def test_a_package_that_is_dearer_than_the_hours_is_not_taken():
    dear = THREE_HOURS.model_copy(update={"cents": 9000})
    prices = Prices(cents_per_hour=1000, packages=(dear,))
    assert cents(prices, a_stay("2026-11-27T10:00", 3)) == 3000


@pytest.mark.parametrize(
    "wrong",
    [
        {"bands": [{"cents_per_hour": 1}]},
        {"cents_per_hour": -1},
        {"cents_per_hour": 1, "bands": [{"from_time": "24:30", "cents_per_hour": 1}]},
        {"cents_per_hour": 1, "bands": [{"weekdays": [7], "cents_per_hour": 1}]},
        {"cents_per_hour": 1.5},
        {"cents_per_hour": 1, "unknown": 1},
        {"tax_basis_points": 10_001},
    ],
)
def test_prices_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValidationError):
        Prices.model_validate(wrong)


@given(total=st.integers(-(10**12), 10**12), weights=st.lists(st.integers(0, 10**9), min_size=1))
def test_c6_what_is_shared_adds_up_and_no_part_is_off_by_a_unit(total, weights):
    parts = shared(total, weights)
    assert sum(parts) == total
    if sum(weights):
        exact = [Fraction(total * weight, sum(weights)) for weight in weights]
        assert all(abs(part - share) < 1 for part, share in zip(parts, exact, strict=True))


@given(numerator=st.integers(-(10**15), 10**15), denominator=st.integers(1, 10**9))
def test_what_is_rounded_is_off_by_a_half_at_most_and_the_same_on_both_sides(
    numerator, denominator
):
    whole = rounded(numerator, denominator)
    assert abs(whole - Fraction(numerator, denominator)) <= Fraction(1, 2)
    assert rounded(-numerator, denominator) == -whole


@settings(max_examples=200)
@given(
    zone=ZONES,
    starts_at=INSTANTS,
    minutes=st.integers(1, 3000),
    edges=st.lists(st.integers(0, 1440), max_size=6),
)
def test_c6_the_pieces_are_the_whole_time_and_no_edge_lies_within_one(
    zone, starts_at, minutes, edges
):
    ends_at = starts_at + minutes * 60_000
    found = list(pieces(zone, starts_at, ends_at, edges))
    assert [found[0][0], *(end for _, end in found)] == [
        *(begin for begin, _ in found),
        ends_at,
    ]
    edge_ms = {edge % 1440 * 60_000 for edge in edges} | {0}
    for begin, end in found:
        first, last = wall_at(zone, begin), wall_at(zone, end - 1)
        assert first.weekday == last.weekday
        assert not [edge for edge in edge_ms if first.day_ms < edge <= last.day_ms]


def minute_by_minute(prices: Prices, stay: Stay) -> int:
    """Return the price by a clock that is looked at each minute: the plainest way there is."""
    assert prices.cents_per_hour is not None
    sum_of_rates = 0
    for moment in range(stay.starts_at, stay.ends_at, 60_000):
        local = datetime.fromtimestamp(moment // 1000, stay.zone)
        rates = [band.cents_per_hour for band in prices.bands if _holds(band, local)]
        sum_of_rates += rates[0] if rates else prices.cents_per_hour
    people = stay.party_size if prices.is_per_person else 1
    return rounded(sum_of_rates * people, 60)


def _holds(band: Band, local: datetime) -> bool:
    days = band.weekdays or tuple(range(7))
    clock, until = f"{local:%H:%M}", band.until_time
    if band.from_time < until:
        return local.weekday() in days and band.from_time <= clock < until
    yesterday = (local.replace(tzinfo=None) - timedelta(days=1)).weekday()
    return (clock >= band.from_time and local.weekday() in days) or (
        clock < until and yesterday in days
    )


@settings(max_examples=150)
@given(
    prices=BY_THE_HOUR,
    zone=ZONES,
    starts_at=INSTANTS.map(lambda at: at // 60_000 * 60_000),
    minutes=st.integers(1, 1500),
    party_size=st.integers(1, 9),
)
def test_c6_a_price_is_that_of_its_minutes_and_its_parts_add_up(
    prices, zone, starts_at, minutes, party_size
):
    ends_at = starts_at + minutes * 60_000
    stay = Stay(starts_at=starts_at, ends_at=ends_at, zone=zone, party_size=party_size)
    parts = price_of(prices, 0, stay)
    assert sum(part.cents for part in parts) == minute_by_minute(prices, stay)
    assert all(part.cents >= 0 for part in parts)
    assert sum(part.length_seconds for part in parts) == minutes * 60

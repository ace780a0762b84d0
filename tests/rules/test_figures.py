"""What a period is by a store's calendar, and that its figures are counted once and whole."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cloud_controller.web.sheets import Sheet, sheet_of
from common.rules.figures import (
    Asked,
    Choice,
    Figures,
    Given,
    KnownDevice,
    Leaked,
    Period,
    PeriodIsWrong,
    Posted,
    Stretch,
    chosen,
    figures_of,
    period_of,
    together,
)

HOUR_MS = 3_600_000
TOKYO, PARIS = "Asia/Tokyo", "Europe/Paris"
DAY = date(2026, 10, 23)
MIDNIGHT = Period(first=DAY, last=DAY, time_zone=TOKYO).starts_at
TEN = MIDNIGHT + 10 * HOUR_MS


def given(**changed: Any) -> Given:
    facts: dict[str, Any] = {
        "device": "d-1",
        "state": "ended",
        "running_at": TEN,
        "ended_at": TEN + HOUR_MS,
        "end_reason": "time_up",
        "delivered_seconds": 3600.0,
        "lost_seconds": 0.0,
    }
    return Given(**facts | changed)


def asked(*uses: Given, **changed: Any) -> Asked:
    facts: dict[str, Any] = {
        "device": "d-1",
        "offering": "o-1",
        "state": "completed",
        "starts_at": TEN,
        "ends_at": TEN + HOUR_MS,
        "price_cents": 1500,
        "currency": "JPY",
    }
    return Asked(given=uses, **facts | changed)


def posted(kind: str, account: str, cents: int, at: int = TEN) -> Posted:
    return Posted(kind=kind, at=at, account=account, cents=cents, currency="JPY")


def counted(*reservations: Asked, **changed: Any) -> Figures:
    facts: dict[str, Any] = {
        "period": Period(first=DAY, last=DAY, time_zone=TOKYO),
        "now": TEN + 2 * HOUR_MS,
        "opened": [(TEN, TEN + 10 * HOUR_MS)],
        "devices": [
            KnownDevice(device="d-1", title="Booth 1"),
            KnownDevice(device="d-2", title="2"),
        ],
        "offerings": {"o-1": "VR"},
        "asked": reservations,
        "posted": [],
    }
    return figures_of(Stretch(**facts | changed))


def test_a_day_is_as_long_as_the_clock_of_its_zone_makes_it():
    longest = Period(first=date(2026, 10, 25), last=date(2026, 10, 25), time_zone=PARIS)
    assert longest.ends_at - longest.starts_at == 25 * HOUR_MS
    hours = list(longest.by_hour(longest.starts_at, longest.ends_at))
    assert sum(seconds for _, _, seconds in hours) == 25 * 3600
    assert [hour for _, hour, _ in hours].count(2) == 2


@pytest.mark.parametrize(
    ("choice", "first", "last"),
    [
        (Choice.WEEK, date(2026, 10, 17), DAY),
        (Choice.MONTH, date(2026, 9, 24), DAY),
        (Choice.THIS_MONTH, date(2026, 10, 1), DAY),
        (Choice.LAST_MONTH, date(2026, 9, 1), date(2026, 9, 30)),
        (Choice.YEAR, date(2025, 10, 24), DAY),
    ],
)
def test_a_named_period_ends_today_by_the_store_s_own_calendar(choice, first, last):
    assert chosen(choice, TOKYO, MIDNIGHT) == Period(first=first, last=last, time_zone=TOKYO)


@pytest.mark.parametrize(
    ("first", "last"),
    [(DAY, date(2026, 10, 22)), (date(2025, 10, 22), DAY), (date(1, 1, 1), date(1, 1, 2))],
)
def test_what_ends_before_it_begins_or_is_longer_than_a_year_is_no_period(first, last):
    with pytest.raises(PeriodIsWrong):
        period_of(first, last, TOKYO)


def test_use_is_what_was_delivered_of_the_open_time_of_every_device():
    figures = counted(asked(given()))
    (day,) = figures.days
    assert (day.open_seconds, day.delivered_seconds) == (2 * 10 * 3600, 3600)
    assert figures.busy[DAY.weekday()][10] == 0.5
    assert figures.busy[DAY.weekday()][11] == 0.0
    assert figures.busy[DAY.weekday()][9] is None


def test_a_stretch_that_goes_over_an_hour_counts_in_both():
    late = given(running_at=TEN + HOUR_MS // 2, ended_at=TEN + 3 * HOUR_MS // 2)
    row = counted(asked(late)).used_seconds[DAY.weekday()]
    assert (row[10], row[11]) == (1800.0, 1800.0)


def test_who_came_who_did_not_and_who_gave_it_up_are_counted_apart():
    states = ("completed", "in_use", "no_show", "cancelled", "confirmed")
    (day,) = counted(*(asked(state=state) for state in states)).days
    assert (day.visits, day.no_shows, day.cancelled) == (2, 1, 1)


def test_what_was_earned_is_what_is_left_of_what_was_sold():
    lines = [
        *(posted("charged", "receivable", 1400), posted("charged", "voucher", 100)),
        *(posted("charged", "sales", -1364), posted("charged", "tax", -136)),
        *(posted("refunded", "refund", 273), posted("refunded", "tax", 27)),
        *(posted("compensated", "compensation", 50), posted("compensated", "credit", -50)),
    ]
    money = counted(posted=lines).total.money["JPY"]
    assert (money.sold_cents, money.vouchers_cents) == (1500, 100)
    assert (money.refunded_cents, money.compensated_cents) == (300, 50)
    assert (money.net_cents, money.tax_cents) == (1050, 109)


def test_a_charge_that_is_withdrawn_was_never_earned():
    lines = [posted("charged", "sales", -1500), posted("withdrawn", "sales", 1500)]
    assert counted(posted=lines).total.money["JPY"].net_cents == 0


def test_a_device_is_blamed_for_what_it_spoilt_and_for_nothing_else():
    uses = [
        given(end_reason="program_failed", delivered_seconds=600.0, lost_seconds=5.0),
        given(state="failed", end_reason="start_timeout", delivered_seconds=0.0, running_at=None),
        given(end_reason="customer_ended"),
        given(delivered_seconds=None, end_reason="unknown"),
    ]
    first, second = counted(*(asked(use) for use in uses)).devices
    assert (first.sessions, first.failed, first.faults) == (4, 1, {"program_failed": 1})
    assert (first.faulty, first.unknown, first.lost_seconds) == (2, 1, 5.0)
    assert second.sessions == 0


def test_what_was_paid_back_is_told_by_why_it_was_lost():
    owed = {"owed_seconds": 1200.0, "owed_cents": 1000}
    lines = counted(
        asked(given(end_reason="program_failed"), **owed),
        asked(given(end_reason="program_failed"), given(), **owed),
        asked(given(), owed_seconds=5.0, owed_cents=4),
        asked(owed_seconds=3600.0, owed_cents=1500),
        asked(given()),
    ).paid_back
    assert [(line.why, line.visits, line.cents["JPY"]) for line in lines] == [
        ("not_started", 1, 1500),
        ("program_failed", 2, 2000),
        ("interrupted", 1, 4),
    ]


def test_a_leak_that_lasts_is_counted_up_to_now():
    leak = Leaked(kind="device_without_session", device="d-1", began_at=TEN, ended_at=None)
    first, _ = counted(leaked=[leak]).devices
    assert (first.leaks, first.leaked_seconds) == (1, 7200.0)


def test_several_stores_are_summed_day_by_day_and_keep_their_devices():
    one = counted(asked(given()), posted=[posted("charged", "sales", -1500)])
    both = together([one, one])
    assert both.total.visits == 2
    assert both.total.money["JPY"].net_cents == 3000
    assert len(both.devices) == 4
    assert both.busy[DAY.weekday()][10] == 0.5


@pytest.mark.parametrize("sheet", Sheet)
def test_a_sheet_has_its_head_even_when_nothing_happened(sheet):
    head, *rows = sheet_of(counted(), sheet).splitlines()
    assert "," in head
    assert len(rows) == {Sheet.DAYS: 1, Sheet.DEVICES: 2}.get(sheet, 0)


def test_no_title_in_a_sheet_is_a_formula():
    named = [KnownDevice(device="d-1", title='=HYPERLINK("x")')]
    assert "'=HYPERLINK" in sheet_of(counted(devices=named), Sheet.DEVICES)


def test_a_sheet_of_days_has_a_row_for_each_currency():
    yen = posted("charged", "sales", -1500)
    lines = [yen, Posted(kind="charged", at=TEN, account="sales", cents=-900, currency="EUR")]
    rows = sheet_of(counted(asked(given()), posted=lines), Sheet.DAYS).splitlines()
    assert [row.split(",")[6:8] for row in rows[1:]] == [["EUR", "900"], ["JPY", "1500"]]

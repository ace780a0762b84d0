"""Reports and audits over the API and in the console: figures, plots, sheets, findings."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cloud_controller.auditor import audit_all
from common.rules.accounts import OperatorRole
from tests.fakes.store import SHINJUKU, Offer
from tests.rim.figures_kit import PRICE_CENTS, lived
from tests.rim.web_kit import WebKit, web_kit

FIGURES = f"/api/v1/stores/{SHINJUKU}/figures"
PAGE = "/operator/reports"


async def a_month(kit: WebKit, folder: Path, days: int = 8) -> None:
    """Let a store of two devices have lived for some days."""
    opened = await kit.store.open(Offer(devices=2))
    lived(folder, opened, kit.store.clock.now, days)


async def test_the_api_tells_what_was_used_earned_missed_and_paid_back(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await a_month(kit, tmp_path)
        told = (await kit.told(FIGURES)).json
        assert len(told["days"]) == 30
        visits = sum(day["visits"] for day in told["days"])
        sold = sum(money["sold_cents"] for day in told["days"] for money in day["money"])
        assert visits == sum(device["visits"] for device in told["devices"]) > 0
        assert sold % PRICE_CENTS == 0 < sold
        (why,) = told["paid_back"]
        assert why["why"] == "program_failed"
        assert (
            sum(device["faults"]["program_failed"] for device in told["devices"]) == why["visits"]
        )
        assert [leak["kind"] for leak in told["leaks"]] == ["device_without_session"]


async def test_a_sheet_says_the_same_as_the_figures(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await a_month(kit, tmp_path)
        days = {"first": "2026-10-16", "last": "2026-10-22"}
        told = (await kit.told(FIGURES, params=days)).json
        sheet = await kit.told(f"{FIGURES}.csv", params=days | {"sheet": "days"})
        assert sheet.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert "shinjuku-days-2026-10-16-2026-10-22.csv" in sheet.headers["Content-Disposition"]
        rows = list(csv.DictReader(io.StringIO(sheet.body.decode())))
        assert [int(row["visits"]) for row in rows] == [day["visits"] for day in told["days"]]


@pytest.mark.parametrize(
    "asked",
    [
        {"first": "2026-10-16"},
        {"first": "2026-10-16", "last": "2026-10-15"},
        {"first": "2020-01-01", "last": "2026-01-01"},
        {"first": "never", "last": "2026-01-01"},
        {"period": "decade"},
    ],
)
async def test_what_is_no_period_is_told_so(tmp_path: Path, asked: dict[str, str]):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        assert (await kit.told(FIGURES, params=asked)).status == 422


async def test_the_page_draws_the_figures_and_says_them_as_well(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await a_month(kit, tmp_path)
        page = (await kit.get(f"{PAGE}?lang=en", headers=await kit.signed_in())).text
        told = (await kit.told(FIGURES)).json
        busy = sum(day["delivered_seconds"] > 0 for day in told["days"])
        assert len(re.findall(r'<rect class="bar used"', page)) == busy
        assert "On without a session" in page
        assert "The program failed" in page


async def test_a_page_whose_days_are_no_period_shows_the_last_thirty_and_says_so(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await a_month(kit, tmp_path, days=1)
        address = f"{PAGE}?lang=en&first=2026-10-20&last=2026-10-01"
        page = await kit.get(address, headers=await kit.signed_in())
        assert page.status == 200
        assert "That is no period" in page.text


async def test_a_year_is_drawn_in_weeks(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await a_month(kit, tmp_path, days=2)
        page = (await kit.get(f"{PAGE}?period=year", headers=await kit.signed_in())).text
        assert len(re.findall(r'<rect class="bar used"', page)) == 1


async def test_nobody_sees_the_figures_of_a_store_that_is_not_his(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await a_month(kit, tmp_path, days=1)
        elsewhere = await kit.signed_in(OperatorRole.OWNER, "osaka")
        for path in (PAGE, f"{PAGE}/figures.csv", f"{PAGE}/audit"):
            of_it = await kit.get(f"{path}?store={SHINJUKU}", headers=elsewhere)
            assert of_it.status == 404, path


async def test_whoever_only_looks_audits_nothing(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        viewer = await kit.signed_in(OperatorRole.VIEWER)
        assert (await kit.get(f"{PAGE}/audit", headers=viewer)).status == 200
        assert (await kit.post(f"{PAGE}/audit", headers=viewer)).status == 403


async def test_an_owner_audits_by_a_button_and_sees_what_was_found(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await a_month(kit, tmp_path, days=1)
        owner = await kit.signed_in()
        with closing(sqlite3.connect(tmp_path / "books.sqlite", timeout=10)) as books, books:
            books.execute("INSERT INTO entries (kind, store_id, at) VALUES ('x', 'shinjuku', 1)")
        gone = await kit.post(f"{PAGE}/audit", headers=owner)
        assert (gone.status, gone.headers["Location"]) == (303, f"{PAGE}/audit?said=done")
        page = (await kit.get(f"{gone.headers['Location']}&lang=en", headers=owner)).text
        assert "An entry of the ledger does not sum to nought." in page
        (last,) = (await kit.told("/api/v1/audits")).json["audits"]
        assert [each["invariant"] for each in last["findings"]] == ["ledger_unbalanced"]


async def test_findings_of_another_store_are_not_shown(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        with closing(sqlite3.connect(tmp_path / "books.sqlite", timeout=10)) as books, books:
            books.execute("INSERT INTO entries (kind, store_id, at) VALUES ('x', 'osaka', 1)")
        await audit_all(kit.store.books, kit.store.clock, "timer")
        here = await kit.signed_in(OperatorRole.OWNER, SHINJUKU)
        page = (await kit.get(f"{PAGE}/audit?lang=en", headers=here)).text
        assert "does not sum to nought." not in page


async def test_the_api_audits_now(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        told = (await kit.told("/api/v1/audits", method="POST")).json
        assert (told["found"], told["findings"]) == (0, [])
        assert told["looked"]["devices"] == 2

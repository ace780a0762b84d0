"""What the operator sees of modules: who may look, what is told, and that it can be read by all."""

from __future__ import annotations

import csv
import io
import re
import shutil
from base64 import b64encode
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, ViewportSize, async_playwright

from cloud_controller.web.pages.chart import HEIGHT, LINES_MAX, STACK, chart_of
from cloud_controller.web.pages.console.modules import MONTHS, SILENT_SECONDS, month_starts
from cloud_controller.web.table import ROUTES
from common.rules.modules import Match
from common.seals import digest_of
from tests.fakes.store import MORNING_AT
from tests.rim.operator_kit import MEGABYTE, SIGNED_IN, told, with_a_module
from tests.rim.web_kit import TOKEN, WebKit, assert_problem, web_kit

PAGE = "/operator/modules"
API = "/api/v1/modules"
PAGES = [route.path for route in ROUTES if route.path.startswith("/operator/modules")]
SMALL_PHONE = ViewportSize(width=320, height=568)
NASTY = "<script>alert(1)</script>\"'>{{7*7}}"


def basic(said: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(said.encode()).decode()}"}


async def test_only_who_has_the_operator_s_token_may_look(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await with_a_module(kit)
        await kit.told(f"{API}/physics/reports", {})
        for path in (path.replace("{module}", "physics") for path in PAGES):
            for headers in (
                {},
                basic("operator:wrong"),
                basic(TOKEN),
                {"Authorization": "Basic ü"},
                {"Authorization": f"Basic {TOKEN}"},
                {"Authorization": "Bearer wrong"},
            ):
                refused = await kit.get(path, headers=headers)
                assert refused.status == 401
                assert refused.headers["WWW-Authenticate"].startswith("Bearer")
                assert "Physics" not in refused.text
            assert (await kit.get(path, headers=SIGNED_IN)).status == 200, path


async def test_d6_the_page_tells_seats_match_and_what_is_due(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await with_a_module(kit)
        page = (await kit.get(PAGE, headers=SIGNED_IN)).text
        told_numbers = dict(re.findall(r'<div class="(\w+)"><dt>[^<]*</dt><dd>(\d+)</dd>', page))
        assert told_numbers == {
            "via_this_system": "2",
            "issued_never_used": "1",
            "obtained_elsewhere": "1",
            "sum": "3",
        }
        for words in ("<b>7</b> of 10 seats taken", "3 free", "Next report", "¥600", "66%"):
            assert words in page
        japanese = (await kit.get(PAGE, headers=SIGNED_IN | {"Accept-Language": "ja"})).text
        for words in ('lang="ja"', "全10席", "次回の報告", "￥600"):
            assert words in japanese


async def test_d6_a_report_is_closed_over_the_api_and_read_as_it_was_signed(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await with_a_module(kit)
        (module,) = (await kit.told(API)).json["modules"]
        assert module["match"]["via_this_system"] == 2
        assert module["seats"] == {"owned": 10, "used": 7, "given": 0}
        until = "2026-10-01T00:00:00Z"
        closed = await kit.told(f"{API}/physics/reports", {"until": until})
        assert (closed.status, closed.json["number"], closed.json["ends_at"]) == (201, 1, until)
        assert closed.json["due_cents"] == {"JPY": 300}
        assert kit.store.keys.have_sealed(closed.json["document"], closed.json["signature"])
        assert closed.json["sha256"] == digest_of(closed.json["document"])
        told_again = (await kit.told(f"{API}/physics/reports")).json
        assert told_again["reports"] == [closed.json]
        assert told_again["next"]["closed_at"] is None
        sheet = await kit.told(f"{API}/physics/reports.csv")
        assert sheet.headers["Content-Type"] == "text/csv; charset=utf-8"
        (row,) = csv.DictReader(io.StringIO(sheet.text, newline=""))
        assert (row["counted"], row["cents"], row["sha256"]) == ("1", "300", closed.json["sha256"])


async def test_a_report_that_cannot_be_is_refused(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await with_a_module(kit)
        assert_problem(await kit.told(f"{API}/physics/reports.csv"), 404, "not_found")
        for path in ("chemistry/reports", "chemistry/reports.csv"):
            assert_problem(await kit.told(f"{API}/{path}"), 404, "not_found")
        for until in ("2999-01-01T00:00:00Z", "1970-01-01T00:00:00Z"):
            refused = await kit.told(f"{API}/physics/reports", {"until": until})
            assert_problem(refused, 409, "not_allowed")


async def test_an_install_is_shown_by_its_terminal_s_last_word(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        terminal = await with_a_module(kit)
        assert "Nothing is being installed" in (await kit.get(PAGE, headers=SIGNED_IN)).text
        await told(kit, terminal, "downloading", 30 * MEGABYTE)
        page = await installs(kit)
        for words in ("Downloading", "<b>37%</b>", "30.0 MB of 80.0 MB", 'value="30000000"'):
            assert words in page
        kit.store.clock.move(SILENT_SECONDS + 1)
        assert "No word since 9:00" in await installs(kit)
        await told(kit, terminal, "failed", detail="disk_full")
        await told(kit, terminal, "failed")
        assert "disk is full" in await installs(kit), "said again without its why"
        await told(kit, terminal, "kept", detail="needed: racer")
        assert "Another program on the PC needs it." in await installs(kit)
        await told(kit, terminal, "no_seat")
        page = await installs(kit)
        assert "No seat is left" in page
        assert "<progress" not in page
        await told(kit, terminal, "active", 80 * MEGABYTE)
        page = await installs(kit)
        assert "Installed" in page
        assert "<progress" not in page
        kit.store.clock.move(3600)
        assert "Installed" not in await installs(kit)


async def test_nobody_s_words_become_code_and_an_unknown_state_is_one(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        terminal = await with_a_module(kit, title=NASTY)
        await told(kit, terminal, NASTY, 90 * MEGABYTE, detail=NASTY)
        for page in ((await kit.get(PAGE, headers=SIGNED_IN)).text, await installs(kit)):
            assert NASTY not in page
            assert "&lt;script&gt;alert(1)" in page
            assert "In an unknown state" in page
            assert "<progress" not in page
        await told(kit, terminal, "downloading", 90 * MEGABYTE)
        assert "<b>100%</b>" in await installs(kit)


async def test_without_script_it_can_be_read_on_a_small_phone_and_loads_itself(tmp_path: Path):
    async with web_kit(tmp_path) as kit, async_playwright() as play:
        await told(kit, await with_a_module(kit), "downloading", 30 * MEGABYTE)
        browser = await play.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = await browser.new_page(
            viewport=SMALL_PHONE,
            locale="ja-JP",
            java_script_enabled=False,
            extra_http_headers=SIGNED_IN,
        )
        await page.goto(kit.url + PAGE)
        box = await page.locator("html").bounding_box()
        assert box is not None
        assert box["width"] <= SMALL_PHONE["width"]
        for target in await page.locator("a:visible, summary:visible").all():
            target_box = await target.bounding_box()
            assert target_box is not None
            assert target_box["height"] >= 44
        await page.get_by_role("link", name="インストールだけを見る").click()
        await page.get_by_text("37%").wait_for()
        await told(kit, await terminal_of(kit), "active", 80 * MEGABYTE)
        await page.get_by_text("インストール完了").wait_for()
        await browser.close()


async def test_a_bar_moves_by_itself_and_axe_finds_nothing_by_day_or_night(tmp_path: Path):
    async with web_kit(tmp_path) as kit, async_playwright() as play:
        await told(kit, await with_a_module(kit), "downloading", 8 * MEGABYTE)
        browser = await play.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = await browser.new_page(locale="en-US", extra_http_headers=SIGNED_IN)
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda fault: complaints.append(str(fault)))
        await page.goto(kit.url + PAGE)
        await page.get_by_text("10%", exact=True).wait_for()
        await page.locator("summary").click()
        assert await faults(page) == []
        await page.emulate_media(color_scheme="dark")
        assert await faults(page) == []
        await told(kit, await terminal_of(kit), "downloading", 60 * MEGABYTE)
        await page.get_by_text("75%", exact=True).wait_for()
        assert await page.locator("details[open]").count() == 1
        assert complaints == []
        await browser.close()


@pytest.mark.parametrize("highest", [0, 1, 4, 5, 8, 9, 40, 41, 99, 12_345])
def test_every_column_ends_below_a_round_number_and_the_parts_add_up(highest: int):
    via = highest // 2
    match = Match(issued=highest, users=via, via_this_system=via)
    chart = chart_of([match, Match(issued=0, users=0, via_this_system=0)])
    top = chart.lines[-1][1]
    assert chart.lines[-1][0] == 0
    assert len(chart.lines) <= LINES_MAX
    assert highest <= top
    assert sum(bar.height for bar in chart.bars) == pytest.approx(HEIGHT * highest / top, abs=0.05)
    assert [bar.kind for bar in chart.bars] == [kind for kind in STACK if getattr(match, kind)]
    assert all(bar.y >= 0 for bar in chart.bars)


def test_months_begin_when_the_store_s_own_do():
    starts = month_starts(MORNING_AT, "Asia/Tokyo")
    assert len(starts) == MONTHS
    assert starts[-1] == MORNING_AT - 22 * 86_400_000 - 9 * 3_600_000
    assert starts == sorted(starts)


async def installs(kit: WebKit) -> str:
    answered = await kit.get(f"{PAGE}/installs", headers=SIGNED_IN)
    assert answered.status == 200
    return answered.text


async def terminal_of(kit: WebKit) -> str:
    def only(books):
        return next(iter(books.modules.progress_shown(since=0, lately=0, most=1)))["terminal_id"]

    terminal: str = await kit.store.books.read(only)
    return terminal


async def faults(page: Page) -> list[str]:
    """Return what axe-core finds wrong with a page."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(Axe().axe_script)
    found = await page.evaluate("axe.run(document, {resultTypes: ['violations'], preload: false})")
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found["violations"]]


def chromium() -> str:
    found = shutil.which("chromium")
    assert found is not None, "these tests need Debian's chromium"
    return found

"""A ticket's page in a real browser: it follows its ticket, and works without a network."""

from __future__ import annotations

import asyncio
import io
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import BrowserContext, Error, Page, ViewportSize, async_playwright, expect

from cloud_controller.web.language import Languages
from cloud_controller.web.pages.ticket import Phase
from tests.fakes.store import HOUR_MS, MORNING_AT, Offer, Opened
from tests.rim.mail_kit import change
from tests.rim.test_web_browser import PHONE, SMALL_PHONE, Scheme
from tests.rim.test_web_pages import use
from tests.rim.web_kit import WebKit, web_kit

ZOOMED_PHONE: ViewportSize = {"width": 195, "height": 422}
"""A phone of 390 by 844 at 200 %."""

LOOKS_MAX = 200
LOOK_SECONDS = 0.05
"""How often a page is asked whether something has come true, and how long between."""

KEPT = "() => caches.keys().then((names) => names.map((name) => name.split(':')[1]).sort())"


@pytest.mark.parametrize(("scheme", "language"), [("light", "ja-JP"), ("dark", "en-US")])
async def test_a_ticket_that_was_opened_once_shows_its_code_without_a_network(
    tmp_path: Path, scheme: Scheme, language: str
):
    async with web_kit(tmp_path) as kit, phone(kit, scheme, language) as context:
        link = await booked(kit, tmp_path)
        token = (await kit.get(f"/api/v1/tickets/{link}")).json["token"]
        page = await opened_and_kept(context, kit, link)
        await context.set_offline(True)
        await page.reload()
        await expect(page.locator("[data-offline]")).to_be_visible()
        assert await codes_on(page) == [token]
        assert await page.locator(".short").inner_text() != ""
        box = await page.locator(".code").bounding_box()
        assert box is not None
        assert box["width"] > 250
        style = await page.evaluate("getComputedStyle(document.querySelector('.ticket')).overflow")
        assert style == "hidden", "the style sheet was kept as well"
        await page.goto(f"{kit.url}/t/{link}/reschedule")
        assert page.url == f"{kit.url}/t/{link}", "what it leads to leads back to the code"


async def test_no_ticket_is_kept_that_was_not_opened_here(tmp_path: Path):
    async with web_kit(tmp_path) as kit, phone(kit) as context:
        opened = await kit.store.open()
        ours = await kit.store.book(opened, MORNING_AT + HOUR_MS)
        other = await kit.store.book(opened, MORNING_AT + 2 * HOUR_MS)
        page = await opened_and_kept(context, kit, ours)
        assert await page.evaluate(KEPT) == [f"/t/{ours}"]
        await context.set_offline(True)
        with pytest.raises(Error, match="net::ERR_"):
            await page.goto(f"{kit.url}/t/{other}")


async def test_a_ticket_that_is_over_is_forgotten_by_the_phone(tmp_path: Path):
    async with web_kit(tmp_path) as kit, phone(kit) as context:
        link = await booked(kit, tmp_path)
        page = await opened_and_kept(context, kit, link)
        await kit.post(f"/api/v1/tickets/{link}/cancel")
        await page.reload()
        await expect(page.locator("h1")).to_have_text("This reservation was cancelled")
        await comes_true(page, f"({KEPT})().then((kept) => kept.length === 0)")


async def test_a_ticket_given_to_somebody_else_is_forgotten_by_the_phone(tmp_path: Path):
    async with web_kit(tmp_path) as kit, phone(kit) as context:
        link = await booked(kit, tmp_path)
        page = await opened_and_kept(context, kit, link)
        change(tmp_path, "UPDATE reservations SET link = ?", "f" * 32)
        await page.reload()
        await expect(page.locator(".code")).to_have_count(0)
        await comes_true(page, f"({KEPT})().then((kept) => kept.length === 0)")


async def test_the_page_follows_its_ticket_without_being_loaded_again(tmp_path: Path):
    async with web_kit(tmp_path) as kit, phone(kit) as context:
        opened = await kit.store.open()
        kit.store.clock.move(57 * 60)
        link = await kit.store.book(opened, MORNING_AT + HOUR_MS)
        page = await context.new_page()
        await page.goto(f"{kit.url}/t/{link}")
        await page.evaluate("window.isTheSame = true")
        await expect(page.locator("h1")).to_have_text("Show this at booth 1")
        follow(tmp_path, kit, opened, "running")
        await expect(page.locator("h1")).to_have_text("Running until 10:30", timeout=8000)
        await expect(page.locator("label[for=left]")).to_have_text("33 min left")
        await expect(page.locator(".code")).to_have_count(0)
        follow(tmp_path, kit, opened, "ended")
        await expect(page.locator("h1")).to_have_text("Thank you", timeout=8000)
        assert await page.evaluate("window.isTheSame") is True


async def test_without_a_network_the_phone_s_own_clock_goes_on(tmp_path: Path):
    async with web_kit(tmp_path) as kit, phone(kit) as context:
        link = await booked(kit, tmp_path)
        page = await opened_and_kept(context, kit, link)
        await expect(page.locator("h1")).to_have_text("Today, opens at 9:55")
        await context.set_offline(True)
        await context.clock.set_fixed_time(at(MORNING_AT + 56 * 60_000))
        await expect(page.locator("h1")).to_have_text("Show this at booth 1")
        assert len(await codes_on(page)) == 1
        await context.clock.set_fixed_time(at(MORNING_AT + 3 * HOUR_MS))
        await expect(page.locator("h1")).to_have_text("The time of this ticket is over")


async def test_back_in_the_network_the_page_is_true_at_once(tmp_path: Path):
    async with web_kit(tmp_path) as kit, phone(kit) as context:
        link = await booked(kit, tmp_path)
        page = await opened_and_kept(context, kit, link)
        await context.set_offline(True)
        await expect(page.locator("[data-offline]")).to_be_visible()
        await kit.post(f"/api/v1/tickets/{link}/cancel")
        await context.set_offline(False)
        await expect(page.locator("h1")).to_have_text("This reservation was cancelled")
        await expect(page.locator("[data-offline]")).to_be_hidden()


async def test_whoever_is_about_to_give_up_is_not_disturbed(tmp_path: Path):
    async with web_kit(tmp_path) as kit, phone(kit) as context:
        kit.store.clock.move(57 * 60)
        link = await booked(kit, tmp_path)
        page = await opened_and_kept(context, kit, link)
        await page.locator("summary").last.click()
        async with page.expect_response(lambda answer: answer.url.endswith(link), timeout=8000):
            change(tmp_path, "UPDATE devices SET state = 'turnover'")
        await expect(page.locator(".stands")).to_have_attribute("data-device", "being_made_ready")
        await expect(page.locator("details[open] button")).to_be_visible()
        await page.locator("details[open] button").click()
        await expect(page.locator("h1")).to_have_text("This reservation was cancelled")


@pytest.mark.parametrize("phase", [Phase.HELD, Phase.LAPSED, Phase.CANCELLED, Phase.MISSED])
async def test_a_ticket_that_opens_nothing_shows_no_code_and_says_why(tmp_path: Path, phase: Phase):
    states = {Phase.HELD: "held", Phase.LAPSED: "expired", Phase.MISSED: "no_show"}
    async with web_kit(tmp_path) as kit:
        link = await booked(kit, tmp_path)
        change(
            tmp_path,
            "UPDATE reservations SET state = ?, hold_ends_at = ?",
            states.get(phase, phase),
            kit.store.clock.now + 600_000,
        )
        text = (await kit.get(f"/t/{link}")).text
        said = Languages()["en"].say(f"ticket.{phase}.what")
        assert f"<h1>{said}</h1>" in text
        assert 'class="code"' not in text
        assert "K7M2P" not in text
        assert ("9:10" in text) is (phase is Phase.HELD)


async def test_a_hold_whose_time_is_over_says_so_before_anybody_has_looked(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        link = await booked(kit, tmp_path)
        change(tmp_path, "UPDATE reservations SET state = 'held', hold_ends_at = ?", MORNING_AT + 1)
        kit.store.clock.move(1)
        assert "It was not completed in time" in (await kit.get(f"/t/{link}")).text


async def test_nothing_of_a_ticket_is_cut_off_on_a_small_phone_of_another_zone(tmp_path: Path):
    zone = "Europe/Berlin"
    async with web_kit(tmp_path) as kit, phone(kit, language="ja-JP", timezone=zone) as context:
        link = await booked(kit, tmp_path)
        page = await context.new_page()
        await page.set_viewport_size(SMALL_PHONE)
        await page.goto(f"{kit.url}/t/{link}")
        own = "お手元の時計では3:00 \N{EN DASH} 3:30"
        await expect(page.locator("[data-own]")).to_have_text(own)
        box = await page.locator("html").bounding_box()
        assert box is not None
        assert box["width"] <= SMALL_PHONE["width"]
        assert await page.evaluate("document.documentElement.scrollWidth") <= SMALL_PHONE["width"]
        for target in await page.locator("a, button, summary").all():
            target_box = await target.bounding_box()
            if target_box is not None and await target.is_visible():
                assert target_box["height"] >= 44
        await page.set_viewport_size(ZOOMED_PHONE)
        when = await page.locator(".stub dd").first.bounding_box()
        assert when is not None
        assert when["width"] > ZOOMED_PHONE["width"] / 2, "beside the booth's number it is squeezed"


async def booked(kit: WebKit, folder: Path) -> str:
    link = await kit.store.book(await kit.store.open(), MORNING_AT + HOUR_MS)
    change(folder, "UPDATE tickets SET short_code = 'K7M2PQ9XTA'")
    change(folder, "UPDATE stores SET directions = '駅から三分。'")
    return link


def follow(folder: Path, kit: WebKit, opened: Opened, state: str) -> None:
    use(folder, kit, opened, state)


def at(instant: int) -> datetime:
    return datetime.fromtimestamp(instant // 1000, UTC)


async def comes_true(page: Page, said: str) -> None:
    """Ask a page again until it says yes: its policy lets it evaluate nothing by itself."""
    for _ in range(LOOKS_MAX):
        if await page.evaluate(said):
            return
        await asyncio.sleep(LOOK_SECONDS)
    message = f"it did not come true: {said}"
    raise AssertionError(message)


async def opened_and_kept(context: BrowserContext, kit: WebKit, link: str) -> Page:
    """Open a ticket and wait until the browser has kept it."""
    page = await context.new_page()
    await page.goto(f"{kit.url}/t/{link}")
    await comes_true(page, f"({KEPT})().then((kept) => kept.includes('/t/{link}'))")
    await comes_true(page, "navigator.serviceWorker.controller !== null")
    return page


async def codes_on(page: Page) -> list[str]:
    seen = Image.open(io.BytesIO(await page.screenshot())).convert("L")
    return [code.text for code in zxingcpp.read_barcodes(seen)]


@asynccontextmanager
async def phone(
    kit: WebKit,
    scheme: Scheme = "light",
    language: str = "en-US",
    *,
    timezone: str = "Asia/Tokyo",
) -> AsyncIterator[BrowserContext]:
    """Open a browser that runs our scripts, whose clock is the store's."""
    program = shutil.which("chromium")
    assert program is not None, "these tests need Debian's chromium"
    complaints: list[str] = []
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        context = await browser.new_context(
            viewport=PHONE, color_scheme=scheme, locale=language, timezone_id=timezone
        )
        await context.clock.install(time=at(kit.store.clock.now))
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        yield context
        await browser.close()
    assert complaints == []


async def test_e5_whoever_waits_sees_his_place_move_at_once(tmp_path: Path):
    async with web_kit(tmp_path) as kit, phone(kit) as context:
        opened = await kit.store.open(Offer(devices=1))
        await kit.store.book(opened, MORNING_AT + HOUR_MS)
        wish = {
            "offering": opened.offering,
            "starts_at": "2026-10-23T01:00:00Z",
            "length_seconds": 1800,
        }
        places = []
        for name in ("mika", "taro"):
            asked = wish | {"mail": f"{name}@mail.example"}
            key = {"Idempotency-Key": name * 4}
            joined = await kit.post("/api/v1/waiting", json=asked, headers=key)
            places.append(joined.json["link"])
            kit.store.clock.move(1)
        first, second = places
        page = await context.new_page()
        await page.goto(f"{kit.url}/w/{second}")
        await expect(page.locator("h1")).to_have_text("1 before you")
        await kit.post(f"/api/v1/waiting/{first}/withdraw")
        await expect(page.locator("h1")).to_have_text("You are next")

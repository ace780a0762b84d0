"""A customer's browser, with script turned off, goes from the storefront to a code that reads."""

from __future__ import annotations

import io
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import ConsoleMessage, Page, ViewportSize, async_playwright

from cloud_controller import bookings
from tests.fakes.store import HOUR_MS, MORNING_AT, Offer
from tests.rim.test_web_booking import form_of, hold, tap
from tests.rim.web_kit import web_kit

Scheme = Literal["light", "dark"]
PHONE = ViewportSize(width=390, height=844)
SMALL_PHONE = ViewportSize(width=320, height=568)


@pytest.mark.parametrize(("scheme", "language"), [("light", "en-US"), ("dark", "ja-JP")])
async def test_a_phone_without_script_books_and_shows_a_code_that_reads(
    tmp_path: Path, scheme: Scheme, language: str
):
    async with web_kit(tmp_path) as kit, phone(scheme, language) as (page, complaints):
        await kit.store.open()
        await page.goto(kit.url)
        await page.locator(".times button").first.click()
        await page.wait_for_url("**/t/*")
        link = page.url.rsplit("/", 1)[1]
        token = (await kit.get(f"/api/v1/tickets/{link}")).json["token"]
        seen = Image.open(io.BytesIO(await page.screenshot())).convert("L")
        assert [code.text for code in zxingcpp.read_barcodes(seen)] == [token]
        assert complaints == []


async def test_a_phone_holds_confirms_moves_and_gives_without_script(tmp_path: Path):
    async with web_kit(tmp_path) as kit, phone("light", "en-US") as (page, complaints):
        await kit.store.open(Offer(devices=1, party_max=4))
        await page.goto(kit.url)
        await page.locator(".times button").first.click()
        await page.wait_for_url("**/b/*")
        await page.get_by_role("button", name="3", exact=True).click()
        await page.fill("#mail", "mika@example.org")
        await page.get_by_role("button", name="Confirm").click()
        await page.wait_for_url("**/t/*")
        old = page.url
        await page.goto(f"{old}/reschedule")
        await page.get_by_role("button", name="Move to Today, 12:00").click()
        await page.wait_for_url(old)
        ticket = (await kit.get(f"/api/v1/tickets/{old.rsplit('/', 1)[1]}")).json
        assert (ticket["starts_at"], ticket["party_size"]) == ("2026-10-23T03:00:00Z", 3)
        await page.goto(f"{old}/transfer")
        await page.fill("#mail", "yuki@example.org")
        await page.get_by_role("button", name="Send it").click()
        await page.get_by_text("on its way to yuki@example.org").wait_for()
        assert (await kit.get(old.removeprefix(kit.url))).status == 404
        assert complaints == []


async def test_a_phone_waits_for_a_full_time_and_takes_it_without_script(tmp_path: Path):
    async with web_kit(tmp_path) as kit, phone("light", "en-US") as (page, complaints):
        opened = await kit.store.open(Offer(devices=1))
        full = await kit.store.book(opened, MORNING_AT + HOUR_MS)
        await page.goto(f"{kit.url}/o/{opened.offering}")
        await page.get_by_role("link", name="Full: wait for Today, 10:00").click()
        await page.fill("#mail", "mika@example.org")
        await page.get_by_role("button", name="Wait for it").click()
        await page.get_by_role("heading", name="You are next").wait_for()
        await kit.post(f"/api/v1/tickets/{full}/cancel")
        await kit.store.books.transact(bookings.offer_what_is_free)
        await page.reload()
        await page.get_by_role("link", name="Look and take it").click()
        await page.get_by_role("button", name="Confirm").click()
        await page.wait_for_url("**/t/*")
        assert complaints == []


async def test_nothing_is_cut_off_on_a_small_phone_and_every_target_fits_a_thumb(tmp_path: Path):
    async with web_kit(tmp_path) as kit, phone("light", "ja-JP") as (page, _):
        opened = await kit.store.open(Offer(devices=1, party_max=6))
        link = await kit.store.book(opened, MORNING_AT + HOUR_MS)
        held = await hold(kit)
        full = "starts_at=2026-10-23T01:00:00Z&length_seconds=1800"
        asking = f"/o/{opened.offering}/wait?{full}"
        form = form_of((await kit.get(asking)).text, "/wait") | {"mail": "mika@example.org"}
        place = (await tap(kit, "/wait", form)).headers["Location"]
        await page.set_viewport_size(SMALL_PHONE)
        of_ticket = (f"/t/{link}", f"/t/{link}/reschedule", f"/t/{link}/transfer")
        for path in ("/", f"/o/{opened.offering}", held, asking, place, *of_ticket, "/nothing"):
            await page.goto(kit.url + path)
            box = await page.locator("html").bounding_box()
            assert box is not None
            assert box["width"] <= SMALL_PHONE["width"]
            for target in await page.locator("a, button, summary").all():
                target_box = await target.bounding_box()
                if target_box is not None and await target.is_visible():
                    assert target_box["height"] >= 44
                    assert target_box["x"] + target_box["width"] <= SMALL_PHONE["width"]


@asynccontextmanager
async def phone(scheme: Scheme, language: str) -> AsyncIterator[tuple[Page, list[str]]]:
    """Open a browser that runs no script; give its page and what it refuses or fails to load."""
    program = shutil.which("chromium")
    assert program is not None, "these tests need Debian's chromium"
    complaints: list[str] = []

    def complain(message: ConsoleMessage) -> None:
        complaints.append(message.text)

    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = await browser.new_page(
            viewport=PHONE, color_scheme=scheme, locale=language, java_script_enabled=False
        )
        page.on("console", complain)
        yield page, complaints
        await browser.close()

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


async def test_nothing_is_cut_off_on_a_small_phone_and_every_target_fits_a_thumb(tmp_path: Path):
    async with web_kit(tmp_path) as kit, phone("light", "ja-JP") as (page, _):
        opened = await kit.store.open()
        link = await kit.store.book(opened, kit.store.clock.now)
        await page.set_viewport_size(SMALL_PHONE)
        for path in ("/", f"/o/{opened.offering}", f"/t/{link}", "/nothing"):
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

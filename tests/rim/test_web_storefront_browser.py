"""An open storefront in a browser that runs script stays true, and says whose clock it tells."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

from playwright.async_api import BrowserContext, Page, Route, async_playwright

from cloud_controller.flows import registration
from common.ids import StoreId
from common.rules.presence import Presence
from tests.fakes.store import MORNING_AT, Offer, Opened, a_new_store
from tests.rim.test_web_browser import PHONE
from tests.rim.web_kit import WebKit, web_kit


async def test_e3_an_open_storefront_follows_what_is_on_and_what_is_free(tmp_path: Path):
    program = shutil.which("chromium")
    async with web_kit(tmp_path) as kit, async_playwright() as play:
        browser = await play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        there = await browser.new_context(
            viewport=PHONE, locale="en-US", timezone_id="Europe/Paris", reduced_motion="reduce"
        )
        complaints: list[str] = []
        there.on("weberror", lambda fault: complaints.append(str(fault.error)))
        opened = await kit.store.open(Offer(devices=1))
        kit.store.clock.move(60)
        store, other = await there.new_page(), await there.new_page()
        await other.goto(f"{kit.url}/o/{opened.offering}")
        await other.get_by_role("button", name="Use it now for 30 min").wait_for()
        await follow_a_store(kit, store, opened)
        await other.bring_to_front()
        await other.locator(".hero").get_by_text("Free at 10:00").wait_for()
        await other.get_by_role("link", name="Full: wait for Today, 9:30").wait_for()
        assert await other.get_by_role("button", name="Use it now").count() == 0
        await follow_all_stores(kit, store, other)
        await lose_the_line(there, other)
        assert complaints == []
        await browser.close()


async def follow_a_store(kit: WebKit, store: Page, opened: Opened) -> None:
    """Let a terminal leave, come and be booked, and see each on its store's open page."""
    transact, note = kit.store.books.transact, registration.note_presence
    await store.goto(kit.url)
    card = store.locator("[data-offering]")
    await card.get_by_text("yours 2:30").wait_for()
    await store.get_by_text("Times are those of the store, in Tokyo.").wait_for()
    await transact(note, {opened.terminal: Presence.GONE})
    await store.get_by_text("Nothing is on offer just now").wait_for()
    await store.get_by_text("Times are those of the store").wait_for(state="hidden")
    await transact(note, {opened.terminal: Presence.HERE})
    await card.get_by_text("1 free now").wait_for()
    late, let_hear = await open_in_the_background(store, f"{kit.url}/o/{opened.offering}")
    await kit.store.book(opened, MORNING_AT + 1_800_000)
    await card.get_by_text("Free at 10:00").wait_for()
    let_hear()
    await late.locator(".hero").get_by_text("Free at 10:00").wait_for()
    await late.close()


async def open_in_the_background(beside: Page, url: str) -> tuple[Page, Callable[[], None]]:
    """Open a page that hears of nothing until it is let; and by its own clock that is long."""
    page, may_hear = await beside.context.new_page(), asyncio.Event()

    async def hold(route: Route) -> None:
        await may_hear.wait()
        await route.continue_()

    await page.add_init_script("performance.now = () => 60_000")
    await page.route("**/events*", hold)
    await page.goto(url)
    await page.locator(".hero").get_by_text("1 free now").wait_for()
    await beside.bring_to_front()
    return page, may_hear.set


async def follow_all_stores(kit: WebKit, store: Page, front: Page) -> None:
    """See on the list of stores that somebody books elsewhere."""
    await kit.store.books.transact(registration.add_store, a_new_store(StoreId("kyoto")))
    await front.goto(kit.url)
    glance = front.locator('[data-place="shinjuku"] .glance')
    await glance.get_by_text("Free at 10:00").wait_for()
    await store.bring_to_front()
    await store.get_by_role("button", name="Book Today, 10:00").click()
    await store.wait_for_url("**/t/*")
    await front.bring_to_front()
    await glance.get_by_text("Free at 10:30").wait_for()


async def lose_the_line(there: BrowserContext, front: Page) -> None:
    """See that what is shown is old, and that any other page says so and leads to the ticket."""
    await front.wait_for_function("navigator.serviceWorker.controller !== null")
    await front.wait_for_function(
        "caches.keys().then((names) => names.some((name) => name.startsWith('rusuban-ticket-')))"
    )
    await front.wait_for_function(
        "navigator.serviceWorker.getRegistration('/t/')"
        ".then((its) => its?.active?.state === 'activated')"
    )
    await there.set_offline(True)
    await front.get_by_text("No connection just now.").wait_for()
    await front.get_by_role("link", name="Shinjuku").click()
    await front.get_by_role("heading", name="You are offline").wait_for()
    await front.get_by_role("link", name="VR Arena 10:00").click()
    await front.get_by_role("img", name="The ticket's QR code").wait_for()
    await there.set_offline(False)

"""The screen in a real browser: no state with a fault of access, by keyboard, on any panel."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from axe_playwright_python.async_playwright import Axe
from PIL import Image
from playwright.async_api import Page, ViewportSize, async_playwright, expect

from common.messages.devices import DeviceAround
from common.rules.presence import LineMode
from common.rules.scanners import ScannerHint
from common.rules.sessions import EndReason, ExtensionNo, SessionState
from common.rules.tickets import DenialReason
from common.words import extension_words_for
from edge_agent.ports import ExtensionOffered, Verdict
from tests.rim.display_kit import BOOTH, Kit, a_screen, ended
from tests.waiting import until

WALL = ViewportSize(width=1920, height=1080)
PANELS = (
    WALL,
    ViewportSize(width=800, height=480),
    ViewportSize(width=1080, height=1920),
    ViewportSize(width=480, height=800),
)
FOUR = tuple(
    replace(BOOTH, key=f"booth-{n}", title=f"Booth {n}", device=f"d-{n}", number=n)
    for n in range(1, 5)
)


def scans(kit: Kit, reason: DenialReason | None) -> None:
    kit.stage.tell(Verdict(device="d-1", scan=f"x-{reason}", reason=reason))


def sees(kit: Kit) -> None:
    picture = io.BytesIO()
    Image.effect_noise((160, 120), 80).save(picture, "JPEG")
    kit.scanner.sees(ScannerHint.TOO_FAR, picture.getvalue())


def warns(kit: Kit) -> None:
    kit.runs(300)
    kit.stage.tell_warned("s-1", 300)


def is_booked_next(kit: Kit) -> None:
    kit.runs(1800)
    told = DeviceAround(device="d-1", session="s-1", price_cents=1500, currency="JPY", coming=2)
    kit.stage.surroundings._told["d-1"] = told.model_copy(update={"next_at": 1_790_030_000_000})


def starts(kit: Kit) -> None:
    kit.device_is(session=replace(kit.session(3600), state=SessionState.STARTING))


def ends(kit: Kit) -> None:
    kit.device_is(session=replace(kit.session(3600), state=SessionState.ENDING))


def is_over(kit: Kit, reason: EndReason) -> None:
    kit.runs(1)
    kit.stage.tell_seen(ended(reason))
    kit.device_is(session=None)


def is_alone(kit: Kit) -> None:
    kit.runs(1800)
    kit.stage.tell_mode(LineMode.ALONE)


STATES: dict[str, tuple[str, Callable[[Kit], object]]] = {
    "idle": ("idle", lambda _: None),
    "seen": ("idle", sees),
    "asking": ("asking", lambda kit: kit.stage.tell_reading()),
    "starting": ("starting", starts),
    "opened": ("opened", lambda kit: scans(kit, None)),
    "no": ("turned_away", lambda kit: scans(kit, DenialReason.UNKNOWN_TICKET)),
    "wait": ("turned_away", lambda kit: scans(kit, DenialReason.TOO_EARLY)),
    "go": ("turned_away", lambda kit: scans(kit, DenialReason.WRONG_DEVICE)),
    "running": ("running", lambda kit: kit.runs(1800)),
    "running, booked next": ("running", is_booked_next),
    "warned": ("running", warns),
    "without the line": ("running", is_alone),
    "finishing": ("finishing", ends),
    "thanks": ("thanks", lambda kit: is_over(kit, EndReason.TIME_UP)),
    "sorry": ("thanks", lambda kit: is_over(kit, EndReason.PROGRAM_FAILED)),
    "cleaned": ("turnover", lambda kit: kit.device_is(is_in_turnover=True, takes_code=True)),
    "out of order": ("out_of_order", lambda kit: kit.device_is(is_out_of_order=True)),
}
"""Each state that a screen can show, and how it comes to be."""


async def test_no_state_has_a_fault_of_access_in_light_and_in_dark_nor_runs_off_a_panel():
    async with a_browser() as page, a_screen() as kit:
        await page.emulate_media(reduced_motion="reduce")
        await opens(page, kit)
        for number, (name, (face, come_about)) in enumerate(STATES.items()):
            kit.begins_anew()
            come_about(kit)
            kit.stage.refresh()
            await expect(page.locator("body")).to_have_attribute("data-face", face)
            await page.emulate_media(color_scheme=("dark", "light")[number % 2])
            assert not await faults(page), name
            for panel in PANELS:
                await page.set_viewport_size(panel)
                assert not await page.evaluate(RUNS_OFF), (name, panel)


async def test_no_question_and_no_wall_of_booths_has_a_fault_of_access():
    async with a_browser() as page:
        async with a_screen(phone="03-1234-5678") as kit:
            await opens(page, kit)
            kit.runs(1800)
            for button in ("extend", "end", "help"):
                await page.locator(f"[data-button={button}]").click()
                await page.locator("dialog .answers button").first.wait_for()
                assert not await faults(page), button
                await page.keyboard.press("Escape")
            kit.device_is(session=None, is_in_turnover=True, takes_code=True)
            await page.locator("[data-button=confirm]").click()
            assert not await faults(page)
        async with a_screen(*FOUR, language="en") as kit:
            await opens(page, kit)
            kit.runs(1800)
            await expect(page.locator("[data-key=booth-1] .time")).to_have_text("30:00")
            assert not await faults(page)
            await page.get_by_role("link", name="Booth 1").click()
            await expect(page.locator(".digits")).to_be_visible()
            await expect(page.locator(".bar button")).to_have_text(["Call for help"])
            assert not await faults(page)
            await page.get_by_role("link", name="All booths").click()
            await expect(page.locator(".booths li")).to_have_count(4)
            await page.goto(f"{kit.url}/device/booth-1")
            await expect(page.locator(".bar button")).to_have_count(3)


async def test_a_keyboard_alone_does_it_all_and_the_next_customer_begins_anew():
    async with a_browser() as page, a_screen() as kit:
        await opens(page, kit)
        kit.runs(1800)
        await tabs_to(page, "English")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Your time")
        await tabs_to(page, "More time")
        await page.keyboard.press("Enter")
        choice = page.get_by_role("button", name="+30 min")
        await expect(choice).to_be_focused()
        await expect(choice).to_contain_text("¥400")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=2)).to_have_text("30 minutes more")
        await page.keyboard.press("Escape")
        await tabs_to(page, "End now")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="No, go on")).to_be_focused()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await until(lambda: ("end", "s-1") in kit.buttons.pressed)
        assert ("extend", "s-1", 1800) in kit.buttons.pressed
        await page.locator("#larger").click()
        await expect(page.locator("html")).to_have_class("large")
        kit.device_is(session=None)
        await expect(page.locator("html")).to_have_attribute("lang", "ja")
        await expect(page.locator("html")).not_to_have_class("large")


async def test_time_is_counted_warned_of_once_and_refused_with_a_reason():
    """The page's wall clock is set far on; what is left goes on as it was."""
    why = ExtensionNo.ANOTHER_HAS_BOOKED
    words = extension_words_for(why, "en")
    async with a_browser() as page, a_screen(language="en") as kit:
        await page.add_init_script("Date.now = () => 1e15; Date = class extends Date {};")
        await opens(page, kit)
        kit.runs(65.5)
        digits = page.locator(".digits")
        await expect(digits).to_have_text("1:05")
        await expect(digits).to_have_text("1:04")
        kit.runs(665.5)
        await expect(digits).to_have_text("11:05")
        warns(kit)
        await expect(page.locator("body")).to_have_attribute("data-cue", "warn")
        await expect(page.locator("#spoken")).to_contain_text("5 minutes left")
        await page.evaluate("delete document.body.dataset.cue")
        kit.device_is(title="Booth One")
        await expect(page.locator("#title")).to_have_text("Booth One")
        assert await page.locator("body").get_attribute("data-cue") is None
        kit.buttons.offered = ExtensionOffered(session="s-1", refused=why)
        await page.get_by_role("button", name="More time").click()
        await expect(page.get_by_role("heading", level=2)).to_have_text(words.what)
        await expect(page.locator("#spoken")).to_contain_text(words.next)


GONE_BY_ITSELF = re.compile(r"net::ERR_|AudioContext was not allowed")
"""What a browser says where a test ends before its page, and where nobody has touched it yet."""

RUNS_OFF = """(() => {
  const html = document.documentElement;
  return html.scrollWidth > innerWidth || html.scrollHeight > innerHeight;
})()"""


async def opens(page: Page, kit: Kit) -> None:
    """Open the screen, and wait until it has heard what is shown."""
    await page.goto(kit.url)
    await page.locator("body:not([data-face=waiting])").wait_for()


async def faults(page: Page) -> list[str]:
    """Return what axe-core finds wrong with a page, by WCAG 2.2 AA and its own best practice."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(Axe().axe_script)
    found = await page.evaluate("axe.run(document, {resultTypes: ['violations'], preload: false})")
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found["violations"]]


async def tabs_to(page: Page, name: str) -> None:
    """Press Tab until a button of this name has the focus, and see that this can be seen."""
    button = page.get_by_role("button", name=name)
    for _ in range(12):
        await page.keyboard.press("Tab")
        if await button.evaluate("(it) => it === document.activeElement"):
            assert await button.evaluate("(it) => getComputedStyle(it).outlineStyle") == "solid"
            return
    raise AssertionError(name)


@asynccontextmanager
async def a_browser() -> AsyncIterator[Page]:
    """Open a browser; whatever it refuses, or what fails in the page, is a failure."""
    found = shutil.which("chromium")
    assert found is not None, "these tests need Debian's chromium"
    complaints: list[str] = []
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = await browser.new_page(viewport=WALL, locale="ja-JP")
        page.on("pageerror", lambda fault: complaints.append(str(fault)))
        page.on("console", lambda said: complaints.append(said.text))
        yield page
        await browser.close()
    assert [each for each in complaints if not GONE_BY_ITSELF.search(each)] == []

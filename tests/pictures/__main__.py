"""Take every picture that the documentation shows anew, small, and in the same letters anywhere."""

from __future__ import annotations

import asyncio
import io
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from PIL import Image, ImageOps
from playwright.async_api import Browser, Locator, Page, ViewportSize, async_playwright

from common.look import shared
from edge_agent.flows.help import Line
from tests.pictures.helping import helping
from tests.pictures.sheets import DESKS, PARTS, PHONES, SCREENS, Shot
from tests.pictures.shop import shop
from tests.rim.display_kit import Kit, a_screen
from tests.rim.eyes import LOCALES, PHONE, Scheme
from tests.rim.looking import opens
from tests.rim.scenes import SCENES
from tests.rim.test_display_browser import FOUR, STATES, opens as screen_opens
from tests.rim.test_display_calls import helps, is_called

DOCS: Final = Path(__file__).parents[2] / "docs"
HERE: Final = Path(__file__).parent
DESK: Final = ViewportSize(width=1280, height=800)
PANEL: Final = ViewportSize(width=960, height=600)
SPECIMEN: Final = ViewportSize(width=960, height=760)

SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")

SHEETS: Final = ((PHONES, PHONE, 4), (PARTS, PHONE, 1), (DESKS, DESK, 1), (SCREENS, PANEL, 2))
"""The pictures, the window that each is seen in, and how many stand side by side."""

PIXELS: Final = 0.62
"""How much smaller a picture is than what it shows."""

GAP: Final = 14
BYTES_MAX: Final = 60 * 1024
"""A picture's bytes: the documentation is read over a phone's line too."""

FONTS: Final = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<dir>/usr/share/fonts/opentype/noto</dir><dir>/usr/share/fonts/truetype</dir>
<match><test name="family" qual="any" compare="not_contains"><string>Mono</string></test>
<edit name="family" mode="prepend" binding="strong"><string>Noto Sans CJK JP</string></edit></match>
</fontconfig>"""
"""A phone's letters are finer than those of a bare Debian; these are what it has that come near."""


async def main(names: Sequence[str]) -> None:
    """Take all pictures, or those of these names."""
    async with _a_browser() as browser:
        if not names or "look" in names:
            _keep("look", [await _specimen(browser, scheme) for scheme in SCHEMES], 2)
        for sheets, size, in_a_row in SHEETS:
            for name, shots in sheets.items():
                if not names or name in names:
                    taken = [await _taken(browser, shot, size) for shot in shots]
                    _keep(name, taken, in_a_row)


async def _taken(browser: Browser, shot: Shot, size: ViewportSize) -> Image.Image:
    page = await browser.new_page(
        viewport=size,
        locale=LOCALES[shot.language],
        color_scheme=shot.scheme,
        reduced_motion="reduce",
        timezone_id="Asia/Tokyo",
        service_workers="block",
    )
    try:
        if shot.scene == "screen":
            return await _of_screen(page, shot)
        return await _of_page(page, shot, size)
    finally:
        await page.close()


async def _of_page(page: Page, shot: Shot, size: ViewportSize) -> Image.Image:
    scene = next(each for each in (shop, helping, *SCENES) if each.__name__ == shot.scene)
    with tempfile.TemporaryDirectory() as folder:
        async for view in scene(Path(folder)):
            if view.name == shot.view:
                await opens(page, view)
                await page.set_viewport_size(size)
                return await _picture(page.locator(shot.part) if shot.part else page)
    raise AssertionError(shot)


async def _of_screen(page: Page, shot: Shot) -> Image.Image:
    devices = FOUR if shot.view == "booths" else ()
    async with a_screen(*devices, language=shot.language) as kit:
        await screen_opens(page, kit)
        _bring_about(kit, shot.view)
        kit.stage.refresh()
        await page.wait_for_timeout(600)
        if shot.view in TOUCHED:
            touched, shown = TOUCHED[shot.view]
            await page.locator(touched).click()
            await page.locator(shown).first.wait_for()
        if shot.view == "call":
            await _talk(page, kit)
        return await _picture(page)


TOUCHED: Final = {
    "extend": ("[data-button=extend]", "dialog .answers button"),
    "helpers": ("[data-button=help]", "[data-helper]"),
    "call": ("[data-button=help]", "[data-helper]"),
}
"""What is touched on a screen, and what shows that it has been."""


def _bring_about(kit: Kit, view: str) -> None:
    if view in STATES:
        STATES[view][1](kit)
        return
    kit.runs(1800)
    if view in TOUCHED:
        helps(kit)


async def _talk(page: Page, kit: Kit) -> None:
    """Choose the first helper, and write with her."""
    await page.locator("[data-helper]").first.click()
    is_called(kit, Line(by="customer", text="音が出ません。"))
    is_called(kit, Line(by="helper", text="机の左のつまみを右に回してください。"), state="open")
    await page.locator("li.theirs").wait_for()
    await page.wait_for_timeout(300)


async def _specimen(browser: Browser, scheme: Scheme) -> Image.Image:
    page = await browser.new_page(viewport=SPECIMEN, color_scheme=scheme, reduced_motion="reduce")
    await page.set_content((HERE / "specimen.html").read_text())
    for name in ("tokens.css", "base.css"):
        await page.add_style_tag(content=shared()[name].decode())
    await page.add_style_tag(content=(HERE / "specimen.css").read_text())
    return await _picture(page)


async def _picture(what: Page | Locator) -> Image.Image:
    return Image.open(io.BytesIO(await what.screenshot())).convert("RGB")


def _keep(name: str, pictures: Sequence[Image.Image], in_a_row: int) -> None:
    """Put pictures side by side, smaller, into one file that is small enough."""
    small = [ImageOps.scale(each, PIXELS, Image.Resampling.LANCZOS) for each in pictures]
    width, height = small[0].size
    rows = -(-len(small) // in_a_row)
    columns = min(in_a_row, len(small))
    size = columns * (width + GAP) - GAP, rows * (height + GAP) - GAP
    sheet = Image.new("RGB", size, "white")
    for number, each in enumerate(small):
        row, column = divmod(number, in_a_row)
        sheet.paste(each, (column * (width + GAP), row * (height + GAP)))
    for quality in range(90, 30, -5):
        told = io.BytesIO()
        sheet.save(told, "WEBP", quality=quality, method=6)
        if told.tell() <= BYTES_MAX:
            (DOCS / f"{name}.webp").write_bytes(told.getvalue())
            print(f"docs/{name}.webp  {told.tell():,} bytes")
            return
    raise AssertionError(name)


@asynccontextmanager
async def _a_browser() -> AsyncIterator[Browser]:
    program = shutil.which("chromium")
    assert program is not None, "this needs Debian's chromium"
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as fonts:
        fonts.write(FONTS)
        fonts.flush()
        async with async_playwright() as play:
            browser = await play.chromium.launch(
                executable_path=program, args=["--no-sandbox"], env={"FONTCONFIG_FILE": fonts.name}
            )
            yield browser
            await browser.close()


asyncio.run(main(sys.argv[1:]))

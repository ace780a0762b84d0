"""A fifth of all pages and states, in one language, by day or night; `./dev prove pages`: each."""

from __future__ import annotations

import asyncio
import re
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import expect

from cloud_controller.web.table import ROUTES
from tests.fakes.store import Offer
from tests.rim.eyes import Scheme, eyes, go
from tests.rim.looking import look_at, reach
from tests.rim.scenes import SCENES
from tests.rim.test_web_booking import hold, tap
from tests.rim.web_kit import web_kit

VIEWS_MIN = 60
"""Pages and states there were when this was written: none is lost unseen."""

PAGES = [
    re.compile(re.sub(r"{\w+}", "[^/]+", route.path))
    for route in ROUTES
    if route.method == "GET" and route.media_type == "text/html" and not route.is_api
]
"""Every page that there is: each has its scene."""

SAMPLE = 5
"""Of so many views one is looked at here; the proof looks at each."""


def test_no_page_in_no_state_shuts_anybody_out(tmp_path: Path):
    """E: 0 faults by axe, nothing cut off zoomed or in large type; by keyboard, without script."""
    asyncio.run(looked_at_by_all(tmp_path))


async def looked_at_by_all(folder: Path) -> None:
    wrong: list[str] = []
    known, looked, pages = 0, 0, set(PAGES)
    turns: cycle[tuple[str, Scheme]] = cycle(
        (("ja", "light"), ("en", "dark"), ("ja", "dark"), ("en", "light"))
    )
    async with eyes() as sight:
        for scene in SCENES:
            (folder / scene.__name__).mkdir()
            async for view in scene(folder / scene.__name__):
                known += 1
                pages -= {each for each in pages if each.fullmatch(urlsplit(view.url).path)}
                if known % SAMPLE:
                    continue
                language, scheme = next(turns)
                wrong += await look_at(sight, view, language, (scheme,))
                looked += 1
                if looked % 3 == 0:
                    wrong += await reach(sight, view, language)
                await sight.rest()
        wrong += sight.wrongs
    assert wrong == []
    assert pages == set(), "a page without a scene"
    assert known >= VIEWS_MIN


async def test_a_page_that_is_read_again_shows_what_is_new_and_takes_no_word_from_anybody(
    tmp_path: Path,
):
    async with web_kit(tmp_path) as kit, eyes() as sight:
        await kit.store.open(Offer(devices=1))
        held = await hold(kit)
        page = await sight.page("en")
        await page.clock.install()
        await go(page, kit.url + held)
        await page.fill("#mail", "mika@example.org")
        await tap(kit, f"{held}/release")
        async with page.expect_response(f"**{held}"):
            await page.clock.fast_forward(601_000)
        await expect(page.locator("#mail")).to_have_value("mika@example.org")
        await page.fill("#mail", "")
        await page.locator("#mail").blur()
        await page.clock.fast_forward(5_000)
        await expect(page.locator("h1")).to_have_text("This is not held any more")
        assert sight.wrongs == []

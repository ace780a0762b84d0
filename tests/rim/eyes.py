"""A page in a real browser, as people with other eyes, hands, screens and settings meet it."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Literal

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, async_playwright

Scheme = Literal["light", "dark"]

PHONE: Final = ViewportSize(width=390, height=844)
SMALL: Final = ViewportSize(width=320, height=568)
"""The narrowest phone; also a wide screen of 1280 whose reader has made all four times as large."""

DESK: Final = ViewportSize(width=640, height=512)
"""A desk's screen of 1280 x 1024, made twice as large."""

LOCALES: Final = {"ja": "ja-JP", "en": "en-US"}

TABS_MAX: Final = 120
"""More than a page has of what can be reached by the keyboard."""

GONE_BY_ITSELF: Final = re.compile(
    r"net::ERR_|Service Worker registration blocked|the server responded with a status of 4\d\d"
)
"""What a browser says where a test goes on before its page, and of a page that is a refusal."""

AXE: Final = "axe.run(document, {resultTypes: ['violations'], preload: false})"

CUT_OFF: Final = r"""() => {
  const wrong = [], wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) wrong.push(`the page is ${wide} wide on ${innerWidth}`);
  for (const it of document.body.querySelectorAll("*")) {
    const { overflowX, overflowY } = getComputedStyle(it), box = it.getBoundingClientRect();
    const [isX, isY] = [overflowX, overflowY].map((each) => ["hidden", "clip"].includes(each));
    if (!(isX || isY) || box.width < 2 || it.closest("svg")) continue;
    const texts = document.createTreeWalker(it, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    while (texts.nextNode()) {
      const { data, parentElement } = texts.currentNode;
      const isSeen = parentElement.checkVisibility() && parentElement.offsetWidth > 1;
      if (!data.trim() || !isSeen) continue; // words for a screen reader alone are one dot wide
      range.selectNodeContents(texts.currentNode);
      const text = range.getBoundingClientRect();
      const isCut = (isX && (text.left < box.left - 1 || text.right > box.right + 1)) ||
        (isY && (text.top < box.top - 1 || text.bottom > box.bottom + 1));
      if (isCut && text.width > 1) wrong.push(`cut off: ${data.trim().slice(0, 60)}`);
    }
  }
  return wrong;
}"""

REACHABLE: Final = r"""() => [...document.querySelectorAll(
  "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")]
  .filter((it) => it.checkVisibility() && !it.disabled)"""

HAS_FOCUS: Final = rf"""() => {{
  const it = document.activeElement;
  if (!it || it === document.body) return null;
  const {{ outlineStyle, outlineWidth, boxShadow }} = getComputedStyle(it);
  const box = it.getBoundingClientRect();
  return {{
    nth: ({REACHABLE})().indexOf(it),
    isSeen: (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2) || boxShadow !== "none",
    isInView: box.bottom > 0 && box.top < innerHeight,
    what: it.outerHTML.slice(0, 80),
  }};
}}"""

CAN_BE_DONE = r"""() => [
  ...[...document.querySelectorAll("main form")].filter((it) => it.checkVisibility())
    .map((it) => `${it.method} ${new URL(it.action).pathname}`),
  ...[...document.querySelectorAll("main a[href]")].filter((it) => it.checkVisibility())
    .map((it) => `get ${new URL(it.href).pathname}`),
]"""

HEADING: Final = "document.querySelector('h1')?.innerText ?? ''"


@dataclass(kw_only=True)
class Eyes:
    """One browser, and a page in each language, with script and without."""

    browser: Browser
    complaints: list[str] = field(default_factory=list)
    _pages: dict[tuple[str, bool], Page] = field(default_factory=dict)

    async def page(self, language: str, *, script: bool = True) -> Page:
        """Return the page of this language."""
        if (language, script) not in self._pages:
            context = await self.context(language, script=script)
            self._pages[language, script] = await context.new_page()
        return self._pages[language, script]

    async def rest(self) -> None:
        """Look at nothing: what is open would follow what is done next."""
        for page in self._pages.values():
            await page.goto("about:blank")

    async def context(
        self, language: str, *, script: bool = True, bypass_csp: bool = False
    ) -> BrowserContext:
        """Return a browser of somebody else's; whatever breaks in it is a complaint."""
        context = await self.browser.new_context(
            viewport=PHONE,
            locale=LOCALES[language],
            java_script_enabled=script,
            reduced_motion="reduce",
            service_workers="block",
            bypass_csp=bypass_csp,
        )
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("console", lambda said: self.complaints.append(said.text))
        return context

    @property
    def wrongs(self) -> list[str]:
        """Return what pages complained of."""
        return [each for each in self.complaints if not GONE_BY_ITSELF.search(each)]


@asynccontextmanager
async def eyes() -> AsyncIterator[Eyes]:
    """Open a browser."""
    program = shutil.which("chromium")
    assert program is not None, "these tests need Debian's chromium"
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield Eyes(browser=browser)
        finally:
            await browser.close()


async def go(page: Page, url: str, headers: Mapping[str, str] | None = None) -> None:
    """Open a page at its first size, as light or dark as it was; `headers` are sent with it."""
    await page.set_viewport_size(PHONE)
    await page.set_extra_http_headers(dict(headers or {}))
    await page.goto(url)


async def axe_faults(page: Page) -> list[str]:
    """Return what axe-core finds wrong with a page, by WCAG 2.2 AA and its own best practice."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(Axe().axe_script)
    found = await page.evaluate(AXE)
    return [f"{each['id']}: {each['nodes'][0]['html'][:160]}" for each in found["violations"]]


async def cut_off(page: Page) -> list[str]:
    """Return what runs off a page or is cut off on a small screen, zoomed, or with large type."""
    wrong = []
    for name, size in (("320 wide", SMALL), ("zoomed to 200 %", DESK)):
        await page.set_viewport_size(size)
        wrong += [f"{name}: {each}" for each in await page.evaluate(CUT_OFF)]
    await page.set_viewport_size(PHONE)
    await page.evaluate("() => { document.documentElement.style.fontSize = '200%' }")
    wrong += [f"type of 200 %: {each}" for each in await page.evaluate(CUT_OFF)]
    await page.evaluate("() => { document.documentElement.style.fontSize = '' }")
    return wrong


async def unreachable(page: Page) -> list[str]:
    """Return what the Tab key does not reach once and in order, or reaches unseen.

    A field of a date has a stop for each of its parts, all within it: together they count as one.
    """
    reachable = list(range(await page.evaluate(f"({REACHABLE})().length")))
    await page.evaluate("() => { document.activeElement?.blur(); scrollTo(0, 0) }")
    reached: list[int] = []
    wrong: list[str] = []
    for _ in range(TABS_MAX):
        await page.keyboard.press("Tab")
        focus = await page.evaluate(HAS_FOCUS)
        if focus is None or focus["nth"] in reached[:1]:
            break
        reached += [] if reached[-1:] == [focus["nth"]] else [focus["nth"]]
        wrong += [] if focus["isSeen"] else [f"unseen focus: {focus['what']}"]
        wrong += [] if focus["isInView"] else [f"focus out of view: {focus['what']}"]
    if reached != reachable:
        wrong.append(f"the Tab key goes {reached}, the page {reachable}")
    return wrong


async def undoable(page: Page, plain: Page) -> list[str]:
    """Return what can be done on a page with script, and not on the same page without."""
    with_script, without = [await each.evaluate(CAN_BE_DONE) for each in (page, plain)]
    wrong = [f"only with script: {each}" for each in sorted(set(with_script) - set(without))]
    headings = [await each.evaluate(HEADING) for each in (page, plain)]
    return wrong if headings[0] == headings[1] else [*wrong, f"two headings: {headings}"]

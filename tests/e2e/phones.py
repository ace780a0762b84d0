"""Customers with phones before a small chain of stores: one browser, each phone for itself."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.demo.world import World

PHONE: Final = ViewportSize(width=390, height=844)
LOCALES: Final = {"ja": "ja-JP", "en": "en-US"}

KEPT_IN_MIND: Final = "window.isTheSame = true"
"""Said to a page: it is forgotten when the page is loaded again."""

NOTES_CARDS: Final = """() => {
  window.cards = [];
  const note = () => {
    const titles = [...document.querySelectorAll("[data-offering] h2")].map((it) => it.innerText);
    window.cards.push([Date.now(), titles]);
  };
  new MutationObserver(note).observe(document.querySelector("main"), {
    childList: true, subtree: true, characterData: true });
  note();
}"""
"""Has a page note when it shows which offerings."""


@dataclass(kw_only=True)
class Phones:
    """Whoever comes with a phone."""

    browser: Browser
    faults: list[str] = field(default_factory=list)

    @contextmanager
    def phone(self, language: str = "en", **how: Any) -> Iterator[Page]:
        """Give somebody a phone of his own; what breaks in it is a fault."""
        how.setdefault("timezone_id", "Asia/Tokyo")
        context = self.browser.new_context(viewport=PHONE, locale=LOCALES[language], **how)
        context.on("weberror", lambda error: self.faults.append(str(error.error)))
        try:
            yield context.new_page()
        finally:
            context.close()


@contextmanager
def phones() -> Iterator[Phones]:
    """Open one browser for all."""
    program = shutil.which("chromium")
    assert program is not None, "these tests need Debian's chromium"
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield Phones(browser=browser)
        browser.close()


def photographed(world: World, page: Page) -> bytes:
    """Return what a reader sees of a phone that is held before it, once it shows a code."""

    def seen() -> bytes | None:
        picture = page.screenshot()
        codes = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)).convert("L"))
        return picture if len(codes) == 1 else None

    return bytes(world.wait_for("a code on the phone", seen))


def tabs_to(page: Page, selector: str) -> None:
    """Press Tab until this has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("(it) => document.activeElement?.matches(it)", selector):
            return
    raise AssertionError(selector)


def shown_since(page: Page, title: str) -> int:
    """Return when a page began to show an offering as it does now, in milliseconds."""
    since, was = 0, False
    for at, titles in page.evaluate("window.cards"):
        if (title in titles) and not was:
            since = at
        was = title in titles
    assert was, title
    return since


def gone_since(page: Page, title: str) -> int:
    """Return when a page ceased to show an offering, in milliseconds."""
    since, was = 0, True
    for at, titles in page.evaluate("window.cards"):
        if (title not in titles) and was:
            since = at
        was = title in titles
    assert not was, title
    return since

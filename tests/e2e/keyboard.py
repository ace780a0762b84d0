"""An operator with a keyboard and no mouse: he comes to a thing by Tab, or it is out of reach."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import pyotp
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize

from tests.demo.world import World

NAME, PASSWORD = "hanako", "moss on the north wall"

WAIT_SECONDS_MAX: Final = 30.0
"""How long an operator waits for a terminal."""

TABS_MAX: Final = 150
"""Presses of Tab after which nobody looks any further."""

DESK: Final = ViewportSize(width=1280, height=900)

IS_IT: Final = """wanted => {
  const it = document.activeElement;
  const name = it.getAttribute("aria-label") ?? it.labels?.[0]?.innerText ?? it.innerText;
  return it.matches("a, button, input, select, textarea, summary") &&
    (it.name === wanted || (name ?? "").replace(/\\s+/g, " ").trim().startsWith(wanted));
}"""
"""Whether what has the focus is called so, by its field or by the words that are read out."""


LOOKS: Final = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"], preload: false });
  return violations.map((each) => [each.id, each.nodes.map((node) => node.html)]);
}"""
"""What axe-core finds wrong with a page."""


class Keyboard:
    """What one does on a page without a mouse, and what stands there."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def to(self, name: str) -> None:
        """Come by Tab to what is called so."""
        for _ in range(TABS_MAX):
            if self.page.evaluate(IS_IT, name):
                return
            self.page.keyboard.press("Tab")
        assert False, f"{name!r} is out of reach:\n{self.page.inner_text('body')}"  # noqa: B011, PT015 - said with the page

    def press(self, name: str) -> None:
        """Press what is called so, and wait until what comes of it stands there."""
        self.to(name)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def unfold(self, name: str) -> None:
        """Open what is folded up under that name."""
        self.to(name)
        self.page.keyboard.press("Enter")

    def write(self, name: str, text: str) -> None:
        """Write into the field of that name, in the place of what is there."""
        self.to(name)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def shows(self, words: str) -> None:
        """Wait until the page says so."""
        self.page.get_by_text(words).first.wait_for()

    def waits_for(self, path: str, *words: str) -> None:
        """Look at a page again and again until it says so: others have to do something first."""
        until = time.monotonic() + WAIT_SECONDS_MAX
        while True:
            self.page.goto(self.page.url.partition("/operator")[0] + path)
            said = self.page.inner_text("main")
            if all(each in said for each in words):
                return
            assert time.monotonic() < until, said
            self.page.wait_for_timeout(200)

    def is_for_everybody(self) -> None:
        """Let no rule of accessibility be broken by what stands there."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(Axe().axe_script)
        found = self.page.evaluate(LOOKS)
        assert not found, found


def come_in(world: World, owner: Keyboard) -> None:
    """Become the first owner: the link, a password, a phone's codes, codes on paper."""
    link = world.ask_controller("init").strip()
    owner.page.goto(world.url + urlsplit(link).path)
    owner.is_for_everybody()
    owner.write("name", NAME)
    owner.write("password", PASSWORD)
    owner.write("again", PASSWORD)
    owner.press("Continue")
    owner.is_for_everybody()
    secret = owner.page.locator(".secret code").text_content() or ""
    owner.write("code", pyotp.TOTP(secret.replace(" ", "")).now())
    owner.press("Continue")
    owner.press("Make recovery codes")
    assert owner.page.locator(".codes li").count() >= 8
    owner.is_for_everybody()


@contextmanager
def a_desk(browser: Browser, **how: Any) -> Iterator[Keyboard]:
    """Give an operator a browser of his own."""
    context = browser.new_context(viewport=DESK, locale="en-US", **how)
    try:
        yield Keyboard(context.new_page())
    finally:
        context.close()

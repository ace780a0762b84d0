"""An owner's first hour: from an empty database to the first sold slot, by the keyboard alone."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import pyotp
from playwright.sync_api import Page
from typing_extensions import override

from tests.demo.world import SlotTerms, Terminal, World, a_world
from tests.e2e.keyboard import Keyboard, a_desk
from tests.e2e.phones import phones

NAME, PASSWORD = "hanako", "moss on the north wall"
WAIT_SECONDS_MAX = 30


@dataclass(kw_only=True)
class EmptyWorld(World):
    """A world whose controller knows no store yet."""

    @override
    def _controller_settings(self) -> str:
        return super()._controller_settings().partition("[[stores]]")[0]


def test_an_owner_comes_from_an_empty_database_to_the_first_sold_slot():
    terms = SlotTerms(lengths_seconds=(60,), grid_seconds=60)
    with (
        a_world(terms, kind=EmptyWorld) as world,
        phones() as crowd,
        a_desk(crowd.browser) as owner,
    ):
        _come_in(world, owner)
        owner.page.goto(f"{world.url}/operator/setup")
        owner.is_for_everybody()
        _make_the_store(owner)
        _let_a_terminal_in(world, owner)
        _say_the_price(owner)
        with crowd.phone() as phone:
            phone.goto(world.url)
            phone.get_by_role("button", name=re.compile("Use it now|until")).first.click()
            phone.get_by_text("booth", exact=False).first.wait_for()
        _look_again(owner, "/operator/setup", "Each change can be undone")
        assert not crowd.faults


def _come_in(world: World, owner: Keyboard) -> None:
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


def _make_the_store(owner: Keyboard) -> None:
    owner.press("Make the store")
    owner.write("title", "Akihabara")
    owner.write("store", "akihabara")
    owner.write("time_zone", "Asia/Tokyo")
    owner.press("Make this store")
    owner.press("Set-up")
    owner.press("Say the hours")
    for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"):
        owner.write(day, "0:00-24:00")
    owner.press("Save")


def _let_a_terminal_in(world: World, owner: Keyboard) -> None:
    """Enrol a PC by the command of the page, and confirm it."""
    owner.press("Set-up")
    owner.press("Make a code")
    owner.is_for_everybody()
    command = owner.page.locator("pre code").text_content() or ""
    (code,) = re.findall(r"--code (\S+)", command)
    terminal: Terminal = world.new_terminal()
    world.enrol(terminal, code)
    world.start_agent(terminal)
    _look_again(owner, "/operator/setup", "Look at it")
    owner.press("Look at it")
    _look_again(owner, urlsplit(owner.page.url).path, "Confirm")
    owner.is_for_everybody()
    owner.press("Confirm")


def _say_the_price(owner: Keyboard) -> None:
    """Change what the terminal's own settings say of the price, once it is on offer."""
    _look_again(owner, "/operator/setup", "Customers can book now")
    owner.press("Change · Its price")
    owner.is_for_everybody()
    owner.write("reason", "the first evening")
    owner.press("Save")


def _look_again(owner: Keyboard, path: str, *words: str) -> None:
    """Look at a page until it says so: a terminal has to do something first."""
    until = time.monotonic() + WAIT_SECONDS_MAX
    page: Page = owner.page
    while True:
        page.goto(page.url.partition("/operator")[0] + path)
        said = page.inner_text("main")
        if all(each in said for each in words):
            return
        assert time.monotonic() < until, said
        page.wait_for_timeout(200)

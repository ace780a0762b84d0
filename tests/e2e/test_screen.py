"""A whole use as its customer sees it: a real store behind, and a browser before the screen."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from playwright.sync_api import Page, expect, sync_playwright

from tests.demo.settings import SCREEN
from tests.demo.world import STORE, SlotTerms, Terminal, World
from tests.e2e.customer import offering_of, picture_of, programs, scan
from tests.e2e.line import Line
from tests.e2e.worlds import a_world

TERMS: Final = SlotTerms(
    lengths_seconds=(12,), grid_seconds=1, early_seconds=60, warn_before_seconds=(4,)
)
"""A ticket opens when it is bought, and its use is long enough to be cut off and come back."""

THERE_MS_MAX: Final = 2_000
"""How long after a word of either side the other's page may take to show it."""

PRICE: Final = re.compile(r"^¥[\d,]+ in all$")

VERDICT_MS_MAX: Final = 1_000
"""How long after a verdict the screen may take to show it."""


def test_a_customer_is_led_by_the_screen_from_its_idle_face_to_thanks():
    """C3, C4, C5, C6, E5: opened, counted, cut off, back, extended, refused, warned, thanked."""
    with a_screen_in_a_store() as (world, line, terminal, page):
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text("Show your ticket")
        a_helper_is_called_and_answers(world, page)
        ticket = world.book(offering_of(world, terminal))
        assert scan(world, terminal, picture_of(world, ticket["link"]))["opens"]
        expect(page.locator("body")).to_have_attribute("data-cue", "yes", timeout=VERDICT_MS_MAX)
        expect(page.locator(".digits")).to_have_text(re.compile(r"^\d:\d\d$"))
        expect(page.locator("#around")).to_have_text(PRICE)
        with line.cut():
            expect(page.locator("#note")).to_contain_text("goes on to its end")
            expect(page.get_by_role("button", name="More time")).to_have_count(0)
            page.get_by_role("button", name="Call for help").click()
            page.get_by_role("button", name="Something does not work").click()
            expect(page.locator("#note")).to_contain_text("on its way")
            page.keyboard.press("Escape")
        expect(page.locator("#note")).to_contain_text("has your call", timeout=10_000)
        assert [each["why"] for each in calls(world)] == [
            "Somebody at Booth 1 has called: something does not work."
        ]
        following = has_more_time_until_somebody_has_booked(world, terminal, page)
        expect(heading).to_have_text("4 seconds left", timeout=20_000)
        expect(heading).to_have_text("Thank you", timeout=10_000)
        assert programs(world, terminal) == []
        shown = world.wait_for_line(ticket["link"], "session.warning_shown")
        assert shown["facts"]["seconds_left"] == 4
        assert not scan(world, terminal, picture_of(world, ticket["link"]))["opens"]
        expect(heading).to_have_text("This ticket has been used.", timeout=VERDICT_MS_MAX)
        ends_it_himself(world, terminal, page, following)


def a_helper_is_called_and_answers(world: World, page: Page) -> None:
    """E4, E6: who logs in is offered at the screen, is written with both ways, and ends it."""
    made = world.operator("POST", "/api/v1/helpers", {"name": "Aoi", "stores": [STORE]})
    browser = page.context.browser
    assert browser is not None
    desk = browser.new_page(ignore_https_errors=True)  # a store vouches for itself
    desk.goto(made["url"])
    desk.locator("form button").click()
    page.get_by_role("button", name="Call for help").click()
    expect(page.get_by_role("dialog")).to_contain_text("Nobody is there")
    desk.locator("form[action='/helper/state'] button").click()
    page.get_by_role("button", name="Aoi").click(timeout=THERE_MS_MAX)
    page.get_by_role("button", name="How do I begin?").click()
    desk.locator("a.customer").click(timeout=THERE_MS_MAX)
    expect(desk.locator("[data-part=lines]")).to_contain_text("How do I begin?")
    desk.locator("form[action$='/say'] [name=text]").fill("Show your ticket here.")
    desk.locator("form[action$='/say'] button").click()
    expect(page.locator("li.theirs")).to_contain_text("Show your ticket here.")
    expect(page.locator(".state")).to_have_text("Aoi is here.")
    desk.locator("form[action$='/end'] button").click()
    expect(page.locator(".state")).to_contain_text("Your helper has ended the call.")
    page.keyboard.press("Escape")
    desk.close()


def has_more_time_until_somebody_has_booked(world: World, terminal: Terminal, page: Page) -> str:
    """Take some of what is offered, be refused once somebody comes next; return his ticket."""
    page.get_by_role("button", name="More time").click()
    page.get_by_role("button", name="+2 s").click()
    panel = page.get_by_role("heading", level=2)
    expect(panel).to_have_text("2 seconds more")
    page.keyboard.press("Escape")
    following = world.book(offering_of(world, terminal))
    page.get_by_role("button", name="More time").click()
    expect(panel).to_have_text("Somebody has booked this booth next.")
    page.keyboard.press("Escape")
    return str(following["link"])


def ends_it_himself(world: World, terminal: Terminal, page: Page, link: str) -> None:
    """Be the next customer, and end it by the screen's button."""
    assert scan(world, terminal, picture_of(world, link))["opens"]
    page.get_by_role("button", name="End now").click()
    page.get_by_role("button", name="Yes, end it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you", timeout=10_000)
    expect(page.locator("#next")).to_contain_text("You have ended it")
    ended = world.wait_for_line(link, "session.ended")
    assert ended["facts"]["reason"] == "customer_ended"


def calls(world: World) -> list[dict[str, Any]]:
    """Return the calls for help that wait for the operator."""
    found = world.operator("GET", "/api/v1/problems")["problems"]
    return [each for each in found if each["kind"] == "help_asked"]


@contextmanager
def a_screen_in_a_store() -> Iterator[tuple[World, Line, Terminal, Page]]:
    """Have a terminal at the end of a line, and its screen open in a browser."""
    with a_world(TERMS, screen=SCREEN) as world, ExitStack() as stack:
        line = Line(web_port=world.web_port, broker_port=world.broker_port)
        stack.callback(line.close)
        terminal = world.new_terminal()
        world.enrol(terminal, world.new_code(), url=line.url)
        world.start_agent(terminal)
        offering_of(world, terminal)
        page = stack.enter_context(a_browser())
        page.goto(world.wait_for_log(terminal.log, "screen")["address"])
        yield world, line, terminal, page


@contextmanager
def a_browser() -> Iterator[Page]:
    """Open a browser, and see that nothing breaks in it."""
    program = shutil.which("chromium")
    assert program is not None, "these tests need Debian's chromium"
    faults: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        yield page
        browser.close()
    assert faults == []

"""What customers see on their phones of a real store: from what is on now to the receipt."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from tests.demo.world import SlotTerms, World, a_world
from tests.e2e.customer import kill, offering_of, scan
from tests.e2e.phones import (
    KEPT_IN_MIND,
    NOTES_CARDS,
    Phones,
    gone_since,
    phones,
    photographed,
    shown_since,
    tabs_to,
)

TERMS: Final = SlotTerms(
    lengths_seconds=(4,), grid_seconds=1, early_seconds=60, warn_before_seconds=(1,)
)
"""A ticket opens when it is bought, and its use is soon over."""

SHOWN_MS_MAX: Final = 2_000
"""From when a terminal can provide it until an open page shows it (promise 11)."""

GONE_MS_MAX: Final = 20_000
"""From when a terminal is gone until no open page shows it (promise 11)."""

NOW: Final = "[data-offering] button.at-once"
"""Use it now: the one button that no moment makes too late."""

SOON_MS: Final = 15_000
"""How long anything else may take that is waited for: a loaded machine takes seconds."""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Give a store with one terminal of one booth, and a second that is not there yet."""
    with a_world(TERMS) as made:
        offering_of(made, made.add_terminal())
        yield made


@pytest.fixture(scope="module")
def people(world: World) -> Iterator[Phones]:
    """Give customers with phones."""
    assert world.url
    with phones() as made:
        yield made
        assert made.faults == []


@pytest.mark.parametrize(
    ("language", "scheme", "keys"), [("ja", "light", "thumb"), ("en", "dark", "keyboard")]
)
def test_a_customer_goes_from_the_storefront_to_the_end_with_three_taps_or_keys_alone(
    world: World, people: Phones, language: str, scheme: str, keys: str
):
    """E: the phone's own screen is what the reader reads; nothing is loaded again on the way."""
    (terminal, *_) = world.terminals
    with people.phone(language, color_scheme=scheme) as page:
        page.goto(world.url)
        expect(page.locator("html")).to_have_attribute("lang", language)
        if keys == "keyboard":
            tabs_to(page, NOW)
            page.keyboard.press("Enter")
        else:
            page.locator(NOW).click()
        page.wait_for_url("**/t/*")
        page.evaluate(KEPT_IN_MIND)
        assert scan(world, terminal, photographed(world, page))["opens"]
        is_now(page, "running")
        expect(page.locator(".left progress")).to_be_visible()
        is_now(page, "done")
        assert page.evaluate("window.isTheSame") is True
        expect(page.locator(".proof")).to_be_visible()
        assert page.locator(".code").count() == 0


def test_an_open_page_gains_a_terminal_that_starts_and_loses_one_that_is_killed(
    world: World, people: Phones
):
    """E2, E3, promise 11: told while it is open, in time, without being loaded again."""
    title = "Racing seat 2"
    with people.phone() as page:
        page.goto(world.url)
        page.evaluate(KEPT_IN_MIND)
        page.evaluate(NOTES_CARDS)
        terminal = world.add_terminal()
        card = page.locator("[data-offering]", has_text=title)
        expect(card).to_have_count(1, timeout=SOON_MS)
        (on,) = world.books(
            "SELECT changed_at FROM offered_devices ORDER BY changed_at DESC LIMIT 1"
        )
        assert shown_since(page, title) - on["changed_at"] <= SHOWN_MS_MAX
        assert terminal.agent is not None
        killed_at = time.time_ns() // 1_000_000
        kill([terminal.agent.pid], signal.SIGKILL)
        terminal.agent.wait()
        expect(card).to_have_count(0, timeout=GONE_MS_MAX)
        assert gone_since(page, title) - killed_at <= GONE_MS_MAX
        assert page.evaluate("window.isTheSame") is True


def test_two_phones_tap_the_last_slot_and_one_has_it(world: World, people: Phones):
    """E: the other is told at once what else there is; whoever only looks sees it gone."""
    (terminal, *_) = world.terminals
    path = f"{world.url}/o/{offering_of(world, terminal)}"
    with (
        people.phone("ja") as first,
        people.phone("en", java_script_enabled=False) as second,
        people.phone("en") as third,
    ):
        both = (first, second)
        for page in (*both, third):
            page.goto(path)
        at = third.locator(".times button[data-at]").last.get_attribute("data-at")
        for page in both:
            page.evaluate("(at) => document.querySelector(`[data-at='${at}']`).form.submit()", at)
        for page in both:
            page.wait_for_url(re.compile("/t/|/book"))
        paths = sorted(page.url.removeprefix(world.url).split("/")[1] for page in both)
        print([page.locator("[role=alert]").all_inner_texts() for page in both], at, time.time())
        assert paths == ["book", "t"]
        loser = next(page for page in both if page.url.endswith("/book"))
        expect(loser.locator("[role=alert]")).to_be_visible()
        assert loser.locator(".times button").count() > 0
        expect(third.locator(f"button[data-at='{at}']")).to_have_count(0, timeout=SOON_MS)


def is_now(page: Page, phase: str) -> None:
    """Wait until a ticket's page says of itself that it is there."""
    expect(page.locator("[data-ticket]")).to_have_attribute("data-phase", phase, timeout=SOON_MS)

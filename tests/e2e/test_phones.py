"""What customers see on their phones of a real store: from what is on now to the receipt."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from tests.demo.world import STORE, SlotTerms, World
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
from tests.e2e.worlds import a_world

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

HALF_PRICE: Final = {
    "terms": {"kind": "percent", "basis_points": 5_000},
    "starts_at": "2020-01-01T00:00:00Z",
    "ends_at": "2099-01-01T00:00:00Z",
}
"""A voucher for half of it; the other half is paid at the counter."""

SOON_MS: Final = 25_000
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


def test_a_customer_goes_from_the_storefront_to_the_receipt_in_japanese(
    world: World, people: Phones
):
    """E: looked at first, half by a voucher, opened by the phone's own screen, with a receipt."""
    code = world.operator("POST", "/api/v1/vouchers", HALF_PRICE)["code"]
    with people.phone("ja", color_scheme="light") as page:
        page.goto(world.url)
        expect(page.locator("html")).to_have_attribute("lang", "ja")
        page.locator("[data-offering] h2 a").click()
        page.locator("a[href*='first=1']").click()
        page.wait_for_url("**first=1")
        page.locator(".times button[data-at]").nth(12).click()
        page.wait_for_url("**/b/*")
        expect(page.locator(".bill .total")).to_contain_text("￥800")
        page.locator("summary", has_text="クーポン").click()
        page.locator("[name=voucher]:visible").fill(code)
        page.locator("form[action$='/voucher'] button").click()
        expect(page.locator(".bill .total")).to_contain_text("￥400")
        page.locator("form[action$='/confirm'] button").click()
        page.wait_for_url("**/t/*")
        is_used_up(world, page)
        receipt = page.locator("a[href$='/receipt.pdf']").get_attribute("href")
        assert page.request.get(f"{world.url}{receipt}").body().startswith(b"%PDF")


def test_a_customer_without_a_pointer_goes_from_the_storefront_to_the_end_in_one_step(
    world: World, people: Phones
):
    """E: by the keyboard alone, by night, in English: use it now, and it is one's own."""
    with people.phone("en", color_scheme="dark") as page:
        page.goto(world.url)
        tabs_to(page, NOW)
        page.keyboard.press("Enter")
        page.wait_for_url("**/t/*")
        is_used_up(world, page)
        tabs_to(page, "summary")
        page.keyboard.press("Enter")
        expect(page.locator(".moments")).to_be_visible()


def test_e3_an_open_page_gains_a_terminal_that_starts_and_loses_one_that_is_killed(
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
    """E: both at once, one of them without script; the other is told at once what else there is."""
    (terminal, *_) = world.terminals
    later = datetime.now(UTC) + timedelta(hours=1)
    path = f"{world.url}/o/{offering_of(world, terminal)}?from={later:%Y-%m-%dT%H:%M:%SZ}"
    with people.phone("ja") as one, people.phone("en", java_script_enabled=False) as other:
        both = (one, other)
        for page in both:
            page.goto(path)
        at = other.locator(".times button[data-at]").first.get_attribute("data-at")
        for page in both:
            page.evaluate("(at) => document.querySelector(`[data-at='${at}']`).form.submit()", at)
        for page in both:
            page.wait_for_url(re.compile("/t/|/book"))
        (ticket,) = [page for page in both if "/t/" in page.url]
        (late,) = [page for page in both if page.url.endswith("/book")]
        expect(ticket.locator(".code")).to_be_visible()
        expect(late.locator("[role=alert]")).to_be_visible()
        late.locator(".times button[data-at]").first.click()
        late.wait_for_url("**/t/*")
        booked = world.operator("GET", "/api/v1/reservations?limit=200")["reservations"]
        starts = [each["starts_at"] for each in booked if each["state"] == "confirmed"]
        assert len(set(starts)) == len(starts) == 2


def test_e6_a_helper_logs_in_is_chosen_talks_and_leaves(world: World, people: Phones):
    """E4, E6: only who is there is offered, both write as they read, and it is kept."""
    made = world.operator("POST", "/api/v1/helpers", {"name": "Aoi", "stores": [STORE]})
    (terminal, *_) = world.terminals
    link = world.book(offering_of(world, terminal))["link"]
    choosing = "form[action$='/help/choose'] button"
    with people.phone("en") as desk, people.phone("ja") as phone:
        phone.goto(f"{world.url}/t/{link}/help")
        expect(phone.locator(".empty")).to_be_visible()
        desk.goto(made["url"])
        desk.locator("form[action^='/helper/enter/'] button").click()
        desk.wait_for_url("**/helper")
        desk.locator("form[action='/helper/state'] button").click()
        phone.locator(choosing).click(timeout=SOON_MS)
        phone.locator("textarea").fill("どのボタンですか")
        phone.keyboard.press("Enter")
        desk.locator("a.customer", has_text="どのボタンですか").click(timeout=SOON_MS)
        desk.locator("textarea").fill("The left one")
        desk.keyboard.press("Enter")
        for each in (phone, desk):  # the desk's own page has come again before it is left
            expect(each.locator(".talk")).to_contain_text("The left one", timeout=SOON_MS)
        desk.goto(f"{world.url}/helper")
        desk.locator("form[action='/helper/state'] button").click()
        expect(phone.locator(".empty")).to_be_visible(timeout=SOON_MS)
        expect(phone.locator(choosing)).to_have_count(0)
    (call,) = world.operator("GET", "/api/v1/calls")["calls"]
    said = world.operator("GET", f"/api/v1/calls/{call['call']}")["said"]
    assert [each["text"] for each in said] == ["どのボタンですか", "The left one"]
    assert call["state"] == "ended"
    told = [
        each["kind"] for each in world.api("GET", f"/api/v1/tickets/{link}/timeline")["moments"]
    ]
    assert told == ["booked", "help_called", "help_opened", "help_ended"]


def is_used_up(world: World, page: Page) -> None:
    """Hold a phone before the reader, and follow its ticket's page to its end without a load."""
    (terminal, *_) = world.terminals
    page.evaluate(KEPT_IN_MIND)
    assert scan(world, terminal, photographed(world, page))["opens"]
    is_now(page, "running")
    expect(page.locator(".left progress")).to_be_visible()
    is_now(page, "done")
    assert page.evaluate("window.isTheSame") is True
    expect(page.locator(".proof h2")).to_be_visible()
    expect(page.locator(".code")).to_have_count(0)


def is_now(page: Page, phase: str) -> None:
    """Wait until a ticket's page says of itself that it is there."""
    expect(page.locator("[data-ticket]")).to_have_attribute("data-phase", phase, timeout=SOON_MS)

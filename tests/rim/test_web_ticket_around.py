"""A ticket's page says how its booth stands, who comes before, what it costs, and ends it (E5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from cloud_controller.flows import help as help_calls
from cloud_controller.ports import Transaction
from cloud_controller.web.pages.around import WINDOWS, lit_windows
from tests.fakes.playing import run
from tests.fakes.store import HOUR_MS, MINUTE_MS, MORNING_AT, Offer, Opened
from tests.rim.mail_kit import change
from tests.rim.test_web_booking import tap
from tests.rim.test_web_extensions import HALF_AN_HOUR, extend
from tests.rim.test_web_pages import page
from tests.rim.web_kit import EVERY_ROLE, WebKit, assert_problem, web_kit


@dataclass(frozen=True, kw_only=True)
class Coming:
    """A ticket of half past nine, ten minutes before it opens."""

    kit: WebKit
    opened: Opened
    link: str

    async def booth(self) -> str:
        text = await page(self.kit, f"/t/{self.link}")
        found = re.search(r'class="stands" data-device="(\w+)">(.*?)</p>', text)
        return "" if found is None else f"{found[1]}: {found[2]}"


async def coming(kit: WebKit) -> Coming:
    opened = await kit.store.open(Offer(devices=1))
    link = await kit.store.book(opened, MORNING_AT + HOUR_MS)
    kit.store.clock.now = MORNING_AT + 45 * MINUTE_MS
    return Coming(kit=kit, opened=opened, link=link)


async def test_e5_the_page_says_how_the_booth_stands_while_its_customer_comes(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        here = await coming(kit)
        assert await here.booth() == "ready: Booth 1 is ready for you."
        change(tmp_path, "UPDATE devices SET state = 'turnover'")
        assert await here.booth() == "being_made_ready: Booth 1 is being made ready for you."
        change(tmp_path, "UPDATE devices SET is_out_of_order = 1")
        assert (await here.booth()).startswith("out_of_order: Booth 1 has a fault just now.")
        await kit.store.leave(here.opened)
        assert (await here.booth()).startswith("unreachable: Booth 1 cannot be reached just now.")
        kit.store.clock.now = MORNING_AT - 2 * HOUR_MS
        assert await here.booth() == "", "who comes tomorrow is not told of today"


async def test_e5_the_page_says_who_has_the_booth_and_who_is_next(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        first, _, link = [
            await kit.store.book(opened, MORNING_AT + half * HOUR_MS // 2) for half in range(3)
        ]
        here = Coming(kit=kit, opened=opened, link=link)
        kit.store.clock.now = MORNING_AT + 25 * MINUTE_MS
        assert await here.booth() == "booked: Booth 1 is booked until 9:30. 2 come before you."
        await kit.store.books.transact(run, first, opened.terminal)
        assert await here.booth() == "in_use: Booth 1 is in use until 9:30. 2 come before you."
        change(tmp_path, "UPDATE reservations SET state = 'cancelled' WHERE state = 'confirmed'")
        change(tmp_path, "UPDATE reservations SET state = 'confirmed' WHERE link = ?", here.link)
        assert await here.booth() == "in_use: Booth 1 is in use until 9:30. You are next."


async def test_e5_the_price_is_told_while_it_runs_with_what_was_extended(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        booked = await kit.book(
            {
                "offering": opened.offering,
                "starts_at": "2026-10-23T01:00:00Z",
                "length_seconds": 1800,
            }
        )
        link = booked.json["link"]
        kit.store.clock.now = MORNING_AT + HOUR_MS + 10 * MINUTE_MS
        await kit.store.books.transact(run, link, opened.terminal)
        text = await page(kit, f"/t/{link}")
        assert "<dd>¥1,500<small>It does not go up by itself.</small></dd>" in text
        assert "<small>30 min for ¥1,500</small>" in text
        await extend(kit, f"/api/v1/tickets/{link}/extensions", HALF_AN_HOUR)
        await tap(kit, f"/t/{link}/itself", {"extends_itself": "true"})
        text = await page(kit, f"/t/{link}")
        assert "<dd>¥3,000<small>¥1,500 of it for more time. It goes on by itself" in text


async def test_what_runs_is_ended_from_the_phone_and_the_page_says_so_at_once(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        here = await coming(kit)
        assert_problem(await kit.post(f"/api/v1/tickets/{here.link}/end"), 409, "not_allowed")
        kit.store.clock.now = MORNING_AT + HOUR_MS
        await kit.store.books.transact(run, here.link, here.opened.terminal)
        kit.store.clock.move(600)
        text = await page(kit, f"/t/{here.link}")
        assert "The time that is left is not paid back." in text
        for _ in range(2):
            tapped = await tap(kit, f"/t/{here.link}/end", {})
            assert (tapped.status, tapped.headers["Location"]) == (303, f"/t/{here.link}")
        text = await page(kit, f"/t/{here.link}")
        assert "<h1>Ending now</h1>" in text
        assert "has not answered" not in text
        assert f'action="/t/{here.link}/end"' not in text
        kit.store.clock.move(11)
        assert "Booth 1 has not answered yet." in await page(kit, f"/t/{here.link}")
        ended = await kit.post(f"/api/v1/tickets/{here.link}/end")
        assert ended.json["session"]["state"] == "running", "what is asked for is not yet done"
        assert_problem(await kit.post("/api/v1/tickets/no/end"), 404, "not_found")


async def test_e5_e6_the_page_says_who_is_there_to_help_and_when_nobody_is(tmp_path: Path):
    async with web_kit(tmp_path, roles=EVERY_ROLE | {"communication"}) as kit:
        here = await coming(kit)
        assert "/help" not in await page(kit, f"/t/{here.link}"), "nobody ever helps here"
        key = await kit.store.books.transact(_a_helper)
        assert "No helper is there just now." in await page(kit, f"/t/{here.link}")
        await kit.store.books.transact(_comes, key)
        text = await page(kit, f"/t/{here.link}")
        assert f'href="/t/{here.link}/help"' in text
        assert "<small>Aoi can help now</small>" in text
        kit.store.clock.move(60)
        assert "No helper is there just now." in await page(kit, f"/t/{here.link}")


async def test_what_can_no_longer_be_changed_or_given_up_is_said_and_not_offered(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        here = await coming(kit)
        text = await page(kit, f"/t/{here.link}")
        assert "Last change: 10:00." in text
        assert "Last moment for it: 10:00." in text
        change(tmp_path, "UPDATE offerings SET change_seconds = 3600, cancel_seconds = 3600")
        text = await page(kit, f"/t/{here.link}")
        assert "It can no longer be moved or given to somebody else." in text
        assert "It can no longer be cancelled." in text
        assert "/reschedule" not in text
        assert "/cancel" not in text


@pytest.mark.parametrize(
    ("left", "whole", "lit"),
    [
        (1800, 1800, WINDOWS),
        (1799, 1800, WINDOWS),
        (900, 1800, WINDOWS // 2),
        (1, 1800, 1),
        (0, 1800, 0),
        (2000, 1800, WINDOWS),
        (5, 0, 0),
    ],
)
def test_as_many_windows_are_lit_as_time_is_left_and_the_last_one_to_the_end(left, whole, lit):
    assert lit_windows(left, whole) == lit


def _a_helper(books: Transaction) -> str:
    """Make a helper of the store who has opened his link; return his browser's key."""
    made = help_calls.add(books, "Aoi", ["shinjuku"], "tests")
    return help_calls.enter(books, made.link)


def _comes(books: Transaction, key: str) -> None:
    help_calls.log_in(books, help_calls.known(books, key), by_form=False)

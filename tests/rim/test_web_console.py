"""The console shows each device as it is, hears what changes, and tells nobody's name."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path

from cloud_controller.flows import registration
from cloud_controller.flows.board import DayOf
from cloud_controller.web.pages.console.day import day_window
from cloud_controller.web.pages.console.lanes import NARROWEST_HOURS, drawn
from cloud_controller.web.pages.console.own import browser_of
from common.ids import StoreId
from common.rules.accounts import OperatorRole
from common.rules.reservations import Range
from tests.fakes.playing import run
from tests.fakes.store import HOUR_MS, MINUTE_MS, MORNING_AT, Offer, a_new_store
from tests.rim.live_kit import page
from tests.rim.mail_kit import change
from tests.rim.operator_kit import SIGNED_IN
from tests.rim.web_kit import WebKit, web_kit

NOW, DAY = "/operator", "/operator/day"
TEN_AT = MORNING_AT + HOUR_MS
NAME_TICKET = (
    "UPDATE tickets SET short_code = 'K7M2PQ9XTA' WHERE reservation_id ="
    " (SELECT reservation_id FROM reservations WHERE link = ?)"
)


async def test_each_device_says_how_it_is_until_when_and_what_comes_next(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        assert "There is no store yet" in await shown(kit)
        opened = await kit.store.open(Offer(devices=3))
        link = await kit.store.book(opened, TEN_AT, 3600)
        await kit.store.book(opened, TEN_AT + 2 * HOUR_MS)
        kit.store.clock.now = TEN_AT + MINUTE_MS
        await kit.store.books.transact(run, link, opened.terminal)
        kit.store.clock.now = TEN_AT + 20 * MINUTE_MS
        change(tmp_path, NAME_TICKET, link)
        change(
            tmp_path,
            "UPDATE devices SET is_out_of_order = 1, fault = 'reset_failed' WHERE number = 3",
        )
        text = await shown(kit)
        assert stands(text) == ["In use", "Free", "Out of order"]
        for words in ("until 11:00", "40 min left", "its reset has failed"):
            assert words in text
        assert "K7M2" in text
        assert "K7M2P" not in text
        change(tmp_path, "UPDATE terminals SET presence = 'gone'")
        assert stands(await shown(kit)) == ["Not connected"] * 3


async def test_the_page_shows_the_chosen_store_and_none_that_there_is_not(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        osaka = a_new_store(StoreId("osaka"))
        await kit.store.books.transact(registration.add_store, osaka)
        assert stands(await shown(kit)) == ["Free", "Free"]
        assert "No device stands here yet" in await shown(kit)
        assert stands(await shown(kit, f"{NOW}?store=osaka")) == []
        assert 'href="/operator/day?store=osaka"' in await shown(kit, f"{NOW}?store=osaka")
        for path in (f"{NOW}?store=kyoto", f"{NOW}/events?store=kyoto"):
            assert (await kit.get(path, headers=SIGNED_IN)).status == 404


async def test_an_open_page_hears_what_changes_in_its_store_and_nobody_hears_who(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        async with page(kit, f"{NOW}/events?store=shinjuku", shown=SIGNED_IN) as seen:
            first = await seen.word()
            await kit.store.book(opened, TEN_AT)
            second = await seen.word()
        assert (first.event, second.event) == ("changed", "changed")
        assert first.told != second.told
        assert re.fullmatch("[0-9a-f]{16}", second.told)


async def test_the_day_tells_each_claim_by_its_hours_in_a_drawing_and_in_a_table(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=2, turnover_seconds=600))
        link = await kit.store.book(opened, TEN_AT, 3600)
        await kit.store.book(opened, TEN_AT + 2 * HOUR_MS)
        change(tmp_path, NAME_TICKET, link)
        kit.store.clock.now = TEN_AT + 20 * MINUTE_MS
        text = await shown(kit, DAY)
        rows = re.findall(r"<td>(.*?)</td><td>(.*?) · VR Arena</td><td>(\w*)</td>", text)
        assert [row[:2] for row in rows] == [
            ("10:00 \N{EN DASH} 11:00", "not here yet"),
            ("12:00 \N{EN DASH} 12:30", "booked"),
        ]
        assert rows[0][2] == "K7M2"
        assert text.count('class="now"') == 2
        tomorrow = await shown(kit, f"{DAY}?day=2026-10-24")
        assert "Sat, Oct 24, 2026" in tomorrow
        assert 'class="now"' not in tomorrow
        for day in ("2026-02-31", "0001-01-01", "9999-12-31"):
            assert "Fri, Oct 23, 2026" in await shown(kit, f"{DAY}?day={day}")


async def test_what_can_be_done_stands_on_the_card_of_whoever_may_do_it(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        (device,) = opened.devices
        viewer = await kit.signed_in(OperatorRole.VIEWER, "shinjuku")
        assert 'action="/operator/devices/' not in (await kit.get(NOW, headers=viewer)).text
        staff = await kit.signed_in(OperatorRole.STAFF, "shinjuku")
        text = (await kit.get(NOW, headers=staff)).text
        assert set(re.findall(rf'action="/operator/devices/{device}/([a-z-]+)"', text)) == {
            *("start", "maintenance", "out-of-order", "message"),
        }
        done = await kit.post(
            f"{NOW}/devices/{device}/out-of-order",
            data={"reason": "a broken chair", "back": NOW, "store": ""},
            headers=staff,
        )
        assert (done.status, done.headers["Location"]) == (303, f"{NOW}?said=put_out")
        text = (await kit.get(done.headers["Location"], headers=staff)).text
        assert stands(text) == ["Out of order"]
        assert "it opens for nobody" in text
        assert f"/operator/devices/{device}/in-order" in text
        await kit.post(
            f"{NOW}/devices/{device}/message",
            data={"sentence": "quiet", "text": "We are  on our way.", "back": NOW, "store": ""},
            headers=staff,
        )
        text = (await kit.get(NOW, headers=staff)).text
        assert "We are on our way. <" in text, "one's own words stand before a sentence"
        assert "on its way</span>" in text


def test_a_day_begins_and_ends_as_its_zone_says_and_lanes_keep_within_it():
    hours = []
    for day, zone in (("2026-03-29", "Europe/Berlin"), ("2026-10-25", "Europe/Berlin")):
        window = day_window(date.fromisoformat(day), zone)
        hours.append((window.ends_at - window.starts_at) // HOUR_MS)
        nothing = DayOf(window=window, devices=(), open=(), claims={}, blackouts={})
        assert drawn(nothing, window.ends_at).shown == window
        late = Range(starts_at=window.ends_at - HOUR_MS, ends_at=window.ends_at)
        shown_of = drawn(replace(nothing, open=(late,)), window.ends_at).shown
        assert shown_of.ends_at == window.ends_at
        assert shown_of.ends_at - shown_of.starts_at == NARROWEST_HOURS * HOUR_MS
    assert hours == [23, 25]


def test_the_names_of_hours_stand_apart_however_long_a_store_is_open():
    window = day_window(date.fromisoformat("2026-11-27"), "Asia/Tokyo")
    day = DayOf(window=window, devices=(), open=(window,), claims={}, blackouts={})
    xs = [x for _, x in drawn(day, window.ends_at).named]
    assert len(xs) == 12
    assert min(after - before for before, after in pairwise(xs)) > 5


async def test_whoever_owns_nothing_is_led_to_no_page_of_owners(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open(Offer(devices=1))
        owner = await kit.signed_in(OperatorRole.OWNER)
        text = (await kit.get(f"{NOW}/people", headers=owner)).text
        for path in ("people", "tokens", "audit", "hooks", "privacy", "me"):
            assert f'href="/operator/{path}"' in text
        staff = await kit.signed_in(OperatorRole.STAFF, "shinjuku")
        for path in (NOW, f"{NOW}/setup?store=shinjuku"):
            text = (await kit.get(path, headers=staff)).text
            assert not re.search(r'href="/operator/(people|tokens|audit|hooks|privacy)', text)


def test_a_browser_is_told_by_its_owners_word_for_it():
    edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0"
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1"
    assert browser_of(edge) == "Edge · Windows"
    assert browser_of(phone) == "Safari · iPhone"
    assert browser_of("x" * 99) == "x" * 60
    assert browser_of("") == ""


async def shown(kit: WebKit, path: str = NOW) -> str:
    answered = await kit.get(path, headers=SIGNED_IN)
    assert answered.status == 200
    return answered.text


def stands(text: str) -> list[str]:
    """Return how each device stands, in the order of the page."""
    return re.findall(r'<p class="stands">([^<]*)</p>', text)

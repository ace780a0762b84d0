"""The storefront: what everybody sees of it, what is one viewer's own, and the way to a ticket."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from cloud_controller.flows import payments, registration
from cloud_controller.ports import Actor
from cloud_controller.web.language import Languages
from cloud_controller.web.pages.cards import card
from cloud_controller.web.pages.render import Pages
from common.ids import StoreId
from common.rules.payments import Band, Prices
from tests.fakes.store import MINUTE_MS, MORNING_AT, Offer, a_new_store
from tests.rim.test_web_booking import form_of, heading, hold, tap
from tests.rim.test_web_pages import JAPANESE, first_form, page
from tests.rim.web_kit import WebKit, web_kit

PAGE_BYTES_MAX = 40_000
"""Bytes of a page with all its files but pictures, as they cross the line."""

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KEY = r' *<input type="hidden" name="key" value="[0-9a-f]{32}">\n'
CARD = re.compile(r"<article.*?</article>", re.DOTALL)


async def test_e3_a_card_that_everybody_is_sent_is_the_page_s_own_but_for_the_keys(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(party_max=4))
        shared = await kit.store.books.read(card, opened.offering)
        pushed = Pages().piece("card.html", Languages()["en"], card=shared)
        (shown,) = CARD.findall(await page(kit, "/"))
        assert 'name="key"' not in pushed
        assert pushed.count("data-key") == shown.count('name="key"') > 0
        assert lines_of(re.sub(KEY, "", shown)) == lines_of(pushed)


async def test_a_card_stays_the_same_while_nothing_on_it_changes(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        kit.store.clock.move(61)
        before = await kit.store.books.read(card, opened.offering)
        kit.store.clock.move(29)
        assert await kit.store.books.read(card, opened.offering) == before
        await kit.store.book(opened, MORNING_AT + 30 * MINUTE_MS)
        assert await kit.store.books.read(card, opened.offering) != before


def lines_of(html: str) -> list[str]:
    """Return what stands in lines, without the spaces around it."""
    return [line.strip() for line in html.splitlines() if line.strip()]


async def test_one_store_is_the_front_page_and_several_are_a_tap_before_their_own(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        alone = await page(kit, "/")
        assert heading(alone) == "Shinjuku"
        assert 'href="/s/' not in alone
        await kit.store.books.transact(registration.add_store, a_new_store(StoreId("kyoto")))
        both = await page(kit, "/")
        assert heading(both) == "Which store?"
        assert re.findall(r'<h2><a href="([^"]+)', both) == ["/s/shinjuku", "/s/kyoto"]
        assert "2 free now" in both
        first = await page(kit, "/s/shinjuku")
        assert f'<h2><a href="/o/{opened.offering}">VR Arena</a></h2>' in first
        booked = await tap(kit, "/book", first_form(first))
        assert booked.headers["Location"].startswith("/t/")
        assert "Nothing is on offer just now" in await page(kit, "/s/kyoto")
        assert (await kit.get("/s/nowhere")).status == 404


async def test_e3_each_state_of_an_offering_is_said_as_it_is(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        kit.store.clock.move(60)
        assert status(await page(kit, f"/o/{opened.offering}")) == "1 free now"
        await kit.store.book(opened, MORNING_AT + 30 * MINUTE_MS)
        busy = await page(kit, f"/o/{opened.offering}")
        assert status(busy) == "Free at 10:00"
        assert "Use it now" not in busy
        await keep_hours(kit, "12:00-20:00")
        shut = await page(kit, "/")
        assert status(shut) == "Closed until 12:00"
        assert first_form(shut)["starts_at"] == "2026-10-23T03:00:00Z"
        await keep_hours(kit, "09:00-10:00")
        full = await page(kit, f"/o/{opened.offering}")
        assert status(full) == "Full for the next 24 hours"
        kit.store.clock.move(3600)
        assert status(await page(kit, "/")) == "Closed until 9:00 tomorrow"
        await keep_hours(kit, "09:00-10:00", ("sun",))
        assert status(await page(kit, "/")) == "Closed until 9:00 on Sun, Oct 25"


async def test_prices_and_rules_come_before_any_form(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(change_seconds=3600, party_max=4))
        often = ("¥1,500", "1 h before", "cancel until it begins", "up to 4 people")
        once = ("Come in up to 5 min early", "Nothing is charged online")
        for path, words in (("/", often), (f"/o/{opened.offering}", (*often, *once))):
            shown = await page(kit, path)
            form = shown.index("<form")
            assert all(shown.index(word) < form for word in words)


async def test_a_price_by_the_hour_is_said_on_each_time_that_it_is_for(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        evening = Band(from_time="18:00", cents_per_hour=3000)
        prices = Prices(cents_per_hour=2000, bands=(evening,))
        set_prices, offering = payments.set_prices, opened.offering
        await kit.store.books.transact(set_prices, offering, prices, Actor.OPERATOR)
        by_day = await kit.store.books.read(card, opened.offering)
        assert by_day is not None
        assert (by_day.price_cents, by_day.price_varies) == (1000, True)
        shown = await page(kit, f"/o/{offering}?from=2026-10-23T08:30:00Z")
        costs = re.findall(r">(\d+:\d\d) <small>(¥[\d,]+)<", shown)
        assert costs[:2] == [("17:30", "¥1,000"), ("18:00", "¥1,500")]
        assert "from ¥1,000" in shown


async def test_an_offering_that_is_off_says_so_and_leads_to_its_store(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        await kit.store.leave(opened)
        away = await kit.get(f"/o/{opened.offering}")
        assert away.status == 404
        assert heading(away.text) == "VR Arena is not on offer just now"
        assert 'href="/s/shinjuku"' in away.text
        assert "not here" in heading((await kit.get("/o/nothing")).text)


async def test_words_and_pictures_are_those_of_the_reader_s_language(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        told = {
            "texts": '{"ja": {"title": "VRアリーナ", "content": "二百の世界"}}',
            "pictures": '[{"sha256": "%s", "alt": {"ja": "ヘッドセット"}}]' % ("ab" * 32),
        }
        with sqlite3.connect(tmp_path / "books.sqlite") as books:
            books.execute("UPDATE offerings SET texts = :texts, pictures = :pictures", told)
            books.execute(
                "INSERT INTO offering_pictures (sha256, store_id, media_type, body, kept_at)"
                " VALUES (?, 'shinjuku', 'image/webp', '', 1)",
                ("ab" * 32,),
            )
        books.close()
        for path in ("/", f"/o/{opened.offering}"):
            japanese = (await kit.get(path, headers=JAPANESE)).text
            assert "VRアリーナ" in japanese
            assert f'src="/pictures/{"ab" * 32}.webp" alt="ヘッドセット"' in japanese
            assert "VR Arena" in await page(kit, path)


@pytest.mark.parametrize("path", ["/", "/s/shinjuku", "/o/{offering}"])
async def test_a_page_of_the_storefront_is_one_round_trip_of_few_small_files(
    tmp_path: Path, path: str
):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=3, party_max=6))
        shown = await kit.get(path.format(offering=opened.offering))
        files = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', shown.text))
        packed = [await kit.get(file) for file in sorted(files)]
        assert all(file.headers["Content-Encoding"] == "gzip" for file in packed)
        bodies = [file.body for file in packed]
        assert not any(re.search(rb"@import|\bimport\b.*from|url\(", body) for body in bodies)
        crossing = [len(shown.body), *[int(file.headers["Content-Length"]) for file in packed]]
        assert sum(crossing) <= PAGE_BYTES_MAX


async def keep_hours(kit: WebKit, hours: str, days: tuple[str, ...] = WEEK) -> None:
    """Open the store at these hours on these days, and on no others."""
    said = {"hours": {"week": {day: [hours] for day in days}}}
    told = await kit.told("/api/v1/stores/shinjuku/hours", said, method="PUT")
    assert told.status == 200


def status(html: str) -> str:
    """Return how a page says that its one offering can be had."""
    *_, found = re.findall(r'<p class="status"[^>]*>([^<]*)<', html)
    return str(found)


async def test_what_was_booked_is_called_as_its_reader_says_on_every_page_of_it(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        with sqlite3.connect(tmp_path / "books.sqlite") as books:
            told = '{"ja": {"title": "VRアリーナ", "content": ""}}'
            books.execute("UPDATE offerings SET texts = ?", (told,))
        books.close()
        held = await hold(kit)
        link = await kit.store.book(opened, MORNING_AT + 60 * MINUTE_MS)
        full = "starts_at=2026-10-23T01:00:00Z&length_seconds=1800"
        asking = f"/o/{opened.offering}/wait?{full}"
        form = form_of(await page(kit, asking), "/wait") | {"mail": "mika@example.org"}
        place = (await tap(kit, "/wait", form)).headers["Location"]
        of_ticket = (
            f"/t/{link}",
            f"/t/{link}/reschedule",
            f"/t/{link}/transfer",
            f"/t/{link}/more",
        )
        for path in (held, asking, place, *of_ticket):
            japanese = (await kit.get(path, headers=JAPANESE)).text
            assert "VRアリーナ" in japanese, path
            assert "VR Arena" not in japanese, path
            assert "VR Arena" in await page(kit, path)

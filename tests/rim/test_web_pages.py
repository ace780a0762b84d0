"""The pages tell what is true now, in both languages, and nobody's words become code."""

from __future__ import annotations

import io
import re
import sqlite3
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po

from cloud_controller.web.app import SECURITY_HEADERS
from cloud_controller.web.language import Language, Languages
from common.words import LANGUAGES
from tests.fakes.store import HOUR_MS, MINUTE_MS, MORNING_AT, Offer, Opened
from tests.rim.web_kit import WebKit, web_kit
from tests.rim.words_kit import words_used

WEB = Path(__file__).parents[2] / "cloud_controller" / "web"
OURS = {"Sec-Fetch-Site": "same-origin"}
JAPANESE = {"Accept-Language": "fr;q=0.9, ja-JP;q=0.8, en;q=0.1"}
OUR_SCRIPT = (
    r'<script type="module" src="/static/(front|live|ticket)\.[0-9a-f]{12}\.js"'
    r'( data-events="/events(\?store=\w+)?")?>'
)
NASTY = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"


async def test_the_storefront_shows_what_is_on_with_its_price_and_times(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        english = (await kit.get("/")).text
        for words in ("VR Arena", "¥1,500", "30 min", "2 free now", ">9:00 <"):
            assert words in english
        japanese = (await kit.get("/", headers=JAPANESE)).text
        for words in ('lang="ja"', "￥1,500", "30分", "いま2台空いています"):
            assert words in japanese


async def test_an_empty_storefront_says_so_and_what_comes_next(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        assert "Nothing is on offer just now" in (await kit.get("/")).text
        opened = await kit.store.open()
        await kit.store.leave(opened)
        assert "Nothing is on offer just now" in (await kit.get("/")).text
        assert (await kit.get(f"/o/{opened.offering}")).status == 404


async def test_a_language_that_was_chosen_stays_chosen(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        chosen = await kit.get("/?lang=ja&utm_source=poster")
        assert chosen.headers["Content-Language"] == "ja"
        assert "HttpOnly" in chosen.headers["Set-Cookie"]
        assert (await kit.get("/")).headers["Content-Language"] == "ja"
        assert (await kit.get("/?lang=xx")).headers["Content-Language"] == "ja"


async def test_later_times_are_a_page_further_and_a_length_can_be_chosen(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        first = (await kit.get(f"/o/{opened.offering}?length_seconds=3600")).text
        assert first.count('name="starts_at"') == 24
        assert 'aria-current="true">1 h <' in first
        later = re.search(r'href="([^"]+)">Later times', first)
        assert later is not None
        second = (await kit.get(unescape(later[1]))).text
        assert "Tomorrow" in second
        assert not set(keys_in(first)) & set(keys_in(second))


async def test_one_tap_books_and_a_second_tap_books_nothing_more(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open(Offer(devices=1))
        form = first_form(await page(kit, "/"))
        booked = await kit.post("/book", data=form, headers=OURS)
        again = await kit.post("/book", data=form, headers=OURS)
        assert booked.status == again.status == 303
        assert booked.headers["Location"] == again.headers["Location"]
        assert (await kit.get(booked.headers["Location"])).status == 200


async def test_a_time_just_taken_offers_others_as_buttons(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        form = first_form(await page(kit, f"/o/{opened.offering}"))
        await kit.store.book(opened, MORNING_AT)
        taken = await kit.post("/book", data=form, headers=OURS)
        assert taken.status == 409
        assert "This time has just been taken." in taken.text
        assert taken.text.count('action="/book"') == 3
        assert "lang=ja" in taken.text
        instead = await kit.post("/book", data=first_form(taken.text), headers=OURS)
        assert instead.status == 303


async def test_a_time_that_has_passed_on_an_open_page_offers_the_next_ones(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        form = first_form(await page(kit, "/"))
        kit.store.clock.move(60)
        passed = await kit.post("/book", data=form, headers=OURS)
        assert passed.status == 409
        assert "This time can no longer be booked." in passed.text
        assert passed.text.count('action="/book"') == 3


async def test_the_ticket_page_follows_its_ticket_from_early_to_thank_you(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        link = await kit.store.book(opened, MORNING_AT + HOUR_MS)
        early = await page(kit, f"/t/{link}")
        assert_shows(early, "Today, opens at 9:55", refresh=None, code=True)
        kit.store.clock.move(45 * 60)
        assert_shows(await page(kit, f"/t/{link}"), "opens at 9:55", refresh="601", code=True)
        kit.store.clock.move(12 * 60)
        assert_shows(await page(kit, f"/t/{link}"), "Show this at booth 1", refresh="5", code=True)
        for state, words in (("starting", "Starting"), ("running", "Running until 10:30")):
            use(tmp_path, kit, opened, state)
            assert_shows(await page(kit, f"/t/{link}"), words, refresh="5", code=state != "running")
        running = await page(kit, f"/t/{link}")
        assert "33 min left" in running
        use(tmp_path, kit, opened, "ending")
        assert_shows(await page(kit, f"/t/{link}"), "Almost over", refresh="5", code=False)
        use(tmp_path, kit, opened, "ended")
        assert_shows(await page(kit, f"/t/{link}"), "Thank you", refresh=None, code=False)


async def test_a_ticket_nobody_came_with_says_that_its_time_is_over(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        link = await kit.store.book(await kit.store.open(), MORNING_AT)
        kit.store.clock.move(3600)
        over = await page(kit, f"/t/{link}")
        assert_shows(over, "The time of this ticket is over", refresh=None, code=False)


async def test_a_reservation_is_given_up_on_its_page(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        link = await kit.store.book(await kit.store.open(), MORNING_AT + HOUR_MS)
        given_up = await kit.post(f"/t/{link}/cancel", headers=OURS)
        assert given_up.headers["Location"] == f"/t/{link}"
        assert_shows(await page(kit, f"/t/{link}"), "was cancelled", refresh=None, code=False)
        again = await kit.post(f"/t/{link}/cancel", headers=OURS)
        assert again.status == 409
        assert "That cannot be done now" in again.text


@pytest.mark.parametrize("words", [NASTY, "\u202etxet", "&amp;", "{day} {0}"])
async def test_words_of_a_terminal_never_become_code(tmp_path: Path, words: str):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(title=words, content=words))
        link = await kit.store.book(opened, MORNING_AT)
        for path in ("/", f"/o/{opened.offering}", f"/t/{link}", f"/nothing?lang={words}"):
            shown = (await kit.get(path)).text
            scripts = re.findall(r"<script[^>]*>", shown)
            assert all(re.fullmatch(OUR_SCRIPT, script) for script in scripts)
            assert "<img src=x" not in shown
            if path != f"/nothing?lang={words}":
                assert words in unescape(shown)


async def test_every_answer_has_its_security_headers_and_pages_need_nothing_from_elsewhere(
    tmp_path: Path,
):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        link = await kit.store.book(opened, MORNING_AT)
        paths = ("/", f"/o/{opened.offering}", f"/t/{link}", "/t/no", "/api/v1/stores", "/x")
        for path in paths:
            answered = await kit.get(path)
            for name, value in SECURITY_HEADERS.items():
                assert answered.headers[name] == value
            assert answered.headers["Cache-Control"] == "no-store"
            assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", answered.text)
            assert " style=" not in answered.text
            assert (await kit.call("HEAD", path)).status == answered.status


async def test_a_file_is_kept_for_good_under_a_name_that_changes_with_it(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        for path in set(re.findall(r'"(/static/[^"]+)"', await page(kit, "/"))):
            file = await kit.get(path)
            assert file.status == 200
            assert "immutable" in file.headers["Cache-Control"]
        for wrong in ("base.css", "..%2fapp.py", "base.000000000000.css"):
            assert (await kit.get(f"/static/{wrong}")).status == 404


async def test_a_watcher_sees_life_readiness_and_figures(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        assert (await kit.get("/healthz")).json == {"alive": True}
        assert (await kit.get("/readyz")).status == 200
        kit.ready["broker"] = False
        kit.dropped["malformed"] = 3
        not_ready = await kit.get("/readyz")
        assert not_ready.status == 503
        assert not_ready.json == {"parts": {"books": True, "broker": False}}
        await kit.get("/t/somebody-s-link")
        figures = (await kit.told("/metrics")).text
        for line in (
            'rusuban_requests_total{route="GET /t/{link}",status="404"} 1.0',
            'rusuban_part_up{part="broker"} 0.0',
            'rusuban_messages_dropped_total{reason="malformed"} 3.0',
            "rusuban_sessions_live 0.0",
            "rusuban_problems_open 0.0",
            "rusuban_transactions_waiting 0.0",
        ):
            assert line in figures
        assert "somebody" not in figures


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_word_that_is_used_is_in_the_catalogue_and_every_word_in_it_is_used(code: str):
    with (WEB / "locales" / code / "LC_MESSAGES" / "rusuban.po").open("rb") as file:
        text = file.read()
    known = {str(each.id): str(each.string) for each in read_po(io.BytesIO(text)) if each.id}
    assert words_used() == set(known)
    names = re.findall(rb'^msgid "(.+)"$', text, re.MULTILINE)
    assert len(names) == len(set(names)), "of a word that is there twice only the first counts"
    assert all(known.values())


def test_the_two_catalogues_fill_the_same_gaps():
    both = Languages()
    for word in words_used():
        gaps = [set(re.findall(r"{(\w+)}", both[code].words[word])) for code in LANGUAGES]
        assert gaps[0] - gaps[1] <= {"day", "opens"}, word
        assert gaps[1] <= gaps[0], word


@pytest.mark.parametrize(
    ("seconds", "english", "japanese"),
    [
        (3600, "1 h", "1時間"),
        (5400, "1 h 30 min", "1時間 30分"),
        (20, "20 s", "20秒"),
        (0, "0 s", "0秒"),
    ],
)
def test_a_length_is_told_as_people_say_it(seconds: int, english: str, japanese: str):
    both = Languages()
    assert (both["en"].length(seconds), both["ja"].length(seconds)) == (english, japanese)


def test_a_price_is_written_with_the_digits_its_currency_has():
    english: Language = Languages()["en"]
    assert english.price(1500, "JPY") == "¥1,500"
    assert english.price(1550, "EUR") == "€15.50"
    assert english.price(0, "JPY") == "Free of charge"


def use(folder: Path, kit: WebKit, opened: Opened, state: str) -> None:
    """Write a session of the one ticket into the books as the sessions flow leaves it."""
    with sqlite3.connect(folder / "books.sqlite") as books:
        facts: dict[str, Any] = {
            "terminal": opened.terminal,
            "state": state,
            "now": kit.store.clock.now,
            "deadline": MORNING_AT + 90 * MINUTE_MS,
        }
        books.execute(
            "INSERT OR REPLACE INTO sessions (session_id, ticket_id, reservation_id, store_id,"
            " device_id, terminal_id, program, fence, state, granted_seconds, granted_at,"
            " deadline_at) SELECT 's-1', ticket_id, reservation_id, store_id, device_id,"
            " :terminal, 'game', 1, :state, 1800, :now, :deadline"
            " FROM reservations JOIN tickets USING (reservation_id)",
            facts,
        )
        ticket = "reserved" if state == "starting" else "spent"
        reservation = {"starting": "confirmed", "ended": "completed"}.get(state, "in_use")
        books.execute("UPDATE tickets SET state = ?", (ticket,))
        books.execute("UPDATE reservations SET state = ?", (reservation,))
    books.close()


async def page(kit: WebKit, path: str) -> str:
    answered = await kit.get(path)
    assert answered.status == 200
    return answered.text


def keys_in(text: str) -> list[str]:
    return re.findall(r'name="key" value="([0-9a-f]{32})"', text)


def first_form(text: str) -> dict[str, str]:
    """Return the fields of the form behind a page's first time."""
    forms = re.findall(r'<form method="post" action="/book"[^>]*>(.*?)</form>', text, re.DOTALL)
    fields = [dict(re.findall(r'name="(\w+)" value="([^"]*)"', form)) for form in forms]
    return next(each for each in fields if "starts_at" in each)


def assert_shows(text: str, words: str, *, refresh: str | None, code: bool) -> None:
    heading = re.search(r"<h1>(.*?)</h1>", text)
    assert heading is not None
    assert words in unescape(heading[1])
    found = re.search(r'http-equiv="refresh" content="(\d+)"', text)
    assert (found[1] if found else None) == refresh
    assert ('class="code"' in text) == code

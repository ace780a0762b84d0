"""What comes with a ticket over HTTP: a calendar entry, a print, and how a lost one is found."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import icalendar
import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from cloud_controller.web.qr import ticket_svg
from cloud_controller.web.routes import iso
from cloud_controller.web.table.paces import FINDS_A_MINUTE
from tests.fakes.store import HOUR_MS, MORNING_AT
from tests.rim.mail_kit import order_for, rows
from tests.rim.web_kit import Answered, WebKit, assert_problem, web_kit

OURS = {"Sec-Fetch-Site": "same-origin"}
FIND = "/api/v1/tickets/find"


def entry_in(body: bytes) -> Any:
    (entry,) = icalendar.Calendar.from_ical(body).walk("VEVENT")
    return entry


async def booked(kit: WebKit) -> str:
    return await kit.store.book(await kit.store.open(), MORNING_AT + HOUR_MS)


async def test_c2_a_ticket_comes_as_a_calendar_entry_and_goes_as_one(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        path = f"/api/v1/tickets/{await booked(kit)}"
        answered = await kit.get(f"{path}/ticket.ics")
        assert answered.headers["Content-Type"] == "text/calendar; charset=utf-8; method=PUBLISH"
        assert answered.headers["Cache-Control"] == "no-store"
        before = entry_in(answered.body)
        assert before["SUMMARY"] == "VR Arena"
        assert before["URL"] == (await kit.get(path)).json["ticket_url"]
        await kit.post(f"{path}/cancel")
        after = entry_in((await kit.get(f"{path}/ticket.ics")).body)
        assert (after["UID"], after["STATUS"]) == (before["UID"], "CANCELLED")
        assert after["SEQUENCE"] > before["SEQUENCE"]


async def test_c2_a_ticket_comes_as_a_print_for_as_long_as_it_opens_something(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        path = f"/api/v1/tickets/{await booked(kit)}"
        answered = await kit.get(f"{path}/ticket.pdf")
        assert answered.headers["Content-Type"] == "application/pdf"
        picture = pypdfium2.PdfDocument(answered.body)[0].render(scale=2).to_pil().convert("L")
        token = (await kit.get(path)).json["token"]
        assert [code.text for code in zxingcpp.read_barcodes(picture)] == [token]
        await kit.post(f"{path}/cancel")
        assert_problem(await kit.get(f"{path}/ticket.pdf"), 409, "not_allowed")


async def test_a_receipt_says_what_was_paid_for_the_order_of_a_ticket(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        link = await paid(kit)
        answered = await kit.get(f"/api/v1/tickets/{link}/receipt.pdf")
        assert answered.headers["Content-Type"] == "application/pdf"
        words = words_of(answered.body)
        for said in ("shinjuku-2026-000001", "VR Arena", "1,500", "9:00"):
            assert said in words
        assert f"/tickets/{link}/receipt.pdf" in (await kit.get(f"/t/{link}")).text
        await kit.post(f"/api/v1/tickets/{link}/cancel")
        after = words_of((await kit.get(f"/api/v1/tickets/{link}/receipt.pdf")).body)
        assert "shinjuku-2026-000002" in after


async def test_whoever_was_given_a_ticket_is_not_shown_who_paid_what(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        link = await paid(kit)
        given = await kit.post(f"/api/v1/tickets/{link}/transfer", json={})
        new_link = given.json["ticket_url"].rpartition("/")[2]
        path = f"/api/v1/tickets/{new_link}/receipt.pdf"
        assert_problem(await kit.get(path), 404, "not_found")
        assert "receipt.pdf" not in (await kit.get(f"/t/{new_link}")).text


async def paid(kit: WebKit) -> str:
    """Book over the API, with an address; return the ticket's link."""
    opened = await kit.store.open()
    wish = {"offering": opened.offering, "starts_at": iso(MORNING_AT), "length_seconds": 1800}
    answered = await kit.book({**wish, "mail": "taro@mail.example"})
    assert answered.status == 201
    return str(answered.json["link"])


def words_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return "".join(page.get_textpage().get_text_range() for page in document)


@pytest.mark.parametrize("paper", ["ticket.ics", "ticket.pdf", "receipt.pdf"])
async def test_a_ticket_that_nobody_has_has_no_papers(tmp_path: Path, paper: str):
    async with web_kit(tmp_path) as kit:
        assert_problem(await kit.get(f"/api/v1/tickets/nobody/{paper}"), 404, "not_found")


async def test_whoever_looks_for_a_ticket_hears_the_same_for_every_address(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        order_for(tmp_path, await booked(kit), "taro@mail.example")
        told = [
            (answer.status, answer.body)
            for mail in ("taro@mail.example", "nobody@mail.example", "no address", "")
            for answer in [await kit.post(FIND, json={"mail": mail})]
        ]
        assert len(set(told)) == 1
        assert told[0][0] == 202
        assert {row["recipient"] for row in rows(tmp_path)} == {
            "taro@mail.example",
            "nobody@mail.example",
        }


async def test_a_ticket_is_mailed_to_the_first_address_that_is_said_and_to_no_other(
    tmp_path: Path,
):
    async with web_kit(tmp_path) as kit:
        link = await booked(kit)
        assert f"/t/{link}/mail" in (await kit.get(f"/t/{link}")).text
        sent = await send(kit, link, "Taro@mail.example")
        assert (sent.status, sent.headers["Location"]) == (303, f"/t/{link}")
        ((row),) = rows(tmp_path)
        assert (row["kind"], row["recipient"]) == ("confirmed", "taro@mail.example")
        assert f"/t/{link}/mail" not in (await kit.get(f"/t/{link}")).text
        assert (await send(kit, link, "else@mail.example")).status == 409
        assert len(rows(tmp_path)) == 1


@pytest.mark.parametrize("mail", ["", "hanako", "a@b.example\r\nBcc: c@d.example"])
async def test_what_is_no_address_is_not_written_to(tmp_path: Path, mail: str):
    async with web_kit(tmp_path) as kit:
        link = await booked(kit)
        assert (await send(kit, link, mail)).status == 409
        assert rows(tmp_path) == []


@pytest.mark.parametrize("mail", ["h@mail.example", ""])
async def test_whoever_was_given_a_ticket_cannot_have_the_giver_s_letters(
    tmp_path: Path, mail: str
):
    async with web_kit(tmp_path) as kit:
        link = await booked(kit)
        path = f"/api/v1/tickets/{link}/transfer"
        assert (await kit.post(path, json={"mail": mail})).status == 200
        new_link = link_now(tmp_path)
        assert f"/t/{new_link}/mail" not in (await kit.get(f"/t/{new_link}")).text
        assert (await send(kit, new_link, "else@mail.example")).status == 409


async def test_a_ticket_that_is_only_held_leads_to_where_it_is_finished(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        slot = {"starts_at": iso(MORNING_AT), "length_seconds": 1800}
        wish = {"items": [{"offering": opened.offering, **slot}], "hold": True}
        headers = {"Idempotency-Key": "0123456789abcdef"}
        order = (await kit.post("/api/v1/orders", json=wish, headers=headers)).json
        shown = (await kit.get(f"/t/{order['claims'][0]['ticket']}")).text
        assert f'href="/b/{order["link"]}"' in shown
        assert (await kit.get(f"/b/{order['link']}")).status == 200


def link_now(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "books.sqlite")) as books:
        return str(books.execute("SELECT link FROM reservations").fetchone()[0])


async def send(kit: WebKit, link: str, mail: str) -> Answered:
    return await kit.post(f"/t/{link}/mail", data={"mail": mail}, headers=OURS)


async def test_whoever_tries_many_addresses_is_told_to_wait(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        for number in range(FINDS_A_MINUTE):
            answer = await kit.post(FIND, json={"mail": f"a{number}@mail.example"})
            assert answer.status == 202
        assert_problem(await kit.post(FIND, json={"mail": "b@c.example"}), 429, "too_many_attempts")
        kit.store.clock.move(61)
        assert (await kit.post(FIND, json={"mail": "b@c.example"})).status == 202


async def test_a_lost_ticket_is_found_from_its_page(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        order_for(tmp_path, await booked(kit), "taro@mail.example")
        assert 'href="/find"' in (await kit.get("/")).text
        assert "Find your ticket" in (await kit.get("/find")).text
        form = {"mail": "taro@mail.example"}
        japanese = OURS | {"Accept-Language": "ja"}
        asked = await kit.post("/find", data=form, headers=japanese)
        assert "メールをご確認ください" in asked.text
        assert "taro" not in asked.text
        ((row),) = rows(tmp_path)
        assert (row["kind"], row["language"]) == ("found_again", "ja")
        assert (await kit.post("/find", data=form)).status == 403


async def test_c1_a_code_that_changes_is_on_the_page_alone(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        offering = await kit.store.open()
        with closing(sqlite3.connect(tmp_path / "books.sqlite")) as books, books:
            books.execute("UPDATE offerings SET rotates_code = 1")
        link = await kit.store.book(offering, MORNING_AT + HOUR_MS)
        path = f"/api/v1/tickets/{link}"
        token = (await kit.get(path)).json["token"]
        drawn = [await code_in(kit, path)]
        assert await code_in(kit, path) == drawn[0]
        kit.store.clock.move(30)
        drawn.append(await code_in(kit, path))
        assert len(set(drawn)) == 2, "each step has its own"
        assert all(len(text) == 154 and text.startswith(token) for text in drawn)
        page = (await kit.get(f"/t/{link}")).text
        assert ticket_svg(drawn[1]) in page
        assert 'data-refresh="15"' in page
        assert "download=" not in page
        paper = pypdfium2.PdfDocument((await kit.get(f"{path}/ticket.pdf")).body)[0]
        assert not zxingcpp.read_barcodes(paper.render(scale=2).to_pil().convert("L"))


async def code_in(kit: WebKit, path: str) -> str:
    picture = Image.open(io.BytesIO((await kit.get(f"{path}/qr.png")).body)).convert("L")
    (code,) = zxingcpp.read_barcodes(picture)
    return str(code.text)

"""What was given is shown: to the customer on his ticket, to the operator with its evidence."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cloud_controller.flows import sessions
from cloud_controller.main import EXIT_CANNOT_START, command_line
from cloud_controller.ports import Received
from cloud_controller.storage.choice import BOOKS_FILE
from cloud_controller.web.routes import iso
from cloud_controller.web.timeline import BAR_WIDTH, SLIVER, bar_svg
from common.messages.base import Message
from common.messages.sessions import (
    SessionAlive,
    SessionEnded,
    SessionInterrupted,
    SessionRunning,
    SessionWarned,
    WarningShown,
)
from common.rules.sessions import EndReason, Given
from tests.fakes.store import HOUR_MS, MORNING_AT, Offer, Opened
from tests.rim.mail_kit import change
from tests.rim.test_display_browser import faults
from tests.rim.test_web_browser import PHONE
from tests.rim.test_web_pages import use
from tests.rim.test_web_ticket_page import phone
from tests.rim.test_web_tickets import words_of
from tests.rim.web_kit import WebKit, assert_problem, web_kit

API = "/api/v1"
ENGLISH = {"Accept-Language": "en"}
JAPANESE = {"Accept-Language": "ja"}


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A customer's whole use, told by the terminal through the real flows."""

    folder: Path
    kit: WebKit
    opened: Opened
    link: str

    async def play(self, reason: EndReason = EndReason.TIME_UP) -> None:
        for seconds, flow, message in self._story(reason):
            self.kit.store.clock.move(seconds)
            at = self.kit.store.clock.now
            said = self._said(message.model_copy(update={"at": at}))
            await self.kit.store.books.transact(flow, said)

    def _said(self, message: Message) -> Received:
        who, epoch = self.opened.terminal, self.opened.epoch
        return Received(terminal=who, epoch=epoch, seq=1, corr="", message=message)

    def _story(self, reason: EndReason) -> Iterator[tuple[float, Any, Message]]:
        of: dict[str, Any] = {"session": "s-1", "at": 0}
        ran = SessionRunning(**of, remaining_seconds=1799.6, verified_by="window")
        yield 0.4, sessions.note_running, ran
        lost = SessionInterrupted(**of, lost_seconds=42.0)
        yield 600.0, sessions.note_interrupted, lost
        figures: dict[str, Any] = {
            "delivered_seconds": 900.0,
            "remaining_seconds": 857.6,
            "lost_seconds": 42.0,
        }
        yield 300.0, sessions.note_alive, SessionAlive(**of, number=15, **figures)
        yield 600.0, sessions.note_warned, SessionWarned(**of, seconds_left=300.0)
        yield 0.5, sessions.note_warning_shown, WarningShown(**of, seconds_left=300.0)
        is_left = reason is EndReason.CUSTOMER_ENDED
        ended = SessionEnded(
            **of,
            reason=reason,
            delivered_seconds=1557.6 if is_left else 1757.6,
            remaining_seconds=200.0 if is_left else 0.0,
            lost_seconds=42.0,
        )
        yield 100.0 if is_left else 299.0, sessions.note_ended, ended


async def visit(folder: Path, kit: WebKit, offer: Offer | None = None) -> Visit:
    """Book a slot and let a terminal have its right."""
    opened = await kit.store.open(offer)
    link = await kit.store.book(opened, MORNING_AT + HOUR_MS)
    kit.store.clock.move(3600)
    use(folder, kit, opened, "starting")
    return Visit(folder=folder, kit=kit, opened=opened, link=link)


async def test_a_customer_sees_what_he_was_given_and_what_he_gets_back(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        here = await visit(tmp_path, kit)
        await here.play()
        text = (await kit.get(f"/t/{here.link}", headers=ENGLISH)).text
        assert "What you were given" in text
        assert "<dd>29 min 17 s</dd>" in text
        assert "<dd>42 s<small>you get back ¥35</small></dd>" in text
        assert "Not used" not in text
        assert 'role="img"' in text
        assert "Of 30 min, 29 min 17 s were given, 42 s were lost" in text
        assert "The program runs: its window is on the screen." in text
        assert "The screen showed that 5 min were left." in text
        assert "instructed" not in text, "what only an operator understands"
        japanese = (await kit.get(f"/t/{here.link}", headers=JAPANESE)).text
        assert "ご利用の記録" in japanese
        assert "中断があり、42秒が失われました。" in japanese


async def test_what_the_customer_left_himself_is_told_apart(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        here = await visit(tmp_path, kit)
        await here.play(EndReason.CUSTOMER_ENDED)
        text = (await kit.get(f"/t/{here.link}", headers=ENGLISH)).text
        assert "<dd>42 s<small>" in text
        assert '<div class="unused"><dt>Not used</dt><dd>3 min 20 s</dd></div>' in text
        assert "Ended, and seen to be gone: you ended it. 25 min 57 s were given." in text


async def test_while_it_runs_only_what_happened_is_shown_and_before_it_nothing(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        here = await visit(tmp_path, kit)
        assert "<details>" not in _proof(await kit.get(f"/t/{here.link}"))
        story = here._story(EndReason.TIME_UP)
        _, flow, message = next(story)
        await kit.store.books.transact(flow, here._said(message))
        shown = _proof(await kit.get(f"/t/{here.link}", headers=ENGLISH))
        assert "What happened, step by step" in shown
        assert "<svg" not in shown


async def test_a_use_that_nobody_has_reported_is_shown_as_not_known_yet(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        here = await visit(tmp_path, kit)
        _, flow, message = next(here._story(EndReason.TIME_UP))
        await kit.store.books.transact(flow, here._said(message))
        kit.store.clock.move(3600)
        await kit.store.books.transact(sessions.presume_stopped)
        shown = _proof(await kit.get(f"/t/{here.link}", headers=ENGLISH))
        assert "The booth has not reported yet." in shown
        assert "it is taken to have ended" in shown
        assert "you get back" not in shown


async def test_the_operator_reads_the_timeline_with_its_evidence(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        here = await visit(tmp_path, kit)
        await here.play()
        listed = (await kit.told(f"{API}/reservations")).json["reservations"]
        reservation = listed[0]["reservation"]
        answer = await kit.told(f"{API}/reservations/{reservation}/timeline", headers=ENGLISH)
        told = answer.json
        assert told["reservation"] == reservation
        given = told["given"]
        parts = given["delivered_seconds"] + given["lost_seconds"] + given["left_seconds"]
        assert parts == pytest.approx(given["promised_seconds"])
        assert (given["compensated_cents"], given["is_known"]) == (35, True)
        lines = {
            row["entry_id"]: row["type"]
            for row in await kit.store.books.read(
                lambda books: list(books.post.ledger_of(reservation_id=reservation))
            )
        }
        shown = [each["evidence"] for each in told["moments"]]
        assert sorted(number for evidence in shown for number in evidence) == sorted(lines)
        warned = next(each for each in told["moments"] if each["kind"] == "warned")
        assert [lines[number] for number in warned["evidence"]] == [
            *("session.warned", "session.warning_shown")
        ]
        assert warned["clock"] == "10:25:00", "by the clock of the store, and not by UTC"


async def test_the_command_line_tells_the_same_beside_a_running_controller(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        here = await visit(tmp_path, kit)
        await here.play()
        (tmp_path / BOOKS_FILE).symlink_to(tmp_path / "books.sqlite")
        file = tmp_path / "controller.toml"
        file.write_text(f'state_folder = "{tmp_path}"\n')
        listed = (await kit.told(f"{API}/reservations")).json["reservations"]
        for named, code, word in (
            (listed[0]["reservation"], 0, "It was interrupted: 42 s were lost."),
            ("r-none", EXIT_CANNOT_START, "There is no such reservation."),
        ):
            words = ["explain", named, "--settings", str(file)]
            done = await asyncio.to_thread(CliRunner().invoke, command_line, words)
            assert (done.exit_code, word in done.output) == (code, True), done.output


async def test_whoever_has_the_link_reads_the_same_in_his_language_without_our_numbers(
    tmp_path: Path,
):
    async with web_kit(tmp_path) as kit:
        here = await visit(tmp_path, kit)
        await here.play()
        answer = await kit.get(f"{API}/tickets/{here.link}/timeline", headers=JAPANESE)
        assert answer.json["reservation"] is None
        assert all(each["evidence"] == [] for each in answer.json["moments"])
        assert answer.json["moments"][0]["words"] == "ご予約が確定し、チケットを発行しました。"


async def test_the_receipt_says_what_was_delivered_once_it_is_known(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        wish = {"offering": opened.offering, "length_seconds": 1800, "mail": "taro@mail.example"}
        booked = await kit.book({**wish, "starts_at": iso(MORNING_AT + HOUR_MS)})
        here = Visit(folder=tmp_path, kit=kit, opened=opened, link=booked.json["link"])
        path = f"{API}/tickets/{here.link}/receipt.pdf"
        assert "Delivered" not in words_of((await kit.get(path, headers=ENGLISH)).body)
        kit.store.clock.move(3600)
        use(tmp_path, kit, opened, "starting")
        await here.play()
        words = words_of((await kit.get(path, headers=ENGLISH)).body)
        assert "Delivered: VR Arena" in words
        assert "29 min 17 s of 30 min" in words


async def test_nobody_reads_what_is_not_his(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        here = await visit(tmp_path, kit)
        for link in (f"{here.link}0", "f" * 32, "s-1", "r-1"):
            assert_problem(await kit.get(f"{API}/tickets/{link}/timeline"), 404, "not_found")
        listed = (await kit.told(f"{API}/reservations")).json["reservations"]
        path = f"{API}/reservations/{listed[0]['reservation']}/timeline"
        assert (await kit.get(path)).status == 401
        assert_problem(await kit.told(f"{API}/reservations/r-99/timeline"), 404, "not_found")
        assert_problem(await kit.told(f"{API}/reservations/{here.link}/timeline"), 404, "not_found")


async def test_no_title_and_no_word_of_a_terminal_becomes_part_of_the_page(tmp_path: Path):
    evil = '<script>alert("x")</script>'
    async with web_kit(tmp_path) as kit:
        here = await visit(tmp_path, kit, Offer(title=evil))
        change(tmp_path, "UPDATE devices SET title = ?", evil)
        await here.play()
        for body in ('{"reason": "<b>"}', '{"seconds_left": "<i>", "cents": "<u>"}', '{"a": []}'):
            change(
                tmp_path,
                "INSERT INTO ledger (at, type, reservation_id, session_id, body)"
                " SELECT 1, t.type, r.reservation_id, 's-1', ? FROM reservations AS r, (SELECT"
                " 'scan.denied' AS type UNION SELECT '<script>' UNION SELECT 'session.warned'"
                " UNION SELECT 'session.ended' UNION SELECT 'reservation.compensated') AS t",
                body,
            )
        for language in ("en", "ja"):
            text = (await kit.get(f"/t/{here.link}", headers={"Accept-Language": language})).text
            assert not re.search(r"<(script>|b>|i>|u>)", text)


async def test_what_was_given_has_no_fault_of_access_by_day_and_by_night(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        here = await visit(tmp_path, kit)
        await here.play(EndReason.CUSTOMER_ENDED)
        async with phone(kit, "light", "ja-JP") as context:
            page = await context.new_page()
            await page.emulate_media(reduced_motion="reduce")  # no colour is on its way to another
            await page.goto(f"{kit.url}/t/{here.link}")
            await page.locator(".proof summary").click()
            assert await faults(page) == []
            await page.emulate_media(color_scheme="dark")
            assert await faults(page) == []
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width <= PHONE["width"]


@pytest.mark.parametrize(
    ("delivered", "left", "drawn"),
    [
        (1800.0, 0.0, ["given"]),
        (0.0, 0.0, ["lost"]),
        (1799.0, 0.0, ["given", "lost"]),
        (600.0, 1199.0, ["given", "lost", "left"]),
        (0.0, 1799.5, ["lost", "left"]),
    ],
)
def test_the_bar_shows_whatever_there_was_and_is_as_wide_as_it_should_be(delivered, left, drawn):
    given = Given(
        promised_seconds=1800.0, delivered_seconds=delivered, left_seconds=left, is_known=True
    )
    parts = re.findall(
        r'class="(given|lost|left)" x="([\d.]+)" y="0" width="([\d.]+)"', bar_svg(given, "<&>")
    )
    assert [name for name, _, _ in parts] == drawn
    assert all(float(width) >= SLIVER for _, _, width in parts)
    assert sum(float(width) for _, _, width in parts) == pytest.approx(BAR_WIDTH, abs=0.1)
    assert 'aria-label="&lt;&amp;&gt;"' in bar_svg(given, "<&>")


def _proof(answer: Any) -> str:
    """Return what a ticket's page shows of what was given."""
    found = re.search(r'<section class="proof".*?</section>', answer.text, re.DOTALL)
    assert found is not None
    return found[0]

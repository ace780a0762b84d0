"""The screen's server: for this machine's own page alone, and nothing that was shown is missed."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from urllib.parse import urlsplit

import pytest
import structlog
import zxingcpp
from PIL import Image

from common.rules.presence import LineMode
from common.rules.scanners import ScannerHint
from common.rules.sessions import ExtensionNo
from common.rules.tickets import DenialReason
from common.words import LANGUAGES, SCREEN_LABELS, extension_words_for
from edge_agent.display import presses, streams
from edge_agent.display.qr import CHARACTERS_MAX, rows_of
from edge_agent.display.server import BODY_BYTES_MAX
from edge_agent.ports import ExtensionAnswer, ExtensionOffered, Verdict
from edge_agent.settings import DisplayPart
from tests.rim.display_kit import (
    BOOTH,
    HALF_HOUR,
    HOUR,
    OFFERED,
    Kit,
    a_screen,
    a_stream,
    ask,
    press,
    up_to,
)
from tests.waiting import until

EXTEND = "/device/booth-1/extend"
LONGER = {"session": "s-1", "seconds": 1800}


async def test_the_page_may_load_nothing_but_its_own_files():
    async with a_screen() as kit:
        for path in ("/", "/device/booth-1", "/static/screen.js", "/static/screen.css", "/no"):
            headers = (await ask(kit, "GET", path)).headers
            policy = dict(
                part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; ")
            )
            assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
            assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "unsafe" not in headers["Content-Security-Policy"]
        page = (await ask(kit, "GET", "/")).text
        assert "style=" not in page
        assert "onclick" not in page
        assert page.count("<script") == 1


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "", "127.0.0.1", "127.0.0.1:1"]
)
async def test_whoever_calls_us_by_another_name_is_answered_nothing(host: str):
    """A page whose name was bound anew to this machine reads and presses nothing here."""
    async with a_screen() as kit:
        kit.runs(600)
        for method, path in (("GET", "/"), ("GET", "/events"), ("POST", "/device/booth-1/end")):
            answer = await ask(kit, method, path, headers={"Host": host, "Origin": kit.url})
            assert answer.status == 421
            assert "booth" not in answer.text
        assert kit.buttons.pressed == []


async def test_localhost_is_a_name_of_this_machine_too():
    async with a_screen() as kit:
        port = urlsplit(kit.url).port
        assert (await ask(kit, "GET", "/", headers={"Host": f"localhost:{port}"})).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
)
async def test_a_button_is_pressed_by_our_own_page_alone(headers: dict[str, str]):
    async with a_screen() as kit:
        kit.runs(600)
        assert (await press(kit, EXTEND, LONGER, headers=headers)).status == 403
        assert kit.buttons.pressed == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_another_page_takes_no_place_of_those_that_look(site: str):
    """A game's browser could hold all of them open, and the screen would stay dark."""
    async with a_screen() as kit:
        answer = await ask(kit, "GET", "/events", headers={"Sec-Fetch-Site": site})
        assert answer.status == 403


async def test_a_press_is_small_json_and_names_what_is_shown():
    async with a_screen() as kit:
        kit.runs(600)
        long = {**LONGER, "more": "x" * BODY_BYTES_MAX}
        assert (await press(kit, EXTEND, long)).status == 413
        headers = {"Origin": kit.url, "Content-Type": "application/json"}
        for body in (b"", b"{", b"[]", b"7", b"\xff", b"[" * 900):
            answer = await ask(kit, "POST", EXTEND, data=body, headers=headers)
            assert answer.status == 400
        for wrong in (
            {**LONGER, "session": "s-0"},
            {**LONGER, "seconds": 0},
            {**LONGER, "seconds": True},
            {**LONGER, "seconds": "1800"},
            {**LONGER, "seconds": 10**9},
            {"seconds": 1800},
        ):
            kit.buttons.pressed.clear()
            assert (await press(kit, EXTEND, wrong)).status in {200, 404}
            assert kit.buttons.pressed == []


async def test_a_button_that_is_not_shown_cannot_be_pressed():
    async with a_screen() as kit:
        for path in (EXTEND, "/device/booth-1/end", "/device/booth-1/confirm", "/device/no/help"):
            assert (await press(kit, path, LONGER)).status == 404
        assert (await press(kit, "/device/booth-1/format", {})).status == 404
        kit.runs(600)
        kit.stage.tell_mode(LineMode.ALONE)
        kit.stage.refresh()
        assert (await press(kit, EXTEND, LONGER)).status == 404
        assert kit.buttons.pressed == []


async def test_more_time_is_offered_with_its_price_and_given_by_one_touch():
    async with a_screen() as kit:
        kit.runs(600)
        offered = (await press(kit, "/device/booth-1/offer", {"session": "s-1"})).json
        assert offered["longest_seconds"] == 5400
        assert [each["price_cents"] for each in offered["choices"]] == [
            HALF_HOUR.price_cents,
            HOUR.price_cents,
        ]
        given = (await press(kit, EXTEND, LONGER)).json
        assert given["is_done"]
        assert given["words"]["en"]["what"] == "30 minutes more"
        assert kit.buttons.pressed == [("offer", "s-1"), ("extend", "s-1", 1800)]


@pytest.mark.parametrize("why", ExtensionNo)
async def test_what_cannot_be_is_said_with_its_reason(why: ExtensionNo):
    async with a_screen() as kit:
        kit.runs(600)
        kit.buttons.offered = ExtensionOffered(session="s-1", refused=why)
        kit.buttons.answer = ExtensionAnswer(session="s-1", refused=why)
        offered = (await press(kit, "/device/booth-1/offer", {"session": "s-1"})).json
        refused = (await press(kit, EXTEND, LONGER)).json
        assert (offered["choices"], refused["is_done"]) == ([], False)
        said = {each: asdict(extension_words_for(why, each)) for each in LANGUAGES}
        assert offered["words"] == refused["words"] == said


async def test_what_is_paid_on_a_phone_is_shown_as_a_code_that_reads():
    async with a_screen() as kit:
        kit.runs(600)
        url = "https://store.example/b/abcdefgh"
        kit.buttons.offered = replace(OFFERED, pay_url=url)
        rows = (await press(kit, "/device/booth-1/offer", {"session": "s-1"})).json["pay"]
        cells = Image.new("L", (len(rows), len(rows)))
        cells.putdata([255 * (cell == "0") for row in rows for cell in row])
        drawn = cells.resize((len(rows) * 8, len(rows) * 8), Image.Resampling.NEAREST)
        assert [code.text for code in zxingcpp.read_barcodes(drawn)] == [url]
    assert rows_of("x" * (CHARACTERS_MAX + 1)) == rows_of("") == []


async def test_a_warning_that_was_shown_is_told():
    async with a_screen() as kit:
        kit.runs(300)
        seen = {"session": "s-1", "seconds_left": 300}
        assert (await press(kit, "/device/booth-1/seen", seen)).status == 200
        for wrong in ({"session": "s-0", "seconds_left": 300}, {"session": "s-1"}):
            await press(kit, "/device/booth-1/seen", wrong)
        assert kit.buttons.pressed == [("seen", "s-1", 300)]


async def test_a_finger_that_trembles_presses_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(presses, "AGAIN_SECONDS", 60.0)
    async with a_screen() as kit:
        kit.runs(600)
        first = (await press(kit, "/device/booth-1/end", {"session": "s-1"})).json
        again = (await press(kit, "/device/booth-1/end", {"session": "s-1"})).json
        assert (first["is_done"], again["is_done"]) == (True, False)
        assert kit.buttons.pressed == [("end", "s-1")]


async def test_a_call_for_help_says_what_became_of_it():
    async with a_screen() as kit:
        kit.runs(600)
        kit.help_told = False
        told = (await press(kit, "/device/booth-1/help", {"about": "device"})).json
        assert "on its way" in told["words"]["en"]["what"]
        assert (await press(kit, "/device/booth-1/help", {"about": "<b>"})).status in {200, 404}
        assert kit.buttons.pressed == [("help", "d-1", "s-1", "device")]


async def test_a_cleaners_code_is_not_guessed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(presses, "AGAIN_SECONDS", 0.0)
    async with a_screen() as kit:
        kit.device_is(is_in_turnover=True, takes_code=True)
        for code in ("", "x" * 33, 2580, None):
            assert (await press(kit, "/device/booth-1/confirm", {"code": code})).status == 404
        for number in range(presses.CODES_MAX + 3):
            await press(kit, "/device/booth-1/confirm", {"code": f"{number:04}"})
        assert len(kit.buttons.pressed) == presses.CODES_MAX
        right = (await press(kit, "/device/booth-1/confirm", {"code": kit.buttons.code})).json
        assert not right["is_done"]


async def test_no_file_but_the_pages_own_is_served():
    async with a_screen() as kit:
        for path in ("../server.py", "..%2fserver.py", "screen.html", "", "screen.js/x", "%00"):
            assert (await ask(kit, "GET", f"/static/{path}")).status == 404
        for method in ("PUT", "DELETE", "PATCH"):
            assert (await ask(kit, method, "/", headers={"Origin": kit.url})).status in {403, 405}


async def test_a_page_that_comes_hears_all_that_is_shown_then_each_change():
    async with a_screen(BOOTH, phone="03-1234-5678", language="en") as kit, a_stream(kit) as told:
        page, *pictures, everything = await up_to(told, "all")
        assert (page.body["phone"], page.body["language"]) == ("03-1234-5678", "en")
        assert page.body["labels"].keys() == SCREEN_LABELS.keys()
        assert [each.body["key"] for each in pictures] == everything.body["keys"] == ["", "booth-1"]
        kit.runs(600)
        picture, _ = (await up_to(told, "all"))[-2:]
        assert picture.body["face"] == "running"
        assert picture.body["left_seconds"] == pytest.approx(600, abs=1.0)


async def test_a_page_that_was_away_hears_what_it_has_missed_and_no_more():
    other = replace(BOOTH, key="booth-2", device="d-2")
    async with a_screen(BOOTH, other) as kit:
        async with a_stream(kit) as told:
            number = (await up_to(told, "all"))[-1].number
        kit.runs(600)
        kit.stage.tell(Verdict(device="d-2", scan="x", reason=DenialReason.TOO_EARLY))
        kit.device_is(title="Booth One")
        async with a_stream(kit, number) as told:
            heard = await up_to(told, "all")
        assert {each.body["key"] for each in heard if each.name == "picture"} == {
            "",
            "booth-1",
            "booth-2",
        }
        async with a_stream(kit, heard[-1].number) as told:
            kit.device_is(title="Booth Two")
            heard = await up_to(told, "all")
        assert [each.body["title"] for each in heard if each.name == "picture"] == ["Booth Two"]


@pytest.mark.parametrize("heard", ["ffffffff-2", "0123abcd-", "x", "0123abcd--1", "0123abcd-٣"])
async def test_a_number_that_is_not_ours_is_answered_with_everything(heard: str):
    async with a_screen() as kit, a_stream(kit, heard) as told:
        assert [each.name for each in await up_to(told, "all")] == [
            "page",
            "picture",
            "picture",
            "all",
        ]


async def test_a_page_to_which_nothing_happens_is_told_what_is_left(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(streams, "BEAT_SECONDS", 0.05)
    async with a_screen() as kit, a_stream(kit) as told:
        kit.runs(600)
        left = (await up_to(told, "left"))[-1].body["left_seconds"]
        assert left == {"booth-1": pytest.approx(600, abs=1.0)}


async def test_what_a_scanner_sees_is_shown_with_what_would_help():
    async with a_screen() as kit, a_stream(kit) as told:
        await up_to(told, "scanner")
        kit.scanner.sees(ScannerHint.TOO_DARK, b"\xff\xd8")
        seen = (await up_to(told, "scanner"))[-1].body
        assert (seen["picture"], seen["words"]["ja"]["what"]) == ("/9g=", "暗くて読み取れません。")
        kit.scanner.sees(ScannerHint.NOTHING)
        assert (await up_to(told, "scanner"))[-1].body["words"] is None


async def test_pages_beyond_the_limit_wait_and_one_that_goes_makes_room(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(streams, "STREAMS_MAX", 1)
    monkeypatch.setattr(streams, "BEAT_SECONDS", 0.02)
    async with a_screen() as kit:
        async with a_stream(kit) as told:
            await up_to(told, "all")
            refused = await ask(kit, "GET", "/events")
            assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
        await until(lambda: not kit.stage._ears)
        async with a_stream(kit) as told:
            await up_to(told, "all")


async def test_a_page_that_takes_nothing_is_cut_and_costs_no_memory(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(streams, "WRITE_SECONDS", 0.1)
    async with a_screen() as kit:
        _, writer = await asyncio.open_connection("127.0.0.1", urlsplit(kit.url).port, limit=1)
        host = urlsplit(kit.url).netloc
        writer.write(f"GET /events HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        await until(lambda: len(kit.stage._ears) == 1)
        kit.scanner.sees(ScannerHint.NOTHING, bytes(8_000_000))
        await until(lambda: not kit.stage._ears)
        writer.transport.abort()


async def test_a_port_that_is_taken_is_tried_again_and_stops_nobody(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("edge_agent.display.server.LISTEN_AGAIN_SECONDS", 0.05)
    async with a_screen() as kit:
        port = urlsplit(kit.url).port
        assert port is not None
        other = Kit([BOOTH])
        server = other.server(port)
        with structlog.testing.capture_logs() as told:
            async with asyncio.TaskGroup() as tasks:
                task = tasks.create_task(server.run(), name="server")
                await until(lambda: len(told) > 1)
                task.cancel()
        assert {each["event"] for each in told} == {"the screen is not served"}


def test_the_screen_is_served_on_loopback_and_nowhere_else():
    for host in ("127.0.0.1", "::1"):
        DisplayPart.model_validate({"host": host})
    for host in ("0.0.0.0", "192.168.0.2", "localhost", "::"):  # noqa: S104 - refused
        with pytest.raises(ValueError, match="host"):
            DisplayPart.model_validate({"host": host})

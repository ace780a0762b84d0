"""A scanner that types is understood whatever layout it was set to, once it has been calibrated."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from common.seals import TOKEN_LENGTH
from edge_agent.scanners.hygiene import Scanned, hygiene
from edge_agent.scanners.intake import Intake
from edge_agent.scanners.keyboard import EVENT, US_LAYOUT, Keyboard, Strokes
from edge_agent.scanners.layouts import CALIBRATION_CODE, SIGNS, Layout, calibrated, layout_file
from edge_agent.scanners.lines import PAUSE_SECONDS_MAX
from edge_agent.scanners.reading import ScannerIsGone
from tests.rim.camera_kit import watching
from tests.rim.keyboard_kit import FRENCH, GERMAN, US, events, typed
from tests.rim.scanner_kit import a_token
from tests.waiting import until


def texts_of(raw: bytes, layout: Layout | None = None) -> list[str | None]:
    layout = layout or Layout(US_LAYOUT)
    return [layout.text_of(keys) for keys in Strokes().feed(raw)]


# --- Events -------------------------------------------------------------------------------------


def test_a_ticket_that_was_typed_is_a_ticket():
    (text,) = texts_of(typed(a_token(4)))
    assert text == a_token(4)
    assert len(a_token(4)) == TOKEN_LENGTH
    assert isinstance(hygiene(text), Scanned)


def test_every_sign_of_a_ticket_is_known():
    assert texts_of(typed(SIGNS)) == [SIGNS]


def test_events_may_come_one_by_one_and_cut_off():
    strokes, raw = Strokes(), typed("RSB1X") + typed("2", at_ms=1_000_900)
    found = [keys for at in range(0, len(raw), EVENT.size) for keys in strokes.feed(raw[at:][:24])]
    assert [Layout(US_LAYOUT).text_of(keys) for keys in found] == ["RSB1X", "2"]
    assert list(strokes.feed(raw[: EVENT.size - 1])) == []


def test_a_key_that_is_held_down_is_one_sign():
    held = events((1, US["A"], 1), (1, US["A"], 2), (1, US["A"], 2), (1, US["A"], 0), (1, 28, 1))
    assert texts_of(held) == ["a"]


def test_half_a_code_is_dropped_when_nothing_follows_it():
    strokes = Strokes()
    half = typed("RSB1HALF", at_ms=1_000_000)[: -3 * 2 * EVENT.size]
    later = 1_000_000 + round(PAUSE_SECONDS_MAX * 1_000) + 100
    found = [*strokes.feed(half), *strokes.feed(typed("WHOLE", at_ms=later))]
    assert [Layout(US_LAYOUT).text_of(keys) for keys in found] == ["WHOLE"]
    assert strokes.broken == 1


def test_a_code_of_which_events_were_lost_is_dropped():
    strokes = Strokes()
    raw = typed("LOST")
    found = [*strokes.feed(raw[:480] + events((0, 3, 0), at_ms=1_000_008) + raw[480:])]
    assert found == []
    assert strokes.broken == 1
    assert list(strokes.feed(typed("NEXT", at_ms=1_001_000)))


def test_a_code_without_end_takes_no_memory():
    strokes = Strokes()
    for number in range(2_000):
        list(strokes.feed(events((1, US["A"], 1), at_ms=1_000_000 + number)))
    assert len(strokes._keys) < 600
    assert list(strokes.feed(events((1, 28, 1), at_ms=1_002_000))) == []
    assert strokes.broken == 1


# --- Layouts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", [GERMAN, FRENCH, US], ids=["Y and Z", "AZERTY", "as it comes"])
def test_one_calibration_code_repairs_a_layout_for_good(tmp_path, layout):
    file = layout_file(tmp_path, "usb-Scanner event-kbd")
    taught = Layout(US_LAYOUT, file)
    assert texts_of(typed(CALIBRATION_CODE, layout), taught) == [None]
    assert texts_of(typed(a_token(7), layout), taught) == [a_token(7)]
    after_a_restart = Layout(US_LAYOUT, file)
    assert after_a_restart.is_calibrated
    assert texts_of(typed(a_token(8), layout), after_a_restart) == [a_token(8)]


def test_without_it_another_layout_is_no_ticket():
    token = a_token(7)
    assert texts_of(typed(token, FRENCH)) != [token]


def test_another_layout_can_be_taught_later(tmp_path):
    taught = Layout(US_LAYOUT, tmp_path / "layout.json")
    for layout in (GERMAN, US, FRENCH):
        texts_of(typed(CALIBRATION_CODE, layout), taught)
        assert texts_of(typed(a_token(9), layout), taught) == [a_token(9)]


@pytest.mark.parametrize("text", [a_token(1), SIGNS, SIGNS + SIGNS, "A" * 74, SIGNS[::-1] * 2])
def test_nothing_else_is_taken_for_the_calibration_code(text):
    assert calibrated(list(text)) is None


@pytest.mark.parametrize("kept", [b"", b"no json", b"[]", b'{"2": "A"}', b"{" * 5_000])
def test_a_kept_layout_that_is_none_is_as_good_as_none(tmp_path, kept):
    file = tmp_path / "layout.json"
    file.write_bytes(kept)
    layout = Layout(US_LAYOUT, file)
    assert not layout.is_calibrated
    assert texts_of(typed(a_token(1)), layout) == [a_token(1)]


# --- The device ---------------------------------------------------------------------------------


class Plugged:
    """A keyboard's file: a pipe that events are written into."""

    def __init__(self) -> None:
        self._out, self.into = os.pipe()
        os.set_blocking(self._out, False)

    def fileno(self) -> int:
        return self._out

    def close(self) -> None:
        os.close(self._out)


async def test_a_keyboard_is_read_and_gone_when_it_is_pulled_out():
    plugged: list[Plugged] = []

    def open_grabbed(path: Path) -> Plugged:
        if not plugged:
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return plugged[-1]

    intake = Intake("keyboard x", seconds=time.monotonic)
    scanner = Keyboard(Path("/dev/x"), intake, Layout(US_LAYOUT), open_grabbed=open_grabbed)
    with pytest.raises(ScannerIsGone, match="No such file"):
        await scanner.watch()
    plugged.append(Plugged())
    async with watching(scanner) as readings:
        await until(lambda: scanner.counts.is_there)
        os.write(plugged[0].into, typed(a_token(1))[:4_000])
        os.write(plugged[0].into, typed(a_token(1))[4_000:])
        await until(lambda: bool(readings))
        os.close(plugged[0].into)
        await until(lambda: not scanner.counts.is_there)
    assert readings[0].text == a_token(1)


async def test_without_its_library_the_scanner_says_what_to_install(tmp_path):
    intake = Intake("keyboard x", seconds=time.monotonic)
    scanner = Keyboard(tmp_path / "event0", intake, Layout(US_LAYOUT))
    with pytest.raises(ScannerIsGone, match=r"rusuban\[keyboard\]|No such file"):
        await asyncio.wait_for(scanner.watch(), 5)

"""What stands before the lens becomes a reading; what is no ticket does no harm."""

from __future__ import annotations

import io
import time

import pytest
import zxingcpp
from PIL import Image, ImageOps

from cloud_controller.web.qr import ticket_png
from common.seals import TOKEN_LENGTH, token_is_ours
from edge_agent.scanners.decoders import Frame, decode
from edge_agent.scanners.hygiene import (
    CUT_MARK,
    TEXT_LENGTH_MAX,
    NotATicket,
    Scanned,
    ShortCode,
    clean,
    hygiene,
)
from edge_agent.scanners.reading import Reading
from tests.rim.scanner_kit import KEY, a_code, a_photograph, a_token


def frame_of(picture: Image.Image) -> Frame:
    grey = picture.convert("L")
    return Frame(width=grey.width, height=grey.height, pixels=grey.tobytes())


def text_in(picture: Image.Image) -> str | None:
    reading = decode(frame_of(picture), time.perf_counter)
    return reading.text if reading else None


def side_by_side(*pictures: Image.Image) -> Image.Image:
    height = max(picture.height for picture in pictures)
    sheet = Image.new("L", (sum(picture.width for picture in pictures), height), 255)
    left = 0
    for picture in pictures:
        sheet.paste(picture, (left, 0))
        left += picture.width
    return sheet


# --- What a camera sees ---------------------------------------------------------------------


def test_99_of_100_photographed_tickets_are_read_without_a_wrong_letter(seed):
    texts = [
        (a_token(n), text_in(a_photograph(a_token(n), seed=n))) for n in range(seed, seed + 100)
    ]
    assert all(text in {token, None} for token, text in texts)
    assert sum(text == token for token, text in texts) >= 99


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"blur": 2.4}, id="out of focus"),
        pytest.param({"noise": 40}, id="noise"),
        pytest.param({"light": 0.9}, id="in a dark corner"),
        pytest.param({"reach": 0.35}, id="far away"),
        pytest.param({"reach": 0.4, "blur": 1.0, "noise": 14, "light": 0.6}, id="far, soft, noisy"),
        pytest.param({"blur": 2.2, "noise": 14, "light": 0.7}, id="soft and noisy"),
        pytest.param({"tilt": 0.35}, id="held at a slant"),
        pytest.param({"colour": True}, id="in colour"),
    ],
)
def test_a_ticket_is_read_that_is(how):
    read = [text_in(a_photograph(a_token(n), seed=n, **how)) == a_token(n) for n in range(5)]
    assert sum(read) >= 4


def test_the_same_seed_gives_the_same_photograph():
    assert a_photograph(a_token()).tobytes() == a_photograph(a_token()).tobytes()
    assert a_photograph(a_token()).tobytes() != a_photograph(a_token(), seed=2).tobytes()


def test_a_phone_in_dark_mode_shows_a_light_code_and_it_is_read():
    assert text_in(ImageOps.invert(a_photograph(a_token()))) == a_token()


@pytest.mark.parametrize("turn", [90, 137, 180, 270])
def test_a_ticket_may_be_held_any_way_round(turn):
    upside_down = a_photograph(a_token()).rotate(turn, expand=True, fillcolor=90)
    assert text_in(upside_down) == a_token()


def test_a_code_of_two_pixels_a_module_is_read():
    frame = Image.new("L", (640, 480), 200)
    frame.paste(Image.open(io.BytesIO(ticket_png(a_token(), module_pixels=2))), (20, 300))
    assert text_in(frame) == a_token()


def test_a_frame_may_be_a_view_of_the_cameras_own_memory():
    memory = bytearray(a_photograph(a_token()).tobytes())
    frame = Frame(width=640, height=480, pixels=memoryview(memory))
    reading = decode(frame, time.perf_counter)
    assert reading is not None
    assert reading.text == a_token()
    soft = memoryview(bytearray(a_photograph(a_token(), blur=2.4, noise=14, light=0.7).tobytes()))
    assert decode(Frame(width=640, height=480, pixels=soft), time.perf_counter)


def test_a_reading_says_what_read_it_and_for_how_long():
    ticks = iter([5.0, 5.25])
    reading = decode(frame_of(a_photograph(a_token())), lambda: next(ticks))
    assert reading == Reading(text=a_token(), decoder="zxing", milliseconds=250.0)


@pytest.mark.parametrize("size", [(1, 1), (1, 480), (640, 1), (3, 3), (640, 480)])
def test_an_empty_frame_of_any_size_has_nothing_in_it(size):
    assert decode(frame_of(Image.new("L", size, 120)), time.perf_counter) is None


def test_of_several_codes_the_one_that_could_be_ours_wins():
    poster = a_code("https://example.com/what-a-poster-says")
    ticket = Image.open(io.BytesIO(ticket_png(a_token(), module_pixels=3))).convert("L")
    assert text_in(side_by_side(poster, ticket)) == a_token()
    assert text_in(side_by_side(ticket, poster)) == a_token()


@pytest.mark.parametrize(
    "symbology", ["Code128", "EAN13", "DataMatrix", "Aztec", "PDF417", "MicroQRCode", "RMQRCode"]
)
def test_no_other_symbology_is_read(symbology):
    text = "4006381333931" if symbology == "EAN13" else "12345"
    drawn = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, symbology))
    picture = ImageOps.expand(Image.fromarray(drawn.to_image(scale=4)), 40, 255)
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [text]
    assert text_in(picture) is None


# --- What a text may be ---------------------------------------------------------------------


def test_a_ticket_is_taken_apart_and_its_signature_is_left_to_be_checked():
    scanned = hygiene(a_token())
    assert isinstance(scanned, Scanned)
    assert scanned.text == a_token()
    assert token_is_ours(scanned.read, {1: KEY.public_key()})


@pytest.mark.parametrize(
    "dirt",
    [
        "{}\r\n",
        "\x02{}\x03",
        "\x1b{}\x00",
        "\ufeff{}\u200b",
        r"\000026{}",
        "\\000003\\000026\x1d{}\r",
    ],
)
def test_what_a_scanner_adds_is_washed_off(dirt):
    assert clean(dirt.format(a_token())) == a_token()


def test_control_characters_inside_a_code_never_reach_anything():
    text = text_in(a_code("first\x1b[2J\r\nsecond\x00\u202ethird"))
    assert text == "first[2Jsecondthird"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it has 0 characters, not 144"),
        ("https://example.com", "it has 19 characters, not 144"),
        ("X" * TOKEN_LENGTH, "it does not begin with RSB1"),
        ("RSB1" + "U" * 140, "it has characters that no ticket has"),
        ("RSB1" + "é" * 140, "it has characters that no ticket has"),
        ("x" * (TEXT_LENGTH_MAX + 1), "it has more than 512 characters"),
    ],
)
def test_what_is_no_ticket_is_unknown_with_a_reason_for_the_log(text, why):
    assert hygiene(text) == NotATicket(reason="unknown_ticket", why=why)


@pytest.mark.parametrize("text", ["o123-45678-g", "\\000026O123 45678G\r\n", "0l23-45678-G"])
def test_c3_a_short_code_goes_further_in_its_one_spelling(text):
    assert hygiene(text) == ShortCode(text="012345678G")


def test_a_code_of_3000_characters_is_cut_and_refused():
    text = text_in(a_code("A" * 3000))
    assert text == "A" * TEXT_LENGTH_MAX + CUT_MARK
    assert hygiene(text) == NotATicket(
        reason="unknown_ticket", why="it has more than 512 characters"
    )


def test_a_text_without_end_is_not_looked_at_to_its_end():
    assert len(clean("A" * 10_000_000)) == TEXT_LENGTH_MAX + len(CUT_MARK)

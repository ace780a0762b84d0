"""A ticket's QR is drawn as every reader wants it: version 6, dark on light, four quiet modules."""

from __future__ import annotations

import io
import re

import pytest
import zxingcpp
from PIL import Image

from cloud_controller.web.qr import MODULE_PIXELS_MAX, QR_MODULES, ticket_png, ticket_svg
from tests.rim.scanner_kit import a_token

QUIET = 4


def picture_of(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("L")


@pytest.mark.parametrize("module_pixels", [2, 3, 8, MODULE_PIXELS_MAX])
def test_the_drawn_code_says_the_token_and_nothing_else(module_pixels, seed):
    token = a_token(seed)
    found = zxingcpp.read_barcodes(picture_of(ticket_png(token, module_pixels=module_pixels)))
    assert [code.text for code in found] == [token]
    assert found[0].ec_level == "M"


def test_each_module_is_a_square_of_the_size_asked_for(seed):
    picture = picture_of(ticket_png(a_token(seed), module_pixels=5))
    assert picture.size == (QR_MODULES * 5, QR_MODULES * 5)
    modules = picture.resize((QR_MODULES, QR_MODULES), Image.Resampling.BOX)
    assert set(modules.tobytes()) == {0, 255}


def test_a_quiet_zone_of_four_light_modules_is_all_around(seed):
    picture = picture_of(ticket_png(a_token(seed), module_pixels=1))
    dark = picture.point(lambda level: 255 - level).getbbox()
    assert dark == (QUIET, QUIET, QR_MODULES - QUIET, QR_MODULES - QUIET)


def test_a_code_of_forty_one_modules_is_version_6(seed):
    picture = picture_of(ticket_png(a_token(seed), module_pixels=1))
    assert picture.width - 2 * QUIET == 17 + 4 * 6


def test_the_svg_has_the_same_modules_as_the_png(seed):
    token = a_token(seed)
    svg = ticket_svg(token)
    drawn = Image.new("L", (QR_MODULES, QR_MODULES), 255)
    for column, row, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", svg):
        drawn.paste(0, (int(column), int(row), int(column) + int(length), int(row) + 1))
    assert drawn.tobytes() == picture_of(ticket_png(token, module_pixels=1)).tobytes()


def test_the_svg_brings_its_own_light_ground_for_dark_pages(seed):
    assert f'<path fill="#fff" d="M0 0h{QR_MODULES}v{QR_MODULES}H0z"/>' in ticket_svg(a_token(seed))


def test_what_is_no_token_is_a_bug_of_the_caller():
    with pytest.raises(AssertionError):
        ticket_png("RSB1", module_pixels=8)

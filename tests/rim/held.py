"""Tickets held to a camera in a way that cannot be read, one kind for each thing to say."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from cloud_controller.web.qr import ticket_png
from common.rules.scanners import ScannerHint
from tests.demo.photograph import _counter, _with_noise
from tests.rim.scanner_kit import a_photograph, a_token

SIZE = (640, 480)


def a_counter(number: int, *, noise: int | None = None) -> Image.Image:
    """Return a wooden counter with nothing on it; another `noise` is another picture of it."""
    wood = _counter(Random(number), SIZE).convert("L")
    return _with_noise(Random(number if noise is None else noise), wood, 4.0)


def dark(number: int) -> Image.Image:
    dice = Random(number)
    part = dice.uniform(0.03, 0.08)
    seen = _photograph(number, noise=0.0).point(lambda level: level * part)
    return _with_noise(dice, seen, dice.uniform(1.5, 4))


def bright(number: int) -> Image.Image:
    """A bright telephone in a dark room: its screen is burnt out."""
    dice = Random(number)
    room = a_counter(number).point(lambda level: level * 0.4)
    width = dice.randint(200, 300)
    left, top = dice.randint(60, 300), dice.randint(0, 60)
    room.paste(255, (left, top, left + width, min(SIZE[1], top + round(width * 1.5))))
    return _with_noise(dice, room.filter(ImageFilter.GaussianBlur(3)), 3.0)


def overexposed(number: int) -> Image.Image:
    part = Random(number).uniform(12, 30)
    seen = _photograph(number, noise=0.0, light=0.1)
    return seen.point(lambda level: min(255, 150 + level * part))


def far(number: int) -> Image.Image:
    return _photograph(number, reach=Random(number).uniform(0.1, 0.2), noise=4.0)


def blurred(number: int) -> Image.Image:
    return _photograph(number, blur=Random(number).uniform(4.5, 8), noise=4.0)


def near(number: int) -> Image.Image:
    """The code does not fit into the picture, and is out of focus."""
    dice = Random(number)
    code = Image.open(io.BytesIO(ticket_png(a_token(number), module_pixels=8))).convert("L")
    left, top = dice.randint(200, 700), dice.randint(200, 800)
    seen = code.resize((1600, 1600)).crop((left, top, left + SIZE[0], top + SIZE[1]))
    return _with_noise(dice, seen.filter(ImageFilter.GaussianBlur(dice.uniform(3, 8))), 4.0)


def mirrored(number: int) -> Image.Image:
    """A lamp in the glass, larger than what the code can spare."""
    dice = Random(number)
    seen, lamp = _photograph(number), Image.new("L", SIZE)
    x, y = dice.uniform(0.4, 0.6) * SIZE[0], dice.uniform(0.35, 0.6) * SIZE[1]
    width, height = dice.uniform(70, 100), dice.uniform(60, 85)
    ImageDraw.Draw(lamp).ellipse((x - width, y - height, x + width, y + height), fill=255)
    return ImageChops.add(seen, lamp.filter(ImageFilter.GaussianBlur(14)))


HELD: Mapping[str, tuple[ScannerHint, Callable[[int], Image.Image]]] = {
    "nothing": (ScannerHint.NOTHING, a_counter),
    "dark": (ScannerHint.TOO_DARK, dark),
    "bright": (ScannerHint.TOO_BRIGHT, bright),
    "overexposed": (ScannerHint.TOO_BRIGHT, overexposed),
    "far": (ScannerHint.TOO_FAR, far),
    "blurred": (ScannerHint.TOO_NEAR, blurred),
    "near": (ScannerHint.TOO_NEAR, near),
    "mirrored": (ScannerHint.GLARE, mirrored),
}
"""What is held to the lens, and what is to be said of it."""


RIGHT_PART_MIN = 0.9
"""Of the pictures of a kind; those that are read after all count as right."""


def held(kind: str, number: int) -> Image.Image:
    return HELD[kind][1](number)


def _photograph(number: int, **how: float) -> Image.Image:
    return a_photograph(a_token(number), seed=number, **how).convert("L")

"""Draw a ticket as a camera sees it, tilted, soft, noisy, unevenly lit: one seed, one picture."""

from __future__ import annotations

import io
import math
from random import Random
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageOps

FRAME_SIZE: Final = (640, 480)
"""Pixels; what the scanners' cameras give."""

_CARD = (420, 560)
"""Pixels of the ticket before the camera sees it; the QR fills its width."""

_SHARPER = 2
"""The scene is drawn this much larger and reduced, so that slanted edges are smooth."""

_PAPER = (250, 248, 243)
_INK = (38, 40, 46)
_ACCENT = (184, 64, 42)
_WOOD_DARK, _WOOD_LIGHT = (94, 62, 40), (164, 118, 80)
_UNIFORM_SIGMA = 255 / math.sqrt(12)


def photograph(  # noqa: PLR0913 - each is one thing a camera does to a picture
    png: bytes,
    *,
    seed: int,
    tilt: float = 0.18,
    blur: float = 0.8,
    noise: float = 6.0,
    light: float = 0.35,
    reach: float = 0.86,
    colour: bool = False,
    size: tuple[int, int] = FRAME_SIZE,
) -> Image.Image:
    """Return the ticket's picture as photographed; the same seed gives the same pixels.

    Args:
        png: the ticket's QR.
        seed: decides the place, the turn, the grain of the wood, the light and the noise.
        tilt: how far a corner of the ticket may lean away, as a part of its side.
        blur: standard deviation of the lens' softness, in pixels.
        noise: standard deviation of the sensor's noise, in grey levels.
        light: how much darker the darkest corner may be; 0 is even light, 1 leaves black.
        reach: the ticket's height as a part of the frame's.
        colour: a colour picture instead of a grey one.
        size: pixels of the frame.
    """
    dice = Random(seed)
    scene = (size[0] * _SHARPER, size[1] * _SHARPER)
    corners = _corners(dice, scene, tilt=tilt, reach=reach)
    picture = _lay(_ticket(png), corners, _counter(dice, scene), height=scene[1])
    picture = picture.resize(size, Image.Resampling.BOX)
    picture = picture.filter(ImageFilter.GaussianBlur(blur))
    picture = ImageChops.multiply(picture, _light(dice, size, light))
    if not colour:
        picture = picture.convert("L")
    return _with_noise(dice, picture, noise)


def as_png(picture: Image.Image) -> bytes:
    """Return a picture as the bytes of a PNG file."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _ticket(png: bytes) -> Image.Image:
    """Draw the paper ticket around its QR."""
    width = _CARD[0]
    card = Image.new("RGB", _CARD, _PAPER)
    draw = ImageDraw.Draw(card)
    draw.rectangle((0, 0, width, 64), fill=_ACCENT)
    draw.text((24, 18), "RUSUBAN", font=ImageFont.load_default(28), fill=_PAPER)
    draw.text((width - 24, 22), "TICKET", font=ImageFont.load_default(20), fill=_PAPER, anchor="ra")
    code = Image.open(io.BytesIO(png)).convert("RGB")
    side = width - 24
    printed = ImageChops.multiply(
        code.resize((side, side), Image.Resampling.LANCZOS), Image.new("RGB", (side, side), _PAPER)
    )
    card.paste(printed, (12, 70))
    draw.text((24, 474), "Racing simulator 1", font=ImageFont.load_default(26), fill=_INK)
    draw.text(
        (24, 512), "Hold the code up to the reader", font=ImageFont.load_default(18), fill=_INK
    )
    return card


def _counter(dice: Random, size: tuple[int, int]) -> Image.Image:
    """Draw a wooden counter: long grain, with slow changes of tone."""
    grain = _cloud(dice, (5, 160), size)
    tone = _cloud(dice, (4, 3), size)
    return ImageOps.colorize(Image.blend(grain, tone, 0.4), _WOOD_DARK, _WOOD_LIGHT)


def _cloud(dice: Random, cells: tuple[int, int], size: tuple[int, int]) -> Image.Image:
    """Return random grey, smooth between `cells`."""
    grey = dice.randbytes(cells[0] * cells[1])
    return Image.frombytes("L", cells, grey).resize(size, Image.Resampling.BICUBIC)


def _corners(
    dice: Random, size: tuple[int, int], *, tilt: float, reach: float
) -> list[tuple[float, float]]:
    """Choose where the ticket's four corners fall in the frame, clockwise from its top left."""
    height = size[1] * reach
    width = height * _CARD[0] / _CARD[1]
    turn = dice.uniform(-0.22, 0.22)
    middle = (size[0] * dice.uniform(0.42, 0.58), size[1] * dice.uniform(0.48, 0.52))
    corners = []
    for side, top in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        lean = 1 - dice.uniform(0, tilt)
        x, y = side * width / 2 * lean, top * height / 2 * lean
        corners.append(
            (
                middle[0] + x * math.cos(turn) - y * math.sin(turn),
                middle[1] + x * math.sin(turn) + y * math.cos(turn),
            )
        )
    return corners


def _lay(
    card: Image.Image, corners: list[tuple[float, float]], counter: Image.Image, *, height: int
) -> Image.Image:
    """Lay the card on the counter, in perspective, with the soft shadow it throws."""
    view = (counter.size, Image.Transform.PERSPECTIVE, _perspective(corners, card.size))
    laid = card.transform(*view, Image.Resampling.BILINEAR)
    shape = Image.new("L", card.size, 255).transform(*view, Image.Resampling.BILINEAR)
    away = height // 60
    shadow = ImageChops.offset(shape, away, away).filter(ImageFilter.BoxBlur(away))
    darker = Image.composite(counter.point(lambda level: level * 0.45), counter, shadow)
    return Image.composite(laid, darker, shape)


def _perspective(corners: list[tuple[float, float]], card: tuple[int, int]) -> list[float]:
    """Return Pillow's eight coefficients that carry the corners in the frame back to the card's."""
    width, height = card
    equations = []
    for (x, y), (u, v) in zip(
        corners, ((0, 0), (width, 0), (width, height), (0, height)), strict=True
    ):
        equations.append([x, y, 1, 0, 0, 0, -u * x, -u * y, u])
        equations.append([0, 0, 0, x, y, 1, -v * x, -v * y, v])
    return _solve(equations)


def _solve(equations: list[list[float]]) -> list[float]:
    """Solve linear equations, each `[coefficients…, right side]`, by Gauss and Jordan."""
    count = len(equations)
    for column in range(count):
        pivot = max(range(column, count), key=lambda row: abs(equations[row][column]))
        equations[column], equations[pivot] = equations[pivot], equations[column]
        head = equations[column][column]
        equations[column] = [value / head for value in equations[column]]
        for row in range(count):
            if row != column:
                factor = equations[row][column]
                equations[row] = [
                    value - factor * above
                    for value, above in zip(equations[row], equations[column], strict=True)
                ]
    return [row[-1] for row in equations]


def _light(dice: Random, size: tuple[int, int], strength: float) -> Image.Image:
    """Return the light that falls on each pixel: a lamp to one side, warm, weaker far from it."""
    darkest = round(255 * (1 - strength))
    levels = bytes(dice.randint(darkest, 255) for _ in range(4))
    fall = Image.frombytes("L", (2, 2), levels).resize(size, Image.Resampling.BICUBIC)
    return Image.merge("RGB", (fall, fall.point(lambda v: v * 0.97), fall.point(lambda v: v * 0.9)))


def _with_noise(dice: Random, picture: Image.Image, sigma: float) -> Image.Image:
    """Add the sensor's noise to each band: near enough to a normal distribution."""
    if sigma == 0:
        return picture
    return Image.merge(picture.mode, [_noisy(dice, band, sigma) for band in picture.split()])


def _noisy(dice: Random, band: Image.Image, sigma: float) -> Image.Image:
    """Add the mean of two uniform noises, scaled to `sigma`, around zero."""
    one, other = (
        Image.frombytes("L", band.size, dice.randbytes(band.width * band.height)) for _ in range(2)
    )
    gain = sigma / (_UNIFORM_SIGMA / math.sqrt(2))
    noise = Image.blend(one, other, 0.5).point(lambda level: 128 + (level - 127.5) * gain)
    return ImageChops.add(band, noise, 1, -128)

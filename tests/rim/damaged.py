"""The project's own set of damaged pictures of tickets: one number, one picture, for ever the same.

Twelve kinds of damage, thirty-five of each, drawn as a camera gives them or as they are sent on;
see `photograph` for what a camera does to a picture.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from cloud_controller.web.qr import QR_MODULES, ticket_png
from tests.rim.scanner_kit import a_photograph, a_token

OF_EACH = 35
SIZE = (640, 480)

Damage = Callable[[str, Random], Image.Image]


@dataclass(frozen=True, kw_only=True)
class Damaged:
    """A picture, what was done to it, and the token that it shows."""

    kind: str
    number: int
    token: str
    picture: Image.Image


def rotated(token: str, dice: Random) -> Image.Image:
    turned = _photograph(token, dice).rotate(dice.uniform(0, 360), expand=True, fillcolor=90)
    return turned.convert("L")


def tilted(token: str, dice: Random) -> Image.Image:
    return _photograph(token, dice, tilt=dice.uniform(0.25, 0.38))


def blurred(token: str, dice: Random) -> Image.Image:
    return _photograph(token, dice, blur=dice.uniform(1.2, 2.3))


def noisy(token: str, dice: Random) -> Image.Image:
    return _photograph(token, dice, noise=dice.uniform(18, 40))


def glaring(token: str, dice: Random) -> Image.Image:
    """A lamp mirrored in a phone's glass: white in its middle, softer around it."""
    picture = _photograph(token, dice)
    lamp = Image.new("L", picture.size)
    x, y = dice.uniform(0.3, 0.7) * SIZE[0], dice.uniform(0.25, 0.7) * SIZE[1]
    width, height = dice.uniform(30, 62), dice.uniform(20, 46)
    ImageDraw.Draw(lamp).ellipse((x - width, y - height, x + width, y + height), fill=255)
    return ImageChops.add(picture, lamp.filter(ImageFilter.GaussianBlur(dice.uniform(8, 20))))


def faint(token: str, dice: Random) -> Image.Image:
    """Contrast that is a fifth to a third of what it was, on a grey that may be dark or light."""
    picture = _photograph(token, dice, noise=2.0)
    part, base = dice.uniform(0.2, 0.35), dice.uniform(20, 120)
    return picture.point(lambda level: base + level * part)


def inverted(token: str, dice: Random) -> Image.Image:
    return ImageOps.invert(_photograph(token, dice))


def small(token: str, dice: Random) -> Image.Image:
    """A code of 120 pixels, quiet zone included, somewhere in the frame."""
    code = Image.open(io.BytesIO(ticket_png(token, module_pixels=8))).convert("L")
    frame = Image.new("L", SIZE, dice.randint(120, 220))
    side = 120 + dice.randint(0, 8)
    place = dice.randint(10, SIZE[0] - side - 10), dice.randint(10, SIZE[1] - side - 10)
    frame.paste(code.resize((side, side), Image.Resampling.BOX), place)
    return frame.filter(ImageFilter.GaussianBlur(dice.uniform(0, 0.3)))


def squeezed(token: str, dice: Random) -> Image.Image:
    """A JPEG that a messenger has made small."""
    return _as_jpeg(_photograph(token, dice), dice.randint(8, 30))


def shaded(token: str, dice: Random) -> Image.Image:
    """The hard edge of a shadow across the code."""
    picture = _photograph(token, dice)
    shadow = Image.new("L", picture.size, 255)
    edge, lean = dice.uniform(0.35, 0.65) * SIZE[0], dice.uniform(-160, 160)
    dark = round(255 * dice.uniform(0.35, 0.6))
    ImageDraw.Draw(shadow).polygon(
        ((0, 0), (edge, 0), (edge + lean, SIZE[1]), (0, SIZE[1])), fill=dark
    )
    return ImageChops.multiply(
        picture, shadow.filter(ImageFilter.GaussianBlur(dice.uniform(0.5, 4)))
    )


def soft_and_dark(token: str, dice: Random) -> Image.Image:
    """Some of several: soft, noisy and unevenly lit, held at a slant."""
    return _photograph(
        token,
        dice,
        blur=dice.uniform(1.0, 1.7),
        noise=dice.uniform(8, 16),
        light=dice.uniform(0.4, 0.7),
        tilt=dice.uniform(0.1, 0.25),
    )


def sent_on(token: str, dice: Random) -> Image.Image:
    """Some of several: turned, inverted or not, shaded, and sent on as a JPEG."""
    picture = shaded(token, dice)
    if dice.random() < 0.5:
        picture = ImageOps.invert(picture)
    turned = picture.rotate(dice.uniform(0, 360), expand=True, fillcolor=128)
    return _as_jpeg(turned, dice.randint(25, 60))


KINDS: Mapping[str, Damage] = {
    damage.__name__: damage
    for damage in (
        *(rotated, tilted, blurred, noisy, glaring, faint, inverted, small, squeezed, shaded),
        *(soft_and_dark, sent_on),
    )
}


def damaged(kind: str, number: int) -> Damaged:
    """Return one picture of the set."""
    token = a_token(number)
    dice = Random(f"{kind} {number}")
    picture = KINDS[kind](token, dice).convert("L")
    return Damaged(kind=kind, number=number, token=token, picture=picture)


def the_set(every: int = 1) -> Iterator[Damaged]:
    """Yield all of it, or of each kind one picture in so many."""
    for kind in KINDS:
        for number in range(0, OF_EACH, every):
            yield damaged(kind, number)


def _photograph(token: str, dice: Random, **how: float) -> Image.Image:
    return a_photograph(token, seed=dice.randrange(1 << 30), **how).convert("L")


def _as_jpeg(picture: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("L")


assert QR_MODULES == 49, "a code of 120 pixels has some two and a half to a module"

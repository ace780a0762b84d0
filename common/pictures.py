"""A picture as it is shown beside an offering: drawn anew, small, and nothing but what is seen."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, ImageOps

from common.errors import RusubanError
from common.messages.offerings import PICTURE_BYTES_MAX

SENT_BYTES_MAX: Final = 10_000_000
"""Bytes of a file that is made small: more than any camera's."""

PIXELS_MAX: Final = 50_000_000
"""Pixels of such a file, by its head, before any is unfolded."""

LONGER_SIDE_PIXELS: Final = 960
"""The longer side of what is shown: a phone's width, twice as fine."""

QUALITIES: Final = (82, 65, 48, 30)
"""How finely it is drawn: the first that is small enough; else at three quarters of the size."""

SMALLER: Final = 0.75

FORMATS: Final = ("JPEG", "PNG", "WEBP")
"""What is read: what cameras and drawing programs write."""


class PictureIsWrong(RusubanError):
    """This is no picture that can be shown: {why}."""


def drawn_small(sent: bytes) -> bytes:
    """Return a picture as a WebP of at most `PICTURE_BYTES_MAX`, upright, without what it carried.

    Raises:
        PictureIsWrong: it is none, or too large a one.
    """
    if len(sent) > SENT_BYTES_MAX:
        raise PictureIsWrong(why=f"it has more than {SENT_BYTES_MAX} bytes")
    picture = _read(sent)
    while True:
        for quality in QUALITIES:
            drawn = io.BytesIO()
            picture.save(drawn, "WEBP", quality=quality, method=4)
            if drawn.tell() <= PICTURE_BYTES_MAX:
                return drawn.getvalue()
        picture.thumbnail((picture.width * SMALLER, picture.height * SMALLER))


def _check_size(picture: Image.Image) -> None:
    """Look at the size its head states, before anything is unfolded."""
    if picture.width * picture.height > PIXELS_MAX:
        raise PictureIsWrong(why=f"it has more than {PIXELS_MAX} pixels")


def _read(sent: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(sent), formats=FORMATS) as picture:
            _check_size(picture)
            sides = (LONGER_SIDE_PIXELS, LONGER_SIDE_PIXELS)
            picture.draft("RGB", sides)
            picture.thumbnail(sides)
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except PictureIsWrong:
        raise
    except Exception as fault:  # Pillow lets through whatever its parsers meet in a stranger's file
        raise PictureIsWrong(why="it is broken, or of another kind") from fault
    bare = Image.new("RGB", upright.size)  # carries no place, no device and no comment
    bare.paste(upright)
    return bare

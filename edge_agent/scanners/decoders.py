"""Find the QR in a grey frame: the fast reader first, the patient ones where there is a chance."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import zxingcpp
from PIL import Image, ImageChops, ImageFilter, ImageOps
from pyzbar import pyzbar

from edge_agent.scanners.hygiene import Scanned, clean, hygiene
from edge_agent.scanners.reading import Reading

PATIENT_PIXELS_MAX: Final = 1_280 * 960
"""Pixels; a larger picture is reduced to this, to keep the patient readers quick."""

_ROWS_APART = 2
"""Rows; looking at each one would make an empty frame half as dear again."""

_GRAIN_PIXELS = 4
"""Pixels; over a square of this side a sensor's noise evens out, and a code does not."""

_EDGE_LEVELS = 12
"""Grey levels between neighbours; noise and the grain of wood stay below, a dark code above."""

_EDGES_MIN = 50
"""Neighbours; an empty, noisy counter has up to 16, the darkest code that was read 107."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """A grey picture in memory: one byte a pixel, row after row, no gaps."""

    width: int
    height: int
    pixels: bytes | memoryview

    def __post_init__(self) -> None:
        assert self.width > 0
        assert len(self.pixels) == self.width * self.height


def decode(
    frame: Frame, seconds: Callable[[], float], *, is_patient: bool = True
) -> Reading | None:
    """Return the code in the frame, ours before any other; None when there is none to be read.

    Args:
        frame: what the camera saw.
        seconds: a clock that only grows, to say how long the reading took.
        is_patient: whether the readers that take some forty times as long may try, too.
    """
    began = seconds()
    for decoder, texts in itertools.islice(_attempts(frame), None if is_patient else 1):
        if texts:
            took = round((seconds() - began) * 1000, 3)
            return Reading(text=_ours_or_first(texts), decoder=decoder, milliseconds=took)
    return None


def _attempts(frame: Frame) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield each decoder and the texts it found; the next one is only tried when it is asked for.

    The last two differ in what they are good at: small codes, and soft ones under much noise.
    """
    yield "zxing", _by_zxing(_as_rows(frame))
    if not _something_is_there(frame):
        return
    picture = _reduced(_as_picture(frame))
    calmed = _calmed(picture)
    yield "pyzbar", _by_zbar(calmed)
    yield "zxing_enlarged", _by_zxing(_enlarged(picture))
    yield "zxing_calmed", _by_zxing(_enlarged(calmed))


def _by_zxing(picture: memoryview | Image.Image) -> Sequence[str]:
    """Read dark and light codes, at any turn; Model 2 is the QR that everybody means."""
    found = zxingcpp.read_barcodes(
        picture,
        formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2),
        text_mode=zxingcpp.TextMode.Plain,
    )
    return [code.text for code in found]


def _by_zbar(picture: Image.Image) -> Sequence[str]:
    found = pyzbar.decode(picture, symbols=[pyzbar.ZBarSymbol.QRCODE])
    return [code.data.decode("utf-8", "replace") for code in found]


def _something_is_there(frame: Frame) -> bool:
    """Say whether enough neighbours differ for a code to be there; cheaper than any reading."""
    if frame.height < _ROWS_APART:
        return False
    small = _as_picture(frame, every=_ROWS_APART).reduce(_GRAIN_PIXELS)
    beside = ImageChops.difference(
        small.crop((1, 0, small.width, small.height)),
        small.crop((0, 0, small.width - 1, small.height)),
    )
    edges = sum(beside.histogram()[_EDGE_LEVELS:])
    return edges >= _EDGES_MIN


def _as_rows(frame: Frame) -> memoryview:
    return memoryview(frame.pixels).cast("B", (frame.height, frame.width))


def _as_picture(frame: Frame, *, every: int = 1) -> Image.Image:
    """Return the frame for Pillow without copying it, or only `every` so many rows of it."""
    size = (frame.width, frame.height // every)
    pixels: Any = frame.pixels  # Pillow takes any buffer; its types do not say so
    return Image.frombuffer("L", size, pixels, "raw", "L", frame.width * every, 1)


def _reduced(picture: Image.Image) -> Image.Image:
    """Return the picture with no more pixels than the patient readers have time for."""
    too_large = picture.width * picture.height / PATIENT_PIXELS_MAX
    return picture if too_large <= 1 else ImageOps.scale(picture, too_large**-0.5)


def _calmed(picture: Image.Image) -> Image.Image:
    """Take out noise and spread what light there was."""
    return _in_full_contrast(picture.filter(ImageFilter.GaussianBlur(1)))


def _enlarged(picture: Image.Image) -> Image.Image:
    """Enlarge and sharpen, in full contrast."""
    sharpened = ImageFilter.UnsharpMask(radius=4, percent=300, threshold=0)
    return _in_full_contrast(ImageOps.scale(picture, 2)).filter(sharpened)


def _in_full_contrast(picture: Image.Image) -> Image.Image:
    return ImageOps.autocontrast(picture, cutoff=1)


def _ours_or_first(texts: Sequence[str]) -> str:
    """Return the text that is built like our ticket; a poster beside it does not matter."""
    ours = (found.text for text in texts if isinstance(found := hygiene(text), Scanned))
    return next(ours, clean(texts[0]))

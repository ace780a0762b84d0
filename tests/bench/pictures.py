"""Reading damaged pictures and empty frames, beside zxing-cpp alone and pyzbar alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from random import Random

import zxingcpp
from PIL import Image
from pyzbar import pyzbar

from edge_agent.scanners.decoders import Frame, decode
from tests.bench.figures import Measured, at_least, at_most, compared, median
from tests.rim.damaged import Damaged, the_set

REPETITIONS = 5
EVERY = 5
"""Of the set's pictures one in so many: every kind is there."""

EMPTY_FRAMES = 40
READ_MIN = 0.99

Reads = Callable[[Image.Image], str | None]


async def measure() -> Measured:
    """Read the same pictures by each in turn; all of it is computing, in one thread."""
    pictures = list(the_set(EVERY))
    empty = [_a_counter(number) for number in range(EMPTY_FRAMES)]
    taken = {
        name: [_ms_of(reads, pictures) for _ in range(REPETITIONS)] for name, reads in ALL.items()
    }
    nothing = {
        name: [_ms_of_empty(reads, empty) for _ in range(REPETITIONS)]
        for name, reads in ALL.items()
    }
    read = {name: _part_read(reads, pictures) for name, reads in ALL.items()}
    ours, zxing, zbar = OURS, ZXING, ZBAR
    return Measured(
        figures=(
            compared("picture", taken[ours], "ms", taken[zxing], zxing),
            compared("picture_beside_pyzbar", taken[ours], "ms", taken[zbar], zbar),
            compared("empty_frame", nothing[ours], "ms", nothing[zxing], zxing, at_most(1.5)),
            compared(
                "empty_frame_beside_pyzbar", nothing[ours], "ms", nothing[zbar], zbar, at_most(0.15)
            ),
            compared("read", [read[ours]], "of 1", [1.0], "all", at_least(READ_MIN)),
        ),
        parts={f"read by {name}": part for name, part in read.items()}
        | {f"{name}, a picture": median(ms) for name, ms in taken.items()},
    )


def _ours(picture: Image.Image) -> str | None:
    frame = Frame(width=picture.width, height=picture.height, pixels=picture.tobytes())
    reading = decode(frame, time.thread_time)
    return reading.text if reading is not None else None


def _zxing(picture: Image.Image) -> str | None:
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
    rows = memoryview(picture.tobytes()).cast("B", (picture.height, picture.width))
    found = zxingcpp.read_barcodes(rows, formats=formats, text_mode=zxingcpp.TextMode.Plain)
    return found[0].text if found else None


def _zbar(picture: Image.Image) -> str | None:
    found = pyzbar.decode(picture, symbols=[pyzbar.ZBarSymbol.QRCODE])
    return found[0].data.decode() if found else None


OURS, ZXING, ZBAR = "our readers", "zxing-cpp alone", "pyzbar alone"
ALL: dict[str, Reads] = {OURS: _ours, ZXING: _zxing, ZBAR: _zbar}


def _ms_of(reads: Reads, pictures: Sequence[Damaged]) -> float:
    began = time.thread_time()
    for each in pictures:
        reads(each.picture)
    return (time.thread_time() - began) * 1000 / len(pictures)


def _ms_of_empty(reads: Reads, frames: Sequence[Image.Image]) -> float:
    began = time.thread_time()
    for frame in frames:
        reads(frame)
    return (time.thread_time() - began) * 1000 / len(frames)


def _part_read(reads: Reads, pictures: Sequence[Damaged]) -> float:
    return sum(reads(each.picture) == each.token for each in pictures) / len(pictures)


def _a_counter(number: int) -> Image.Image:
    """Return a frame without a code: a counter in uneven light, with a sensor's noise."""
    dice = Random(number)
    tone = Image.frombytes("L", (4, 3), dice.randbytes(12)).resize(
        (640, 480), Image.Resampling.BICUBIC
    )
    noise = Image.frombytes("L", (640, 480), dice.randbytes(640 * 480))
    return Image.blend(tone, noise, 0.06)

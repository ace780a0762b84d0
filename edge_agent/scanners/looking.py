"""One camera's look at each picture: a code, else why there is none; and a small picture of it.

Law: a picture in which nothing moved costs next to nothing, a hard one only what was saved for it.
"""

from __future__ import annotations

import io
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from PIL import Image, ImageChops

from common.rules.scanners import Measures, ScannerHint, Steadied, hint_of, steadied
from edge_agent.scanners.counting import Counts
from edge_agent.scanners.decoders import Frame, decode
from edge_agent.scanners.lens import Layout, PixelFormat
from edge_agent.scanners.movement import Movement, cells_of, rows_of, small_jpeg
from edge_agent.scanners.reading import PREVIEW_SIZE, PREVIEWS_SECOND_MAX, Reading

SAVED_SECONDS_MAX: Final = 0.4
"""Seconds of the processor saved up for looking: three hundred easy looks, or ten patient ones."""

SAVED_EACH_SECOND: Final = 0.007
"""What is saved of each second: less than a hundredth of a processor, whatever is before it."""

PATIENCE_SECONDS_MIN: Final = 0.1
"""What has to be saved before the patient readers may try: the quick one never waits for them."""

PATIENT_AFTER: Final = 3
"""Looks in vain before the patient readers try: what comes in is first only half in the picture."""

HURRIED_SECONDS: Final = 0.4
"""With nothing saved, what moves is still looked at so often: nobody waits for half a second."""

SEEN_AGAIN_SECONDS: Final = 0.5
"""A code that lies still is told again so often without being looked at: it has not gone."""

JPEG_QUALITY: Final = 60
"""Of the small picture: some 4 kB."""

_PICTURED_EACH_SECONDS = 1 / PREVIEWS_SECOND_MAX - 0.05
"""Half a frame less than five a second: every other one of ten a second, come it early or late."""

_EDGE_ROWS = 4
"""One in so many rows is looked at for edges."""

_FINE_LEVELS_MIN = 12
"""Grey levels; noise stays below."""

_SOFT_LEVELS_MIN = 10

_BLOCK = (16, 4)
"""Pixels by rows of a block: 40 by 30 of them make a picture of 640 by 480."""

_FINE_SHARE = 51
"""Of 255: a fifth of a block's neighbours differ where a code is."""

_BURNT_LEVEL = 250


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What one picture showed; `reading` is also there while a code lies still."""

    reading: Reading | None
    hint: ScannerHint
    picture: bytes | None = field(default=None, repr=False)


class Eye:
    """Looks at the pictures of one camera, in the camera's own thread."""

    def __init__(
        self,
        layout: Layout,
        counts: Counts,
        *,
        seconds: Callable[[], float],
        busy_seconds: Callable[[], float],
        is_looked_at: Callable[[], bool],
    ) -> None:
        """Take what it looks at and with.

        Args:
            layout: how the camera's pictures lie in memory.
            counts: where it counts.
            seconds: a clock that only grows.
            busy_seconds: the thread's own use of the processor.
            is_looked_at: whether somebody wants to see small pictures.
        """
        self._layout = layout
        self._counts = counts
        self._seconds = seconds
        self._busy_seconds = busy_seconds
        self._is_looked_at = is_looked_at
        self._movement = Movement()
        self._shown = Steadied()
        self._hint = ScannerHint.NOTHING
        self._reading: Reading | None = None
        self._told_seconds = 0.0
        self._saved_seconds, self._saved_at = SAVED_SECONDS_MAX, seconds()
        self._pictured_at = 0.0
        self._in_vain = 0

    def see(self, picture: memoryview) -> Seen:
        """Look at one picture; a broken one is counted and shows nothing.

        Args:
            picture: the camera's bytes; nothing of them is kept.
        """
        self._counts.frames += 1
        began, now = self._busy_seconds(), self._seconds()
        try:
            reading = self._look(picture, now)
            small = self._small(picture, now)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            # too short, no JPEG, or one that says that it is larger than any camera
            self._counts.broken += 1
            reading = small = None
        self._counts.milliseconds += (self._busy_seconds() - began) * 1000
        self._shown = steadied(self._shown, self._hint)
        return Seen(reading=reading, hint=self._shown.shown, picture=small)

    def _look(self, picture: memoryview, now: float) -> Reading | None:
        cells = cells_of(picture, self._layout)
        if not self._movement.is_due(cells, now):
            return self._still_there(now)
        if not self._can_look(now):
            return None
        self._movement.looked(cells, now)
        self._counts.looked_at += 1
        began = self._busy_seconds()
        frame = frame_of(picture, self._layout)
        has_patience = self._saved_seconds >= PATIENCE_SECONDS_MIN
        is_patient = has_patience and self._in_vain >= PATIENT_AFTER
        self._reading = decode(frame, self._seconds, is_patient=is_patient)
        is_in_vain = self._reading is None and self._movement.has_come(cells, now)
        self._in_vain = self._in_vain + 1 if is_in_vain else 0
        if self._reading is not None:
            self._hint, self._told_seconds = ScannerHint.READS, now
        elif is_in_vain:
            self._hint = hint_of(measures_of(frame))
        else:
            self._hint = ScannerHint.NOTHING
        left = self._saved_seconds - (self._busy_seconds() - began)
        self._saved_seconds = max(left, -PATIENCE_SECONDS_MIN)
        return self._reading

    def _can_look(self, now: float) -> bool:
        """Say whether enough is saved for another look, or too long ago that there was one."""
        saved = self._saved_seconds + (now - self._saved_at) * SAVED_EACH_SECOND
        self._saved_seconds, self._saved_at = min(saved, SAVED_SECONDS_MAX), now
        return saved > 0 or self._movement.unseen_seconds(now) >= HURRIED_SECONDS

    def _still_there(self, now: float) -> Reading | None:
        """Return the code that lies there still, now and then; nothing has moved since."""
        if self._hint is not ScannerHint.READS or self._reading is None:
            return None
        if now - self._told_seconds < SEEN_AGAIN_SECONDS:
            return None
        self._told_seconds = now
        return self._reading

    def _small(self, picture: memoryview, now: float) -> bytes | None:
        """Return a small picture for the screen, while somebody looks."""
        if not self._is_looked_at() or now - self._pictured_at < _PICTURED_EACH_SECONDS:
            return None
        self._pictured_at = now
        if self._layout.pixels is PixelFormat.MJPG:
            small = small_jpeg(picture, PREVIEW_SIZE)
        else:
            small = rows_of(picture, self._layout)
        file = io.BytesIO()
        _reduced(small).save(file, "JPEG", quality=JPEG_QUALITY)
        return file.getvalue()


def frame_of(picture: memoryview, layout: Layout) -> Frame:
    """Return the grey of a picture; where it lies as we need it, without copying it.

    Raises:
        OSError: it is a broken JPEG.
        ValueError: it is too short.
    """
    width, height = layout.width, layout.height
    if layout.pixels is PixelFormat.MJPG:
        grey = small_jpeg(picture, (width, height))
        return Frame(width=grey.width, height=grey.height, pixels=grey.tobytes())
    if layout.pixels is not PixelFormat.YUYV and layout.bytes_per_line == width:
        if len(picture) < width * height:
            raise ValueError(picture)
        return Frame(width=width, height=height, pixels=picture[: width * height])
    return Frame(width=width, height=height, pixels=rows_of(picture, layout).tobytes())


def measures_of(frame: Frame) -> Measures:
    """Return what a cheap look says of a picture, of any size."""
    layout = Layout(
        width=frame.width,
        height=frame.height,
        bytes_per_line=frame.width,
        pixels=PixelFormat.GREY,
    )
    view = memoryview(frame.pixels)
    soft = _reduced(rows_of(view, layout, every=2))
    pixels = soft.width * soft.height
    levels = soft.histogram()
    darkest, lightest = _level(levels, 0.02), _level(levels, 0.98)
    edges = _edges(soft, 3, max(_SOFT_LEVELS_MIN, (lightest - darkest) // 4))
    fine, box = _fine_blocks(rows_of(view, layout, every=_EDGE_ROWS), lightest - darkest)
    side = 0.0 if box is None else max(box[2] - box[0], (box[3] - box[1]) * 4 / 3)
    return Measures(
        light_level=lightest,
        burnt_part=sum(levels[_BURNT_LEVEL:]) / pixels,
        soft_edges=round(edges * PREVIEW_SIZE[0] * PREVIEW_SIZE[1] / pixels),
        fine_part=fine,
        fine_side_part=side * _BLOCK[0] / frame.width,
    )


def _reduced(picture: Image.Image) -> Image.Image:
    """Return it some 160 pixels wide and 120 high; whole factors are the quickest."""
    across, down = (
        max(1, side // small) for side, small in zip(picture.size, PREVIEW_SIZE, strict=True)
    )
    return picture.reduce((across, down))


def _fine_blocks(
    rows: Image.Image, contrast: int
) -> tuple[float, tuple[int, int, int, int] | None]:
    """Return the part of blocks that are full of fine edges, and the box around them."""
    apart = 2
    beside = ImageChops.difference(
        rows.crop((apart, 0, rows.width, rows.height)),
        rows.crop((0, 0, rows.width - apart, rows.height)),
    )
    least = max(_FINE_LEVELS_MIN, contrast // 5)
    edges = beside.point([255 * (level >= least) for level in range(256)])
    blocks = edges.reduce(_BLOCK).point([255 * (level >= _FINE_SHARE) for level in range(256)])
    full = blocks.histogram()[255]
    return full / (blocks.width * blocks.height), blocks.getbbox()


def _edges(picture: Image.Image, apart: int, least: int) -> int:
    beside = ImageChops.difference(
        picture.crop((apart, 0, picture.width, picture.height)),
        picture.crop((0, 0, picture.width - apart, picture.height)),
    )
    return sum(beside.histogram()[least:])


def _level(histogram: list[int], part: float) -> int:
    """Return the level below which this part of the pixels lies."""
    up_to = list(accumulate(histogram))
    return bisect_left(up_to, up_to[-1] * part)

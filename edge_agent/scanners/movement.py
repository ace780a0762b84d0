"""Whether anything has moved before a camera: a coarse look at a few rows, so cheap that it pays.

Law: what has come and stays still is looked at for a while, and ever after now and then.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from itertools import accumulate
from typing import Any, Final

from PIL import Image, ImageChops

from edge_agent.scanners.lens import Layout, PixelFormat

CELLS: Final = (80, 30)
"""A picture's coarse cells; each is the mean of some twenty of its pixels."""

LOOKS_AFTER: Final = 10
"""Looks at a scene since anything last moved in it: a second, for a lens to find its focus."""

ANYWAY_SECONDS: Final = 2.0
"""However still it is, one look is taken: nothing is overlooked for good."""

BACKGROUND_SECONDS: Final = 5.0
"""What has been still for so long without being read belongs to the store."""

MOVED_CELLS: Final = 24
"""Cells, one in a hundred; noise moves fewer, a card at arm's length more."""

_LEVELS_LEAST, _LEVELS_MOST, _SPREADS = 3, 20, 6
"""Grey levels by which a cell has moved: six times what most of them differ by, in bounds."""

_MIDDLE = 128
"""The level that stands for no difference."""


class Movement:
    """Remembers what it saw, and says when it is worth looking for a code."""

    def __init__(self) -> None:
        self._looked_at: Image.Image | None = None
        self._background: Image.Image | None = None
        self._looks_left = 0
        self._looked_seconds = self._moved_seconds = 0.0

    def is_due(self, cells: Image.Image, now: float) -> bool:
        """Say whether it is worth looking at this picture."""
        if self._looked_at is None or differ(self._looked_at, cells):
            self._looks_left, self._moved_seconds = LOOKS_AFTER + 1, now
        return self._looks_left > 0 or self.unseen_seconds(now) >= ANYWAY_SECONDS

    def unseen_seconds(self, now: float) -> float:
        """Return how long nothing was looked at."""
        return now - self._looked_seconds

    def looked(self, cells: Image.Image, now: float) -> None:
        """Note that this picture was looked at: what comes is compared with it."""
        self._looks_left = max(0, self._looks_left - 1)
        self._looked_at, self._looked_seconds = cells, now

    def has_come(self, cells: Image.Image, now: float) -> bool:
        """Say whether something is there that was not there before."""
        if self._background is None or now - self._moved_seconds >= BACKGROUND_SECONDS:
            self._background = cells
        return differ(self._background, cells)


def cells_of(picture: memoryview, layout: Layout) -> Image.Image:
    """Return the coarse cells of a picture as it lies in memory."""
    if layout.pixels is PixelFormat.MJPG:
        return small_jpeg(picture, CELLS).resize(CELLS, Image.Resampling.BOX)
    every = max(1, layout.height // (2 * CELLS[1]))
    grey = rows_of(picture, layout, every=every)
    return grey.reduce((max(1, grey.width // CELLS[0]), max(1, grey.height // CELLS[1])))


def rows_of(picture: memoryview, layout: Layout, *, every: int = 1) -> Image.Image:
    """Return so many of the rows in grey; of plain grey nothing is copied before it is used."""
    size, stride = (layout.width, layout.height // every), layout.bytes_per_line * every
    pixels: Any = picture  # Pillow takes any buffer; its types do not say so
    if layout.pixels is PixelFormat.YUYV:
        return Image.frombuffer("LA", size, pixels, "raw", "LA", stride, 1).getchannel(0)
    return Image.frombuffer("L", size, pixels, "raw", "L", stride, 1)


def small_jpeg(picture: memoryview, size: tuple[int, int]) -> Image.Image:
    """Return a JPEG in grey, no smaller than this and not much larger: most of it is not computed.

    Raises:
        OSError: it is broken.
    """
    opened = Image.open(io.BytesIO(picture), formats=("JPEG",))
    opened.draft("L", size)
    return opened.convert("L")


def differ(one: Image.Image, other: Image.Image) -> bool:
    """Say whether something moved; light that changes everywhere alike does not count."""
    histogram = ImageChops.subtract(one, other, 1, _MIDDLE).histogram()
    up_to = list(accumulate(histogram))
    middle, quarter = (bisect_right(up_to, up_to[-1] // parts) for parts in (2, 4))
    levels = min(max(_LEVELS_LEAST, _SPREADS * (middle - quarter)), _LEVELS_MOST)
    near = histogram[max(0, middle - levels) : middle + levels + 1]
    return up_to[-1] - sum(near) >= MOVED_CELLS

"""Whether anything has moved before a camera: a coarse look at a few rows, so cheap that it pays.

Law: what has come and stays still is looked at for a while, and ever after now and then.
"""

from __future__ import annotations

import io
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
        self.has_moved = False
        """Whether anything moved since the look before."""

    def is_due(self, cells: Image.Image, now: float) -> bool:
        """Say whether to look at this picture, and take it that this is done."""
        self.has_moved = self._looked_at is None or differ(self._looked_at, cells)
        if self.has_moved:
            self._looks_left, self._moved_seconds = LOOKS_AFTER, now
        elif self._looks_left:
            self._looks_left -= 1
        elif now - self._looked_seconds < ANYWAY_SECONDS:
            return False
        self._looked_at, self._looked_seconds = cells, now
        return True

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
    middle = _quantile(histogram, 2)
    spread = max(middle - _quantile(histogram, 4), 0)
    levels = min(max(_LEVELS_LEAST, _SPREADS * spread), _LEVELS_MOST)
    near = histogram[max(0, middle - levels) : middle + levels + 1]
    return sum(histogram) - sum(near) >= MOVED_CELLS


def _quantile(histogram: list[int], parts: int) -> int:
    """Return the level below which one part in so many of the cells lies."""
    wanted, below = sum(histogram) // parts, 0
    for level, count in enumerate(histogram):
        below += count
        if below > wanted:
            return level
    return len(histogram) - 1

"""A camera of the tests: pictures from a list or a file, laid out in memory as a driver does it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from edge_agent.scanners.lens import Layout, LensIsGone, PixelFormat
from edge_agent.scanners.reading import Reading, Scanner

SIZE = (640, 480)


def layout_of(pixels: PixelFormat, padding: int = 0) -> Layout:
    per_pixel = 2 if pixels is PixelFormat.YUYV else 1
    width, height = SIZE
    return Layout(
        width=width, height=height, bytes_per_line=width * per_pixel + padding, pixels=pixels
    )


def laid_out(picture: Image.Image, layout: Layout) -> bytes:
    """Return a picture's bytes as a camera's driver puts them into memory."""
    grey = picture.convert("L").resize(SIZE)
    if layout.pixels is PixelFormat.MJPG:
        file = io.BytesIO()
        grey.convert("RGB").save(file, "JPEG", quality=90)
        return file.getvalue()
    rows = [grey.tobytes()[SIZE[0] * row :][: SIZE[0]] for row in range(SIZE[1])]
    if layout.pixels is PixelFormat.YUYV:
        rows = [bytes(2 * SIZE[0]) for _ in rows] if not rows else [_with_colour(r) for r in rows]
    padded = b"".join(row.ljust(layout.bytes_per_line, b"\xaa") for row in rows)
    has_colours_behind = layout.pixels in {PixelFormat.NV12, PixelFormat.YU12}
    return padded + bytes(len(padded) // 2 if has_colours_behind else 0)


def _with_colour(row: bytes) -> bytes:
    woven = bytearray(2 * len(row))
    woven[::2], woven[1::2] = row, bytes([128]) * len(row)
    return bytes(woven)


class FakeLens:
    """Gives the pictures it is shown, one a look, newest last; see `edge_agent.scanners.lens`."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.is_open = False
        self.looks = 0
        self._pictures: deque[bytes] = deque()
        self._out = self._in = -1
        self.is_plugged_in = True

    def open(self, path: Path) -> FakeLens:
        """Open it, as `open_lens` does."""
        if not self.is_plugged_in:
            raise LensIsGone(path=path, why="it is not there")
        self._out, self._in = os.pipe()
        self.is_open = True
        return self

    def show(self, picture: bytes) -> None:
        """Have it see a picture; it is looked at as soon as the thread comes to it."""
        self._pictures.append(picture)
        os.write(self._in, b".")

    def unplug(self) -> None:
        self.is_plugged_in = False
        os.write(self._in, b".")

    def fileno(self) -> int:
        return self._out

    @contextmanager
    def newest(self) -> Iterator[memoryview | None]:
        os.read(self._out, 1)
        if not self.is_plugged_in:
            raise OSError(19, "No such device")
        view = memoryview(bytearray(self._pictures.popleft()))
        yield view
        view.release()
        self.looks += 1

    def close(self) -> None:
        self.is_open = False
        os.close(self._out)
        os.close(self._in)


@contextlib.asynccontextmanager
async def watching(scanner: Scanner) -> AsyncIterator[list[Reading]]:
    """Watch a scanner and collect what it reads."""
    readings: list[Reading] = []

    async def take() -> None:
        async for reading in scanner.readings():
            readings.append(reading)  # noqa: PERF401 - one by one, as they come

    tasks = [asyncio.create_task(scanner.watch()), asyncio.create_task(take())]
    try:
        yield readings
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

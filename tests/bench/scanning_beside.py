"""`python -m tests.bench.scanning_beside SCENE`: the agent's camera, before pictures from memory.

Another process gives the beat, ten a second, so that what is counted here is the scanner alone.
"""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Final

from PIL import Image, ImageChops

from edge_agent.scanners.camera import Camera
from edge_agent.scanners.intake import Intake
from edge_agent.scanners.lens import FRAMES_SECOND, Layout, PixelFormat
from tests.bench.pictures import _a_counter
from tests.rim.camera_kit import SIZE, layout_of
from tests.rim.scanner_kit import a_photograph, a_token

TICKET_EACH: Final = 40
"""Pictures between two customers: four seconds."""

TICKET_STAYS: Final = 20
"""Pictures for which a ticket is held: two seconds, two of which it still moves."""

_BEAT = f"import os, time\nwhile True:\n  os.write(1, b'.')\n  time.sleep({1 / FRAMES_SECOND})"


class FromMemory:
    """A lens whose pictures lie ready; see `edge_agent.scanners.lens.Lens`."""

    def __init__(self, pictures: Sequence[bytes], beat: int) -> None:
        self.layout: Layout = layout_of(PixelFormat.GREY)
        self._pictures = cycle([bytearray(picture) for picture in pictures])
        self._beat = beat

    def fileno(self) -> int:
        return self._beat

    @contextmanager
    def newest(self) -> Iterator[memoryview | None]:
        os.read(self._beat, 64)
        with memoryview(next(self._pictures)) as view:
            yield view

    def close(self) -> None:
        os.close(self._beat)


def scene(name: str) -> list[bytes]:
    """Return the pictures of a scene, which are shown over and over."""
    empty = [_noisy(_a_counter(1), number) for number in range(10)]
    if name == "empty":
        return empty
    if name == "customers":
        tickets = [_ticket(number) for number in range(4)]
        empties = empty * (TICKET_EACH // len(empty))
        return [picture for ticket in tickets for picture in (*empties[TICKET_STAYS:], *ticket)]
    coat = Image.effect_noise((40, 30), 90).resize((900, 700), Image.Resampling.BICUBIC)
    dice = Random(1)
    corners = [(dice.randint(0, 200), dice.randint(0, 200)) for _ in range(30)]
    return [coat.crop((x, y, x + SIZE[0], y + SIZE[1])).tobytes() for x, y in corners]


def _ticket(number: int) -> list[bytes]:
    """Return a ticket that comes from below and then is held, with a sensor's noise."""
    held = a_photograph(a_token(number), seed=number).convert("L")
    coming = [ImageChops.offset(held, 0, away) for away in (240, 90)]
    staying = [_noisy(held, noise) for noise in range(5)]
    times = TICKET_STAYS // len(staying)
    return [*(picture.tobytes() for picture in coming), *(staying * times)][:TICKET_STAYS]


def _noisy(picture: Image.Image, seed: int) -> bytes:
    noise = Image.frombytes("L", SIZE, Random(seed).randbytes(SIZE[0] * SIZE[1]))
    return Image.blend(picture, noise, 0.03).tobytes()


async def main(name: str) -> None:
    pictures = scene(name)
    words = [sys.executable, "-c", _BEAT]
    with subprocess.Popen(  # noqa: ASYNC220 - before anything
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as beat:
        assert beat.stdout is not None
        lens = FromMemory(pictures, beat.stdout.fileno())
        intake = Intake("camera", seconds=time.monotonic)
        camera = Camera(
            Path("/dev/video0"), intake, seconds=time.monotonic, open_lens=lambda _: lens
        )
        gc.freeze()
        watching = asyncio.create_task(camera.watch())
        print("ready", flush=True)
        async for _ in camera.readings():
            camera.settled()
        await watching


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

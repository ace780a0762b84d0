"""Inside the virtual machine: run one scanner as the agent runs it, and tell what happens.

`scanners_guest.py KIND PATH [FORMAT]`; a line of JSON each: `appeared`, `there`, `read`, `gone`.
A camera is fed here, too: `scanners_guest.py feed DEVICE FORMAT FILE SECONDS`.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import struct
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

HERE = Path(__file__).parents[2]
sys.path[:0] = [str(HERE / "site"), str(HERE)]

LOOK_SECONDS = 0.05
FRAMES_SECOND = 10
_S_FMT, _VIDEO_OUTPUT, _FORMAT_BYTES = 0xC0D05605, 2, 208


def tell(event: str, **more: Any) -> None:
    print(f"TOLD {json.dumps({'event': event, 'at': time.monotonic(), **more})}", flush=True)


def feed(device: str, fourcc: str, file: str, seconds: float) -> None:
    """Write one picture into a loopback camera, ten times a second."""
    raw = Path(file).read_bytes()
    per_pixel = 2 if fourcc == "YUYV" else 1
    number = int.from_bytes(fourcc.encode(), "little")
    pix = struct.pack("<12I", 640, 480, number, 1, 640 * per_pixel, len(raw), 8, 0, 0, 0, 0, 0)
    told = struct.pack("<Q", _VIDEO_OUTPUT) + pix
    handle = os.open(device, os.O_RDWR)
    fcntl.ioctl(handle, _S_FMT, bytearray(told.ljust(_FORMAT_BYTES, b"\0")))
    os.write(handle, raw)
    tell("feeding")
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        os.write(handle, raw)
        time.sleep(1 / FRAMES_SECOND)


async def watch(kind: str, path: Path) -> None:
    """Watch a scanner as the entrance does, for ever."""
    import structlog  # noqa: PLC0415 - who feeds a camera needs nothing of ours, and starts sooner

    from edge_agent.entrance import Entrance  # noqa: PLC0415 - as above
    from edge_agent.scanners.making import scanners_of  # noqa: PLC0415 - as above
    from edge_agent.scanners.reading import Viewfinder  # noqa: PLC0415 - as above
    from edge_agent.settings import scanners as settings  # noqa: PLC0415 - as above

    def tell_log(_logger: object, _name: str, line: Any) -> str:
        words = {"scanner there": "there", "scanner gone": "gone"}
        tell(words.get(line["event"], line["event"]), why=str(line.get("why", "")))
        raise structlog.DropEvent

    structlog.configure(processors=[tell_log])
    kinds: dict[str, Any] = {
        "camera": settings.CameraScanner,
        "serial": settings.SerialScanner,
        "keyboard": settings.KeyboardScanner,
    }
    told = kinds[kind](kind=kind, path=path)
    state = Path(tempfile.gettempdir())
    (scanner,) = scanners_of([told], state, time.monotonic, Viewfinder())
    nobody = cast("Any", None)
    watching, reading = Entrance(nobody, nobody, [scanner], nobody, nobody).loops().values()
    reading.close()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(watching)
        tasks.create_task(_tell_readings(scanner))
        tasks.create_task(_tell_file(path))


async def _tell_readings(scanner: Any) -> None:
    async for reading in scanner.readings():
        scanner.settled()
        tell("read", text=reading.text)


async def _tell_file(path: Path) -> None:
    was_there = False
    while True:
        is_there = os.path.exists(path)  # noqa: ASYNC240, PTH110 - a look at /dev waits for nothing
        if is_there and not was_there:
            tell("appeared")
        was_there = is_there
        await asyncio.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    if sys.argv[1] == "feed":
        feed(sys.argv[2], sys.argv[3], sys.argv[4], float(sys.argv[5]))
    else:
        asyncio.run(watch(sys.argv[1], Path(sys.argv[2])))

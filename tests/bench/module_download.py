"""A module's archive fetched, verified, durable; beside aiohttp's bare download, and a bare socket.

The file is served by aiohttp from another process. The bare client writes what comes and syncs it
once; the bare socket also takes the digest. Ours compares each mebibyte as it comes, syncs each
eighth, and reads the whole once more at the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import random
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from common.messages.modules import CHUNK_BYTES
from common.system import SystemClock, SystemNames
from edge_agent.modules.download import Attempt, CutOff, DownloadTerms, Source
from edge_agent.modules.fetching import Fetching, FetchTerms
from edge_agent.modules.part import Archive, Part
from tests.bench.figures import Measured, at_least, at_most, compared
from tests.rim.lying import Server, archive_of, honest

MEBIBYTES: Final = 128
REPETITIONS: Final = 5

OURS, AIOHTTP, SOCKET = "module_download", "bare aiohttp", "read, hash, write, sync"
RESUMED, MISSING = "module_download_resumed", "missing bytes"

OURS_RATIO_MIN: Final = 0.8
RESUMED_RATIO_MAX: Final = 1.01

CUT_BYTES: Final = 20 * CHUNK_BYTES + CHUNK_BYTES // 2
"""Where a download is cut in the middle of a chunk, with over a hundred mebibytes missing."""

SERVER: Final = """
import sys
from aiohttp import web
app = web.Application()
app.router.add_get("/{any:.*}", lambda _: web.FileResponse(sys.argv[1]))
web.run_app(app, host="127.0.0.1", port=int(sys.argv[2]), print=None)
"""

CLOCK: Final = SystemClock()


async def measure() -> Measured:
    """Fetch the same file in three ways, in turns."""
    taken: dict[str, list[float]] = {name: [] for name in (OURS, AIOHTTP, SOCKET)}
    with tempfile.TemporaryDirectory(prefix="rusuban-bench-") as name:
        folder = Path(name)
        content = random.Random(1).randbytes(MEBIBYTES * CHUNK_BYTES)
        archive = archive_of(content)
        (folder / "served").write_bytes(content)
        async with _served(folder / "served") as url:
            for _ in range(REPETITIONS):
                for way, fetch in ((OURS, _ours), (AIOHTTP, _bare), (SOCKET, _by_socket)):
                    (folder / "got").unlink(missing_ok=True)
                    began = CLOCK.steady_seconds()
                    await fetch(url, archive, folder / "got")
                    taken[way].append(MEBIBYTES / (CLOCK.steady_seconds() - began))
                    assert (folder / "got").stat().st_size == len(content)
        asked, missing = await asyncio.to_thread(_resumed, content, archive, folder / "cut")
    promise = at_least(OURS_RATIO_MIN)
    return Measured(
        figures=(
            compared(OURS, taken[OURS], "MiB/s", taken[AIOHTTP], AIOHTTP, promise),
            compared(f"{OURS}_floor", taken[OURS], "MiB/s", taken[SOCKET], SOCKET, promise),
            compared(RESUMED, [asked], "MiB", [missing], MISSING, at_most(RESUMED_RATIO_MAX)),
        ),
        parts={"of so many MiB": MEBIBYTES},
    )


async def _ours(url: str, archive: Archive, file: Path) -> None:
    fetching = Fetching(
        Source(url=url),
        file,
        FetchTerms(budget_seconds=60),
        clock=CLOCK,
        names=SystemNames(),
        told=lambda _: None,
    )
    await fetching.fetch(lambda path: Part(path, archive))


async def _bare(url: str, archive: Archive, file: Path) -> None:
    async with aiohttp.ClientSession() as session, session.get(url + archive.path) as response:
        with file.open("wb") as opened:
            async for piece in response.content.iter_chunked(CHUNK_BYTES):
                opened.write(piece)
            opened.flush()
            os.fsync(opened.fileno())


async def _by_socket(url: str, archive: Archive, file: Path) -> None:
    await asyncio.to_thread(_read_all, url, archive, file)


def _read_all(url: str, archive: Archive, file: Path) -> None:
    place, buffer, found = urlsplit(url), bytearray(CHUNK_BYTES), hashlib.sha256()
    with socket.create_connection((place.hostname, place.port)) as line, file.open("wb") as opened:
        line.sendall(f"GET {archive.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        stream = line.makefile("rb", buffering=0)
        with stream:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += stream.read(1) or b""
            left = archive.length
            while left:
                came = stream.readinto(memoryview(buffer)[: min(left, CHUNK_BYTES)]) or 0
                piece = memoryview(buffer)[:came]
                found.update(piece)
                opened.write(piece)
                left -= came
        opened.flush()
        os.fsync(opened.fileno())
    assert found.hexdigest() == archive.sha256


def _resumed(content: bytes, archive: Archive, file: Path) -> tuple[float, float]:
    """Return how many bytes are asked for after a cut, and how many are missing, in mebibytes."""
    part = Part(file, archive)
    with Server(honest(content, CUT_BYTES), honest(content)).going() as server:
        for _ in range(2):
            attempt = Attempt(server.source, part, DownloadTerms(), CLOCK, lambda _: None)
            with contextlib.suppress(CutOff):
                attempt.go()
    assert part.is_whole
    assert part.is_as_signed()
    part.close()
    asked, missing = len(content) - server.asked[-1].start, len(content) - CUT_BYTES
    return asked / CHUNK_BYTES, missing / CHUNK_BYTES


@asynccontextmanager
async def _served(file: Path) -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, str(file), str(port)
    )
    try:
        await asyncio.to_thread(partial(_until_there, port))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


def _until_there(port: int) -> None:
    by = time.monotonic() + 20
    while time.monotonic() < by:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
    message = "the server did not come up"
    raise AssertionError(message)

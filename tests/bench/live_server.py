"""One of the servers that `live_page` compares: the controller's pages, or as little as will do.

It does what it is told by lines of its input, and answers each with a line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import selectors
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from typing_extensions import override

from cloud_controller.flows import offerings
from cloud_controller.ports import Received
from cloud_controller.web.app import listening_on, runner_of
from common.messages.offerings import OfferingOff, OfferingOn
from common.system import spare_what_stays
from tests.fakes.store import Offer
from tests.rim.web_kit import web_kit

OFFERINGS: Final = 20
"""What a chain of a few stores has on its page."""

SECONDS_A_ROUND: Final = 0.5
"""By how much the books' clock goes on each time: as long as a round takes."""

MINUTE_SECONDS: Final = 60

HEAD: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)

Tell = Callable[[], Awaitable[tuple[float, float]]]
"""Tells everybody something new; returns what this process had used, and when that began to be so:
after the commit, before the books are read again (seconds)."""


class Watched(selectors.DefaultSelector):
    """Notes how long the loop does one thing before everything else has its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.forget()

    def forget(self) -> None:
        """Begin to note anew."""
        self.longest_seconds = self.longest_own_seconds = 0.0
        self._left, self._left_own = time.monotonic(), time.thread_time()

    @override
    def select(self, timeout: float | None = None) -> Any:
        self.longest_seconds = max(self.longest_seconds, time.monotonic() - self._left)
        own = time.thread_time() - self._left_own
        self.longest_own_seconds = max(self.longest_own_seconds, own)
        found = super().select(timeout)
        self._left, self._left_own = time.monotonic(), time.thread_time()
        return found


async def ours(said: asyncio.StreamReader, watched: Watched, _: bytes) -> None:
    """Serve the pages over books with offerings, and turn a device of one off and on."""
    with tempfile.TemporaryDirectory(prefix="rusuban-bench-") as name:
        async with web_kit(Path(name), roles=frozenset({"web"})) as kit:
            offers = [Offer(title=f"Booth {n}", key=f"k{n}") for n in range(OFFERINGS)]
            opened = [await kit.store.open(each) for each in offers]
            kit.store.clock.move(MINUTE_SECONDS)  # no slot begins while it is measured
            is_on = True

            async def tell() -> tuple[float, float]:
                nonlocal is_on
                is_on = not is_on
                kind, flow = (
                    (OfferingOn, offerings.turn_on) if is_on else (OfferingOff, offerings.turn_off)
                )
                of = opened[0]
                message = kind(key=offers[0].key, device=of.devices[0])
                heard = Received(
                    terminal=of.terminal, epoch=of.epoch, seq=1, corr="c", message=message
                )
                kit.store.clock.move(SECONDS_A_ROUND)
                await kit.store.books.transact(flow, heard)
                return time.process_time(), time.monotonic()

            await _obey(said, watched, int(kit.url.rsplit(":", 1)[1]), tell)


async def bare_write(said: asyncio.StreamReader, watched: Watched, payload: bytes) -> None:
    """Write the same bytes to every line, one after the other."""
    lines: list[asyncio.WriteTransport] = []

    class Line(asyncio.Protocol):
        @override
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.WriteTransport)
            self.line = transport

        @override
        def data_received(self, data: bytes) -> None:
            self.line.write(HEAD + b"d\r\nevent: page\n\n\r\n")
            lines.append(self.line)

    async def tell() -> tuple[float, float]:
        began = time.process_time(), time.monotonic()
        for line in lines:
            line.write(payload)
        return began

    door = listening_on("127.0.0.1", 0, "none")
    server = await asyncio.get_running_loop().create_server(Line, sock=door)
    await _obey(said, watched, door.getsockname()[1], tell)
    server.close()


async def bare_sse(said: asyncio.StreamReader, watched: Watched, payload: bytes) -> None:
    """Write the same event to every answer, as one does with aiohttp."""
    answers: list[web.StreamResponse] = []
    event = payload.split(b"\r\n", 1)[1][:-2]

    async def watch(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"event: page\n\n")
        answers.append(response)
        await asyncio.Event().wait()
        return response

    async def tell() -> tuple[float, float]:
        began = time.process_time(), time.monotonic()
        for response in answers:
            await response.write(event)
        return began

    app = web.Application()
    app.router.add_get("/events", watch)
    runner = runner_of(app)
    await runner.setup()
    door = listening_on("127.0.0.1", 0, "none")
    await web.SockSite(runner, door).start()
    await _obey(said, watched, door.getsockname()[1], tell)


SERVERS: Final = {each.__name__: each for each in (ours, bare_write, bare_sse)}


async def _obey(said: asyncio.StreamReader, watched: Watched, port: int, tell: Tell) -> None:
    _answer(port=port)
    used = 0.0
    while line := await said.readline():
        match line.strip():
            case b"spare":
                spare_what_stays()
                _answer()
            case b"tell":
                watched.forget()
                used, began = await tell()
                _answer(began=began)
            case _:
                _answer(
                    used=time.process_time() - used,
                    block=watched.longest_seconds,
                    own_block=watched.longest_own_seconds,
                )


def _answer(**told: float) -> None:
    print(json.dumps(told), flush=True)


async def _main(kind: str, payload: bytes, watched: Watched) -> None:
    said = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(said), sys.stdin)
    await SERVERS[kind](said, watched, payload)


if __name__ == "__main__":
    selector = Watched()
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as going:
        going.run(_main(sys.argv[1], bytes.fromhex(sys.argv[2]), selector))

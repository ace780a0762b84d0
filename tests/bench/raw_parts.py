"""The parts of a start, each alone and bare, in the process where it happens; milliseconds."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import zxingcpp

from common.mqtt import Delivery, Link, LinkCallbacks, LinkSettings
from common.seals import check_document, new_signing_key, seal_document
from common.topics import Address, Channel, topic_of
from edge_agent.scanners.decoders import Frame
from tests.bench.raw_controller import ECHO, REDEEM, TERMINAL
from tests.bench.raw_journal import heard_scans, timed_commits
from tests.bench.stage import FirstByte
from tests.rim.broker_kit import secret_of

REQUEST_BYTES = 850
"""Bytes of a request that carries a scan, as the real one has them."""

ASK = b"." * 220 + b"\n"
"""As many bytes as the runner is asked for a start with."""

ANSWER_SECONDS_MAX = 5.0

Part = Callable[[Frame], Awaitable[float]]


@dataclass
class RawParts:
    """Everything beside the product that its parts are timed with."""

    journals: Iterator[float]
    link: Link
    runner: socket.socket
    first_byte: FirstByte
    heard: asyncio.Queue[tuple[float, bytes]]

    async def each(
        self, frames: Sequence[Frame], pause_seconds: float
    ) -> AsyncIterator[tuple[str, float]]:
        """Time all parts for each frame, after a pause one right behind the other, as in a scan."""
        parts: dict[str, Part] = {
            "decode": self.decode,
            "journal: two commits": self.commit_twice,
            "MQTT: there and back": self.echo,
            "controller: commit, sign": self.redeem,
            "terminal: verify": self.check_right,
            "runner: there and back": self.ask_runner,
        }
        for frame in frames:
            await asyncio.sleep(pause_seconds)
            for name, part in parts.items():
                yield name, await part(frame)
            committed, started = await self.start()
            yield "runner: commit", committed
            yield "runner: spawn to first byte", started

    async def decode(self, frame: Frame) -> float:
        picture = memoryview(frame.pixels).cast("B", (frame.height, frame.width))
        formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
        began = time.perf_counter()
        found = zxingcpp.read_barcodes(picture, formats=formats)
        took = _since(began)
        assert found
        return took

    async def commit_twice(self, _frame: Frame) -> float:
        """Run the statements of the scan's transaction, then of the right's, each durable."""
        return next(self.journals)

    async def echo(self, _frame: Frame) -> float:
        began = time.perf_counter()
        ended, _ = await self._ask(ECHO)
        return (ended - began) * 1000

    async def redeem(self, _frame: Frame) -> float:
        _, payload = await self._ask(REDEEM)
        return float(payload)

    async def check_right(self, _frame: Frame) -> float:
        key = new_signing_key(b"." * 32)
        document = {"right": "." * 300}
        signature, public = seal_document(document, key), key.public_key()
        began = time.perf_counter()
        check_document(document, signature, public)
        return _since(began)

    async def ask_runner(self, _frame: Frame) -> float:
        began = time.perf_counter()
        self.runner.sendall(ASK)
        heard = self.runner.recv(4096)
        took = _since(began)
        assert heard == ASK
        return took

    async def start(self) -> tuple[float, float]:
        """Return the runner's commit, and from the spawn to the program's first byte."""
        self.runner.sendall(b"start\n")
        came_at = await self.first_byte.came_at()
        committed, spawned_at = (await asyncio.to_thread(self.runner.recv, 4096)).split()
        return float(committed), (came_at - int(spawned_at)) / 1e6

    async def _ask(self, what: str) -> tuple[float, bytes]:
        address = Address(terminal=TERMINAL, channel=Channel.REQUESTS, tail=what)  # type: ignore[arg-type] # a name made up here
        assert self.link.publish(topic_of(address), b"." * REQUEST_BYTES, 1)
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            return await self.heard.get()


@asynccontextmanager
async def raw_parts(
    folder: Path, first_byte: FirstByte, program: list[str], count: int
) -> AsyncIterator[RawParts]:
    """Start the two stand-ins, and end them afterwards."""
    await asyncio.to_thread(folder.mkdir)
    async with _beside("raw_controller", str(folder), str(count)) as (controller, first_line):
        async with _beside("raw_runner", str(folder), *program):
            heard: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
            link = await _connected(json.loads(first_line)["port"], heard)
            commits = timed_commits(folder / "journal.db", heard_scans(folder, count))
            with socket.socket(socket.AF_UNIX) as runner, commits as journals:
                runner.connect(str(folder / "raw-runner.sock"))
                yield RawParts(
                    journals=journals,
                    link=link,
                    runner=runner,
                    first_byte=first_byte,
                    heard=heard,
                )
            await link.stop()
        assert controller.returncode is None


@asynccontextmanager
async def _beside(module: str, *words: str) -> AsyncIterator[tuple[Process, bytes]]:
    """Run a stand-in as a process of its own; give it and its first line."""
    command = [sys.executable, "-m", f"tests.bench.{module}", *words]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert process.stdin
    assert process.stdout
    try:
        yield process, await process.stdout.readline()
    finally:
        process.stdin.close()
        with contextlib.suppress(ProcessLookupError, TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                await process.wait()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
            await process.wait()


async def _connected(port: int, heard: asyncio.Queue[tuple[float, bytes]]) -> Link:
    """Return a link of the made-up terminal, subscribed to its replies."""
    connected = asyncio.Event()

    def hear(delivery: Delivery) -> None:
        heard.put_nowait((time.perf_counter(), delivery.payload))
        link.acknowledge(delivery)

    def come(_session_present: object) -> None:
        link.subscribe([topic_of(Address(terminal=TERMINAL, channel=Channel.REPLIES))])  # type: ignore[arg-type] # a name made up here
        connected.set()

    link = Link(
        LinkSettings(host="127.0.0.1", port=port, name=TERMINAL, password=secret_of(TERMINAL)),
        LinkCallbacks(on_message=hear, on_connected=come),
        random=random.random,
        report=lambda where, fault: print(where, fault, file=sys.stderr),
    )
    await link.start()
    await connected.wait()
    return link


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000

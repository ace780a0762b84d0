"""A scanner on a serial line: a pair of pseudo terminals is the wire, closing one pulls it out."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from edge_agent import entrance
from edge_agent.entrance import SCANNER_AGAIN_SECONDS
from edge_agent.scanners.intake import Intake
from edge_agent.scanners.reading import ScannerIsGone
from edge_agent.scanners.serial import Serial
from edge_agent.scanners.standard_input import StandardInput
from edge_agent.settings.scanners import SerialScanner
from tests.rim.camera_kit import watching
from tests.rim.scanner_kit import a_token
from tests.waiting import until


class Wire:
    """A serial scanner below `by-id`, to be plugged in and pulled out."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "usb-Scanner_0001-if00"
        self._ours = -1

    def plug_in(self) -> None:
        self._ours, theirs = os.openpty()
        self.path.symlink_to(os.ttyname(theirs))
        os.close(theirs)

    def send(self, raw: bytes) -> None:
        os.write(self._ours, raw)

    def heard(self) -> bytes:
        return os.read(self._ours, 100)

    def pull_out(self) -> None:
        if self._ours >= 0:
            self.path.unlink()
            os.close(self._ours)
            self._ours = -1


@pytest.fixture
def wire(tmp_path):
    wire = Wire(tmp_path)
    yield wire
    wire.pull_out()


def on(wire: Wire, **more: str) -> Serial:
    settings = SerialScanner(kind="serial", path=wire.path, **more)  # type: ignore[arg-type] # as in a file
    seconds = time.monotonic
    return Serial(settings, Intake(settings.name, seconds=seconds), seconds=seconds)


async def test_a_code_comes_in_pieces_and_is_one_reading(wire):
    wire.plug_in()
    scanner = on(wire)
    async with watching(scanner) as readings:
        await until(lambda: scanner.counts.is_there)
        raw = f"\\000026{a_token()}\r\n".encode()
        for cut in range(0, len(raw), 17):
            wire.send(raw[cut : cut + 17])
            await asyncio.sleep(0)
        await until(lambda: bool(readings))
    assert [reading.text for reading in readings] == [a_token()]


async def test_a_scanner_that_waits_to_be_told_is_told_at_each_opening(wire):
    wire.plug_in()
    scanner = on(wire, trigger="\x16T\r")
    async with watching(scanner):
        await until(lambda: scanner.counts.is_there)
        assert wire.heard() == b"\x16T\r"


async def test_pulled_out_in_the_middle_of_a_code_it_comes_back_and_reads(wire):
    """Half a code of before is not the beginning of the first one after."""
    scanner = on(wire)
    with pytest.raises(ScannerIsGone, match="serial usb-Scanner_0001-if00 is gone: No such file"):
        await scanner.watch()
    wire.plug_in()
    watched = asyncio.create_task(scanner.watch())
    await until(lambda: scanner.counts.is_there)
    wire.send(a_token(1)[:70].encode())
    await asyncio.sleep(0.01)
    wire.pull_out()
    with pytest.raises(ScannerIsGone):
        await watched
    assert not scanner.counts.is_there
    wire.plug_in()
    async with watching(scanner) as readings:
        await until(lambda: scanner.counts.opened == 2)
        wire.send(f"{a_token(2)}\r".encode())
        await until(lambda: bool(readings))
    assert readings[0].text == a_token(2)
    assert SCANNER_AGAIN_SECONDS < 3


async def test_a_hundred_codes_a_second_are_judged_or_counted_and_stop_nothing(wire):
    wire.plug_in()
    scanner = on(wire)
    async with watching(scanner) as readings:
        await until(lambda: scanner.counts.is_there)
        for number in range(300):
            wire.send(f"{a_token(number)}\r".encode())
            if number % 3 == 0:
                await asyncio.sleep(0.001)
        await until(lambda: scanner.counts.frames == 300)
        scanner.settled()
        wire.send(b"the last one\r")
        await until(lambda: len(readings) == 2)
    assert (scanner.counts.decoded, scanner.counts.busy) == (2, 299)


async def test_a_scanner_that_is_missing_is_told_of_once_and_read_when_it_is_plugged_in(
    wire, monkeypatch
):
    monkeypatch.setattr(entrance, "SCANNER_AGAIN_SECONDS", 0.005)
    scanner, nobody = on(wire), cast("Any", None)
    door = entrance.Entrance(nobody, nobody, [scanner], nobody, nobody)
    watching_it, reading = door.loops().values()
    reading.close()
    with capture_logs() as logs:
        watched = asyncio.create_task(watching_it)
        await asyncio.sleep(0.05)
        wire.plug_in()
        await until(lambda: scanner.counts.is_there)
        wire.pull_out()
        await until(lambda: not scanner.counts.is_there)
        await asyncio.sleep(0.05)
        wire.plug_in()
        await until(lambda: scanner.counts.opened == 2)
        watched.cancel()
        await asyncio.gather(watched, return_exceptions=True)
    told = [line["event"] for line in logs]
    assert told[:3] == ["scanner gone", "scanner there", "scanner gone"]
    assert told[-1] == "scanner there"
    assert len(told) <= 5, "pulled out is one fault, not there any more another"


async def test_standard_input_is_read_a_code_a_line_to_its_end():
    ours, theirs = os.pipe()
    seconds = time.monotonic
    scanner = StandardInput(Intake("standard input", seconds=seconds), seconds=seconds, file=ours)
    try:
        async with watching(scanner) as readings:
            os.write(theirs, b"first\n")
            await until(lambda: len(readings) == 1)
            scanner.settled()
            os.write(theirs, b"last, and nothing behind it")
            os.close(theirs)
            await until(lambda: len(readings) == 2)
            assert scanner.counts.is_there
    finally:
        os.close(ours)
    assert [reading.text for reading in readings] == ["first", "last, and nothing behind it"]

"""A picture put into the folder is read once, and a bad file is told and does no harm."""

from __future__ import annotations

import asyncio
import io
import os
import struct
import time
import zlib
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from PIL import Image, ImageOps

from cloud_controller.web.qr import ticket_png
from edge_agent.scanners import image
from edge_agent.scanners.image import ImageFolder, NothingFound, Unreadable, read_picture
from edge_agent.scanners.reading import (
    READINGS_WAITING_MAX,
    Reading,
    ScannerIsGone,
    WaitingReadings,
)
from tests.demo.photograph import as_png
from tests.rim.scanner_kit import a_photograph, a_token, put
from tests.waiting import PATIENCE_SECONDS, until

# --- Files ----------------------------------------------------------------------------------


def png_of_size(width: int, height: int) -> bytes:
    """Return a small PNG file whose head promises this many pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "bmp"])
def test_a_picture_of_each_kind_is_read(tmp_path, kind):
    file = tmp_path / f"ticket.{kind}"
    a_photograph(a_token(), colour=True).save(file)
    reading = read_picture(file, time.perf_counter)
    assert isinstance(reading, Reading)
    assert reading.text == a_token()


def test_a_code_on_nothing_lies_on_white_paper(tmp_path):
    modules = Image.open(io.BytesIO(ticket_png(a_token(), module_pixels=6))).convert("L")
    clear = Image.new("LA", modules.size)
    clear.putalpha(ImageOps.invert(modules))
    clear.save(tmp_path / "ticket.png")
    reading = read_picture(tmp_path / "ticket.png", time.perf_counter)
    assert isinstance(reading, Reading)
    assert reading.text == a_token()


def test_a_picture_without_a_code_has_nothing_in_it(tmp_path):
    file = tmp_path / "wall.png"
    Image.new("RGB", (640, 480), "white").save(file)
    assert read_picture(file, time.perf_counter) == NothingFound(file=file)


@pytest.mark.parametrize(
    ("name", "raw", "why"),
    [
        ("empty.png", b"", "it is not one of PNG, JPEG, WEBP, BMP"),
        ("text.png", b"no picture at all", "it is not one of PNG, JPEG, WEBP, BMP"),
        ("bomb.png", png_of_size(6_325, 6_325), "it has too many pixels"),
        ("long.png", png_of_size(image.SIDE_PIXELS_MAX + 1, 1), "it has too many pixels"),
        ("large.png", bytes(image.FILE_BYTES_MAX + 1), "it has more than 20000000 bytes"),
        ("huge.png", png_of_size(60_000, 60_000), "it has too many pixels"),
    ],
)
def test_a_file_is_refused_that_is(tmp_path, name, raw, why):
    file = tmp_path / name
    file.write_bytes(raw)
    assert read_picture(file, time.perf_counter) == Unreadable(file=file, why=why)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "bmp"])
def test_half_a_file_is_refused(tmp_path, kind, part):
    whole = io.BytesIO()
    a_photograph(a_token()).save(whole, kind)
    file = tmp_path / f"half.{kind}"
    file.write_bytes(whole.getvalue()[: int(len(whole.getvalue()) * part)])
    assert isinstance(read_picture(file, time.perf_counter), Unreadable)


def test_a_picture_with_any_bytes_changed_never_raises(tmp_path, seed):
    dice = Random(seed)
    whole = as_png(a_photograph(a_token()).resize((160, 120)))
    file = tmp_path / "changed.png"
    for _ in range(200):
        changed = bytearray(whole)
        for _ in range(dice.randint(1, 8)):
            changed[dice.randrange(len(changed))] = dice.randrange(256)
        file.write_bytes(changed)
        read_picture(file, time.perf_counter)


def test_what_is_no_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    for name in ("pipe.png", "folder.png"):
        file = tmp_path / name
        assert read_picture(file, time.perf_counter) == Unreadable(
            file=file, why="it is not a file"
        )


def test_a_file_that_is_not_there_is_told(tmp_path):
    file = tmp_path / "gone.png"
    found = read_picture(file, time.perf_counter)
    assert found == Unreadable(file=file, why="No such file or directory")


def test_a_file_that_may_not_be_read_is_told(tmp_path):
    file = tmp_path / "secret.png"
    put(file, a_token())
    file.chmod(0)
    with as_nobody():
        found = read_picture(file, time.perf_counter)
    assert found == Unreadable(file=file, why="Permission denied")


@contextmanager
def as_nobody():
    """Do something without root's rights, which no file can be kept from."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


# --- The watched folder ---------------------------------------------------------------------


@dataclass(kw_only=True)
class Watched:
    """A folder under watch, what it reported and how to take its next reading."""

    scanner: ImageFolder
    reports: list[NothingFound | Unreadable] = field(default_factory=list)

    async def next_text(self) -> str:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return (await anext(self.scanner.readings())).text


@asynccontextmanager
async def watched(folder: Path):
    reports: list[NothingFound | Unreadable] = []
    scanner = ImageFolder(folder, seconds=time.perf_counter, report=reports.append)
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(scanner.watch(), name="scanner")
        yield Watched(scanner=scanner, reports=reports)
        watching.cancel()


async def test_what_lies_in_the_folder_at_start_is_read_once(tmp_path):
    put(tmp_path / "early.png", a_token(1))
    async with watched(tmp_path) as folder:
        assert await folder.next_text() == a_token(1)
        put(tmp_path / "late.png", a_token(2))
        assert await folder.next_text() == a_token(2)


async def test_a_file_that_comes_while_the_folder_is_first_looked_at_is_read_once(tmp_path):
    for n in range(20):
        put(tmp_path / f"{n:02}.png", a_token(n))
    async with watched(tmp_path) as folder:
        assert await folder.next_text() == a_token(0)
        put(tmp_path / "between.png", a_token(99))
        texts = [await folder.next_text() for _ in range(20)]
        assert texts == [a_token(n) for n in (*range(1, 20), 99)]


async def test_a_slow_writer_is_waited_for(tmp_path):
    whole = ticket_png(a_token(1), module_pixels=4)
    async with watched(tmp_path) as folder:
        put(tmp_path / "first.png", a_token(0))
        assert await folder.next_text() == a_token(0)
        with (tmp_path / "slow.png").open("wb") as slow:
            slow.write(whole[:200])
            slow.flush()
            put(tmp_path / "quick.png", a_token(2))
            assert await folder.next_text() == a_token(2)
            slow.write(whole[200:])
        assert await folder.next_text() == a_token(1)
        assert folder.reports == []


async def test_each_file_put_there_is_a_reading_of_its_own(tmp_path):
    async with watched(tmp_path) as folder:
        for name in ("one.png", "two.png", "one.png"):
            put(tmp_path / name, a_token())
            assert await folder.next_text() == a_token()


async def test_half_written_and_foreign_names_are_left_alone(tmp_path):
    async with watched(tmp_path) as folder:
        for name in (".hidden.png", "ticket.png.part", "notes.txt", "ticket"):
            (tmp_path / name).write_bytes(ticket_png(a_token(1), module_pixels=4))
        put(tmp_path / "ticket.PNG", a_token(2))
        assert await folder.next_text() == a_token(2)
        assert folder.reports == []


async def test_a_bad_file_is_told_and_the_next_one_is_read(tmp_path):
    async with watched(tmp_path) as folder:
        (tmp_path / "bad.png").write_bytes(b"no picture")
        Image.new("L", (64, 64)).save(tmp_path / "black.png")
        put(tmp_path / "good.png", a_token())
        assert await folder.next_text() == a_token()
        bad = Unreadable(file=tmp_path / "bad.png", why="it is not one of PNG, JPEG, WEBP, BMP")
        assert folder.reports == [bad, NothingFound(file=tmp_path / "black.png")]


async def test_a_burst_of_100_files_is_read_to_the_last_when_somebody_takes_them(tmp_path):
    async with watched(tmp_path) as folder:
        for n in range(100):
            put(tmp_path / f"{n:03}.png", a_token(n))
        assert [await folder.next_text() for _ in range(100)] == [a_token(n) for n in range(100)]
        assert folder.scanner.counts.busy == 0


async def test_a_burst_of_100_files_is_dropped_and_counted_when_nobody_does(tmp_path):
    async with watched(tmp_path) as folder:
        for n in range(100):
            put(tmp_path / f"{n:03}.png", a_token(n))
        await until(lambda: folder.scanner.counts.busy == 100 - READINGS_WAITING_MAX)
        kept = [await folder.next_text() for _ in range(READINGS_WAITING_MAX)]
        assert kept == [a_token(n) for n in range(READINGS_WAITING_MAX)]


@pytest.mark.alone
async def test_a_large_picture_does_not_hold_up_the_loop(tmp_path):
    Image.effect_noise((6000, 5000), 60).save(tmp_path / "large.jpg")
    async with watched(tmp_path) as folder:
        longest = 0.0
        while not folder.reports:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - began)
    assert folder.reports == [NothingFound(file=tmp_path / "large.jpg")]
    assert longest < 0.5


async def test_a_scanner_whose_folder_is_removed_is_gone(tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    put(folder / "ticket.png", a_token())
    scanner = ImageFolder(folder, seconds=time.perf_counter, report=unheard)
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(expect_gone(scanner), name="scanner")
        await anext(scanner.readings())
        (folder / "ticket.png").unlink()
        folder.rmdir()
        assert await watching == "The scanner image folder scans is gone: its folder was removed."


async def test_a_scanner_without_a_folder_is_gone(tmp_path):
    scanner = ImageFolder(tmp_path / "scans", seconds=time.perf_counter, report=unheard)
    sentence = await expect_gone(scanner)
    assert sentence == "The scanner image folder scans is gone: No such file or directory."


def unheard(_: NothingFound | Unreadable) -> None:
    pass


async def expect_gone(scanner: ImageFolder) -> str:
    with pytest.raises(ScannerIsGone) as gone:
        await scanner.watch()
    return str(gone.value)


def test_a_full_queue_takes_no_more_and_counts():
    waiting = WaitingReadings()
    reading = Reading(text="RSB1", decoder="zxing", milliseconds=1.0)
    assert all(waiting.offer(reading) for _ in range(READINGS_WAITING_MAX))
    assert not waiting.offer(reading)
    assert waiting.busy_count == 1

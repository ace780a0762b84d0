"""A camera is read where its pictures lie; what stays still costs nothing, and is still read."""

from __future__ import annotations

import asyncio
import io
import threading
import time
from functools import partial
from itertools import count

import pytest
from PIL import Image

from common.rules.scanners import HINT_LOOKS, ScannerHint
from edge_agent.scanners.camera import Camera
from edge_agent.scanners.counting import Counts
from edge_agent.scanners.intake import Intake
from edge_agent.scanners.lens import Layout, LensIsGone, PixelFormat, open_lens
from edge_agent.scanners.looking import (
    HURRIED_SECONDS,
    PATIENT_AFTER,
    SAVED_SECONDS_MAX,
    Eye,
    frame_of,
)
from edge_agent.scanners.movement import ANYWAY_SECONDS, LOOKS_AFTER
from edge_agent.scanners.reading import PREVIEW_SIZE, Reading, ScannerIsGone, Viewfinder
from tests.rim.camera_kit import FakeLens, laid_out, layout_of, watching
from tests.rim.damaged import damaged
from tests.rim.held import HELD, a_counter, held
from tests.rim.scanner_kit import a_photograph, a_token
from tests.waiting import until

GREY = layout_of(PixelFormat.GREY)
FRAME_SECONDS = 0.1


class Scene:
    """An eye before which pictures are held, ten a second of a clock that the test turns."""

    def __init__(self, layout: Layout = GREY, *, look_seconds: float = 0.0) -> None:
        self.layout = layout
        self.now = 100.0
        self.busy_seconds = count(0.0, look_seconds)
        self.counts = Counts()
        self.is_looked_at = False
        self.eye = Eye(
            layout,
            self.counts,
            seconds=lambda: self.now,
            busy_seconds=lambda: next(self.busy_seconds),
            is_looked_at=lambda: self.is_looked_at,
        )

    def see(self, picture: Image.Image | bytes):
        self.now += FRAME_SECONDS
        raw = picture if isinstance(picture, bytes) else laid_out(picture, self.layout)
        return self.eye.see(memoryview(bytearray(raw)))

    def see_for(self, seconds: float, picture: Image.Image):
        raw = laid_out(picture, self.layout)
        return [self.see(raw) for _ in range(round(seconds / FRAME_SECONDS))]


# --- Where a picture lies ---------------------------------------------------------------------


@pytest.mark.parametrize("padding", [0, 64])
@pytest.mark.parametrize("pixels", PixelFormat)
def test_a_ticket_is_read_however_a_camera_lays_its_pictures_out(pixels, padding):
    scene = Scene(layout_of(pixels, padding))
    seen = scene.see(a_photograph(a_token(3), seed=3))
    assert seen.reading is not None
    assert seen.reading.text == a_token(3)


def test_plain_grey_is_looked_at_where_it_lies():
    raw = bytearray(laid_out(a_photograph(a_token()), GREY))
    frame = frame_of(memoryview(raw), GREY)
    assert isinstance(frame.pixels, memoryview)
    assert frame.pixels.obj is raw


@pytest.mark.parametrize("pixels", PixelFormat)
def test_a_broken_picture_is_counted_and_does_no_harm(pixels):
    scene = Scene(layout_of(pixels))
    for raw in (b"", b"\xff\xd8\xff", bytes(1_000)):
        assert scene.see(raw).reading is None
    assert scene.counts.broken == 3
    assert scene.see(a_photograph(a_token())).reading is not None


def test_a_picture_that_says_it_is_larger_than_any_camera_is_a_broken_one():
    """Else whoever plugs such a camera in ends the agent, again and again."""
    scene, file = Scene(layout_of(PixelFormat.MJPG)), io.BytesIO()
    Image.new("L", (640, 480)).save(file, "JPEG")
    raw = file.getvalue()
    size = (480).to_bytes(2) + (640).to_bytes(2)
    assert raw.count(size) == 1
    assert scene.see(raw.replace(size, b"\xff\xdc\xff\xdc")).reading is None
    assert scene.counts.broken == 1


# --- When it is looked at -----------------------------------------------------------------------


def test_where_nothing_moves_nothing_is_decoded():
    scene = Scene()
    scene.see_for(2, a_counter(1))
    before = scene.counts.looked_at
    noisy = [laid_out(a_counter(1, noise=number), GREY) for number in range(5)]
    for number in range(100):
        scene.see(noisy[number % 5])
    assert scene.counts.looked_at - before <= 100 * FRAME_SECONDS / ANYWAY_SECONDS + 1


def test_a_still_code_that_has_just_come_is_read():
    scene = Scene()
    scene.see_for(20, a_counter(1))
    reading = scene.see(a_photograph(a_token(5), seed=5)).reading
    assert reading is not None
    assert reading.text == a_token(5)


def test_a_lens_has_a_second_to_find_its_focus():
    scene = Scene()
    scene.see_for(20, a_counter(1))
    ticket = partial(a_photograph, a_token(5), seed=5)
    for blur in (8.0, 7.8):
        assert scene.see(ticket(blur=blur)).reading is None
    found = [scene.see(ticket(blur=blur)).reading for blur in (6.0, 4.0, 2.0, 1.0)]
    assert any(reading is not None for reading in found)


def test_a_hard_code_is_read_by_the_patient_readers_a_moment_later():
    scene = Scene()
    scene.see_for(0.2, a_counter(1))
    hard = laid_out(a_photograph(a_token(5), seed=5, blur=2.4, noise=14, light=0.7), GREY)
    found = [scene.see(hard).reading for _ in range(PATIENT_AFTER + 1)]
    read_by = [reading.decoder for reading in found if reading is not None]
    assert read_by[0] != "zxing"
    assert found[0] is None


def test_a_code_that_lies_still_is_told_again_without_being_looked_at():
    scene = Scene()
    raw = laid_out(a_photograph(a_token(5), seed=5), GREY)
    assert scene.see(raw).reading is not None
    for _ in range(LOOKS_AFTER):
        scene.see(raw)
    before = scene.counts.looked_at
    again = [scene.see(raw).reading for _ in range(18)]
    assert sum(reading is not None for reading in again) >= 3
    assert scene.counts.looked_at - before <= 2


def test_light_that_changes_everywhere_alike_is_no_movement():
    scene = Scene()
    counter = a_counter(1)
    scene.see_for(2, counter)
    before = scene.counts.looked_at
    for number in range(20):
        scene.see(counter.point(lambda level, by=number: level + by / 2))
    assert scene.counts.looked_at - before <= 2


def test_what_moves_all_day_costs_no_more_than_was_saved_for_it_and_hides_no_ticket():
    """A coat before the lens for a minute; each look takes ten milliseconds of the processor."""
    scene = Scene(look_seconds=0.01)
    coat = Image.effect_noise((40, 30), 90).resize((700, 540), Image.Resampling.BICUBIC)
    raws = [laid_out(coat.crop((x, x, x + 640, x + 480)), GREY) for x in (0, 20, 40)]
    for number in range(600):
        assert scene.see(raws[number % 3]).reading is None
    every_look = round(60 / HURRIED_SECONDS)
    assert scene.counts.looked_at <= every_look + SAVED_SECONDS_MAX / 0.01 + 10
    ticket = laid_out(a_photograph(a_token(5), seed=5), GREY)
    found = [scene.see(ticket).reading for _ in range(5)]
    assert any(reading is not None for reading in found)


# --- What it says -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", HELD)
def test_a_picture_that_cannot_be_read_says_why(kind):
    """Two of each kind here; `./dev prove scanners` counts how many of thirty are right."""
    for number in range(2):
        scene = Scene()
        scene.see_for(0.2, a_counter(number))
        hint = scene.see_for(0.1 * HINT_LOOKS, held(kind, number))[-1].hint
        assert hint in {HELD[kind][0], ScannerHint.READS}


def test_pictures_of_the_damaged_set_that_are_read_say_so():
    for kind in ("rotated", "faint", "small"):
        seen = Scene().see(damaged(kind, 7).picture)
        assert seen.reading is not None
        assert seen.reading.text == a_token(7)
        assert seen.hint is ScannerHint.READS


def test_what_stands_there_for_good_belongs_to_the_store():
    scene = Scene()
    poster = held("far", 1)
    scene.see_for(0.3, a_counter(1))
    assert scene.see_for(0.5, poster)[-1].hint is ScannerHint.TOO_FAR
    assert scene.see_for(10, poster)[-1].hint is ScannerHint.NOTHING


def test_a_hint_does_not_flicker():
    scene = Scene()
    scene.see_for(0.3, a_counter(1))
    far, blurred = (laid_out(held(kind, 1), GREY) for kind in ("far", "blurred"))
    hints = [scene.see(raw).hint for _ in range(20) for raw in (far, blurred)]
    assert hints == [ScannerHint.NOTHING] * 40
    assert HINT_LOOKS > 1


def test_a_small_picture_is_made_only_while_somebody_looks_and_five_times_a_second():
    scene = Scene()
    counter = a_counter(1)
    assert not any(seen.picture for seen in scene.see_for(1, counter))
    scene.is_looked_at = True
    pictures = [seen.picture for seen in scene.see_for(2, counter) if seen.picture]
    assert 9 <= len(pictures) <= 10
    with Image.open(io.BytesIO(pictures[0])) as small:
        assert (small.format, small.mode, small.size) == ("JPEG", "L", PREVIEW_SIZE)
    assert max(map(len, pictures)) < 8_000


# --- The thread that looks ----------------------------------------------------------------------


def a_camera(lens: FakeLens, viewfinder: Viewfinder | None = None) -> Camera:
    intake = Intake("camera 0", seconds=time.monotonic, viewfinder=viewfinder)
    return Camera("/dev/video0", intake, seconds=time.monotonic, open_lens=lens.open)  # type: ignore[arg-type] # a lens of the tests


async def test_pictures_from_a_file_are_read_through_the_same_code(tmp_path):
    """A recording of a camera: an empty counter, a ticket that comes and stays, and goes."""
    file = tmp_path / "recording.grey"
    pictures = [*(a_counter(1, noise=n) for n in range(4)), *[a_photograph(a_token(2))] * 6]
    file.write_bytes(b"".join(laid_out(picture, GREY) for picture in pictures))
    lens = FakeLens(GREY)
    camera = a_camera(lens)
    async with watching(camera) as readings:
        await until(lambda: lens.is_open)
        with file.open("rb") as recording:
            while raw := recording.read(640 * 480):
                lens.show(raw)
        await until(lambda: lens.looks == len(pictures))
        await until(lambda: bool(readings))
    assert [reading.text for reading in readings] == [a_token(2)]
    assert isinstance(readings[0], Reading)
    assert (camera.counts.frames, camera.counts.decoded) == (10, 1)
    assert camera.counts.same_again == 5


async def test_a_camera_that_is_pulled_out_is_gone_and_comes_back():
    lens, viewfinder = FakeLens(GREY), Viewfinder()
    camera = a_camera(lens, viewfinder)
    lens.is_plugged_in = False
    with pytest.raises(ScannerIsGone, match="The scanner camera 0 is gone: it is not there"):
        await camera.watch()
    lens.is_plugged_in = True
    watched = asyncio.create_task(camera.watch())
    await until(lambda: camera.counts.is_there)
    lens.unplug()
    with pytest.raises(ScannerIsGone, match="No such device"):
        await watched
    assert not camera.counts.is_there
    assert viewfinder.seen["camera 0"].hint is ScannerHint.AWAY
    lens.is_plugged_in = True
    async with watching(camera) as readings:
        await until(lambda: camera.counts.opened == 2)
        lens.show(laid_out(a_photograph(a_token()), GREY))
        await until(lambda: bool(readings))


async def test_nothing_of_a_camera_is_left_when_it_is_watched_no_more():
    lens = FakeLens(GREY)
    camera = a_camera(lens)
    async with watching(camera):
        await until(lambda: lens.is_open)
        names = [thread.name for thread in threading.enumerate()]
        assert "camera 0" in names
    assert not lens.is_open
    await until(lambda: "camera 0" not in [thread.name for thread in threading.enumerate()])


def test_what_is_no_camera_is_told_in_a_sentence(tmp_path):
    file = tmp_path / "video0"
    file.write_bytes(b"no camera")
    with pytest.raises(LensIsGone, match="it is no camera"):
        open_lens(file)
    with pytest.raises(FileNotFoundError):
        open_lens(tmp_path / "video1")

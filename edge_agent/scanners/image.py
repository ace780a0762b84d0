"""Read codes from picture files, named or put into a folder; a bad file is told, never raised."""

from __future__ import annotations

import asyncio
import io
import stat
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from asyncinotify import Event, Inotify, Mask
from PIL import Image, UnidentifiedImageError

from common.errors import RusubanError
from edge_agent.scanners.counting import Counts
from edge_agent.scanners.decoders import Frame, decode
from edge_agent.scanners.intake import bounded
from edge_agent.scanners.reading import Reading, ScannerIsGone, WaitingReadings

FILE_BYTES_MAX: Final = 20_000_000
"""Bytes; a phone's photograph has 3 to 12 million."""

PICTURE_PIXELS_MAX: Final = 40_000_000
"""Pixels; a small file may unfold into more than the memory has. In grey this is 40 MB."""

SIDE_PIXELS_MAX: Final = 16_384
"""Pixels; the longest side that every reader takes."""

FORMATS: Final = ("PNG", "JPEG", "WEBP", "BMP")

SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp"})
"""What a picture's name ends with; anything else in the folder may be half written."""

_MASK = Mask.CLOSE_WRITE | Mask.MOVED_TO | Mask.MOVE_SELF | Mask.DELETE_SELF | Mask.ONLYDIR
"""A file is whole when its writer has closed it or moved it here."""

_GONE = Mask.DELETE_SELF | Mask.MOVE_SELF | Mask.IGNORED

_TOO_LARGE = "it has too many pixels"


class PictureIsUnreadable(RusubanError):
    """The picture cannot be read: {why}."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NothingFound:
    """A good picture without a code in it."""

    file: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreadable:
    """A file that is no picture we take, and why in words."""

    file: Path
    why: str


def read_picture(file: Path, seconds: Callable[[], float]) -> Reading | NothingFound | Unreadable:
    """Return the code in a picture file; blocks while it reads, for up to a second or two.

    Args:
        file: a PNG, JPEG, WebP or BMP within the limits above.
        seconds: a clock that only grows; the reading's time is that of the decoding alone.
    """
    try:
        frame = _load(file)
    except PictureIsUnreadable as fault:
        return Unreadable(file=file, why=str(fault.facts["why"]))
    return decode(frame, seconds) or NothingFound(file=file)


class ImageFolder:
    """The scanner that reads each picture put into a folder, also those already there at start.

    A person put each file there, so each is a reading of its own, whatever was read before it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        seconds: Callable[[], float],
        report: Callable[[NothingFound | Unreadable], None],
    ) -> None:
        self.name = bounded(f"image folder {folder.name}")
        self.counts = Counts()
        self._folder = folder
        self._seconds = seconds
        self._report = report
        self._waiting = WaitingReadings()

    def settled(self) -> None:
        """Do nothing: a person put each file there, so none has to wait for the one before."""

    def readings(self) -> AsyncIterator[Reading]:
        """Return the readings as they come; for one taker at a time."""
        return self._waiting.taken()

    async def watch(self) -> None:
        """Read the pictures of the folder until cancelled.

        Raises:
            ScannerIsGone: the folder is not there, or not any more.
        """
        try:
            with Inotify() as inotify:
                await self._watch(inotify)
        except OSError as fault:
            raise ScannerIsGone(name=self.name, why=fault.strerror) from fault
        finally:
            self.counts.is_there = False

    async def _watch(self, inotify: Inotify) -> None:
        """Watch first, then look what is there already, so that nothing falls in between."""
        inotify.add_watch(self._folder, _MASK)
        self.counts.opened += 1
        self.counts.is_there = True
        already_read = set()
        for file in sorted(self._folder.iterdir()):
            already_read.add(_identity(file))
            await self._take(file)
        async for event in inotify:
            new = self._file_of(event)
            if new and _identity(new) not in already_read:
                await self._take(new)

    def _file_of(self, event: Event) -> Path | None:
        if event.mask & Mask.Q_OVERFLOW:
            self._report(Unreadable(file=self._folder, why="too many files came at once"))
            return None
        if event.mask & _GONE:
            raise ScannerIsGone(name=self.name, why="its folder was removed")
        return event.path

    async def _take(self, file: Path) -> None:
        """Read one file in a thread, so that a large picture holds up nothing else."""
        if not _is_a_pictures_name(file):
            return
        result = await asyncio.to_thread(read_picture, file, self._seconds)
        self._count(result)
        if not isinstance(result, Reading):
            self._report(result)
        elif not self._waiting.offer(result):
            self.counts.busy += 1

    def _count(self, result: Reading | NothingFound | Unreadable) -> None:
        self.counts.frames += 1
        self.counts.looked_at += 1
        self.counts.decoded += isinstance(result, Reading)
        self.counts.broken += isinstance(result, Unreadable)
        if isinstance(result, Reading):
            self.counts.milliseconds += result.milliseconds


def _identity(file: Path) -> tuple[str, int, int] | None:
    """Return what tells one writing of a file from the next, None when it is gone."""
    try:
        status = file.stat()
    except OSError:
        return None
    return file.name, status.st_ino, status.st_mtime_ns


def _is_a_pictures_name(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".")


def _load(file: Path) -> Frame:
    """Return the picture in grey, checking each limit before the step that it bounds."""
    try:
        with Image.open(io.BytesIO(_bytes_of(file)), formats=FORMATS) as picture:
            _check_size(picture)
            return _in_grey(picture)
    except PictureIsUnreadable:
        raise
    except UnidentifiedImageError as fault:
        raise PictureIsUnreadable(why=f"it is not one of {', '.join(FORMATS)}") from fault
    except Image.DecompressionBombError as fault:
        raise PictureIsUnreadable(why=_TOO_LARGE) from fault
    except OSError as fault:
        raise PictureIsUnreadable(why=fault.strerror or "it is broken") from fault
    except Exception as fault:  # Pillow lets through whatever its parsers meet in a stranger's file
        raise PictureIsUnreadable(why="it is broken") from fault


def _bytes_of(file: Path) -> bytes:
    """Return the whole file; a pipe or device would never end, and is not opened."""
    if not stat.S_ISREG(file.stat().st_mode):
        raise PictureIsUnreadable(why="it is not a file")
    with file.open("rb") as opened:
        raw = opened.read(FILE_BYTES_MAX + 1)
    if len(raw) > FILE_BYTES_MAX:
        raise PictureIsUnreadable(why=f"it has more than {FILE_BYTES_MAX} bytes")
    return raw


def _check_size(picture: Image.Image) -> None:
    """Look at the size its head states, before anything is unfolded."""
    too_many = picture.width * picture.height > PICTURE_PIXELS_MAX
    if too_many or max(picture.size) > SIDE_PIXELS_MAX:
        raise PictureIsUnreadable(why=_TOO_LARGE)


def _in_grey(picture: Image.Image) -> Frame:
    """Return the picture on white paper, in grey; a JPEG is asked for nothing but grey."""
    picture.draft("L", picture.size)
    if picture.has_transparency_data:
        grey, alpha = picture.convert("RGBA").convert("LA").split()
        grey = Image.composite(grey, Image.new("L", picture.size, "white"), alpha)
    else:
        grey = picture.convert("L")
    return Frame(width=grey.width, height=grey.height, pixels=grey.tobytes())

"""An opened camera: where its pictures lie in memory, and how they are laid out there.

Law: whatever is V4L2 is here; of the camera's controls none is touched, the exposure least of all.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol

from common.errors import RusubanError

WIDTH: Final = 640
HEIGHT: Final = 480
"""Pixels: enough for a code of a third of the picture, and few enough for ten a second."""

FRAMES_SECOND: Final = 10

BUFFERS: Final = 3
"""One that is looked at, one that is full, one that fills."""

PIXELS_MAX: Final = 4_096 * 3_072
"""Pixels; what a driver says beyond this is none of a camera."""


class PixelFormat(StrEnum):
    """How the grey of a picture lies in memory; the best for us first."""

    GREY = "GREY"
    NV12 = "NV12"
    """The grey first, a byte a pixel; then the colours, which nobody reads."""
    YU12 = "YU12"
    YUYV = "YUYV"
    """Grey and colour in turns."""
    MJPG = "MJPG"
    """Each picture is a JPEG; only where the camera has nothing else."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Where in a picture's bytes its grey pixels are."""

    width: int
    height: int
    bytes_per_line: int
    pixels: PixelFormat
    frames_second: float = FRAMES_SECOND

    def __post_init__(self) -> None:
        """Refuse what no camera gives."""
        assert 0 < self.width * self.height <= PIXELS_MAX
        assert self.pixels is PixelFormat.MJPG or self.bytes_per_line >= self.width


class LensIsGone(RusubanError):
    """No picture comes from {path}: {why}."""


class Lens(Protocol):
    """A camera that gives pictures."""

    @property
    def layout(self) -> Layout:
        """How they are laid out."""

    def fileno(self) -> int:
        """Return what is readable when one has come."""

    def newest(self) -> AbstractContextManager[memoryview | None]:
        """Give the picture that came last, where it lies, until it is left; None: none has come.

        Raises:
            OSError: the camera is gone.
        """

    def close(self) -> None:
        """Let go of it."""


def open_lens(path: Path) -> Lens:
    """Open a V4L2 camera and have it send pictures.

    Raises:
        LensIsGone: it is not there, is no camera, or has nothing that we can read.
        OSError: it does not let us.
    """
    return _V4l2Lens(path, _video())


def _video() -> Any:  # noqa: ANN401 - the library says little of its own types
    """Return the library that speaks V4L2: 13 MB that only a terminal with a camera loads.

    Raises:
        LensIsGone: it is not installed.
    """
    try:
        from linuxpy.video import device as video  # noqa: PLC0415 - see above
    except ImportError as fault:
        raise LensIsGone(path="V4L2", why="install rusuban[camera]") from fault
    return video


class _V4l2Lens:
    """A camera whose pictures its driver writes into memory that both see."""

    def __init__(self, path: Path, video: Any) -> None:  # noqa: ANN401 - as above
        self._video = video
        self._kind = video.BufferType.VIDEO_CAPTURE
        self._memory = video.Memory.MMAP
        self._maps: list[mmap.mmap] = []
        self._file = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            self._check(path)
            self.layout = self._agree(path)
            self._start()
        except BaseException:
            self.close()
            raise

    def fileno(self) -> int:
        return self._file

    @contextmanager
    def newest(self) -> Iterator[memoryview | None]:
        full = self._take_newest()
        if full is None:
            yield None
            return
        picture = memoryview(self._maps[full.index])[: full.bytesused]
        try:
            yield picture
        finally:
            picture.release()
            self._give_back(full)

    def close(self) -> None:
        if self._maps:
            with contextlib.suppress(OSError):  # unplugged: there is nothing to stop
                self._video.stream_off(self._file, self._kind)
        for memory in self._maps:
            memory.close()
        self._maps = []
        os.close(self._file)

    def _check(self, path: Path) -> None:
        able = self._video.Capability
        try:
            capabilities = self._video.read_capabilities(self._file)
        except OSError as fault:
            raise LensIsGone(path=path, why="it is no camera") from fault
        needed = able.VIDEO_CAPTURE | able.STREAMING
        if capabilities.device_caps & needed != needed:
            raise LensIsGone(path=path, why="it is no camera that streams")

    def _agree(self, path: Path) -> Layout:
        """Ask for grey in our size; take what the driver makes of it."""
        video = self._video
        offered = {
            video.human_pixel_format(int(each.pixel_format))
            for each in video.iter_read_formats(self._file, self._kind)
        }
        for pixels in PixelFormat:
            if pixels.value in offered:
                video.set_format(self._file, self._kind, WIDTH, HEIGHT, pixel_format=pixels.value)
                return self._layout(pixels)
        why = f"it gives only {', '.join(sorted(offered)) or 'nothing'}"
        raise LensIsGone(path=path, why=why)

    def _layout(self, pixels: PixelFormat) -> Layout:
        video, fastest = self._video, float(FRAMES_SECOND)
        with contextlib.suppress(OSError):  # some cannot be told, or asked
            video.set_fps(self._file, self._kind, FRAMES_SECOND)
            fastest = float(video.get_fps(self._file, self._kind))
        kept = video.get_raw_format(self._file, self._kind).fmt.pix
        per_pixel = 2 if pixels is PixelFormat.YUYV else 1
        return Layout(
            width=kept.width,
            height=kept.height,
            bytes_per_line=max(kept.bytesperline, per_pixel * kept.width),
            pixels=pixels,
            frames_second=fastest,
        )

    def _start(self) -> None:
        video, count = self._video, BUFFERS
        self._maps = video.create_mmap_buffers(self._file, self._kind, self._memory, count)
        video.enqueue_buffers(self._file, self._kind, self._memory, count)
        video.stream_on(self._file, self._kind)

    def _take_newest(self) -> Any:  # noqa: ANN401 - as above
        """Take all that are full and give back all but the last; None when there is none."""
        newest = None
        for _ in range(len(self._maps)):
            try:
                full = self._video.dequeue_buffer(self._file, self._kind, self._memory)
            except OSError as fault:
                if fault.errno == errno.EAGAIN:
                    break
                raise
            if newest is not None:
                self._give_back(newest)
            newest = full
        if newest is not None and newest.flags & self._video.BufferFlag.ERROR:
            self._give_back(newest)
            return None
        return newest

    def _give_back(self, full: Any) -> None:  # noqa: ANN401 - as above
        with contextlib.suppress(OSError):  # unplugged: the next look finds it gone
            self._video.enqueue_buffer(self._file, self._kind, self._memory, 0, full.index)


def cameras(folder: Path = Path("/dev/v4l/by-id")) -> Sequence[Path]:
    """Return the paths of what may be cameras, those that stay the same before all others."""
    by_id = sorted(folder.glob("*")) if folder.is_dir() else []
    named = {path.resolve() for path in by_id}
    dev = folder.parent.parent
    others = sorted(path for path in dev.glob("video*") if path.resolve() not in named)
    return [*by_id, *others]

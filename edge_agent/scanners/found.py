"""Answer `edge-agent scanners`: what there is to read from, in words, and a live test of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import zxingcpp

from common.errors import CannotStart
from common.words import hint_words_for
from edge_agent.ports import ScannerSeen
from edge_agent.scanners.hygiene import Scanned, ShortCode, hygiene
from edge_agent.scanners.layouts import CALIBRATION_CODE
from edge_agent.scanners.lens import cameras
from edge_agent.scanners.making import scanners_of
from edge_agent.scanners.reading import Reading, Scanner, ScannerIsGone, Viewfinder
from edge_agent.settings.scanners import AnyScanner, CameraScanner, SerialScanner

AGAIN_SECONDS: Final = 1.0
"""How often the live test looks for a scanner that is not there."""

GROUPS: Final = {"camera": "video", "serial": "dialout", "keyboard": "input"}
"""The group that may use each kind, on Debian and most others."""

CALIBRATION_SCALE: Final = 8
"""Pixels a module: large enough to be scanned from a screen."""

_TEXT_SHOWN_MAX = 60

Kind = Literal["camera", "serial", "keyboard"]
Write = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A file below /dev that may be a scanner; `is_ours` says whether this user may use it."""

    kind: Kind
    path: Path
    title: str
    is_ours: bool


class CodeIsNotDrawn(CannotStart):
    """The calibration code cannot be drawn into {file}: {why}."""


def look_for_scanners(root: Path = Path("/")) -> list[Found]:
    """Return what may be a scanner, each once, by the path that stays the same if it has one."""
    serial = root / "dev/serial/by-id"
    keyboards = root / "dev/input/by-id"
    files: Sequence[tuple[Kind, Sequence[Path]]] = (
        ("camera", cameras(root / "dev/v4l/by-id")),
        ("serial", [*sorted(serial.glob("*")), *_unnamed_serial(root / "dev", serial)]),
        ("keyboard", sorted(keyboards.glob("*-event-kbd"))),
    )
    return [
        Found(
            kind=kind,
            path=path,
            title=_title(root, kind, path),
            is_ours=os.access(path, os.R_OK if kind == "keyboard" else os.R_OK | os.W_OK),
        )
        for kind, paths in files
        for path in paths
    ]


def tell_found(found: Sequence[Found], settings: Sequence[AnyScanner], write: Write) -> int:
    """Write what was found and how it is told to the agent; return how many are in the settings."""
    paths = [getattr(each, "path", None) for each in settings]
    used = {path.resolve() for path in paths if path is not None}
    for each in found:
        is_used = each.path.resolve() in used
        write(f"{each.kind}  {each.path}  {each.title}".rstrip())
        write(f"    {_state(each, is_used=is_used)}")
    missing = [path for path in paths if path is not None and not path.exists()]
    for path in missing:
        write(f"{path} is in the settings and not there: plug it in, or put its path right.")
    if not found:
        write("Nothing was found that could be a scanner: is it plugged in?")
    return len(used) - len(missing)


def write_calibration(file: Path) -> None:
    """Draw the code by which a scanner that types is taught its layout, as a PNG.

    Raises:
        CodeIsNotDrawn: the file cannot be written.
    """
    from PIL import Image, ImageOps  # noqa: PLC0415 - for this alone

    drawn = zxingcpp.create_barcode(CALIBRATION_CODE, zxingcpp.BarcodeFormat.QRCode)
    picture = Image.fromarray(drawn.to_image(scale=CALIBRATION_SCALE))
    try:
        ImageOps.expand(picture, 4 * CALIBRATION_SCALE, 255).save(file, "PNG")
    except (OSError, ValueError) as fault:
        raise CodeIsNotDrawn(file=file, why=fault) from fault


def to_try(found: Sequence[Found]) -> list[AnyScanner]:
    """Return settings for what can be tried without any; never a keyboard: it may be yours."""
    return [
        CameraScanner(kind="camera", path=each.path)
        if each.kind == "camera"
        else SerialScanner(kind="serial", path=each.path)
        for each in found
        if each.kind != "keyboard"
    ]


async def try_scanners(
    settings: Sequence[AnyScanner],
    state_folder: Path,
    seconds: Callable[[], float],
    write: Write,
) -> None:
    """Write what each scanner sees and reads, until cancelled."""
    viewfinder = Viewfinder()
    scanners = scanners_of(settings, state_folder, seconds, viewfinder)
    if not scanners:
        write("There is nothing to try: name a scanner in the settings.")
        return

    def tell_hint(seen: ScannerSeen) -> None:
        if seen.picture is None:
            words = hint_words_for(seen.hint, "en")
            write(f"{seen.scanner}: {words.what} {words.next}")

    write("Hold a ticket to each scanner; Ctrl-C ends it.")
    with viewfinder.looking(tell_hint):
        async with asyncio.TaskGroup() as tasks:
            for scanner in scanners:
                tasks.create_task(_keep_watched(scanner, write), name=f"watch {scanner.name}")
                tasks.create_task(_tell_readings(scanner, write), name=f"read {scanner.name}")


async def _keep_watched(scanner: Scanner, write: Write) -> None:
    why = ""
    while True:
        try:
            await scanner.watch()
        except ScannerIsGone as fault:
            if str(fault) != why:
                why = str(fault)
                write(why)
        await asyncio.sleep(AGAIN_SECONDS)


async def _tell_readings(scanner: Scanner, write: Write) -> None:
    async for reading in scanner.readings():
        scanner.settled()
        write(f"{scanner.name}: {_told(reading)}")


def _told(reading: Reading) -> str:
    found = hygiene(reading.text)
    what = f"no ticket ({getattr(found, 'why', '')})"
    if isinstance(found, Scanned):
        what = "a ticket"
    elif isinstance(found, ShortCode):
        what = "a short code"
    shown = reading.text[:_TEXT_SHOWN_MAX]
    took = f", {reading.milliseconds:.1f} ms" if reading.milliseconds else ""
    return f"read {what}: {shown} ({len(reading.text)} characters, by {reading.decoder}{took})"


def _state(each: Found, *, is_used: bool) -> str:
    if not each.is_ours:
        return (
            f"This user may not use it: add it to the group {GROUPS[each.kind]}, "
            "and see systemd/README.md, A camera or a scanner."
        )
    if is_used:
        return "It is in the settings."
    return f'To use it: [[scanners]] kind = "{each.kind}", path = "{each.path}"'


def _unnamed_serial(dev: Path, by_id: Path) -> Iterator[Path]:
    named = {path.resolve() for path in by_id.glob("*")}
    for pattern in ("ttyACM*", "ttyUSB*"):
        yield from (path for path in sorted(dev.glob(pattern)) if path.resolve() not in named)


def _title(root: Path, kind: Kind, path: Path) -> str:
    """Return what the kernel calls a camera; the others have their name in their path."""
    if kind != "camera":
        return ""
    with suppress(OSError):
        file = root / "sys/class/video4linux" / path.resolve().name / "name"
        return "".join(filter(str.isprintable, file.read_text("utf-8", "replace").strip()))[:80]
    return ""

"""The scanners that the settings name, each made and none yet opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from edge_agent.scanners.intake import Intake
from edge_agent.scanners.reading import Scanner, Viewfinder
from edge_agent.settings.scanners import (
    AnyScanner,
    CameraScanner,
    ImageScanner,
    KeyboardScanner,
    SerialScanner,
)


def scanners_of(
    settings: Sequence[AnyScanner],
    state_folder: Path,
    seconds: Callable[[], float],
    viewfinder: Viewfinder,
) -> list[Scanner]:
    """Return the scanners; what one of them needs is loaded only where there is one.

    Args:
        settings: which there are.
        state_folder: where what a scanner was taught is kept.
        seconds: a clock that only grows.
        viewfinder: where they show what they see.
    """
    return [_made(each, state_folder, seconds, viewfinder) for each in settings]


def _made(
    told: AnyScanner, folder: Path, seconds: Callable[[], float], viewfinder: Viewfinder
) -> Scanner:
    if isinstance(told, ImageScanner):
        return _image_folder(told, seconds)
    intake = Intake(told.name, seconds=seconds, viewfinder=viewfinder)
    if isinstance(told, CameraScanner):
        from edge_agent.scanners.camera import Camera  # noqa: PLC0415 - only where there is one

        return Camera(told.path, intake, seconds=seconds)
    if isinstance(told, SerialScanner):
        from edge_agent.scanners.serial import Serial  # noqa: PLC0415 - as above

        return Serial(told, intake, seconds=seconds)
    if isinstance(told, KeyboardScanner):
        from edge_agent.scanners.keyboard import US_LAYOUT, Keyboard  # noqa: PLC0415 - as above
        from edge_agent.scanners.layouts import Layout, layout_file  # noqa: PLC0415 - as above

        layout = Layout(US_LAYOUT, layout_file(folder, told.path.name))
        return Keyboard(told.path, intake, layout)
    from edge_agent.scanners.standard_input import StandardInput  # noqa: PLC0415 - as above

    return StandardInput(intake, seconds=seconds)


def _image_folder(told: ImageScanner, seconds: Callable[[], float]) -> Scanner:
    from edge_agent.scanners.image import ImageFolder  # noqa: PLC0415 - as above

    log = structlog.get_logger("agent")
    return ImageFolder(
        told.folder,
        seconds=seconds,
        report=lambda what: log.warning("picture not read", why=str(what)),
    )

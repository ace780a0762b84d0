"""Whoever installs a terminal is told what scanners it has, in words, and can try them."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest
from PIL import Image

from edge_agent.scanners.found import (
    CodeIsNotDrawn,
    look_for_scanners,
    tell_found,
    to_try,
    try_scanners,
    write_calibration,
)
from edge_agent.scanners.image import read_picture
from edge_agent.scanners.layouts import CALIBRATION_CODE
from edge_agent.scanners.reading import Reading
from edge_agent.settings import AgentSettings
from edge_agent.settings.scanners import CameraScanner, SerialScanner
from tests.rim.scanner_kit import a_token
from tests.waiting import until


@pytest.fixture
def pc(tmp_path: Path) -> Path:
    """A PC with a camera, an unnamed one, a serial scanner and one that types."""
    for folder in ("dev/v4l/by-id", "dev/serial/by-id", "dev/input/by-id"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("video0", "video2", "ttyACM0", "ttyUSB0", "event3"):
        (tmp_path / "dev" / name).touch()
    names = tmp_path / "sys/class/video4linux/video0"
    names.mkdir(parents=True)
    (names / "name").write_text("Counter\x1b Cam\n")
    for link, to in (
        ("v4l/by-id/usb-Cam-video-index0", "video0"),
        ("serial/by-id/usb-Scanner-if00", "ttyACM0"),
        ("input/by-id/usb-Wedge-event-kbd", "event3"),
    ):
        (tmp_path / "dev" / link).symlink_to(tmp_path / "dev" / to)
    return tmp_path


def told(pc: Path, settings=()) -> str:
    lines: list[str] = []
    tell_found(look_for_scanners(pc), settings, lines.append)
    return "\n".join(lines)


def test_each_thing_is_found_once_by_the_path_that_stays(pc):
    paths = [each.path.relative_to(pc / "dev").as_posix() for each in look_for_scanners(pc)]
    assert paths == [
        "v4l/by-id/usb-Cam-video-index0",
        "video2",
        "serial/by-id/usb-Scanner-if00",
        "ttyUSB0",
        "input/by-id/usb-Wedge-event-kbd",
    ]


def test_what_is_found_is_told_with_the_lines_for_the_settings(pc):
    camera = pc / "dev/v4l/by-id/usb-Cam-video-index0"
    words = told(pc)
    assert f"camera  {camera}  Counter Cam" in words
    assert f'To use it: [[scanners]] kind = "camera", path = "{camera}"' in words
    used = [CameraScanner(kind="camera", path=pc / "dev/video0")]
    assert f"{camera}  Counter Cam\n    It is in the settings." in told(pc, used)


def test_what_may_not_be_used_says_which_group_may(pc, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    for group in ("video", "dialout", "input"):
        assert f"add it to the group {group}" in told(pc)


def test_what_is_in_the_settings_and_not_there_is_told(pc):
    gone = [SerialScanner(kind="serial", path=pc / "dev/ttyACM9")]
    assert "ttyACM9 is in the settings and not there" in told(pc, gone)


def test_a_pc_without_anything_says_so(tmp_path):
    assert told(tmp_path) == "Nothing was found that could be a scanner: is it plugged in?"


def test_without_settings_nobody_s_keyboard_is_grabbed(pc):
    assert {scanner.kind for scanner in to_try(look_for_scanners(pc))} == {"camera", "serial"}


def test_the_calibration_code_is_drawn_so_that_it_is_read(tmp_path):
    file = tmp_path / "layout.png"
    write_calibration(file)
    reading = read_picture(file, time.perf_counter)
    assert isinstance(reading, Reading)
    assert reading.text == CALIBRATION_CODE
    with Image.open(file) as picture:
        assert picture.width > 200
    with pytest.raises(CodeIsNotDrawn, match="The calibration code cannot be drawn"):
        write_calibration(tmp_path / "nowhere" / "layout.png")


async def test_the_live_test_says_what_each_scanner_sees_and_reads(tmp_path):
    ours, theirs = os.openpty()
    settings = [SerialScanner(kind="serial", path=Path(os.ttyname(theirs)))]
    os.close(theirs)
    lines: list[str] = []
    trying = asyncio.create_task(try_scanners(settings, tmp_path, time.monotonic, lines.append))
    await until(lambda: any("Ready for your ticket." in line for line in lines))
    os.write(ours, f"{a_token()}\r0123-45678-G\rwhat\r".encode())
    await until(lambda: any("read a ticket: RSB1" in line for line in lines))
    os.close(ours)
    await until(lambda: any("is gone" in line for line in lines))
    trying.cancel()
    await asyncio.gather(trying, return_exceptions=True)
    assert "(144 characters, by text)" in "\n".join(lines)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"folder": "/x"}, "image"),
        ({"kind": "image", "folder": "/x"}, "image"),
        ({"kind": "camera", "path": "/dev/video0"}, "camera"),
        ({"kind": "serial", "path": "/dev/x", "trigger": "\x16T\r"}, "serial"),
        ({"kind": "keyboard", "path": "/dev/x"}, "keyboard"),
        ({"kind": "standard_input"}, "standard_input"),
    ],
)
def test_each_kind_of_scanner_can_be_told_in_the_settings(told, kind):
    runner = {"socket": "/r", "state_folder": "/s", "catalogue": "/c"}
    settings = AgentSettings.model_validate(
        {"state_folder": "/a", "runner": runner, "scanners": [told]}
    )
    assert settings.scanners[0].kind == kind
    assert settings.scanners[0].name


@pytest.mark.parametrize(
    "told",
    [
        {"kind": "fax", "path": "/x"},
        {"kind": "camera"},
        {"kind": "camera", "path": "/x", "folder": "/y"},
        {"kind": "serial", "path": "/x", "trigger": "あ"},
    ],
)
def test_what_no_scanner_is_told_is_refused(told):
    runner = {"socket": "/r", "state_folder": "/s", "catalogue": "/c"}
    with pytest.raises(ValueError, match="scanners"):
        AgentSettings.model_validate({"state_folder": "/a", "runner": runner, "scanners": [told]})

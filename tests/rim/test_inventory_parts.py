"""The parts of a PC: graphics, displays, cameras, scanners, interfaces, disks, never guessed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from common.messages.specification import PARTS_MAX, Disk, Display, Gpu, Part
from edge_agent.inventory.displays import Edid, read_edid
from edge_agent.inventory.reading import ENTRIES_MAX
from tests.rim.inventory_kit import a_display, a_gpu, edid_of, machine_of, plant, sealed

JUNK = bytes(range(256)) * 2

PCI_IDS = b"""# List of PCI ID's
1002  Advanced Micro Devices, Inc. [AMD/ATI]
\t744c  Navi 31 [Radeon RX 7900 XT]
\t\t1002 0e3b  A subsystem
10de  NVIDIA Corporation
# a comment in between
\t1002  not of AMD
\t2684  AD102 [GeForce RTX 4090]
"""


# --- graphics --------------------------------------------------------------------------------


def test_a_gpu_is_known_by_its_numbers_its_model_and_its_memory(tmp_path: Path):
    plant(
        tmp_path,
        {
            **a_gpu("0000:03:00.0", "1002", "744c", mem_info_vram_total="25753026560"),
            **a_gpu("0000:04:00.0", "10de", "2684"),
            **a_gpu("0000:05:00.0", "8086", "a780"),
            "sys/bus/pci/devices/0000:00:00.0/class": "0x060000\n",
            "usr/share/misc/pci.ids": PCI_IDS,
        },
    )
    assert machine_of(tmp_path).gpus == (
        Gpu(
            name="1002:744c",
            model="Advanced Micro Devices, Inc. [AMD/ATI] Navi 31 [Radeon RX 7900 XT]",
            memory_bytes=25_753_026_560,
        ),
        Gpu(name="10de:2684", model="NVIDIA Corporation AD102 [GeForce RTX 4090]"),
        Gpu(name="8086:a780"),
    )


def test_the_drivers_own_word_for_a_gpu_comes_before_any_list(tmp_path: Path):
    information = "Model: \t\t NVIDIA GeForce RTX 4090\nIRQ:   \t\t 87\n"
    plant(
        tmp_path,
        {
            **a_gpu("0000:04:00.0", "10de", "2684"),
            "proc/driver/nvidia/gpus/0000:04:00.0/information": information,
            "usr/share/misc/pci.ids": PCI_IDS,
        },
    )
    assert [gpu.model for gpu in machine_of(tmp_path).gpus or ()] == ["NVIDIA GeForce RTX 4090"]


def test_a_gpu_that_does_not_say_its_numbers_is_still_one(tmp_path: Path):
    plant(tmp_path, a_gpu("0", "<>", "744c", mem_info_vram_total="much"))
    assert machine_of(tmp_path).gpus == (Gpu(name="unknown:744c"),)


def test_more_parts_than_a_specification_may_have_are_left_out(tmp_path: Path):
    for number in range(PARTS_MAX + 3):
        plant(tmp_path, a_gpu(f"{number}", "1002", f"{number:04x}"))
    gpus = machine_of(tmp_path).gpus
    assert gpus is not None
    assert [gpu.name for gpu in gpus] == [f"1002:{number:04x}" for number in range(PARTS_MAX)]


def test_a_folder_with_no_end_is_not_read_to_its_end(tmp_path: Path):
    folder = tmp_path / "sys/bus/pci/devices"
    folder.mkdir(parents=True)
    for number in range(ENTRIES_MAX + 10):
        (folder / f"{number}").touch()
    assert machine_of(tmp_path).gpus == ()


# --- displays --------------------------------------------------------------------------------


def test_a_display_says_its_own_resolution_and_size(tmp_path: Path):
    plant(tmp_path, a_display("card1-HDMI-A-1", edid_of(), modes="1920x1080\n"))
    plant(tmp_path, a_display("card1-DP-2", status="disconnected\n"))
    plant(tmp_path, a_display("card1-Writeback-1", status="unknown\n"))
    assert machine_of(tmp_path).displays == (
        Display(
            name="HDMI-A-1", width_pixels=2560, height_pixels=1440, width_mm=597, height_mm=336
        ),
    )


def test_connectors_without_a_display_are_no_displays(tmp_path: Path):
    plant(tmp_path, a_display("card0-DP-1", status="disconnected\n"))
    assert machine_of(tmp_path).displays == ()


def test_a_driver_without_a_connector_leaves_displays_unknown(tmp_path: Path):
    plant(tmp_path, {"sys/class/drm/card0/dev": "226:0\n", "sys/class/drm/version": "drm\n"})
    assert machine_of(tmp_path).displays is None


@pytest.mark.parametrize(
    "edid",
    [
        *(b"", JUNK, edid_of()[:127], b"\0" * 128),
        *(edid_of()[:-1] + b"\xff", b"\x01" + edid_of()[1:]),
    ],
)
def test_a_display_with_a_damaged_edid_is_there_and_its_size_unknown(tmp_path: Path, edid: bytes):
    plant(tmp_path, a_display("card0-DP-1", edid, modes="1024x768\n800x600\n"))
    assert machine_of(tmp_path).displays == (Display(name="DP-1"),)


@pytest.mark.parametrize(
    ("edid", "said"),
    [
        (edid_of() + JUNK, Edid(pixels=(2560, 1440), size_mm=(597, 336))),
        (edid_of(4095, 4095), Edid(pixels=(4095, 4095), size_mm=(597, 336))),
        (edid_of(1920, 540, last=0x80), Edid(pixels=(1920, 1080), size_mm=(597, 336))),
        (edid_of(size_mm=(0, 0)), Edid(pixels=(2560, 1440), size_mm=(600, 340))),
        (edid_of(size_mm=(16, 9)), Edid(pixels=(2560, 1440), size_mm=(600, 340))),
        (edid_of(0, 0), Edid(pixels=None, size_mm=(597, 336))),
        (sealed(edid_of()[:54]), Edid(pixels=None, size_mm=(600, 340))),
        (sealed(edid_of()[:20]), Edid()),
        (JUNK, None),
    ],
)
def test_an_edid_is_read_for_what_it_says_and_nothing_else(edid: bytes, said: Edid | None):
    assert read_edid(edid) == said


def test_a_display_whose_edid_names_no_timing_has_the_kernels_first_mode(tmp_path: Path):
    plant(tmp_path, a_display("card0-eDP-1", sealed(edid_of()[:54]), modes="1920x1200\n800x600\n"))
    assert machine_of(tmp_path).displays == (
        Display(name="eDP-1", width_pixels=1920, height_pixels=1200, width_mm=600, height_mm=340),
    )


@given(raw=st.binary(max_size=300), seed=st.integers(0, 127))
def test_no_edid_is_too_strange_to_be_read(raw: bytes, seed: int):
    read_edid(raw)
    read_edid(sealed((edid_of()[:8] + bytes([seed]) * 46 + raw)[:127]))


# --- cameras, scanners, interfaces, disks ----------------------------------------------------


def test_a_camera_counts_once_by_the_node_that_gives_pictures(tmp_path: Path):
    folder = "sys/class/video4linux"
    plant(
        tmp_path,
        {
            f"{folder}/video0/name": "Webcam C920\n",
            f"{folder}/video0/index": "0\n",
            f"{folder}/video1/name": "Webcam C920\n",
            f"{folder}/video1/index": "1\n",
            f"{folder}/video2/name": "a decoder\n",
            f"{folder}/video2/index": "0\n",
            f"{folder}/video2/dev": "81:2\n",
            "run/udev/data/c81:2": "S:v4l/x\nE:ID_V4L_CAPABILITIES=:video_output:\n",
            f"{folder}/video3/index": "1\n",
            f"{folder}/video3/dev": "81:3\n",
            "run/udev/data/c81:3": "E:ID_V4L_CAPABILITIES=:capture:\n",
            f"{folder}/v4l-subdev0/name": "a sensor\n",
            f"{folder}/v4l-subdev0/index": "0\n",
        },
    )
    assert machine_of(tmp_path).cameras == (Part(name="Webcam C920"), Part(name="video3"))


def test_scanners_are_serial_devices_keyboards_that_say_so_and_those_we_are_told_of(tmp_path: Path):
    folder = "sys/class/input"
    plant(tmp_path, {"dev/serial/by-id/usb-Honeywell_1-if00": ""})
    for number, (name, phys, key) in enumerate(
        [
            ("Symbol Bar Code Scanner", "usb-1/input0", "e080ffdf01cfffff"),
            ("Symbol Bar Code Scanner", "usb-1/input1", "1"),
            ("Symbol Bar Code Scanner", "usb-2/input0", "1"),
            ("A Scanner without keys", "usb-3/input0", "0"),
            ("AT Translated Set 2 keyboard", "isa/input0", "1"),
        ]
    ):
        seat = f"{folder}/input{number}"
        plant(tmp_path, {f"{seat}/name": name, f"{seat}/phys": phys})
        plant(tmp_path, {f"{seat}/capabilities/key": key})
    assert machine_of(tmp_path, ("image /srv/tickets",)).scanners == (
        Part(name="Symbol Bar Code Scanner"),
        Part(name="Symbol Bar Code Scanner"),
        Part(name="image /srv/tickets"),
        Part(name="usb-Honeywell_1-if00"),
    )


def test_an_agent_that_may_not_see_serial_devices_reads_their_names_in_udevs_notes(tmp_path: Path):
    notes = "S:serial/by-path/pci-0-usb-0:1\nS:serial/by-id/usb-Honeywell_1-if00\nE:ID_BUS=usb\n"
    plant(tmp_path, {"sys/class/tty/ttyACM0/dev": "166:0\n", "sys/class/tty/ttyS0/dev": "4:64\n"})
    plant(tmp_path, {"run/udev/data/c166:0": notes})
    assert machine_of(tmp_path).scanners == (Part(name="usb-Honeywell_1-if00"),)
    plant(tmp_path, {"sys/class/tty/ttyUSB0/dev": "188:0\n"})
    assert machine_of(tmp_path).scanners is None


def test_an_agent_that_may_not_see_serial_devices_does_not_say_there_are_none(tmp_path: Path):
    (tmp_path / "sys/class/tty/ttyS0").mkdir(parents=True)
    assert machine_of(tmp_path).scanners == ()
    (tmp_path / "sys/class/tty/ttyACM0").mkdir()
    assert machine_of(tmp_path).scanners is None
    assert machine_of(tmp_path, ("image tickets",)).scanners == (Part(name="image tickets"),)


def test_interfaces_and_disks_are_those_with_a_device_that_stays(tmp_path: Path):
    for name in ("net/eth0/device", "net/docker0", "net/lo"):
        (tmp_path / "sys/class" / name).mkdir(parents=True)
    plant(
        tmp_path,
        {
            "sys/block/nvme0n1/device/model": "Samsung SSD 980 1TB   \n",
            "sys/block/nvme0n1/size": "1953525168\n",
            "sys/block/nvme0n1/removable": "0\n",
            "sys/block/vda/device/vendor": "0x1af4",
            "sys/block/sdb/device/model": "a stick",
            "sys/block/sdb/removable": "1\n",
            "sys/block/sdc/device/model": "a reader without a card",
            "sys/block/sdc/size": "0\n",
            "sys/block/loop0/size": "8\n",
        },
    )
    said = machine_of(tmp_path)
    assert said.interfaces == (Part(name="eth0"),)
    assert said.disks == (
        Disk(name="Samsung SSD 980 1TB", size_bytes=1_000_204_886_016),
        Disk(name="vda"),
    )

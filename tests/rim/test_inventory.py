"""What this PC says it is: read from files, never guessed; each test plants the files of a PC."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import psutil
import pytest
from hypothesis import given, strategies as st

from common.messages.specification import DeviceFound, Display, MachineFound, Part, ProgramFound
from common.rules.specification import is_sealed
from edge_agent.inventory import FileDigests, look
from edge_agent.inventory.programs import programs_found
from edge_agent.inventory.reading import FILE_BYTES_MAX, TEXT_LENGTH_MAX
from edge_agent.runner.catalogue import Program
from tests.rim.inventory_kit import a_display, a_gpu, edid_of, machine_of, plant

JUNK = bytes(range(256)) * 2
LOOK_SECONDS_MAX = 1.0
NOBODY = 65_534


# --- the whole -------------------------------------------------------------------------------


@pytest.mark.alone
def test_a1_this_pc_is_told_in_well_under_a_second():
    device = DeviceFound(key="booth-1", title="Booth 1", program="shell")
    programs = {"shell": Program(argv=("/bin/sh",), environment={}, version="1")}
    began = perf_counter()
    said = look([device], programs, ["image tickets"])
    assert perf_counter() - began < LOOK_SECONDS_MAX
    assert is_sealed(said)
    assert said.devices == (device,)
    assert [(program.program, program.version) for program in said.programs] == [("shell", "1")]
    assert said.machine.memory_bytes == psutil.virtual_memory().total
    assert said.machine.cores == os.cpu_count()
    assert said.machine.architecture == platform.machine()
    assert Part(name="image tickets") in (said.machine.scanners or ())


def test_two_looks_at_the_same_pc_say_the_same():
    assert look((), {}) == look((), {})


def test_where_nothing_can_be_read_everything_is_unknown(tmp_path: Path):
    said = machine_of(tmp_path / "nothing")
    of_the_kernel = {"architecture", "cores", "memory_bytes"}
    assert said == MachineFound(**{name: getattr(said, name) for name in of_the_kernel})


def test_an_empty_system_has_no_parts_and_says_so(tmp_path: Path):
    for name in ("sys/class/net", "sys/block", "sys/bus/pci/devices"):
        (tmp_path / name).mkdir(parents=True)
    said = machine_of(tmp_path)
    assert (said.disks, said.gpus, said.cameras, said.scanners, said.interfaces) == ((),) * 5
    assert said.displays is None, "without a driver for displays there is nobody to ask"


def test_a_machine_says_who_made_it_and_what_it_runs(tmp_path: Path):
    plant(
        tmp_path,
        {
            "sys/class/dmi/id/sys_vendor": "  Micro-Star\x07 International \n",
            "sys/class/dmi/id/product_name": "MS-7E26\n",
            "sys/class/dmi/id/product_serial": "K9\n",
            "proc/sys/kernel/hostname": "booth-1\n",
            "proc/cpuinfo": "processor\t: 0\nmodel name\t: AMD Ryzen 7  7800X3D\n" * 16,
            "etc/os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12"\n',
        },
    )
    said = machine_of(tmp_path)
    assert (said.vendor, said.model, said.serial) == ("Micro-Star International", "MS-7E26", "K9")
    assert (said.hostname, said.system) == ("booth-1", "Debian GNU/Linux 12")
    assert said.processor == "AMD Ryzen 7 7800X3D"


def test_a_board_without_dmi_is_known_by_its_device_tree(tmp_path: Path):
    folder = "sys/firmware/devicetree/base"
    plant(tmp_path, {f"{folder}/model": "A Board 5\0", f"{folder}/serial-number": "00a1\0"})
    assert (machine_of(tmp_path).model, machine_of(tmp_path).serial) == ("A Board 5", "00a1")


@pytest.mark.parametrize(
    "said", ["To Be Filled By O.E.M.", "Default string", "None", "0000000", "0", "", " \n", JUNK]
)
def test_what_a_maker_left_in_is_unknown(tmp_path: Path, said: str | bytes):
    names = ("sys_vendor", "product_name", "product_serial")
    plant(tmp_path, {f"sys/class/dmi/id/{name}": said for name in names})
    machine = machine_of(tmp_path)
    assert (machine.vendor, machine.model, machine.serial) == (None, None, None)


def test_the_machine_id_itself_is_never_told(tmp_path: Path):
    """What is told is what `systemd-id128 machine-id --app-specific=` says on a PC with this id."""
    plant(tmp_path, {"etc/machine-id": "0123456789abcdef0123456789abcdef\n"})
    assert machine_of(tmp_path).machine_id == "3a3137ab157940fab794cac7e2e42a08"


@pytest.mark.parametrize("said", ["", "uninitialized\n", "0" * 32, "A" * 32, JUNK, "1" * 33])
def test_what_is_no_machine_id_is_unknown(tmp_path: Path, said: str | bytes):
    plant(tmp_path, {"etc/machine-id": said})
    assert machine_of(tmp_path).machine_id is None


@pytest.mark.parametrize("said", ["PRETTY_NAME='", "PRETTY_NAME=", "NAME=x", b"PRETTY_NAME=\x00"])
def test_a_system_without_a_name_is_unknown(tmp_path: Path, said: str | bytes):
    assert machine_of(plant(tmp_path, {"etc/os-release": said})).system is None


def test_a_text_is_one_printable_line_of_a_bounded_length(tmp_path: Path):
    plant(tmp_path, {"sys/class/dmi/id/product_name": "a\x1b[31m\r\n" + "ü" * 1000})
    model = machine_of(tmp_path).model
    assert model == "a [31m " + "ü" * (TEXT_LENGTH_MAX - 7)
    plant(tmp_path, {"sys/class/dmi/id/product_name": "x" * (FILE_BYTES_MAX + 1)})
    assert machine_of(tmp_path).model is None, "that is no name"


@given(junk=st.binary(max_size=300))
def test_whatever_the_files_hold_a_look_is_a_specification(tmp_path_factory: Any, junk: bytes):
    root = tmp_path_factory.mktemp("pc")
    plant(
        root,
        {
            **dict.fromkeys(a_gpu("0", "1002", "744c", mem_info_vram_total=""), junk),
            "sys/bus/pci/devices/1/class": b"0x03" + junk,
            "sys/bus/pci/devices/1/vendor": junk,
            "sys/bus/pci/devices/1/mem_info_vram_total": junk,
            "proc/driver/nvidia/gpus/1/information": b"Model:" + junk,
            "usr/share/misc/pci.ids": junk,
            **dict.fromkeys(a_display("card0-DP-1"), junk),
            "sys/class/drm/card0-DP-2/status": "connected",
            "sys/class/drm/card0-DP-2/edid": edid_of()[:100] + junk,
            "sys/class/drm/card0-DP-2/modes": junk,
            "sys/class/video4linux/video0/name": junk,
            "sys/class/video4linux/video0/index": "0",
            "sys/class/video4linux/video1/dev": junk,
            "sys/class/input/input0/name": b"scanner" + junk,
            "sys/class/input/input0/phys": junk,
            "sys/class/input/input0/capabilities/key": junk,
            "sys/block/sda/size": junk,
            "sys/block/sda/device/model": junk,
            "etc/os-release": b"PRETTY_NAME=" + junk,
            "etc/machine-id": junk,
            "proc/cpuinfo": b"model name:" + junk,
            "sys/class/dmi/id/sys_vendor": junk,
        },
    )
    assert is_sealed(look((), {}, root=root))


# --- programs --------------------------------------------------------------------------------


def a_program(root: Path, name: str, content: bytes, mode: int = 0o755) -> Program:
    plant(root, {f"opt/{name}": content}).joinpath(f"opt/{name}").chmod(mode)
    return Program(argv=(f"/opt/{name}", "--full-screen"), environment={}, version="1.2")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_program_is_present_when_its_file_is_there_and_may_be_run(tmp_path: Path):
    (tmp_path / "opt/folder").mkdir(parents=True)
    programs = {
        "racer": a_program(tmp_path, "racer", b"go"),
        "not-executable": a_program(tmp_path, "text", b"read", 0o644),
        "folder": Program(argv=("/opt/folder",), environment={}),
        "missing": Program(argv=("/opt/nothing",), environment={}),
        "through-a-file": Program(argv=("/opt/racer/racer",), environment={}),
    }
    assert look((), programs, root=tmp_path).programs == (
        ProgramFound(program="racer", version="1.2", digest=sha256(b"go")),
    )


def test_digests_are_made_as_long_as_the_files_fit_the_bytes_for_a_look(tmp_path: Path):
    digests = FileDigests(bytes_max=10)
    programs = {
        "a": a_program(tmp_path, "a", b"four"),
        "a-again": Program(argv=("/opt/a",), environment={}),
        "b": a_program(tmp_path, "b", b"seven.."),
        "c": a_program(tmp_path, "c", b"sixsix"),
        "d": a_program(tmp_path, "d", b"1"),
    }
    first = programs_found(programs, tmp_path, digests)
    assert {program.program: program.digest for program in first} == {
        "a": sha256(b"four"),
        "a-again": sha256(b"four"),
        "b": None,
        "c": sha256(b"sixsix"),
        "d": None,
    }
    assert programs_found(programs, tmp_path, digests) == first


def test_a_file_is_read_again_only_when_it_has_changed(tmp_path: Path):
    digests = FileDigests()
    programs = {"racer": a_program(tmp_path, "racer", b"one")}
    assert digest_in(programs, tmp_path, digests) == sha256(b"one")
    (known,) = digests._known
    digests._known[known] = "f" * 64
    assert digest_in(programs, tmp_path, digests) == "f" * 64, "it was not read"
    file = tmp_path / "opt/racer"
    file.write_bytes(b"two")
    os.utime(file, ns=(known.modified_ns, known.modified_ns))
    assert digest_in(programs, tmp_path, digests) == sha256(b"two"), "its times tell no lies"


def digest_in(programs: dict[str, Program], root: Path, digests: FileDigests) -> str | None:
    (found,) = programs_found(programs, root, digests)
    return found.digest


# --- what cannot be read ---------------------------------------------------------------------


@pytest.fixture
def open_root() -> Iterator[Path]:
    """Return a folder that every user may enter."""
    with TemporaryDirectory(prefix="rusuban-pc-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Do without the rights that root has over every file, where a test runs as root."""
    own = os.geteuid()
    if own == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(own)


def test_what_the_agents_user_may_not_read_is_unknown(open_root: Path):
    plant(open_root, {"sys/class/dmi/id/product_serial": "K9", "sys/class/net/eth0/device/x": ""})
    plant(open_root, a_display("card0-DP-1", edid_of()))
    closed = ("sys/class/dmi/id/product_serial", "sys/class/net", "sys/class/drm/card0-DP-1/edid")
    for name in closed:
        (open_root / name).chmod(0)
    with as_nobody():
        said = machine_of(open_root)
    for name in closed:
        (open_root / name).chmod(0o700)
    assert (said.serial, said.interfaces) == (None, None)
    assert said.displays == (Display(name="DP-1"),)


def test_a_program_that_may_be_run_and_not_read_is_there_without_a_digest(open_root: Path):
    programs = {"racer": a_program(open_root, "racer", b"go", 0o111)}
    with as_nobody():
        said = look((), programs, root=open_root, version="1").programs
    assert said == (ProgramFound(program="racer", version="1.2"),)


def test_what_fails_while_it_is_read_is_unknown(tmp_path: Path):
    folder = tmp_path / "sys/class/dmi/id"
    (folder / "sys_vendor").mkdir(parents=True)
    (folder / "product_name").symlink_to("product_name")
    (folder / "product_serial").symlink_to("/proc/self/mem")
    said = machine_of(tmp_path)
    assert (said.vendor, said.model, said.serial) == (None, None, None)

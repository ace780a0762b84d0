"""What a PC may be, for the tests of specifications: one that is usual, and any at all."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from common.messages.specification import (
    DeviceFound,
    Disk,
    Display,
    Gpu,
    MachineFound,
    Part,
    ProgramFound,
    Specification,
)
from common.rules.specification import MEMORY_STEP_BYTES, new_specification

DISPLAY = Display(
    name="HDMI-A-1", width_pixels=2560, height_pixels=1440, width_mm=597, height_mm=336
)
GPU = Gpu(name="1002:744c", model="Radeon RX 7900 XTX", memory_bytes=25_753_026_560)
WEBCAM = Part(name="Webcam")
UNSEEN = WEBCAM.model_copy(update={"is_here": False})
MACHINE = MachineFound(
    vendor="ASUS",
    model="ROG",
    serial="S-1",
    machine_id="0" * 31 + "1",
    hostname="booth-1",
    system="Debian GNU/Linux 12 (bookworm)",
    architecture="x86_64",
    processor="AMD Ryzen 7",
    cores=16,
    memory_bytes=34_359_738_368,
    disks=(Disk(name="Samsung SSD 980", size_bytes=10**12),),
    gpus=(GPU,),
    displays=(DISPLAY, Display(name="DP-1")),
    cameras=(WEBCAM,),
    scanners=(Part(name="Barcode Scanner"),),
    interfaces=(Part(name="eth0"),),
)
DEVICES = (
    DeviceFound(key="booth-1", title="Booth 1", program="racer", also=("tennis",)),
    DeviceFound(key="booth-2", title="Booth 2", program="tennis"),
)
PROGRAMS = (
    ProgramFound(program="racer", version="2.4", digest="a" * 64),
    ProgramFound(program="tennis"),
)


def a_specification(
    *, devices=DEVICES, programs=PROGRAMS, agent_version="1.0", **machine: Any
) -> Specification:
    """Return what a PC is that differs from `MACHINE` in these facts."""
    return new_specification(
        agent_version=agent_version,
        machine=MACHINE.model_copy(update=machine),
        devices=devices,
        programs=programs,
    )


USUAL = a_specification()

NAMES = st.sampled_from(["a", "b", "b#2", "c:d", "ü"])
SIZES = st.none() | st.integers(1, 3)
A_PART = st.builds(Part, name=NAMES, is_here=st.booleans())
A_DISK = st.builds(Disk, name=NAMES, is_here=st.booleans(), size_bytes=SIZES)
A_GPU = st.builds(Gpu, name=NAMES, is_here=st.booleans(), memory_bytes=SIZES, model=st.none())
A_DISPLAY = st.builds(Display, name=NAMES, is_here=st.booleans(), width_pixels=SIZES)
A_DEVICE = st.builds(
    DeviceFound,
    key=st.sampled_from(["x", "y"]),
    title=st.sampled_from(["X", "Y"]),
    program=st.sampled_from(["p", "q"]),
)
A_PROGRAM = st.builds(
    ProgramFound, program=st.sampled_from(["p", "q", "r"]), version=st.sampled_from([None, "1"])
)


def some(thing: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(thing, max_size=4).map(tuple)


MACHINES = st.builds(
    MachineFound,
    cores=st.none() | st.integers(1, 2),
    memory_bytes=st.none() | st.integers(0, 3 * MEMORY_STEP_BYTES),
    disks=st.none() | some(A_DISK),
    gpus=st.none() | some(A_GPU),
    displays=st.none() | some(A_DISPLAY),
    cameras=st.none() | some(A_PART),
    scanners=st.none() | some(A_PART),
    interfaces=st.none() | some(A_PART),
)
SPECIFICATIONS = st.builds(
    new_specification,
    agent_version=st.sampled_from(["1", "2"]),
    machine=MACHINES,
    devices=some(A_DEVICE),
    programs=some(A_PROGRAM),
)


def found_of(thing: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return what a look can find of a kind: all of it here, the first of it perhaps twice."""
    plain = thing.filter(lambda each: "#" not in each.name)  # as a second one of a name is called
    here = plain.map(lambda each: each.model_copy(update={"is_here": True}))
    lists = st.lists(here, max_size=4, unique_by=lambda each: each.name)
    return st.builds(lambda found, twice: (*found, *found[:twice]), lists, st.integers(0, 1))


FOUND = st.builds(
    new_specification,
    agent_version=st.sampled_from(["1", "2"]),
    machine=st.builds(
        MachineFound,
        gpus=st.none() | found_of(A_GPU),
        displays=st.none() | found_of(A_DISPLAY),
        cameras=st.none() | found_of(A_PART),
    ),
    devices=some(A_DEVICE),
    programs=st.lists(A_PROGRAM, unique_by=lambda each: each.program).map(tuple),
)

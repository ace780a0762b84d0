"""Which programs a PC carries and how: made from what it said, the same bytes every time (A6)."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given, strategies as st

from common.messages.service import (
    SETTINGS_MAX,
    Level,
    OfferingDraft,
    Program,
    Requirements,
    ServiceProfile,
    Setting,
)
from common.messages.specification import (
    DeviceFound,
    Display,
    Gpu,
    MachineFound,
    Part,
    ProgramFound,
    Specification,
)
from common.rules.service import Explained, devices_in, explained, profile_of, unmet
from common.seals import digest_of

GIB = 2**30

A_PC = MachineFound(
    architecture="x86_64",
    cores=8,
    memory_bytes=16 * GIB,
    gpus=(Gpu(name="10de:2684", memory_bytes=8 * GIB), Gpu(name="8086:a780")),
    displays=(
        Display(name="HDMI-A-1", width_pixels=3840, height_pixels=2160),
        Display(name="DP-1", width_pixels=1920, height_pixels=1080),
        Display(name="DP-2"),
    ),
    cameras=(Part(name="Front", is_here=False),),
    scanners=(Part(name="Counter"),),
)
AT_LEAST = "at least 9 pixels wide and 8 pixels high"
BARE = MachineFound(gpus=(), displays=(), cameras=(), scanners=())
UNREAD = MachineFound()


def a_specification(
    machine: MachineFound = A_PC,
    programs: tuple[str, ...] = ("racer",),
    devices: tuple[DeviceFound, ...] = (),
) -> Specification:
    return Specification(
        digest="d" * 64,
        gate_digest="a" * 64,
        agent_version="1",
        machine=machine,
        devices=devices,
        programs=tuple(ProgramFound(program=name) for name in programs),
    )


def asks(**requirements: Any) -> Requirements:
    return Requirements(**requirements)


def a_program(name: str = "racer", *levels: Level, **requirements: Any) -> Program:
    return Program(program=name, requires=asks(**requirements), levels=levels)


def one(machine: MachineFound, program: Program | None) -> Explained:
    """Return what becomes of the one program, which is on this PC."""
    told = {program.program: program} if program is not None else {}
    (found,) = explained(a_specification(machine), told)
    return found


def given_to(
    specification: Specification, told: Mapping[str, Program] | None = None
) -> ServiceProfile:
    numbers = {found.key: (f"d-{found.key}", 7) for found in specification.devices}
    return profile_of(
        specification,
        told or {},
        store="s-1",
        store_number=3,
        numbers=numbers,
        time_zone="Asia/Tokyo",
    )


@pytest.mark.parametrize(
    ("requirements", "missing"),
    [
        ({"architectures": ("aarch64",)}, "it is x86_64, aarch64 is asked for"),
        ({"cores_min": 16}, "it has 8 cores, 16 are asked for"),
        ({"memory_bytes_min": 32 * GIB}, "it has 16.0 GiB of memory, 32.0 are asked for"),
        ({"memory_bytes_min": 16 * GIB + 1}, "it has 16.0 GiB of memory, 16.1 are asked for"),
        (
            {"gpu_memory_bytes_min": 12 * GIB},
            "its GPU has 8.0 GiB of memory, 12.0 are asked for",
        ),
        ({"displays_min": 4}, "it has 3 displays, 4 are asked for"),
        (
            {"displays_min": 3, "display_width_min": 9, "display_height_min": 8},
            f"it has 2 displays known to be {AT_LEAST}, 3 are asked for",
        ),
        (
            {"displays_min": 2, "display_width_min": 2560},
            "it has 1 display known to be at least 2560 pixels wide, 2 are asked for",
        ),
    ],
)
def test_what_is_asked_for_and_not_there_is_said_in_a_sentence(
    requirements: dict[str, Any], missing: str
):
    assert unmet(asks(**requirements), a_specification()) == (missing,)


def test_a_pc_that_has_everything_lacks_nothing():
    everything = asks(
        architectures=("aarch64", "x86_64"),
        cores_min=8,
        memory_bytes_min=16 * GIB,
        needs_gpu=True,
        gpu_memory_bytes_min=8 * GIB,
        displays_min=1,
        display_width_min=3840,
        display_height_min=2160,
        needs_camera=True,
        needs_scanner=True,
    )
    assert unmet(everything, a_specification()) == ()


@pytest.mark.parametrize(
    ("requirements", "without", "unknown"),
    [
        ({"architectures": ("x86_64",)}, None, "its architecture is unknown"),
        ({"cores_min": 1}, None, "its number of cores is unknown"),
        ({"memory_bytes_min": 1}, None, "its memory is unknown"),
        ({"needs_gpu": True}, "it has no GPU", "whether it has a GPU is unknown"),
        ({"gpu_memory_bytes_min": 1}, "it has no GPU", "whether it has a GPU is unknown"),
        ({"displays_min": 1}, "it has no display, 1 is asked for", "its displays are unknown"),
        ({"needs_camera": True}, "it has no camera", "whether it has a camera is unknown"),
        ({"needs_scanner": True}, "it has no scanner", "whether it has a scanner is unknown"),
    ],
)
def test_what_is_unknown_meets_no_demand_and_is_not_what_is_missing(
    requirements: dict[str, Any], without: str | None, unknown: str
):
    assert unmet(asks(**requirements), a_specification(UNREAD)) == (unknown,)
    if without is not None:
        assert unmet(asks(**requirements), a_specification(BARE)) == (without,)


def test_each_demand_is_in_the_tables_above():
    asked = {
        *("architectures", "cores_min", "memory_bytes_min", "needs_gpu", "gpu_memory_bytes_min"),
        *("displays_min", "display_width_min", "display_height_min"),
        *("needs_camera", "needs_scanner"),
    }
    assert asked == set(Requirements.model_fields)
    assert not any(vars(Requirements()).values()), "what is not said is not asked"


@pytest.mark.parametrize("machine", [A_PC, BARE, UNREAD])
def test_what_is_not_asked_for_is_never_missed(machine: MachineFound):
    assert unmet(Requirements(), a_specification(machine)) == ()


def test_a_gpu_whose_memory_is_unknown_has_none_that_counts():
    machine = MachineFound(gpus=(Gpu(name="1002:744c"),))
    lacking = unmet(asks(gpu_memory_bytes_min=1), a_specification(machine))
    assert lacking == ("the memory of its GPU is unknown",)


def test_the_memory_of_two_gpus_does_not_add_up():
    machine = MachineFound(gpus=tuple(Gpu(name=name, memory_bytes=4 * GIB) for name in "ab"))
    lacking = unmet(asks(gpu_memory_bytes_min=8 * GIB), a_specification(machine))
    assert lacking == ("its GPU has 4.0 GiB of memory, 8.0 are asked for",)


@given(had=st.integers(0, 2**45), more=st.integers(1, 2**40))
def test_what_is_less_is_never_said_to_be_the_same(had: int, more: int):
    machine = MachineFound(memory_bytes=had)
    (lacking,) = unmet(asks(memory_bytes_min=had + more), a_specification(machine))
    words = lacking.split()
    assert float(words[2]) < float(words[6])


def test_a_program_that_the_controller_was_not_told_of_is_in_where_it_is_present():
    found = one(BARE, None)
    assert (found.is_in, found.why) == (True, ("nothing is asked of it",))


def test_a_program_whose_file_is_not_there_is_out_whatever_the_pc_has():
    (found,) = explained(a_specification(programs=()), {"racer": a_program()})
    assert (found.is_in, found.why) == (False, ("its file is not on this PC",))


def test_a_program_that_went_missing_only_lately_counts_as_here():
    specification = a_specification().model_copy(
        update={"programs": (ProgramFound(program="racer", is_here=False),)}
    )
    (found,) = explained(specification, {})
    assert found.is_in


def test_every_program_known_on_either_side_is_explained_by_name():
    told = {"cinema": a_program("cinema"), "racer": a_program(needs_gpu=True)}
    specification = a_specification(BARE, ("zen", "racer"))
    assert [(each.program, each.is_in) for each in explained(specification, told)] == [
        ("cinema", False),
        ("racer", False),
        ("zen", True),
    ]


HIGH = Level(
    level="high", requires=asks(gpu_memory_bytes_min=12 * GIB), settings={"quality": "high"}
)
LOW = Level(level="low", requires=asks(needs_gpu=True), settings={"quality": "low", "hz": 60})


def test_the_first_level_that_fits_is_taken_and_the_higher_ones_say_why_not():
    found = one(A_PC, a_program("racer", HIGH, LOW))
    assert (found.is_in, found.level) == (True, "low")
    assert found.why == (
        "this PC has what it asks for",
        "not level high: its GPU has 8.0 GiB of memory, 12.0 are asked for",
    )
    assert found.settings == {"quality": "low", "hz": 60, "width": 1920, "height": 1080}


def test_a_program_none_of_whose_levels_fits_is_out():
    found = one(BARE, a_program("racer", HIGH, LOW))
    assert (found.is_in, found.level, found.settings) == (False, None, {})
    assert found.why[0] == "none of its levels fits"
    assert len(found.why) == 3


def test_what_a_program_asks_itself_comes_before_its_levels():
    found = one(A_PC, a_program("racer", Level(level="any"), memory_bytes_min=64 * GIB))
    assert (found.is_in, found.level) == (False, None)


def test_a_level_that_names_its_own_size_keeps_it():
    found = one(A_PC, a_program("racer", Level(level="soft", settings={"width": 1280})))
    assert found.settings == {"width": 1280, "height": 1080}


def test_settings_without_room_for_the_size_stay_as_the_level_has_them():
    full: dict[str, Setting] = {f"s-{number}": number for number in range(SETTINGS_MAX - 1)}
    found = one(A_PC, a_program("racer", Level(level="full", settings=full)))
    assert found.settings == full


def test_displays_stand_left_to_right_by_connector_those_of_unknown_size_left_out():
    screens = given_to(a_specification()).screens
    assert [(each.connector, each.x, each.y, each.width, each.height) for each in screens] == [
        ("DP-1", 0, 0, 1920, 1080),
        ("HDMI-A-1", 1920, 0, 3840, 2160),
    ]


def test_a_device_is_in_with_its_own_program_and_carries_what_else_is():
    booth = DeviceFound(key="booth", title="Booth", program="racer", also=("zen", "heavy", "gone"))
    other = DeviceFound(key="other", title="Other", program="heavy", also=("racer",))
    draft = OfferingDraft(key="race", title="Race")
    told = {
        "racer": a_program().model_copy(update={"offering": draft, "modules": ("physics",)}),
        "heavy": a_program("heavy", memory_bytes_min=64 * GIB),
        "gone": a_program("gone"),
    }
    specification = a_specification(A_PC, ("racer", "zen", "heavy"), (other, booth))
    profile = given_to(specification, told)
    (device,) = profile.devices
    assert (device.key, device.device, device.number) == ("booth", "d-booth", 7)
    assert (device.program, device.programs) == ("racer", ("racer", "zen"))
    assert device.offering == draft
    assert [(each.program, each.modules) for each in profile.programs] == [
        ("racer", ("physics",)),
        ("zen", ()),
    ]


def test_a_key_that_is_said_twice_names_one_device():
    twice = tuple(DeviceFound(key="booth", title=title, program="racer") for title in "ba")
    one_way = given_to(a_specification(devices=twice))
    other_way = given_to(a_specification(devices=twice[::-1]))
    assert one_way == other_way
    assert len(one_way.devices) == 1


def test_the_digest_is_of_everything_but_itself():
    profile = given_to(a_specification())
    said = profile.model_dump(mode="json", exclude={"profile_digest"})
    assert profile.profile_digest == digest_of(said)


NAMES = st.sampled_from([f"p-{number}" for number in range(6)])
SOME_SETTINGS = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 9), max_size=4)
LEVELS = st.builds(
    Level,
    level=st.sampled_from(["high", "low"]),
    requires=st.builds(Requirements, cores_min=st.integers(0, 12), needs_gpu=st.booleans()),
    settings=SOME_SETTINGS,
)
PROGRAMS = st.lists(
    st.builds(Program, program=NAMES, levels=st.lists(LEVELS, max_size=3).map(tuple)),
    unique_by=lambda program: program.program,
)
DEVICES = st.lists(
    st.builds(
        DeviceFound,
        key=st.sampled_from("abc"),
        title=st.just("Booth"),
        program=NAMES,
        also=st.lists(NAMES, max_size=3).map(tuple),
    ),
    max_size=5,
)


@given(told=PROGRAMS, devices=DEVICES, present=st.lists(NAMES), seed=st.integers(0, 999))
def test_a6_the_same_facts_in_any_order_give_the_same_bytes(
    told: list[Program], devices: list[DeviceFound], present: list[str], seed: int
):
    def shuffled(things: Iterable[Any]) -> list[Any]:
        return sorted(things, key=lambda _: chance.random())

    chance = random.Random(seed)
    plain = a_specification(A_PC, tuple(present), tuple(devices))
    assert A_PC.displays is not None
    machine = A_PC.model_copy(update={"displays": tuple(shuffled(A_PC.displays))})
    mixed = a_specification(machine, tuple(shuffled(present)), tuple(shuffled(devices)))
    reordered = [
        program.model_copy(
            update={
                "levels": tuple(
                    level.model_copy(update={"settings": dict(shuffled(level.settings.items()))})
                    for level in program.levels
                )
            }
        )
        for program in shuffled(told)
    ]
    first = given_to(plain, {program.program: program for program in told})
    second = given_to(mixed, {program.program: program for program in reordered})
    assert first.model_dump_json() == second.model_dump_json()
    assert first.profile_digest == second.profile_digest
    assert ServiceProfile.model_validate_json(first.model_dump_json()) == first


@given(told=PROGRAMS, devices=DEVICES, present=st.lists(NAMES))
def test_a_profile_names_nothing_that_is_not_in(
    told: list[Program], devices: list[DeviceFound], present: list[str]
):
    specification = a_specification(A_PC, tuple(present), tuple(devices))
    programs = {program.program: program for program in told}
    carried = {each.program for each in explained(specification, programs) if each.is_in}
    profile = given_to(specification, programs)
    assert [each.key for each in profile.devices] == [
        each.key for each in devices_in(specification, programs)
    ]
    assert {each.program for each in profile.programs} == carried <= set(present)
    for device in profile.devices:
        assert {device.program, *device.programs} <= carried

"""Which programs a PC carries and how: service information, made from a specification (A6).

Unknown meets no demand; a part or program that went missing only lately counts as here.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final

from common.messages.service import (
    SETTINGS_MAX,
    Level,
    ProfileDevice,
    ProfileProgram,
    Program,
    Requirements,
    Screen,
    ServiceProfile,
    Setting,
)
from common.messages.specification import DeviceFound, Display, Gpu, MachineFound, Specification
from common.seals import digest_of

GIB: Final = 2**30
"""Bytes of a gibibyte, in which memory is said."""

_ASKS_NOTHING: Final = "nothing is asked of it"


@dataclass(frozen=True, kw_only=True, slots=True)
class Explained:
    """A program on one PC: in or out, and why; what is out has neither level nor settings."""

    program: str
    is_in: bool
    why: tuple[str, ...]
    level: str | None = None
    settings: Mapping[str, Setting] = field(default_factory=dict)
    modules: tuple[str, ...] = ()


def unmet(requires: Requirements, specification: Specification) -> tuple[str, ...]:
    """Return what is asked for and not there, each as a plain sentence; empty: all is met."""
    if not _asks_anything(requires):
        return ()
    machine = specification.machine
    return (
        *_unmet_by_processor(requires, machine),
        *_unmet_by_memory(requires, machine.memory_bytes),
        *_unmet_by_gpus(requires, machine.gpus),
        *_unmet_by_displays(requires, machine.displays),
        *_unmet_by_parts("camera", machine.cameras, is_asked=requires.needs_camera),
        *_unmet_by_parts("scanner", machine.scanners, is_asked=requires.needs_scanner),
    )


def explained(
    specification: Specification, programs: Mapping[str, Program]
) -> tuple[Explained, ...]:
    """Return every program of the PC's catalogue and of the controller's, by name, in or out.

    A program that the controller has not been told of asks nothing: it is in where it is present.
    """
    names = {found.program for found in specification.programs} | programs.keys()
    return tuple(_all_explained(names, specification, programs))


def devices_of(specification: Specification) -> tuple[DeviceFound, ...]:
    """Return the devices that a specification names, by their keys; a key names one of them."""
    by_key = {found.key: found for found in sorted(specification.devices, key=repr, reverse=True)}
    return tuple(by_key[key] for key in sorted(by_key))


def devices_in(
    specification: Specification, programs: Mapping[str, Program]
) -> tuple[DeviceFound, ...]:
    """Return the devices that a specification allows: those whose own program is in."""
    found = devices_of(specification)
    looked_at = _all_explained({each.program for each in found}, specification, programs)
    carried = {each.program for each in looked_at if each.is_in}
    return tuple(each for each in found if programs_of(each, carried))


def programs_of(found: DeviceFound, carried: Container[str]) -> tuple[str, ...]:
    """Return the programs that a device may carry, its own first; none, and the device is out."""
    if found.program not in carried:
        return ()
    return tuple(name for name in dict.fromkeys((found.program, *found.also)) if name in carried)


def screens_of(specification: Specification) -> tuple[Screen, ...]:
    """Return the displays whose size is known, left to right in order of their connectors."""
    screens: list[Screen] = []
    for name, width, height in sorted(_known_sizes(specification.machine.displays or ())):
        x = screens[-1].x + screens[-1].width if screens else 0
        screens.append(Screen(connector=name, x=x, y=0, width=width, height=height))
    return tuple(screens)


def profile_of(
    specification: Specification,
    programs: Mapping[str, Program],
    *,
    store: str,
    store_number: int,
    time_zone: str,
    numbers: Mapping[str, tuple[str, int]],
) -> ServiceProfile:
    """Return the service information that a specification allows.

    Args:
        specification: what is registered of the PC.
        programs: what the controller has been told of programs, by their names.
        store: the store's id.
        store_number: the store's number in ticket tokens.
        time_zone: the store's, by its IANA name.
        numbers: each device key's id and number in the store; those that are in need one.

    Returns:
        The same bytes for the same arguments, in whatever order they list things.
    """
    carried = {each.program: each for each in explained(specification, programs) if each.is_in}
    parts: dict[str, Any] = {
        "store": store,
        "store_number": store_number,
        "time_zone": time_zone,
        "gate_digest": specification.gate_digest,
        "devices": tuple(_profile_devices(specification, carried, programs, numbers)),
        "programs": tuple(_profile_program(each) for each in carried.values()),
        "screens": screens_of(specification),
    }
    unsealed = ServiceProfile.model_construct(profile_digest="", **parts)
    sealed = digest_of(unsealed.model_dump(mode="json", exclude={"profile_digest"}))
    return ServiceProfile(profile_digest=sealed, **parts)


def _asks_anything(requires: Requirements) -> bool:
    """Say whether any demand is made: what is not asked for is nothing, zero or no."""
    return any(vars(requires).values())


def _unmet_by_processor(requires: Requirements, machine: MachineFound) -> Iterator[str]:
    asked = requires.architectures
    if asked and machine.architecture is None:
        yield "its architecture is unknown"
    elif asked and machine.architecture not in asked:
        yield f"it is {machine.architecture}, {' or '.join(asked)} is asked for"
    if requires.cores_min and machine.cores is None:
        yield "its number of cores is unknown"
    elif machine.cores is not None and machine.cores < requires.cores_min:
        cores = _counted(machine.cores, "core")
        yield f"it has {cores}, {_are_asked(requires.cores_min)}"


def _unmet_by_memory(requires: Requirements, memory_bytes: int | None) -> Iterator[str]:
    asked = requires.memory_bytes_min
    if asked and memory_bytes is None:
        yield "its memory is unknown"
    elif memory_bytes is not None and memory_bytes < asked:
        yield f"it has {_gib_had(memory_bytes)} of memory, {_gib_asked(asked)} are asked for"


def _unmet_by_gpus(requires: Requirements, gpus: Sequence[Gpu] | None) -> Iterator[str]:
    """Look for one GPU with all the memory asked for: that of two does not add up."""
    asked = requires.gpu_memory_bytes_min
    yield from _unmet_by_parts("GPU", gpus, is_asked=requires.needs_gpu or asked > 0)
    if not gpus or not asked:
        return
    known = [gpu.memory_bytes for gpu in gpus if gpu.memory_bytes is not None]
    if not known:
        yield "the memory of its GPU is unknown"
    elif max(known) < asked:
        yield f"its GPU has {_gib_had(max(known))} of memory, {_gib_asked(asked)} are asked for"


def _unmet_by_displays(requires: Requirements, displays: Sequence[Display] | None) -> Iterator[str]:
    width, height = requires.display_width_min, requires.display_height_min
    asked = requires.displays_min or int(bool(width or height))
    if not asked:
        return
    if displays is None:
        yield "its displays are unknown"
        return
    fit = sum(_is_as_large(display, width, height) for display in displays)
    if fit < asked:
        least = [f"{width} pixels wide"] * bool(width) + [f"{height} pixels high"] * bool(height)
        size = f" known to be at least {' and '.join(least)}" if least else ""
        yield f"it has {_counted(fit, 'display')}{size}, {_are_asked(asked)}"


def _unmet_by_parts(name: str, parts: Sequence[object] | None, *, is_asked: bool) -> Iterator[str]:
    if is_asked and parts is None:
        yield f"whether it has a {name} is unknown"
    elif is_asked and not parts:
        yield f"it has no {name}"


def _is_as_large(display: Display, width: int, height: int) -> bool:
    """Compare with what is asked for; a size that is not known is smaller than any."""
    return (display.width_pixels or 0) >= width and (display.height_pixels or 0) >= height


def _counted(count: int, thing: str) -> str:
    return f"{count or 'no'} {thing}{'s' * (count > 1)}"


def _are_asked(count: int) -> str:
    return f"{count} {'is' if count == 1 else 'are'} asked for"


def _gib_had(count_bytes: int) -> str:
    """Round down, and what is asked for up: what is less is never said to be the same."""
    return f"{math.floor(10 * count_bytes / GIB) / 10} GiB"


def _gib_asked(count_bytes: int) -> str:
    return f"{math.ceil(10 * count_bytes / GIB) / 10}"


def _all_explained(
    names: AbstractSet[str], specification: Specification, programs: Mapping[str, Program]
) -> Iterator[Explained]:
    present = {found.program for found in specification.programs}
    size = _size_settings(screens_of(specification))
    for name in sorted(names):
        if name in present:
            yield _explained(name, programs.get(name), specification, size)
        else:
            yield Explained(program=name, is_in=False, why=("its file is not on this PC",))


def _explained(
    name: str,
    program: Program | None,
    specification: Specification,
    size: Mapping[str, Setting],
) -> Explained:
    """Look at what a program that is there asks for."""
    if program is None:
        return Explained(program=name, is_in=True, why=(_ASKS_NOTHING,), settings=size)
    lacking = unmet(program.requires, specification)
    if lacking:
        return Explained(program=name, is_in=False, why=lacking)
    too_high: list[str] = []
    for level in program.levels:
        lacking = unmet(level.requires, specification)
        if not lacking:
            return _at_level(program, level, too_high, size)
        too_high.append(f"not level {level.level}: {'; '.join(lacking)}")
    if program.levels:
        return Explained(program=name, is_in=False, why=("none of its levels fits", *too_high))
    return _at_level(program, None, too_high, size)


def _at_level(
    program: Program, level: Level | None, too_high: Sequence[str], size: Mapping[str, Setting]
) -> Explained:
    """Return a program that is in, with the settings that go with this level of it."""
    is_asked = _asks_anything(program.requires)
    is_asked |= level is not None and _asks_anything(level.requires)
    own = level.settings if level is not None else {}
    settings = {**size, **own}
    return Explained(
        program=program.program,
        is_in=True,
        why=("this PC has what it asks for" if is_asked else _ASKS_NOTHING, *too_high),
        level=level.level if level is not None else None,
        settings=dict(sorted((settings if len(settings) <= SETTINGS_MAX else own).items())),
        modules=program.modules,
    )


def _size_settings(screens: Sequence[Screen]) -> dict[str, Setting]:
    """Return the size of the main display, the leftmost; a level that names its own keeps that."""
    return {"height": screens[0].height, "width": screens[0].width} if screens else {}


def _known_sizes(displays: Sequence[Display]) -> Iterator[tuple[str, int, int]]:
    for display in displays:
        if display.width_pixels is not None and display.height_pixels is not None:
            yield display.name, display.width_pixels, display.height_pixels


def _profile_devices(
    specification: Specification,
    carried: Container[str],
    programs: Mapping[str, Program],
    numbers: Mapping[str, tuple[str, int]],
) -> Iterator[ProfileDevice]:
    """Go through the devices whose own program is carried."""
    for found in devices_of(specification):
        of_it = programs_of(found, carried)
        if not of_it:
            continue
        device, number = numbers[found.key]
        told = programs.get(found.program)
        yield ProfileDevice(
            key=found.key,
            device=device,
            number=number,
            title=found.title,
            program=found.program,
            programs=of_it,
            offering=told.offering if told is not None else None,
        )


def _profile_program(carried: Explained) -> ProfileProgram:
    return ProfileProgram(
        program=carried.program,
        level=carried.level,
        settings=dict(carried.settings),
        modules=carried.modules,
    )

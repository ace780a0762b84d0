"""What a terminal is: the PC, its devices and programs, as it says them; unknown is None."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from common.messages.base import (
    CHOICES_MAX,
    DEVICES_MAX,
    PROGRAMS_MAX,
    Bytes,
    Digest,
    Message,
    Name,
    Pixels,
    ShortText,
)

PARTS_MAX: Final = 32
"""Parts of one kind in a PC: displays, disks, cameras; a wall of screens has sixteen."""

Millimetres = Annotated[int, Field(ge=1, le=100_000)]


class _Said(Message):
    """Part of a specification: nothing in it that is not known, since its digest covers it all."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DeviceFound(_Said):
    """A device the terminal says it hosts; `key` is the terminal's own word for it.

    `program` is what it runs, `also` what else it may carry.
    """

    type: ClassVar[str] = "registration.device_found"
    key: Name
    title: ShortText
    program: Name
    also: Annotated[tuple[Name, ...], Field(max_length=CHOICES_MAX - 1)] = ()


class ProgramFound(_Said):
    """A program of the catalogue whose file is there; None is what could not be read."""

    type: ClassVar[str] = "registration.program_found"
    program: Name
    version: ShortText | None = None
    digest: Digest | None = None
    is_here: bool = True


class Part(_Said):
    """A part by its name; one that was here lately and cannot be seen now is not `is_here`."""

    type: ClassVar[str] = "registration.part"
    name: ShortText
    is_here: bool = True


class Disk(Part):
    """A disk of this size."""

    size_bytes: Bytes | None = None


class Gpu(Part):
    """A graphics processor; its name is `vendor:device` as the bus says it, in hex."""

    model: ShortText | None = None
    memory_bytes: Bytes | None = None


class Display(Part):
    """A display by its connector, with its own resolution and its size as it says them."""

    width_pixels: Pixels | None = None
    height_pixels: Pixels | None = None
    width_mm: Millimetres | None = None
    height_mm: Millimetres | None = None


Parts = Annotated[tuple[Part, ...], Field(max_length=PARTS_MAX)]


class MachineFound(_Said):
    """The PC. None is what could not be read, an empty list what is not there.

    Serial and machine-id are evidence of which PC this is, never its identity.
    """

    type: ClassVar[str] = "registration.machine_found"
    vendor: ShortText | None = None
    model: ShortText | None = None
    serial: ShortText | None = None
    machine_id: ShortText | None = None
    hostname: ShortText | None = None
    system: ShortText | None = None
    architecture: ShortText | None = None
    processor: ShortText | None = None
    cores: Annotated[int, Field(ge=1, le=65_536)] | None = None
    memory_bytes: Bytes | None = None
    disks: Annotated[tuple[Disk, ...], Field(max_length=PARTS_MAX)] | None = None
    gpus: Annotated[tuple[Gpu, ...], Field(max_length=PARTS_MAX)] | None = None
    displays: Annotated[tuple[Display, ...], Field(max_length=PARTS_MAX)] | None = None
    cameras: Parts | None = None
    scanners: Parts | None = None
    interfaces: Parts | None = None


class Specification(_Said):
    """What a terminal is (A1). `gate_digest` covers the watched fields only."""

    type: ClassVar[str] = "registration.specification"
    digest: Digest
    gate_digest: Digest
    agent_version: ShortText
    machine: MachineFound
    devices: Annotated[tuple[DeviceFound, ...], Field(max_length=DEVICES_MAX)]
    programs: Annotated[tuple[ProgramFound, ...], Field(max_length=PROGRAMS_MAX)]

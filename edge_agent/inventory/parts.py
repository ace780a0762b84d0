"""The parts of a PC, each list sorted by name; None where a list cannot be known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

from common.messages.specification import PARTS_MAX, Disk, Gpu, Part
from edge_agent.inventory.reading import beginning_of, bytes_of, clean, names_in, number_of, text_of

SECTOR_BYTES: Final = 512
"""In which the kernel counts a disk, whatever the disk's own sectors are."""

PCI_IDS_BYTES_MAX: Final = 8_388_608
"""Bytes of the list of PCI names; it has one and a half million."""

PCI_IDS: Final = ("usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids")
"""Where systems keep that list."""

_SCANNER = re.compile(r"bar ?code|scanner", re.IGNORECASE)
_PCI_NUMBER = re.compile(r"0x([0-9a-f]{4})")
_GPU_CLASS = "0x03"
_UDEV_CAMERA = re.compile(rb"^E:ID_V4L_CAPABILITIES=(.*)$", re.MULTILINE)
_UDEV_SERIAL = re.compile(rb"^S:serial/by-id/(.+)$", re.MULTILINE)
_NVIDIA_MODEL = re.compile(rb"^Model:(.*)$", re.MULTILINE)
_SERIAL_PORTS = ("ttyUSB", "ttyACM")

_AnyPart = TypeVar("_AnyPart", bound=Part)


def listed(parts: Iterable[_AnyPart]) -> tuple[_AnyPart, ...]:
    """Return parts by name, no more than a specification may have."""
    return tuple(sorted(parts, key=lambda part: part.name))[:PARTS_MAX]


def disks_in(root: Path) -> tuple[Disk, ...] | None:
    """Return the disks that stay: by model, or by the kernel's name where they have none."""
    folder = root / "sys/block"
    names = names_in(folder)
    return None if names is None else listed(_disks(folder / name for name in names))


def gpus_in(root: Path) -> tuple[Gpu, ...] | None:
    """Return the graphics processors on the PCI bus; without such a bus they are unknown."""
    folder = root / "sys/bus/pci/devices"
    names = names_in(folder)
    if names is None:
        return None
    seats = (folder / name for name in names)
    is_gpu = (seat for seat in seats if (text_of(seat / "class") or "").startswith(_GPU_CLASS))
    return listed(_gpu(root, seat) for seat in is_gpu)


def cameras_in(root: Path) -> tuple[Part, ...] | None:
    """Return the cameras by what they call themselves; one has several nodes, one of them reads."""
    names = _class_of(root, "video4linux")
    if names is None:
        return None
    nodes = (root / "sys/class/video4linux" / name for name in names if name.startswith("video"))
    return listed(
        Part(name=text_of(node / "name") or node.name) for node in nodes if _captures(root, node)
    )


def scanners_in(root: Path, told: Sequence[str]) -> tuple[Part, ...] | None:
    """Return serial devices, keyboards that say they are scanners, and those we were told of."""
    serial, keyboards = _serial_devices(root), _scanning_keyboards(root)
    names = [clean(name) for name in (*told, *(serial or ()), *(keyboards or ()))]
    if not names and (serial is None or keyboards is None):
        return None
    return listed(Part(name=name) for name in names if name)


def interfaces_in(root: Path) -> tuple[Part, ...] | None:
    """Return the network interfaces with a device behind them; bridges and the like come and go."""
    names = _class_of(root, "net")
    if names is None:
        return None
    folder = root / "sys/class/net"
    behind = [clean(name) for name in names if names_in(folder / name / "device") is not None]
    return listed(Part(name=name) for name in behind if name)


def _disks(seats: Iterable[Path]) -> Iterator[Disk]:
    """Go through the disks with a device behind them; what is pulled out is no part of a PC."""
    for seat in seats:
        sectors = number_of(seat / "size")
        comes_and_goes = number_of(seat / "removable") == 1 or number_of(seat / "hidden") == 1
        if names_in(seat / "device") is None or comes_and_goes or sectors == 0:
            continue
        name = text_of(seat / "device/model") or text_of(seat / "device/name") or clean(seat.name)
        if name:
            size_bytes = None if sectors is None else sectors * SECTOR_BYTES
            yield Disk(name=name, size_bytes=size_bytes)


def _gpu(root: Path, seat: Path) -> Gpu:
    vendor, device = _pci_number(seat / "vendor"), _pci_number(seat / "device")
    return Gpu(
        name=f"{vendor or 'unknown'}:{device or 'unknown'}",
        model=_nvidia_model(root, seat.name)
        or text_of(seat / "product_name")
        or (_listed_model(root, vendor, device) if vendor and device else None),
        memory_bytes=number_of(seat / "mem_info_vram_total"),
    )


def _pci_number(file: Path) -> str | None:
    said = _PCI_NUMBER.fullmatch(text_of(file) or "")
    return said[1] if said else None


def _nvidia_model(root: Path, address: str) -> str | None:
    told = bytes_of(root / "proc/driver/nvidia/gpus" / address / "information")
    said = _NVIDIA_MODEL.search(told or b"")
    return clean(said[1]) if said else None


def _listed_model(root: Path, vendor: str, device: str) -> str | None:
    """Look two PCI numbers up in the list that most systems have."""
    ids = next(filter(None, (bytes_of(root / file, PCI_IDS_BYTES_MAX) for file in PCI_IDS)), b"")
    row = rf"^{vendor}  (.*)\n(?:[\t#].*\n)*?\t{device}  (.*)$"
    said = re.search(row.encode(), ids, re.MULTILINE)
    return clean(b"%s %s" % said.groups()) if said else None


def _captures(root: Path, node: Path) -> bool:
    """Say whether pictures can be read here: as udev says, else the first node of a device."""
    said = _UDEV_CAMERA.search(_udev_notes(root, node))
    return b":capture:" in said[1] if said else number_of(node / "index") == 0


def _serial_devices(root: Path) -> list[str] | None:
    """Return the serial devices by what they call themselves.

    A hardened agent sees none of /dev, and reads the same names in udev's notes; where a port has
    none there, it cannot tell which devices there are.
    """
    named = names_in(root / "dev/serial/by-id")
    if named is not None:
        return named
    ports = _class_of(root, "tty")
    if ports is None:
        return None
    seats = [root / "sys/class/tty" / port for port in ports if port.startswith(_SERIAL_PORTS)]
    said = [_UDEV_SERIAL.search(_udev_notes(root, seat)) for seat in seats]
    found = [clean(link[1]) for link in said if link]
    return [name for name in found if name] if len(found) == len(seats) else None


def _udev_notes(root: Path, node: Path) -> bytes:
    """Return what udev has found out about a device, where it has."""
    number = text_of(node / "dev")
    return beginning_of(root / "run/udev/data" / f"c{number}") or b"" if number else b""


def _scanning_keyboards(root: Path) -> list[str] | None:
    """Return the scanners that type; one that is several keyboards counts once."""
    names = _class_of(root, "input")
    if names is None:
        return None
    found: dict[tuple[str, str], str] = {}
    for seat in (root / "sys/class/input" / name for name in names):
        name, keys = text_of(seat / "name"), text_of(seat / "capabilities/key")
        if name and _SCANNER.search(name) and keys not in {None, "0"}:
            socket = (text_of(seat / "phys") or "").rpartition("/")[0]
            found[name, socket] = name
    return list(found.values())


def _class_of(root: Path, name: str) -> list[str] | None:
    """Return the devices of a class; a class that the kernel does not have, it has none of."""
    folder = root / "sys/class"
    if name in (names_in(folder) or [name]):
        return names_in(folder / name)
    return []

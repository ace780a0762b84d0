"""The files of a PC, planted below a folder, for the tests of what it says it is."""

from __future__ import annotations

from pathlib import Path

from common.messages.specification import MachineFound
from edge_agent.inventory import look


def plant(root: Path, files: dict[str, str | bytes]) -> Path:
    """Write these files below `root`."""
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def machine_of(root: Path, scanners: tuple[str, ...] = ()) -> MachineFound:
    return look((), {}, scanners, root=root, version="1").machine


def edid_of(
    width: int = 2560, height: int = 1440, size_mm: tuple[int, int] = (597, 336), last: int = 0
) -> bytes:
    """Return the EDID of a display with this timing of its own."""
    timing = bytearray(18)
    timing[0:2] = b"\x56\x5e"
    timing[2], timing[4] = width & 0xFF, width >> 8 << 4
    timing[5], timing[7] = height & 0xFF, height >> 8 << 4
    timing[12], timing[13] = size_mm[0] & 0xFF, size_mm[1] & 0xFF
    timing[14] = size_mm[0] >> 8 << 4 | size_mm[1] >> 8
    timing[17] = last
    return sealed(bytes.fromhex("00ffffffffffff00") + bytes(13) + b"\x3c\x22" + bytes(31) + timing)


def sealed(block: bytes) -> bytes:
    """Return the first block of an EDID with its checksum."""
    block = block.ljust(127, b"\0")
    return block + bytes([-sum(block) % 256])


def a_gpu(seat: str, vendor: str, device: str, **further: str) -> dict[str, str | bytes]:
    said = {"class": "0x030000", "vendor": f"0x{vendor}", "device": f"0x{device}", **further}
    return {f"sys/bus/pci/devices/{seat}/{name}": f"{text}\n" for name, text in said.items()}


def a_display(connector: str, edid: bytes = b"", **further: str) -> dict[str, str | bytes]:
    said: dict[str, str | bytes] = {"status": "connected\n", "modes": "", **further, "edid": edid}
    return {f"sys/class/drm/{connector}/{name}": content for name, content in said.items()}

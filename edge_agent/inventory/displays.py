"""The displays: by connector, with their own resolution and size, which their EDID says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from common.messages.specification import Display
from edge_agent.inventory.parts import listed
from edge_agent.inventory.reading import bytes_of, clean, names_in, text_of

EDID_BYTES_MAX: Final = 32_768
"""Bytes of an EDID: 256 blocks are all that its format allows."""

_BLOCK_BYTES = 128
_HEADER = bytes.fromhex("00ffffffffffff00")
_TIMING = slice(54, 72)
_INTERLACED = 0x80
_CONNECTOR = re.compile(r"card[0-9]+-(.+)")
_MODE = re.compile(r"([0-9]{1,5})x([0-9]{1,5})i?")
_RATIOS = frozenset({(16, 9), (16, 10), (160, 90), (160, 100), (1600, 900), (1600, 1000)})
"""What some displays say for their size in mm: it is the ratio of their sides."""

_Size = tuple[int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Edid:
    """What an EDID says of a display: its own resolution in pixels, its size in mm."""

    pixels: _Size | None = None
    size_mm: _Size | None = None


def displays_in(root: Path) -> tuple[Display, ...] | None:
    """Return the connected displays; without a connector to ask they are unknown.

    A connector goes by its name without the card's number, which changes from start to start.
    """
    folder = root / "sys/class/drm"
    seats = [(folder / name, _CONNECTOR.fullmatch(name)) for name in names_in(folder) or ()]
    connectors = [(seat, clean(said[1])) for seat, said in seats if said]
    if not connectors:
        return None
    return listed(
        _display(name, seat)
        for seat, name in connectors
        if name and text_of(seat / "status") == "connected"
    )


def read_edid(raw: bytes) -> Edid | None:
    """Return what the first block of an EDID says, or None: it is none, or it is damaged."""
    block = raw[:_BLOCK_BYTES]
    if len(block) < _BLOCK_BYTES or not block.startswith(_HEADER) or sum(block) % 256:
        return None
    timing = block[_TIMING]
    if timing[:2] == b"\0\0":  # a text stands where the display's own timing would
        return Edid(size_mm=_size_in_mm(block[21] * 10, block[22] * 10))
    width = timing[2] | (timing[4] & 0xF0) << 4
    height = (timing[5] | (timing[7] & 0xF0) << 4) * (2 if timing[17] & _INTERLACED else 1)
    width_mm = timing[12] | (timing[14] & 0xF0) << 4
    height_mm = timing[13] | (timing[14] & 0x0F) << 8
    return Edid(
        pixels=_known(width, height),
        size_mm=_size_in_mm(width_mm, height_mm) or _size_in_mm(block[21] * 10, block[22] * 10),
    )


def _display(name: str, seat: Path) -> Display:
    """Return a display; without an EDID the kernel's modes are a guess, and are not taken."""
    edid = read_edid(bytes_of(seat / "edid", EDID_BYTES_MAX) or b"")
    if edid is None:
        return Display(name=name)
    width, height = edid.pixels or _first_mode(seat) or (None, None)
    width_mm, height_mm = edid.size_mm or (None, None)
    return Display(
        name=name, width_pixels=width, height_pixels=height, width_mm=width_mm, height_mm=height_mm
    )


def _first_mode(seat: Path) -> _Size | None:
    said = _MODE.match(text_of(seat / "modes") or "")
    return _known(int(said[1]), int(said[2])) if said else None


def _size_in_mm(width: int, height: int) -> _Size | None:
    return None if (width, height) in _RATIOS else _known(width, height)


def _known(width: int, height: int) -> _Size | None:
    return (width, height) if width and height else None

"""The PC itself: who made it, what it runs, its processor and memory, and all its parts."""

from __future__ import annotations

import hmac
import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

import psutil

from common.messages.specification import MachineFound
from edge_agent.inventory.displays import displays_in
from edge_agent.inventory.parts import cameras_in, disks_in, gpus_in, interfaces_in, scanners_in
from edge_agent.inventory.reading import beginning_of, clean, text_of

APPLICATION: Final = UUID("8d4b1c0e-7a52-4f3e-9b5d-6a1f20c3e794")
"""Ours, for the machine-id: the id itself is confidential, machine-id(5) says."""

_DMI = "sys/class/dmi/id"
_DEVICE_TREE = "sys/firmware/devicetree/base"

_MACHINE_ID = re.compile(r"[0-9a-f]{32}")
_ZEROS = re.compile(r"[0 .:-]*")
_SAYS_NOTHING = frozenset(
    (
        *("to be filled by o.e.m.", "to be filled by o.e.m", "o.e.m.", "oem"),
        *("default string", "default", "none", "null", "n/a", "na", "unknown", "invalid"),
        *("not specified", "not applicable", "not available", "undefined", "empty"),
        *("system manufacturer", "system product name", "system serial number"),
        *("system name", "serial number", "123456789", "0123456789", "1234567890"),
    )
)
"""What makers of boards leave in where the maker of the PC should have said something."""


def machine_found(root: Path, scanners: Sequence[str]) -> MachineFound:
    """Return the PC whose files are below `root`."""
    return MachineFound(
        vendor=_evidence(root, f"{_DMI}/sys_vendor"),
        model=_evidence(root, f"{_DMI}/product_name", f"{_DEVICE_TREE}/model"),
        serial=_evidence(root, f"{_DMI}/product_serial", f"{_DEVICE_TREE}/serial-number"),
        machine_id=_machine_id(root),
        hostname=text_of(root / "proc/sys/kernel/hostname"),
        system=_system(root),
        architecture=clean(os.uname().machine),
        processor=_processor(root),
        cores=psutil.cpu_count(),
        memory_bytes=_memory_bytes(),
        disks=disks_in(root),
        gpus=gpus_in(root),
        displays=displays_in(root),
        cameras=cameras_in(root),
        scanners=scanners_in(root, scanners),
        interfaces=interfaces_in(root),
    )


def _evidence(root: Path, *files: str) -> str | None:
    """Return what the first of these files says that says something."""
    for file in files:
        text = text_of(root / file)
        if text and text.casefold() not in _SAYS_NOTHING and not _ZEROS.fullmatch(text):
            return text
    return None


def _machine_id(root: Path) -> str | None:
    """Return what `systemd-id128 machine-id --app-specific=` says for us."""
    text = text_of(root / "etc/machine-id")
    if text is None or not _MACHINE_ID.fullmatch(text) or _ZEROS.fullmatch(text):
        return None
    hashed = hmac.digest(bytes.fromhex(text), APPLICATION.bytes, "sha256")
    return UUID(bytes=hashed[:16], version=4).hex


def _system(root: Path) -> str | None:
    """Return the system's name as its os-release(5) says it."""
    for file in ("etc/os-release", "usr/lib/os-release"):
        for line in _lines(root / file):
            name, _, value = line.partition("=")
            if name == "PRETTY_NAME":
                return _unquoted(value)
    return None


def _processor(root: Path) -> str | None:
    """Return the name of the first processor."""
    for line in _lines(root / "proc/cpuinfo"):
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return clean(value)
    return None


def _memory_bytes() -> int | None:
    try:
        return int(psutil.virtual_memory().total) or None
    except (OSError, LookupError, ValueError):  # no /proc, or not the one that psutil knows
        return None


def _lines(file: Path) -> list[str]:
    return (beginning_of(file) or b"").decode("utf-8", "replace").splitlines()


def _unquoted(value: str) -> str | None:
    try:
        return clean(" ".join(shlex.split(value)))
    except ValueError:
        return None

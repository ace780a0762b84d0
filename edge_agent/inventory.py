"""What this PC is: read quickly, never guessed; what cannot be read is said to be unknown."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import psutil

from common.messages.registration import DeviceFound, Specification
from common.rules.registration import watched_fields
from common.seals import digest_of

UNKNOWN: Final = "unknown"
"""Stands for whatever cannot be read on this PC."""


def specification(
    devices: Sequence[DeviceFound], programs: Mapping[str, Sequence[str]]
) -> Specification:
    """Return what this terminal is (A1).

    Args:
        devices: the devices it hosts.
        programs: each catalogue program's argv; those whose file is there to be run are named.
    """
    machine = _machine()
    present = tuple(sorted(_present(programs.items())))
    version = metadata.version("rusuban")
    return Specification(
        digest=digest_of(
            {
                "machine": machine,
                "devices": [device.model_dump(mode="json") for device in devices],
                "programs": present,
                "agent_version": version,
            }
        ),
        gate_digest=digest_of(watched_fields(machine, devices, present)),
        agent_version=version,
        machine=machine,
        devices=tuple(devices),
        programs=present,
    )


def _machine() -> dict[str, Any]:
    return {
        "hostname": platform.node() or UNKNOWN,
        "system": _system_name(),
        "architecture": platform.machine() or UNKNOWN,
        "cores": psutil.cpu_count() or UNKNOWN,
        "memory_bytes": psutil.virtual_memory().total,
        "disk_bytes": shutil.disk_usage("/").total,
        "interfaces": sorted(name for name in psutil.net_if_addrs() if name != "lo"),
        "cameras": sorted(str(file) for file in Path("/dev").glob("video*")),
        "gpus": sorted(file.name for file in Path("/dev/dri").glob("card*")),
        "displays": _displays(),
    }


def _system_name() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", UNKNOWN)
    except OSError:
        return UNKNOWN


def _displays() -> list[str]:
    """Return the connectors that have a display, with their first mode."""
    found = []
    for status in sorted(Path("/sys/class/drm").glob("card*-*/status")):
        try:
            if status.read_text("ascii").strip() == "connected":
                modes = (status.parent / "modes").read_text("ascii").split()
                found.append(f"{status.parent.name} {modes[0] if modes else UNKNOWN}")
        except (OSError, UnicodeDecodeError):
            found.append(f"{status.parent.name} {UNKNOWN}")
    return found


def _present(programs: Iterable[tuple[str, Sequence[str]]]) -> list[str]:
    return [name for name, argv in programs if os.access(argv[0], os.X_OK)]

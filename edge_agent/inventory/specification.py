"""One look at this PC: what is found now. What is missing only for a while, a rule decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from common.messages.specification import DeviceFound, Specification
from common.rules.specification import new_specification
from edge_agent.inventory.machine import machine_found
from edge_agent.inventory.programs import Carried, FileDigests, programs_found

SYSTEM_ROOT: Final = Path("/")
"""Where this PC's own files are; a test plants another tree."""


def look(
    devices: Sequence[DeviceFound],
    programs: Mapping[str, Carried],
    scanners: Sequence[str] = (),
    *,
    root: Path = SYSTEM_ROOT,
    version: str | None = None,
    digests: FileDigests | None = None,
) -> Specification:
    """Return what this terminal is (A1); it reads files for up to a second, and waits for nobody.

    Args:
        devices: the devices it hosts.
        programs: the catalogue; those whose file is there to be run are named.
        scanners: names of the scanners that it was told of.
        root: below it everything is read but what the kernel says of processors and memory.
        version: the agent's; by default that of the installed package.
        digests: those of the look before, so that only a file that changed is read again.
    """
    return new_specification(
        agent_version=version or metadata.version("rusuban"),
        machine=machine_found(root, scanners),
        devices=devices,
        programs=programs_found(programs, root, digests or FileDigests()),
    )

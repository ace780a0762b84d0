"""What this terminal installs: whose signatures it trusts, where it goes, how patient it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from common.messages.base import PackageName
from edge_agent.settings.part import Part

ELSEWHERE_MAX: Final = 100
"""Modules from elsewhere that one PC may name: as many as one offer may hold."""


class ModuleElsewhere(Part):
    """A module that was put on this PC by somebody else: used where it is, and never removed."""

    module: PackageName
    """Its name, as the catalogue's programs need it."""

    folder: Path
    """Where it lies."""


class ModulesPart(Part):
    """Packages of programs and modules."""

    root: Path | None = None
    """The `root.json` that the operator has put on this PC: whose signatures count. Without it
    nothing is installed; it never comes over the line."""

    folder: Path | None = None
    """Where `modules` and `programs` are, which the runner's user must be able to read; without
    it, the state folder."""

    elsewhere: Annotated[tuple[ModuleElsewhere, ...], Field(max_length=ELSEWHERE_MAX)] = ()
    """Modules that are here already, not from us."""

    ask_each_seconds: Annotated[float, Field(ge=1)] = 3_600.0
    """How often licence information is asked for without a cause: a new release, or a seat that has
    come free, is met within so long."""

    spare_bytes: Annotated[int, Field(ge=0)] = 536_870_912
    """Bytes of the disk that no install takes: half a gibibyte, for the journal and the system."""

    budget_seconds: Annotated[float, Field(gt=0)] = 86_400.0
    """How long one download may take with all its attempts: a night and a day."""

    slowest_bytes_per_second: Annotated[int, Field(ge=0)] = 1_024
    """Over a minute; whoever sends more slowly is asked again."""

    probation_seconds: Annotated[float, Field(ge=0)] = 600.0
    """How long the version before is ready to be gone back to while nothing has shown that the new
    one runs."""

    @property
    def are_used(self) -> bool:
        """Say whether this PC has anything to do with packages."""
        return self.root is not None or bool(self.elsewhere)

    @property
    def folders_elsewhere(self) -> Mapping[str, Path]:
        """Return where each module lies that is here already."""
        return {each.module: each.folder for each in self.elsewhere}

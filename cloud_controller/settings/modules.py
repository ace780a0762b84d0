"""Where packages of software are kept that terminals install from here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from cloud_controller.settings.part import Part


class MirrorSettings(Part):
    """Another controller with which lines of the log of modules are exchanged by our call."""

    bundle: Path
    """The file that its `cloud-controller peers add` has written for us."""


class ModulesSettings(Part):
    """Licensed modules and program packages."""

    folder: Path | None = None
    """Where packages and their signed lists lie; without it, `packages` in the state folder."""

    mirrors: Annotated[tuple[MirrorSettings, ...], Field(max_length=32)] = ()
    """With whom the log of modules is exchanged by our call, beside our root; those call us too."""

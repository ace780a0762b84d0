"""Where packages of software are kept that terminals install from here."""

from __future__ import annotations

from pathlib import Path

from cloud_controller.settings.part import Part


class ModulesSettings(Part):
    """Licensed modules and program packages."""

    folder: Path | None = None
    """Where packages and their signed lists lie; without it, `packages` in the state folder."""

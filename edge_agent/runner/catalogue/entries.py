"""What a catalogue holds: the programs of this terminal and the commands beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command of the catalogue: it does one thing and ends by itself."""

    argv: tuple[str, ...]
    working_folder: Path = Path("/")
    environment: Mapping[str, str]
    timeout_seconds: float = 60.0


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program of the catalogue."""

    argv: tuple[str, ...]
    working_folder: Path = Path("/")
    environment: Mapping[str, str]
    version: str | None = None
    stop_grace_seconds: float = 5.0
    ready_after_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """All that can be started on this terminal, by id."""

    programs: Mapping[str, Program]
    commands: Mapping[str, Command]

"""What a catalogue holds: the programs of this terminal and the commands beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Final, TypeAlias

IN_PACKAGE: Final = "{package}"
"""What stands in a command line for the folder of the program's own package, as it is now."""


class ReadyKind(StrEnum):
    """By what a program shows that it runs."""

    PROCESS = "process"
    """One of its processes has this name."""
    PORT = "port"
    """One of its processes listens on this TCP port."""
    WINDOW = "window"
    """One of its processes has a window that can be seen, with this in its title."""
    FILE = "file"
    """This file is there, and not as it was before the start."""
    COMMAND = "command"
    """This command of the catalogue ends with exit code 0."""


@dataclass(frozen=True, kw_only=True)
class Ready:
    """When a program counts as running, and by when it must."""

    kind: ReadyKind
    what: str
    within_seconds: float


@dataclass(frozen=True, kw_only=True)
class Restarts:
    """How often a program may be started again before it counts as broken."""

    times: int
    within_seconds: float


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command of the catalogue: it does one thing and ends by itself."""

    argv: tuple[str, ...]
    working_folder: Path = Path("/")
    environment: Mapping[str, str]
    user: str | None = None
    display: str | None = None
    timeout_seconds: float = 60.0


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program of the catalogue."""

    argv: tuple[str, ...]
    working_folder: Path = Path("/")
    environment: Mapping[str, str]
    user: str | None = None
    """Whose rights it has; without one the runner's."""
    display: str | None = None
    """Where it draws: `:0` of X, `wayland-0` of Wayland."""
    version: str | None = None
    stop_signal: str = "TERM"
    """How it is asked to leave, where no command does that."""
    stop_command: str | None = None
    stop_grace_seconds: float = 5.0
    ready_after_seconds: float = 0.0
    ready: Ready | None = None
    restarts: Restarts | None = None
    reset: str | None = None
    """The command that sets its device back for the next customer."""
    wipe: tuple[PurePosixPath, ...] = ()
    """Folders that are emptied before that."""
    package: str | None = None
    """The package that it comes as, where it is not installed by hand."""
    modules: tuple[str, ...] = ()
    """Licensed modules without which it does not start."""


Startable: TypeAlias = Program | Command


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """All that can be started on this terminal, by id."""

    programs: Mapping[str, Program]
    commands: Mapping[str, Command]

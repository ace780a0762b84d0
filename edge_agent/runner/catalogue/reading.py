"""Reads a catalogue; one that is not wholly right is not used at all."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, TypeVar

from common.errors import CannotStart
from common.messages.base import PROGRAMS_MAX
from edge_agent.runner.catalogue import checks
from edge_agent.runner.catalogue.entries import Catalogue, Command, Program

FILE_BYTES_MAX: Final = 262_144
"""Bytes of a catalogue file; a larger one is something else."""

STOP_GRACE_SECONDS_MAX: Final = 60.0
"""The longest a program may take to leave by itself when its session is stopped early."""

READY_AFTER_SECONDS_MAX: Final = 300.0
"""The longest a program may take until it counts as running."""

COMMANDS_MAX: Final = 200
"""Commands of one terminal: some for each device and each program."""

TIMEOUT_SECONDS_MAX: Final = 3600.0
"""The longest a command may take: a device that is wiped and set up anew takes an hour."""

Entry = TypeVar("Entry")


class CatalogueIsWrong(CannotStart):
    """The catalogue {file} cannot be used: {why}."""


def read_catalogue(file: Path) -> Catalogue:
    """Return the programs and commands of this file by their ids.

    Raises:
        CatalogueIsWrong: it cannot be read, has an unknown key, or a value is out of bounds.
    """
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise CatalogueIsWrong(file=file, why=f"it is larger than {FILE_BYTES_MAX} bytes")
        content = tomllib.loads(file.read_text("utf-8"))
    except OSError as fault:
        raise CatalogueIsWrong(file=file, why=fault.strerror) from None
    except ValueError as fault:
        raise CatalogueIsWrong(file=file, why=fault) from None
    try:
        return _catalogue(content)
    except ValueError as fault:
        raise CatalogueIsWrong(file=file, why=fault) from None


def _catalogue(content: Mapping[str, Any]) -> Catalogue:
    checks.refuse_unknown(content, {"programs", "commands"}, "the file")
    return Catalogue(
        programs=_all(content, "programs", PROGRAMS_MAX, _program),
        commands=_all(content, "commands", COMMANDS_MAX, _command),
    )


def _all(
    content: Mapping[str, Any], kind: str, most: int, read: Callable[[str, object], Entry]
) -> dict[str, Entry]:
    tables = checks.table(content.get(kind, {}), kind)
    if len(tables) > most:
        message = f"it has {len(tables)} {kind}, and at most {most} may be named"
        raise ValueError(message)
    return {
        checks.name(name, kind): read(f"{kind}.{name}", value) for name, value in tables.items()
    }


def _program(place: str, value: object) -> Program:
    table = checks.table(value, place)
    checks.refuse_unknown(table, {field.name for field in fields(Program)}, place)
    return Program(
        argv=checks.argv(table.get("argv"), place),
        working_folder=checks.folder(table.get("working_folder", "/"), f"{place}.working_folder"),
        environment=checks.environment(table.get("environment", {}), f"{place}.environment"),
        version=checks.version(table.get("version"), f"{place}.version"),
        stop_grace_seconds=checks.number(
            table, "stop_grace_seconds", 5, STOP_GRACE_SECONDS_MAX, place
        ),
        ready_after_seconds=checks.number(
            table, "ready_after_seconds", 0, READY_AFTER_SECONDS_MAX, place
        ),
    )


def _command(place: str, value: object) -> Command:
    table = checks.table(value, place)
    checks.refuse_unknown(table, {field.name for field in fields(Command)}, place)
    return Command(
        argv=checks.argv(table.get("argv"), place),
        working_folder=checks.folder(table.get("working_folder", "/"), f"{place}.working_folder"),
        environment=checks.environment(table.get("environment", {}), f"{place}.environment"),
        timeout_seconds=checks.number(table, "timeout_seconds", 60, TIMEOUT_SECONDS_MAX, place),
    )

"""The catalogue: what each program id means on this terminal; nothing else on it can be started."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any, Final

from common.errors import CannotStart
from common.ids import NAME_PATTERN
from common.messages.base import PROGRAMS_MAX

FILE_BYTES_MAX: Final = 262_144
"""Bytes of a catalogue file; a larger one is something else."""

STOP_GRACE_SECONDS_MAX: Final = 60.0
"""The longest a program may take to leave by itself when its session is stopped early."""

READY_AFTER_SECONDS_MAX: Final = 300.0
"""The longest a program may take until it counts as running."""


VERSION_LENGTH_MAX: Final = 200
"""Characters of a program's version."""

_NAME = re.compile(NAME_PATTERN)


class CatalogueIsWrong(CannotStart):
    """The catalogue {file} cannot be used: {why}."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program of the catalogue."""

    argv: tuple[str, ...]
    working_folder: Path = Path("/")
    environment: Mapping[str, str]
    version: str | None = None
    stop_grace_seconds: float = 5.0
    ready_after_seconds: float = 0.0


def read_catalogue(file: Path) -> Mapping[str, Program]:
    """Return the programs of this file by their id.

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
        return _programs(content)
    except ValueError as fault:
        raise CatalogueIsWrong(file=file, why=fault) from None


def _programs(content: Mapping[str, Any]) -> dict[str, Program]:
    _refuse_unknown(content, {"programs"}, "the file")
    tables = _table(content.get("programs", {}), "programs")
    if len(tables) > PROGRAMS_MAX:
        message = f"it has {len(tables)} programs, and at most {PROGRAMS_MAX} may be named"
        raise ValueError(message)
    return {_name(name): _program(f"programs.{name}", table) for name, table in tables.items()}


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        message = f"programs.{name!r} is no id: letters, digits and _ . : - only, at most 64"
        raise ValueError(message)
    return name


def _program(place: str, value: object) -> Program:
    table = _table(value, place)
    _refuse_unknown(table, {field.name for field in fields(Program)}, place)
    return Program(
        argv=_argv(table.get("argv"), place),
        working_folder=_working_folder(table.get("working_folder", "/"), place),
        environment=_environment(table.get("environment", {}), place),
        version=_version(table.get("version"), place),
        stop_grace_seconds=_number(table, "stop_grace_seconds", 5, STOP_GRACE_SECONDS_MAX, place),
        ready_after_seconds=_number(
            table, "ready_after_seconds", 0, READY_AFTER_SECONDS_MAX, place
        ),
    )


def _argv(value: object, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(map(_is_text, value)):
        message = f"{place}.argv must be a list of texts that begins with the program's file"
        raise ValueError(message)
    if not PurePosixPath(value[0]).is_absolute():
        message = f"{place}.argv must begin with an absolute path, not {value[0]!r}"
        raise ValueError(message)
    return tuple(value)


def _working_folder(value: object, place: str) -> Path:
    if not _is_text(value) or not Path(str(value)).is_absolute():
        message = f"{place}.working_folder must be an absolute path"
        raise ValueError(message)
    return Path(str(value))


def _environment(value: object, place: str) -> dict[str, str]:
    table = _table(value, f"{place}.environment")
    for name, text in table.items():
        if not name or "=" in name or not _is_text(name) or not _is_text(text):
            message = f"{place}.environment.{name} must be a text"
            raise ValueError(message)
    return table


def _version(value: object, place: str) -> str | None:
    if value is None:
        return None
    if not _is_text(value) or not 0 < len(str(value)) <= VERSION_LENGTH_MAX:
        message = f"{place}.version must be a text of 1 to {VERSION_LENGTH_MAX} characters"
        raise ValueError(message)
    return str(value)


def _number(
    table: Mapping[str, Any], key: str, default: float, largest: float, place: str
) -> float:
    value = table.get(key, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= largest:
        message = f"{place}.{key} must be a number from 0 to {largest:g}"
        raise ValueError(message)
    return float(value)


def _table(value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        message = f"{place} must be a table"
        raise ValueError(message)  # noqa: TRY004 - one kind of fault for all that is wrong in the file
    return value


def _refuse_unknown(table: Mapping[str, Any], known: set[str], place: str) -> None:
    if unknown := sorted(table.keys() - known):
        message = f"{place} has an unknown key {unknown[0]!r}"
        raise ValueError(message)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value

"""Reads a catalogue; one that is not wholly right is not used at all."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, TypeVar

from common.errors import CannotStart
from common.messages.base import PROGRAMS_MAX
from common.rules.sessions import START_WITHIN_SECONDS
from edge_agent.runner.catalogue import checks
from edge_agent.runner.catalogue.entries import (
    Catalogue,
    Command,
    Program,
    Ready,
    ReadyKind,
    Restarts,
)
from edge_agent.runner.catalogue.seal import refuse_unsigned

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

READY_WITHIN_SECONDS: Final = 20.0
"""How long a program may take to be ready where the catalogue does not say."""

READY_WITHIN_SECONDS_MAX: Final = START_WITHIN_SECONDS - 2.0
"""A session that does not run 30 s after its scan has failed for the agent and the controller."""

RESTARTS_MAX: Final = 100
"""Restarts inside a budget; what needs more is no program for customers."""

PORT_MAX: Final = 65_535

STOP_SIGNALS: Final = ("TERM", "INT", "HUP", "QUIT", "USR1", "USR2")
"""By which a program can be asked to leave."""

Entry = TypeVar("Entry")


class CatalogueIsWrong(CannotStart):
    """The catalogue {file} cannot be used: {why}."""


def read_catalogue(file: Path, key: str = "") -> Catalogue:
    """Return the programs and commands of this file by their ids.

    Args:
        file: the catalogue.
        key: the public half of the operator's key in hex; where it is given it must have signed.

    Raises:
        CatalogueIsWrong: it cannot be read, has an unknown key, or a value is out of bounds.
        SignatureIsMissing, SignatureIsWrong: it is not what the operator signed.
    """
    raw = read_bytes(file)
    if key:
        refuse_unsigned(file, raw, key)
    try:
        return _catalogue(tomllib.loads(raw.decode("utf-8")))
    except ValueError as fault:
        raise CatalogueIsWrong(file=file, why=fault) from None


def read_bytes(file: Path) -> bytes:
    """Return what a catalogue's file holds, read once: what is checked is what is used.

    Raises:
        CatalogueIsWrong: it cannot be read, or is larger than any catalogue.
    """
    try:
        with file.open("rb") as opened:
            raw = opened.read(FILE_BYTES_MAX + 1)
    except OSError as fault:
        raise CatalogueIsWrong(file=file, why=fault.strerror) from None
    if len(raw) > FILE_BYTES_MAX:
        raise CatalogueIsWrong(file=file, why=f"it is larger than {FILE_BYTES_MAX} bytes")
    return raw


def _catalogue(content: Mapping[str, Any]) -> Catalogue:
    checks.refuse_unknown(content, {"programs", "commands"}, "the file")
    catalogue = Catalogue(
        programs=_all(content, "programs", PROGRAMS_MAX, _program),
        commands=_all(content, "commands", COMMANDS_MAX, _command),
    )
    for name, program in catalogue.programs.items():
        asked = {"stop_command": program.stop_command, "reset": program.reset}
        if program.ready and program.ready.kind is ReadyKind.COMMAND:
            asked["ready.command"] = program.ready.what
        for key, command in asked.items():
            if command is not None and command not in catalogue.commands:
                message = f"programs.{name}.{key} names no command of this catalogue"
                raise ValueError(message)
    return catalogue


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
    if "ready" in table and "ready_after_seconds" in table:
        message = f"{place} has both ready and ready_after_seconds"
        raise ValueError(message)
    display = checks.display(table.get("display"), f"{place}.display")
    package = checks.package(table.get("package"), f"{place}.package")
    return Program(
        **_common(table, place, is_packed=package is not None),
        version=checks.version(table.get("version"), f"{place}.version"),
        stop_signal=checks.one_of(
            table.get("stop_signal", "TERM"), STOP_SIGNALS, f"{place}.stop_signal"
        ),
        stop_command=_text(table, "stop_command", place),
        stop_grace_seconds=checks.number(
            table, "stop_grace_seconds", 5, STOP_GRACE_SECONDS_MAX, place
        ),
        ready_after_seconds=checks.number(
            table, "ready_after_seconds", 0, READY_AFTER_SECONDS_MAX, place
        ),
        ready=_ready(table["ready"], f"{place}.ready", display) if "ready" in table else None,
        restarts=_restarts(table["restarts"], f"{place}.restarts") if "restarts" in table else None,
        reset=_text(table, "reset", place),
        wipe=checks.wipe(table.get("wipe", []), f"{place}.wipe"),
        package=package,
        modules=checks.modules(table.get("modules", []), f"{place}.modules"),
    )


def _command(place: str, value: object) -> Command:
    table = checks.table(value, place)
    checks.refuse_unknown(table, {field.name for field in fields(Command)}, place)
    return Command(
        **_common(table, place),
        timeout_seconds=checks.number(table, "timeout_seconds", 60, TIMEOUT_SECONDS_MAX, place),
    )


def _common(table: Mapping[str, Any], place: str, *, is_packed: bool = False) -> dict[str, Any]:
    return {
        "argv": checks.argv(table.get("argv"), place, is_packed=is_packed),
        "working_folder": checks.path(table.get("working_folder", "/"), f"{place}.working_folder"),
        "environment": checks.environment(table.get("environment", {}), f"{place}.environment"),
        "user": checks.user(table.get("user"), f"{place}.user"),
        "display": checks.display(table.get("display"), f"{place}.display"),
    }


def _ready(value: object, place: str, display: str | None) -> Ready:
    table = checks.table(value, place)
    checks.refuse_unknown(table, {*ReadyKind, "within_seconds"}, place)
    kinds = [kind for kind in ReadyKind if kind in table]
    if len(kinds) != 1:
        message = f"{place} must have one of {', '.join(ReadyKind)}"
        raise ValueError(message)
    (kind,) = kinds
    if kind is ReadyKind.WINDOW and not (display or "").startswith(":"):
        message = f"{place}.window needs a display of X, such as :0"
        raise ValueError(message)
    if kind is ReadyKind.PORT:
        what = str(checks.whole(table, kind, PORT_MAX, place))
    elif kind is ReadyKind.FILE:
        what = str(checks.path(table[kind], f"{place}.file"))
    else:
        what = _text(table, kind, place) or ""
    within_seconds = checks.number(
        table, "within_seconds", READY_WITHIN_SECONDS, READY_WITHIN_SECONDS_MAX, place
    )
    return Ready(kind=kind, what=what, within_seconds=within_seconds)


def _restarts(value: object, place: str) -> Restarts:
    table = checks.table(value, place)
    checks.refuse_unknown(table, {"times", "within_seconds"}, place)
    return Restarts(
        times=checks.whole(table, "times", RESTARTS_MAX, place),
        within_seconds=checks.number(table, "within_seconds", 600, 86_400, place),
    )


def _text(table: Mapping[str, Any], key: str, place: str) -> str | None:
    value = table.get(key)
    if value is not None and not checks.is_text(value):
        message = f"{place}.{key} must be a text"
        raise ValueError(message)
    return value

"""The checks of a catalogue's single values; each fault names the place in the file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from common.ids import NAME_PATTERN

VERSION_LENGTH_MAX: Final = 200
"""Characters of a program's version."""

_NAME = re.compile(NAME_PATTERN)


def table(value: object, place: str) -> dict[str, Any]:
    """Return a table."""
    if not isinstance(value, dict):
        message = f"{place} must be a table"
        raise ValueError(message)  # noqa: TRY004 - one kind of fault for all that is wrong in the file
    return value


def refuse_unknown(given: Mapping[str, Any], known: set[str], place: str) -> None:
    """Return if the table has these keys only."""
    if unknown := sorted(given.keys() - known):
        message = f"{place} has an unknown key {unknown[0]!r}"
        raise ValueError(message)


def name(value: str, place: str) -> str:
    """Return an id."""
    if not _NAME.fullmatch(value):
        message = f"{place}.{value!r} is no id: letters, digits and _ . : - only, at most 64"
        raise ValueError(message)
    return value


def argv(value: object, place: str) -> tuple[str, ...]:
    """Return a command line that begins with an absolute path."""
    if not isinstance(value, list) or not value or not all(map(is_text, value)):
        message = f"{place}.argv must be a list of texts that begins with the program's file"
        raise ValueError(message)
    if not PurePosixPath(value[0]).is_absolute():
        message = f"{place}.argv must begin with an absolute path, not {value[0]!r}"
        raise ValueError(message)
    return tuple(value)


def folder(value: object, place: str) -> Path:
    """Return a folder's absolute path."""
    if not is_text(value) or not Path(str(value)).is_absolute():
        message = f"{place} must be an absolute path"
        raise ValueError(message)
    return Path(str(value))


def environment(value: object, place: str) -> dict[str, str]:
    """Return further variables."""
    given = table(value, place)
    for key, text in given.items():
        if not key or "=" in key or not is_text(key) or not is_text(text):
            message = f"{place}.{key} must be a text"
            raise ValueError(message)
    return given


def version(value: object, place: str) -> str | None:
    """Return a version, if one is given."""
    if value is None:
        return None
    if not is_text(value) or not 0 < len(str(value)) <= VERSION_LENGTH_MAX:
        message = f"{place} must be a text of 1 to {VERSION_LENGTH_MAX} characters"
        raise ValueError(message)
    return str(value)


def number(given: Mapping[str, Any], key: str, default: float, largest: float, place: str) -> float:
    """Return a number from 0 to the largest that is sensible."""
    value = given.get(key, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= largest:
        message = f"{place}.{key} must be a number from 0 to {largest:g}"
        raise ValueError(message)
    return float(value)


def is_text(value: object) -> bool:
    """Return whether it is a text that can be handed to a program."""
    return isinstance(value, str) and "\0" not in value

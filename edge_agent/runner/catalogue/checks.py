"""The checks of a catalogue's single values; each fault names the place in the file."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from common.ids import NAME_PATTERN
from common.messages.base import CHOICES_MAX
from edge_agent.runner.catalogue.entries import IN_PACKAGE

VERSION_LENGTH_MAX: Final = 200
"""Characters of a program's version."""

ARGUMENTS_MAX: Final = 256
"""Words of one command line."""

ARGUMENT_LENGTH_MAX: Final = 4096
"""Characters of one of them: the longest path."""

WIPE_FOLDERS_MAX: Final = 16
"""Folders of one program that are emptied."""

WIPE_DEPTH_MIN: Final = 2
"""How deep a folder lies that may be emptied: nobody means `/home`."""

MODULE_VARIABLE: Final = "RUSUBAN_MODULE_"
"""What the name of a variable begins with that tells a program where a module is."""

_NAME = re.compile(NAME_PATTERN)
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_DISPLAY = re.compile(r":\d{1,5}(\.\d)?|wayland-\d{1,5}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_KEPT_VARIABLES = frozenset(
    {
        *("RUSUBAN_RUNNER", "RUSUBAN_SESSION", "RUSUBAN_PACKAGE"),
        *("GLIBC_TUNABLES", "GCONV_PATH", "BASH_ENV", "ENV", "IFS", "SHELLOPTS"),
        *("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PERL5LIB", "PERL5OPT"),
        *("RUBYOPT", "NODE_OPTIONS"),
    }
)
"""What tells our programs from others, and what would have a program run other code first."""
_KEPT_BEGINNINGS = ("LD_", "BASH_FUNC_", MODULE_VARIABLE)


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


def argv(value: object, place: str, *, is_packed: bool = False) -> tuple[str, ...]:
    """Return a command line that begins with an absolute path, or in the program's own package."""
    if not isinstance(value, list) or not value or not all(map(is_text, value)):
        message = f"{place}.argv must be a list of texts that begins with the program's file"
        raise ValueError(message)
    inside = value[0].removeprefix(f"{IN_PACKAGE}/")
    if not is_packed and any(IN_PACKAGE in word for word in value):
        message = f"{place}.argv names {IN_PACKAGE}, and no package is given"
        raise ValueError(message)
    file = PurePosixPath(value[0] if inside == value[0] else f"/{inside}")
    if not file.is_absolute() or ".." in file.parts:
        message = f"{place}.argv must begin with an absolute path, not {value[0]!r}"
        raise ValueError(message)
    if len(value) > ARGUMENTS_MAX or max(map(len, value)) > ARGUMENT_LENGTH_MAX:
        message = f"{place}.argv is longer than a command line may be"
        raise ValueError(message)
    return tuple(value)


def path(value: object, place: str) -> Path:
    """Return an absolute path."""
    if not is_text(value) or not Path(str(value)).is_absolute() or ".." in Path(str(value)).parts:
        message = f"{place} must be an absolute path"
        raise ValueError(message)
    return Path(str(value))


def wipe(value: object, place: str) -> tuple[PurePosixPath, ...]:
    """Return folders that may be emptied: none of them near the root, none by way of another."""
    if not isinstance(value, list) or len(value) > WIPE_FOLDERS_MAX or not all(map(is_text, value)):
        message = f"{place} must be a list of at most {WIPE_FOLDERS_MAX} folders"
        raise ValueError(message)
    folders = tuple(PurePosixPath(each) for each in value)
    for each in folders:
        if not each.is_absolute() or ".." in each.parts or len(each.parts) <= WIPE_DEPTH_MIN:
            message = f"{place}: {each} must be an absolute path, {WIPE_DEPTH_MIN} deep at least"
            raise ValueError(message)
    return folders


def environment(value: object, place: str) -> dict[str, str]:
    """Return further variables: none by which other code would get into the program."""
    given = table(value, place)
    for key, text in given.items():
        if not _VARIABLE.fullmatch(key):
            message = f"{place}.{key!r} is no name of a variable: letters, digits and _ only"
            raise ValueError(message)
        if key in _KEPT_VARIABLES or key.startswith(_KEPT_BEGINNINGS):
            message = f"{place}.{key} may not be set"
            raise ValueError(message)
        if not is_text(text):
            message = f"{place}.{key} must be a text"
            raise ValueError(message)
    if not all(folder.startswith("/") for folder in given.get("PATH", "/").split(":")):
        message = f"{place}.PATH must name folders by absolute paths"
        raise ValueError(message)
    return given


def package(value: object, place: str) -> str | None:
    """Return the name of a package, if one is given."""
    return _fitting(value, _PACKAGE, f"{place} must be the name of a package")


def modules(value: object, place: str) -> tuple[str, ...]:
    """Return the names of modules, each once."""
    if not isinstance(value, list) or len(value) > CHOICES_MAX:
        message = f"{place} must be a list of at most {CHOICES_MAX} modules"
        raise ValueError(message)
    names = [_fitting(each, _PACKAGE, f"{place} must name modules") for each in value]
    if None in names or len(set(names)) < len(names):
        message = f"{place} must name each module once"
        raise ValueError(message)
    return tuple(filter(None, names))


def user(value: object, place: str) -> str | None:
    """Return the name of a user, if one is given."""
    return _fitting(value, _USER, f"{place} must be the name of a user")


def display(value: object, place: str) -> str | None:
    """Return where a program draws, if that is given."""
    return _fitting(value, _DISPLAY, f"{place} must be a display such as :0 or wayland-0")


def one_of(value: object, choices: Collection[str], place: str) -> str:
    """Return one of a few words."""
    if value not in choices:
        message = f"{place} must be one of {', '.join(choices)}"
        raise ValueError(message)
    return str(value)


def whole(given: Mapping[str, Any], key: str, largest: int, place: str) -> int:
    """Return a whole number from 1 to the largest that is sensible."""
    value = given.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= largest:
        message = f"{place}.{key} must be a whole number from 1 to {largest}"
        raise ValueError(message)
    return value


def _fitting(value: object, pattern: re.Pattern[str], message: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(message)
    return value


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

"""What the code says of itself, and whether the documents say the same."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import typer
from pydantic import BaseModel

import common.rules
from common.machine import Machine
from common.topics import CONTROLLER_STATE, Channel

T = TypeVar("T")

CLOSED_LISTS = ("DenialReason", "EndReason", "ExtensionNo", "CallEnd")
"""Words that customers, operators and the ledger meet; the glossary knows each."""

CLAUSES = frozenset(
    f"{system}{number}"
    for system, last in {"A": 8, "B": 11, "C": 6, "D": 11, "E": 6}.items()
    for number in range(1, last + 1)
)
"""The ids of the five systems' clauses; a requirement that has none here is not one."""

_IN_BACKTICKS = re.compile(r"`([^`\n]+)`")
_CLAUSE_ROW = re.compile(r"^\|\s*\**([A-E]\d+)\**\s*\|(.*)\|\s*$", re.MULTILINE)
_TEST = re.compile(r"tests/[\w/]+\.py::test_\w+")
_TABLE_ROW = re.compile(r"^\| `([a-z_]+)` \| (`[a-z`, ]+`) \|", re.MULTILINE)
_WRITES = re.compile(r"^(?:INSERT INTO|UPDATE|DELETE FROM) ([a-z_]+)", re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def topics() -> set[str]:
    """Return every topic, as far as it is the same for all terminals."""
    return {CONTROLLER_STATE, *Channel}


def settings() -> set[str]:
    """Return the name of every field of both programs' settings, those of sections included."""
    modules = [
        importlib.import_module(f"{side}.settings") for side in ("cloud_controller", "edge_agent")
    ]
    return {
        field
        for module in modules
        for model in _defined_in(module, BaseModel)
        for field in model.model_fields
    }


def commands() -> set[str]:
    """Return every command as a person types it: `edge-agent read-ticket`."""
    found: set[str] = set()
    for program in ("cloud-controller", "edge-agent"):
        module = importlib.import_module(f"{program.replace('-', '_')}.main")
        for app in vars(module).values():
            if isinstance(app, typer.Typer):
                found |= set(_typed(program, typer.main.get_command(app)))
    return found


def closed_words() -> set[str]:
    """Return the members of the closed lists of reasons."""
    lists = [kind for module in _rules() for kind in _defined_in(module, StrEnum)]
    return {word for kind in lists if kind.__name__ in CLOSED_LISTS for word in kind}


def machines() -> list[Machine[Any, Any]]:
    """Return every state machine of the rules."""
    found = [thing for module in _rules() for thing in vars(module).values()]
    return list({id(thing): thing for thing in found if isinstance(thing, Machine)}.values())


def untold(words: Iterable[str], page: str) -> set[str]:
    """Return the words that a page does not have in backticks, alone or with what belongs to them.

    A topic may stand there with its root and its tail, a setting after its section, a command
    before its options.
    """
    told = {piece for said in _IN_BACKTICKS.findall(page) for piece in _pieces(said)}
    return {word for word in words if word not in told}


def undrawn(tables: Iterable[Machine[Any, Any]], page: str) -> set[str]:
    """Return the machines whose picture on a page is not the one their table draws."""
    return {table.name for table in tables if f"```mermaid\n{table.as_mermaid()}\n```" not in page}


def writers(queries: Iterable[Path]) -> dict[str, set[str]]:
    """Return every table that is written, and the files of queries that write it."""
    found: dict[str, set[str]] = {}
    for file in queries:
        for table in _WRITES.findall(file.read_text()):
            found.setdefault(table, set()).add(file.stem)
    return found


def told_writers(page: str) -> dict[str, set[str]]:
    """Return what a page says of the same, a row a table."""
    return {table: set(re.findall(r"[a-z]+", by)) for table, by in _TABLE_ROW.findall(page)}


def misnumbered(names: Iterable[str]) -> list[str]:
    """Return the decision records whose number is not the next one, from 0001 on."""
    return [
        name
        for number, name in enumerate(sorted(names), start=1)
        if not re.fullmatch(rf"{number:04}-[a-z0-9-]+\.md", name)
    ]


def unkept_claims(page: str, house: Path) -> Iterator[str]:
    """Yield what is wrong in the table of clauses: one missing, or a test or page not there."""
    rows = dict(_CLAUSE_ROW.findall(page))
    yield from (f"{clause} is not in the table" for clause in sorted(CLAUSES - rows.keys()))
    yield from (f"{clause} is no clause" for clause in sorted(rows.keys() - CLAUSES))
    for clause, cells in rows.items():
        for test in _TEST.findall(cells):
            if clause not in _ids_carried(house, test):
                yield f"{clause}: {test} does not exist or does not carry the id"


def broken_links(page: Path) -> list[str]:
    """Return the links of a page to files that are not there."""
    return [link for link in _LINK.findall(page.read_text()) if not (page.parent / link).exists()]


def unknown_chores(page: str, script: str) -> set[str]:
    """Return each `./dev word` of a page that the script does not know."""
    choices = script.partition("esac")[0]
    known = set(re.findall(r"^ {4}([a-z]+)(?: \|[^)]*)?\)", choices, re.MULTILINE))
    return set(re.findall(r"\./dev ([a-z]+)", page)) - known


def _ids_carried(house: Path, test: str) -> set[str]:
    """Return the clause ids in the name and docstring of a test, none when it is not there."""
    path, name = test.split("::")
    if not (house / path).is_file():
        return set()
    for node in ast.walk(ast.parse((house / path).read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            words = f"{name.upper().replace('_', ' ')} {ast.get_docstring(node) or ''}"
            return set(re.findall(r"\b[A-E]\d+\b", words))
    return set()


def _pieces(said: str) -> Iterator[str]:
    """Yield a text, its ends after each separator, and its beginnings before each space."""
    whole = re.sub(r"/\{\w+\}$", "", said)
    yield whole
    yield from (whole[gap.end() :] for gap in re.finditer(r"[./}]+", whole))
    yield from (whole[: gap.start()] for gap in re.finditer(" ", whole))


def _rules() -> list[ModuleType]:
    names = [module.name for module in pkgutil.iter_modules(common.rules.__path__)]
    return [importlib.import_module(f"common.rules.{name}") for name in names]


def _defined_in(module: ModuleType, kind: type[T]) -> list[type[T]]:
    classes = [thing for thing in vars(module).values() if isinstance(thing, type)]
    inside = f"{module.__name__}."
    return [
        one for one in classes if issubclass(one, kind) and f"{one.__module__}.".startswith(inside)
    ]


def _typed(said: str, command: object) -> Iterator[str]:
    inner = getattr(command, "commands", {})
    if not inner:
        yield said
    for name, one in inner.items():
        yield from _typed(f"{said} {name}", one)

"""Every named query is called by somebody, with exactly its parameters, and the schema knows it."""

from __future__ import annotations

import ast
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from psycopg import DatabaseError

from cloud_controller.storage.postgres import in_percents, open_database as open_postgres
from cloud_controller.storage.sqlite import migrate, open_database
from common.messages.base import ClaimTerms
from edge_agent import journal
from tests.fakes import postgres

HOUSE = Path(__file__).parents[2]
QUERIES = HOUSE / "cloud_controller/storage/queries"
JOURNAL = HOUSE / "edge_agent/queries"
SIDES = {
    **{file.stem: ([file], HOUSE / "cloud_controller") for file in sorted(QUERIES.glob("*.sql"))},
    "rows": (sorted(JOURNAL.glob("*.sql")), HOUSE / "edge_agent"),
}
"""Each group of queries: the files it is written in, and the program that calls it."""

CERTIFICATES = frozenset({"certificate", "revoked"})
"""What has extensions as well, and no query of that name."""

_NAMED = re.compile(r"(?ms)^-- name: (\w+)\(([^)]*)\)[$^!]?\n(.*?)(?=^-- name: |\Z)")
_PARAMETER = re.compile(r"(?<!:):(\w+)")
GROUPS = pytest.mark.parametrize("group", SIDES)

Calls = dict[str, dict[str, list[tuple[str, frozenset[str]]]]]
"""By group and query: where it is called, and with which parameters."""


def queries_in(group: str) -> dict[str, tuple[frozenset[str], str]]:
    """Return the parameters and the SQL of each query of a group."""
    text = "\n".join(file.read_text("utf-8") for file in SIDES[group][0])
    return {
        name: (frozenset(given.replace(",", " ").split()), sql)
        for name, given, sql in _NAMED.findall(text)
    }


@pytest.fixture(scope="module")
def calls() -> Calls:
    """Return every call of a named query in both programs."""
    found: Calls = defaultdict(lambda: defaultdict(list))
    for program in ("cloud_controller", "edge_agent"):
        for file in sorted((HOUSE / program).rglob("*.py")):
            tree = ast.parse(file.read_text("utf-8"))
            for group, query, call in _calls_in(tree):
                if file.is_relative_to(SIDES[group][1]):
                    where = f"{file.relative_to(HOUSE)}:{call.lineno}"
                    found[group][query].append((where, _parameters_of(call, tree)))
    return found


def _calls_in(tree: ast.Module) -> Iterator[tuple[str, str, ast.Call]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(
                    attr=query, value=ast.Attribute(attr=group, value=ast.Name(id=whose))
                )
            ) if group in SIDES and whose not in CERTIFICATES:
                yield group, query, node


def _parameters_of(call: ast.Call, tree: ast.Module) -> frozenset[str]:
    assert not call.args, f"line {call.lineno}: parameters are given by name"
    names = {word.arg for word in call.keywords if word.arg is not None}
    for word in call.keywords:
        if word.arg is None:
            names |= _keys_of(word.value, call, tree)
    return frozenset(names)


def _keys_of(spread: ast.expr, call: ast.Call, tree: ast.Module) -> set[str]:
    """Return the keys of a dictionary: its name, its maker, what it is over; or all terms."""
    keys: set[str] = set()
    if isinstance(spread, ast.Attribute) and spread.attr == "terms":
        keys = set(ClaimTerms.model_fields)
    for node in ast.walk(tree):
        match spread, node:
            case (
                ast.Name(id=name),
                ast.Assign(targets=[ast.Name(id=found)], value=ast.Dict(keys=parts)),
            ) if found == name and node.lineno < call.lineno:
                keys = _texts(parts)
            case (
                ast.Call(func=ast.Name(id=name)),
                ast.FunctionDef(name=found, body=[*_, ast.Return(value=ast.Dict(keys=parts))]),
            ) if found == name:
                keys = _texts(parts)
            case (
                ast.DictComp(generators=[ast.comprehension(iter=ast.Name(id=name))]),
                ast.AnnAssign(target=ast.Name(id=found), value=ast.Tuple() as names),
            ) if found == name:
                keys = _texts(list(ast.walk(names)))
    assert keys, f"line {call.lineno}: ** has no dictionary that can be read here"
    return keys


def _texts(parts: Sequence[ast.AST | None]) -> set[str]:
    return {str(part.value) for part in parts if isinstance(part, ast.Constant)}


@GROUPS
def test_no_two_queries_of_a_group_have_one_name(group: str):
    text = "\n".join(file.read_text("utf-8") for file in SIDES[group][0])
    names = [name for name, _, _ in _NAMED.findall(text)]
    assert sorted(names) == sorted(set(names)), "the later one would be called for both"


@GROUPS
def test_every_named_query_is_called_by_somebody(group: str, calls: Calls):
    assert not queries_in(group).keys() - calls[group].keys()


@GROUPS
def test_every_query_called_is_written(group: str, calls: Calls):
    missing = calls[group].keys() - queries_in(group).keys()
    assert not {query: calls[group][query] for query in missing}


@GROUPS
def test_every_call_gives_exactly_the_parameters(group: str, calls: Calls):
    wrong = [
        (where, query, given ^ expected)
        for query, (expected, _) in queries_in(group).items()
        for where, given in calls[group][query]
        if given != expected
    ]
    assert not wrong


@GROUPS
def test_the_sql_uses_exactly_the_parameters_it_names(group: str):
    for query, (named, sql) in queries_in(group).items():
        code = "\n".join(line for line in sql.splitlines() if not line.startswith("--"))
        assert set(_PARAMETER.findall(code)) == named, query


@GROUPS
def test_the_schema_knows_every_query(group: str, tmp_path: Path):
    file = tmp_path / "database.sqlite"
    if SIDES[group][1].name == "edge_agent":
        opened = journal._open(file)
        journal._migrate(opened)
    else:
        migrate(file)
        opened = open_database(file)
    with closing(opened) as connection:
        for query, (named, sql) in queries_in(group).items():
            try:
                connection.execute(f"EXPLAIN {sql}", dict.fromkeys(named))
            except sqlite3.Error as fault:
                pytest.fail(f"{group}.{query}: {fault}")


@pytest.mark.parametrize("group", sorted(SIDES.keys() - {"rows"}))
def test_postgres_knows_every_query_too(group: str):
    """A parameter that is nothing tells no type: each has one from where it stands."""
    with closing(open_postgres(postgres.server().migrated())) as connection:
        for query, (named, sql) in queries_in(group).items():
            try:
                connection.execute(f"EXPLAIN {in_percents(sql)}", dict.fromkeys(named))
            except DatabaseError as fault:
                pytest.fail(f"{group}.{query}: {fault}")


def test_a_named_query_is_one_statement():
    for group in SIDES:
        for query, (_, sql) in queries_in(group).items():
            code = re.sub(r"'[^']*'|--[^\n]*", "", sql)
            assert code.count(";") == 1, f"{group}.{query}"

"""Named SQL becomes methods that give rows, a row, a value or how many were changed."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pytest

from common.queries import BoundQueries

SQL = """-- A few names.

-- name: make()!
CREATE TABLE names (number INTEGER PRIMARY KEY, name TEXT);

-- name: add(number, name)!
INSERT INTO names VALUES (:number, :name) ON CONFLICT DO NOTHING;

-- name: add_and_tell(name)$
INSERT INTO names (name) VALUES (:name) RETURNING number;

-- name: everybody()
SELECT number, name FROM names ORDER BY number;

-- name: one(number)^
SELECT number, name FROM names WHERE number = :number;

-- name: one_typed(number)^
SELECT number, name FROM names WHERE number = :number;

-- name: name_of(number)$
SELECT name FROM names WHERE number = :number;

-- name: rename(number, name)!
UPDATE names SET name = :name WHERE number = :number;
"""


@dataclass(frozen=True)
class Person:
    """Somebody with a number."""

    number: int
    name: str


@pytest.fixture
def names(tmp_path: Path) -> BoundQueries:
    """Return bound queries over a table with two rows."""
    file = tmp_path / "names.sql"
    file.write_text(SQL)
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    bound = BoundQueries(file, connection, {"one_typed": Person})
    bound.make()
    bound.add(number=1, name="Aki")
    bound.add(number=2, name="Ben")
    return bound


def test_rows_can_be_looked_at_more_than_once(names: BoundQueries):
    rows = names.everybody()
    assert [row["name"] for row in rows] == [row["name"] for row in rows] == ["Aki", "Ben"]


def test_one_row_is_known_by_its_columns_or_is_none(names: BoundQueries):
    assert names.one(number=2)["name"] == "Ben"
    assert names.one(number=3) is None


def test_a_value_is_itself_or_none(names: BoundQueries):
    assert names.name_of(number=1) == "Aki"
    assert names.name_of(number=3) is None
    assert names.add_and_tell(name="Chi") == 3


def test_a_change_says_how_many_rows_it_changed(names: BoundQueries):
    assert names.rename(number=1, name="Ada") == 1
    assert names.rename(number=9, name="Ada") == 0
    assert names.add(number=1, name="again") == 0


def test_a_query_given_a_record_gives_its_values(names: BoundQueries):
    assert names.one_typed(number=1) == Person(1, "Aki")
    assert names.one_typed(number=3) is None


def test_a_missing_query_is_named(names: BoundQueries):
    with pytest.raises(AttributeError, match="there is no query forget_everybody"):
        names.forget_everybody()


@pytest.mark.parametrize("given", [{}, {"digit": 1}])
def test_a_query_without_its_parameters_is_refused(names: BoundQueries, given: dict[str, int]):
    with pytest.raises((TypeError, ValueError, sqlite3.Error)):
        names.one(**given)

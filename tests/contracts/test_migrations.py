"""The schema goes forward and back as a whole: a kill at any statement leaves all or nothing."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event

from cloud_controller.storage import migrations
from cloud_controller.storage.schema import last_step
from cloud_controller.storage.sqlite import migrate
from common.errors import CannotStart
from edge_agent import journal
from edge_agent.journal import SqliteJournal
from tests.contracts.killed import KillAt, ends_in_a_copy_of_this_process
from tests.fakes.names import CountedNames
from tests.fakes.store import ClockInHand

STEPS = str(Path(migrations.__file__).parent)

STATEMENTS_MAX = 500
"""More than any migration of ours runs."""

EACH = 16
"""Of so many statements a run is killed at one: which, its dice say. Steps only grow in number."""


def schema_of(file: Path) -> set[str]:
    """Return every table, index and trigger that is ours, as it was written."""
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"
            " AND name NOT LIKE 'sqlite_%' AND name <> 'alembic_version'"
        )
        return {text for (text,) in rows}


def open_journal(file: Path) -> None:
    clock, names = ClockInHand(), CountedNames()
    SqliteJournal(file, clock=clock, names=names, boot_id="b").close()


def test_forward_back_and_forward_again_is_the_same_schema(tmp_path: Path):
    file = tmp_path / "books.sqlite"
    migrate(file)
    first = schema_of(file)
    migrate(file, to="base")
    assert schema_of(file) == set()
    migrate(file)
    assert schema_of(file) == first
    assert any("a_slot_is_sold_once" in text for text in first)


def test_the_last_step_is_known_without_what_moves_the_schema():
    assert last_step() == ScriptDirectory(STEPS).get_current_head()


def test_a_schema_that_is_up_to_date_is_left_alone(tmp_path: Path):
    file = tmp_path / "books.sqlite"
    migrate(file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(
            "INSERT INTO stores (store_id, number, title, time_zone, policy, made_at)"
            " VALUES ('s-1', 1, 'Shinjuku', 'Asia/Tokyo', 'manual', 0)"
        )
        connection.commit()
    migrate(file)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT title FROM stores").fetchall() == [("Shinjuku",)]


@pytest.mark.parametrize("direction", ["head", "base"])
def test_a_migration_killed_at_any_statement_is_whole_or_not_at_all(
    tmp_path: Path, direction: str, seed: int
):
    whole = tmp_path / "whole.sqlite"
    migrate(whole)
    before = set() if direction == "head" else schema_of(whole)
    after = schema_of(whole) if direction == "head" else set()
    for cut in range(1 + seed % EACH, STATEMENTS_MAX, EACH):
        file = tmp_path / f"books-{cut}.sqlite"
        if direction == "base":
            shutil.copy(whole, file)
        came_to_its_end = _migrate_and_die(file, direction, cut)
        assert schema_of(file) == (after if came_to_its_end else before)
        if came_to_its_end:
            assert cut > 20, "there were statements to be killed at"
            return
        migrate(file, to=direction)
        assert schema_of(file) == after
    pytest.fail("a migration of so many statements has no end")


def _migrate_and_die(file: Path, direction: str, cut: int) -> bool:
    def work() -> None:
        event.listen(Engine, "after_cursor_execute", KillAt(cut))
        migrate(file, to=direction)

    return ends_in_a_copy_of_this_process(work)


def test_the_journal_killed_at_any_statement_is_whole_or_not_at_all(tmp_path: Path):
    *steps, whole = journal_schemas(tmp_path)
    for cut in range(1, STATEMENTS_MAX):
        file = tmp_path / f"journal-{cut}.sqlite"
        came_to_its_end = _open_journal_and_die(file, cut)
        assert schema_of(file) in (set(), *steps, whole)
        open_journal(file)
        assert schema_of(file) == whole
        if came_to_its_end:
            assert cut > 10, "there were statements to be killed at"
            return
    pytest.fail("a migration of so many statements has no end")


def journal_schemas(folder: Path) -> list[set[str]]:
    """Return the journal's schema after each of its steps."""
    schemas = []
    with closing(sqlite3.connect(folder / "steps.sqlite")) as connection:
        for step in sorted(journal._MIGRATIONS.glob("*.sql")):
            connection.executescript(step.read_text("utf-8"))
            schemas.append(schema_of(folder / "steps.sqlite"))
    return schemas


def _open_journal_and_die(file: Path, cut: int) -> bool:
    def work() -> None:
        connection = journal._open(file)
        connection.set_trace_callback(KillAt(cut))
        journal._migrate(connection)

    return ends_in_a_copy_of_this_process(work)


@pytest.mark.parametrize(
    "content", [b"this is no database at all" * 100, b"SQLite format 3\x00" * 9]
)
def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path, content: bytes):
    file = tmp_path / "books.sqlite"
    file.write_bytes(content)
    with pytest.raises(CannotStart, match=r"books\.sqlite"):
        migrate(file)
    with pytest.raises(CannotStart, match=r"books\.sqlite"):
        open_journal(file)
    assert file.read_bytes() == content

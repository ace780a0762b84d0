"""The schema of either engine moves step by step, as a whole, and while nobody serves from it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine as SqlalchemyEngine, event

from cloud_controller.storage import postgres, sqlite
from cloud_controller.storage.postgres import Database
from cloud_controller.storage.schema import Moved
from common.errors import CannotStart
from tests.contracts.engines import POSTGRES, SQLITE, Engine, database_of, opened
from tests.contracts.killed import HOUSE, KillAt, ends_in_a_copy_of_this_process
from tests.contracts.test_migrations import schema_of
from tests.fakes.postgres import rows, server

LATER = "UPDATE alembic_version SET version_num = '9999'"
CUTS = (1, 2, 9, 60, 100)
"""Statements of a migration to be killed at: the first ones, and some in the middle."""

SCHEMA = """
SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' '
    || coalesce(column_default, '') || ' ' || coalesce(collation_name, '')
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT tablename || ' ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT tgrelid::regclass || ' ' || pg_get_triggerdef(oid) FROM pg_trigger
WHERE NOT tgisinternal
"""


@dataclass(frozen=True)
class Schema:
    """A database whose schema is moved, and how to see all of it."""

    engine: Engine
    folder: Path
    migrate: Callable[..., Moved]
    everything: Callable[[], set[str]]
    do: Callable[[str], object]


def on_sqlite(folder: Path) -> Schema:
    file = folder / "books.sqlite"

    def do(statement: str) -> None:
        with sqlite.open_database(file) as connection:
            connection.execute(statement)

    return Schema(
        SQLITE, folder, lambda **to: sqlite.migrate(file, **to), lambda: schema_of(file), do
    )


def on_postgres(folder: Path) -> Schema:
    database = server().empty()
    (folder / "database").write_text(database.url, "utf-8")
    return Schema(
        POSTGRES,
        folder,
        lambda **to: postgres.migrate(database, **to),
        lambda: {text for (text,) in rows(database, SCHEMA) if "alembic_version" not in text},
        lambda statement: server_do(database, statement),
    )


def server_do(database: Database, statement: str) -> None:
    with postgres.open_database(database) as connection:
        connection.execute(statement)


@pytest.fixture(params=[on_sqlite, on_postgres], ids=["sqlite", "postgres"])
def schema(request: pytest.FixtureRequest, tmp_path: Path) -> Schema:
    made: Schema = request.param(tmp_path)
    return made


def test_each_step_back_and_forward_again_is_the_same_schema(schema: Schema):
    head = schema.migrate().after
    seen = {head: schema.everything()}
    at = head
    while (moved := schema.migrate(to="-1")).after != moved.before:
        at = moved.after
        seen[at] = schema.everything()
    assert at == "0001", "one step back from the first there is none"
    assert len(seen) == int(head)
    for step in list(seen)[::-1][1:]:
        assert schema.migrate(to=step) == Moved(at, step)
        assert schema.everything() == seen[step], step
        at = step
    assert schema.migrate(to="base") == Moved(head, "")
    assert schema.everything() == set()


def test_nothing_is_moved_while_somebody_serves(schema: Schema, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(postgres, "LOCK_SECONDS", 1)
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.2)
    head = schema.migrate().after
    before = schema.everything()

    async def serve() -> None:
        async with opened(schema.engine, schema.folder):
            assert schema.migrate() == Moved(head, head), "there is nothing to do"
            with pytest.raises(CannotStart, match="in use; stop every controller"):
                await asyncio.to_thread(schema.migrate, to="-1")

    asyncio.run(serve())
    assert schema.everything() == before
    assert schema.migrate(to="-1").before == head


def test_a_schema_that_is_later_than_the_program_is_left_alone(schema: Schema):
    schema.migrate()
    schema.do(LATER)
    before = schema.everything()
    for to in ("head", "-1", "0001", "base"):
        with pytest.raises(CannotStart, match="9999, which is later than this program knows"):
            schema.migrate(to=to)
    assert schema.everything() == before


def test_a_step_that_is_none_is_said_with_those_there_are(schema: Schema):
    with pytest.raises(CannotStart, match=r"no step 0815; there are 0001, 0002"):
        schema.migrate(to="0815")


def test_two_that_start_at_once_move_it_once(schema: Schema, tmp_path: Path):
    where = tmp_path / "books.sqlite" if schema.engine is SQLITE else database_of(tmp_path).url
    program = Path(__file__).with_name("mover.py")
    command = [sys.executable, str(program), str(where)]
    environment = {**os.environ, "PYTHONPATH": str(HOUSE)}
    movers = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) for _ in range(2)]
    assert [mover.communicate()[1] for mover in movers] == [b"", b""]
    assert schema.migrate().before == schema.migrate().after


@pytest.mark.parametrize("direction", ["head", "base"])
def test_a_migration_of_postgres_that_is_killed_is_not_at_all(tmp_path: Path, direction: str):
    schema = on_postgres(tmp_path)
    if direction == "base":
        schema.migrate()
    before = schema.everything()
    for cut in CUTS:
        assert not _ends_although_killed_at(cut, schema, direction), "it was killed on the way"
        assert schema.everything() == before
    schema.migrate(to=direction)
    assert schema.everything() != before


def _ends_although_killed_at(cut: int, schema: Schema, direction: str) -> bool:
    def work() -> Any:
        event.listen(SqlalchemyEngine, "after_cursor_execute", KillAt(cut))
        schema.migrate(to=direction)

    return ends_in_a_copy_of_this_process(work)

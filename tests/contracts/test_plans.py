"""What a customer waits for is found by an index, however much has been sold in all the years."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aiosql
import psycopg
import pytest

import cloud_controller.storage.books
import edge_agent.journal
from cloud_controller.storage.postgres import in_percents, open_database as open_postgres
from cloud_controller.storage.sqlite import migrate, open_database
from tests.fakes.postgres import server

WAITED_FOR = {
    "controller": (
        *("standing", "exchange", "keep_exchange", "door", "ticket", "is_taken", "reserve_ticket"),
        *("raise_fence", "grant_session", "add_right", "add_scan", "held", "tickets_to_hold"),
        *("free_held", "take_seats", "seats_given", "peer"),
    ),
    "terminal": (
        *("exchange", "keep_exchange", "note_asked", "session_of_ticket", "live_session_on"),
        *("add_session", "held_ticket", "keep_right"),
    ),
}
"""Queries between a scan and its start, and those of every other exchange, by program."""


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[dict[str, tuple[sqlite3.Connection, Path]]]:
    """Give both programs' empty databases, each with its file of queries."""
    migrate(tmp_path / "books.sqlite")
    books = open_database(tmp_path / "books.sqlite")
    journal = edge_agent.journal._open(tmp_path / "journal.sqlite")
    edge_agent.journal._migrate(journal)
    of_books = Path(cloud_controller.storage.books.__file__).parent / "queries" / "rights.sql"
    of_journal = Path(edge_agent.journal.__file__).with_name("queries")
    with closing(books), closing(journal):
        yield {"controller": (books, of_books), "terminal": (journal, of_journal)}


@pytest.mark.parametrize(
    ("file", "query"),
    [
        *(("offerings", query) for query in ("taken", "record", "served")),
        *(("devices", query) for query in ("around", "told_around")),
        ("lists", "ticket_stands"),
    ],
)
def test_what_a_page_shows_reads_nothing_of_all_that_was_sold_before(
    databases, file, query
) -> None:
    connection, rights = databases["controller"]
    sql = getattr(aiosql.from_path(rights.with_name(f"{file}.sql"), "sqlite3"), query).sql
    values = dict.fromkeys(re.findall(r":(\w+)", sql), 1)
    plan = [row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    assert not [step for step in plan if re.match(r"SCAN (r|u|had|live)\b", step)]
    assert not [step for step in plan if "reservations_by_begin" in step]


@pytest.mark.parametrize(
    ("program", "query"),
    [(program, query) for program in WAITED_FOR for query in WAITED_FOR[program]],
)
def test_what_is_waited_for_goes_through_no_whole_table(databases, program, query) -> None:
    connection, file = databases[program]
    sql = getattr(aiosql.from_path(file, "sqlite3"), query).sql
    values = dict.fromkeys(re.findall(r":(\w+)", sql), 1)
    plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
    scans = [row["detail"] for row in plan if row["detail"].startswith("SCAN")]
    assert not [scan for scan in scans if scan != "SCAN CONSTANT ROW"]


@pytest.fixture(scope="module")
def connection() -> Iterator[psycopg.Connection[Any]]:
    """Give a database of PostgreSQL that is told to go through a whole table only where it must."""
    with closing(open_postgres(server().migrated())) as opened:
        opened.execute("SET enable_seqscan = off")
        opened.commit()
        yield opened


@pytest.mark.parametrize("query", WAITED_FOR["controller"])
def test_what_is_waited_for_has_an_index_on_postgres_too(connection, query: str) -> None:
    """Which it takes depends on what is in the tables; with few rows, none is the fastest."""
    file = Path(cloud_controller.storage.books.__file__).parent / "queries" / "rights.sql"
    sql = in_percents(getattr(aiosql.from_path(file, "sqlite3"), query).sql)
    values = dict.fromkeys(re.findall(r"%\((\w+)\)s", sql))
    plan = connection.execute(f"EXPLAIN {sql}", values).fetchall()
    connection.rollback()
    lines = [row["QUERY PLAN"] for row in plan]
    assert not [line for line in lines if "Seq Scan" in line]

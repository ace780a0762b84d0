"""What is left when all is over, in one file: books, journals, and what the programs wrote."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.demo.terminal import Terminal
from tests.demo.world import World

RAN: Final = "ran"
"""In a terminal's folder: one line for each program that ever began, with its session."""

_FROM_THE_BOOKS: Final = (
    "tickets reservations rights sessions exchanges quarantines held_tickets compensations "
    "ledger inbox inbox_marks commands problems"
)

_OF_THE_JOURNALS: Final = """
CREATE TABLE kept_sessions (terminal TEXT, session TEXT, ticket TEXT, state TEXT, admission TEXT);
CREATE TABLE kept_exchanges (terminal TEXT, kind TEXT, state TEXT);
CREATE TABLE kept_marks (terminal TEXT, epoch TEXT, posted INTEGER, waiting INTEGER);
CREATE TABLE ran (terminal TEXT, session TEXT);
"""

_FOR_DAMAGE: Final = """
CREATE VIEW a_use AS SELECT session_id, ticket_id, reservation_id FROM sessions
    WHERE state = 'ended' ORDER BY session_id LIMIT 1
"""

_FROM_A_JOURNAL: Final = """
INSERT INTO kept_sessions SELECT i.terminal, s.session, s.ticket, s.state, s.admission
    FROM journal.sessions AS s, journal.identity AS i;
INSERT INTO kept_exchanges SELECT i.terminal, e.kind, e.state
    FROM journal.exchanges AS e, journal.identity AS i;
INSERT INTO kept_marks SELECT i.terminal, i.epoch,
    coalesce((SELECT max(seq) FROM journal.sqlite_sequence WHERE name = 'outbox'), 0),
    (SELECT count(*) FROM journal.outbox) FROM journal.identity AS i;
"""


def gather(world: World, into: Path) -> None:
    """Copy all that the laws look at, so that nobody changes it meanwhile."""
    with contextlib.closing(sqlite3.connect(f"file:{into}", uri=True)) as evidence:
        books = world.folder / "controller" / "books.db"
        evidence.execute("ATTACH ? AS books", [f"file:{books}?mode=ro"])
        for table in _FROM_THE_BOOKS.split():
            evidence.execute(f"CREATE TABLE {table} AS SELECT * FROM books.{table}")  # noqa: S608 - our own names
        evidence.execute(_FOR_DAMAGE)
        evidence.commit()
        evidence.execute("DETACH books")
        evidence.executescript(_OF_THE_JOURNALS)
        for terminal in world.terminals:
            _add_journal(evidence, terminal)
        evidence.commit()


def journal_of(terminal: Terminal) -> str:
    """Return where SQLite finds a terminal's journal, only to be read."""
    return f"file:{terminal.folder / 'agent' / 'journal.db'}?mode=ro"


def begun(terminal: Terminal) -> Sequence[str]:
    """Return the session of each program that ever began on a terminal, once for each beginning."""
    written = terminal.folder / RAN
    return written.read_text("ascii").split() if written.exists() else ()


def _add_journal(evidence: sqlite3.Connection, terminal: Terminal) -> None:
    evidence.execute("ATTACH ? AS journal", [journal_of(terminal)])
    for statement in _FROM_A_JOURNAL.split(";\n"):
        if statement.strip():
            evidence.execute(statement)
    name = evidence.execute("SELECT terminal FROM journal.identity").fetchone()[0]
    evidence.executemany("INSERT INTO ran VALUES (?, ?)", [(name, s) for s in begun(terminal)])
    evidence.commit()
    evidence.execute("DETACH journal")

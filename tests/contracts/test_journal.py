"""What the journal promises: durable before it is said, whole or nothing, numbers never again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from common.errors import StorageIsFull
from common.messages.registration import Heartbeat
from common.topics import Channel
from edge_agent.journal import SqliteJournal
from edge_agent.ports import Verdict
from tests.contracts.killed import acknowledged_before_the_kill
from tests.fakes.names import CountedNames
from tests.fakes.store import ClockInHand
from tests.fakes.terminal import say_number

VERDICT = Verdict(device="d-1", scan="x-1", reason=None)


def open_journal(folder: Path) -> SqliteJournal:
    return SqliteJournal(
        folder / "journal.sqlite", clock=ClockInHand(), names=CountedNames(), boot_id="b"
    )


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    """Return an open journal with nothing in it."""
    opened = open_journal(tmp_path)
    yield opened
    opened.close()


def seqs(journal: SqliteJournal) -> list[int]:
    return [row["seq"] for row in journal.transact(lambda j: j.rows.unsent(after=0, most=9999))]


def say_all(journal: Any) -> None:
    say_number(journal, 1)
    journal.ask(Channel.HEARTBEAT, Heartbeat())
    journal.show(VERDICT)


def fail(journal: Any) -> None:
    say_all(journal)
    raise LookupError


def test_a_function_that_raises_has_done_and_said_nothing(journal: SqliteJournal):
    left: list[object] = []
    journal.on_said = lambda: left.append("said")
    journal.on_asked = left.append
    journal.on_shown = left.append
    with pytest.raises(LookupError):
        journal.transact(fail)
    assert seqs(journal) == []
    assert left == []
    journal.transact(say_all)
    assert len(left) == 3


def test_what_leaves_is_in_the_journal_by_then(journal: SqliteJournal, tmp_path: Path):
    seen: list[int] = []

    def look(*_: object) -> None:
        other = sqlite3.connect(tmp_path / "journal.sqlite")
        seen.append(other.execute("SELECT count(*) FROM outbox").fetchone()[0])
        other.close()

    journal.on_said, journal.on_asked, journal.on_shown = look, look, look
    journal.transact(say_all)
    assert seen == [1, 1, 1]


def test_a_number_of_an_event_is_never_given_again(tmp_path: Path):
    first = open_journal(tmp_path)
    for number in range(5):
        first.transact(say_number, number)
    first.transact(lambda j: j.rows.acknowledged(up_to=5))
    assert seqs(first) == []
    first.close()
    second = open_journal(tmp_path)
    second.transact(say_number, 6)
    with pytest.raises(LookupError):
        second.transact(fail)
    second.transact(say_number, 7)
    assert seqs(second) == [6, 7]
    second.close()


def test_an_acknowledgement_takes_out_what_it_covers_and_no_more(journal: SqliteJournal):
    for number in range(5):
        journal.transact(say_number, number)
    for up_to, left in ((0, [1, 2, 3, 4, 5]), (3, [4, 5]), (2, [4, 5]), (99, [])):
        journal.transact(_acknowledge, up_to)
        assert seqs(journal) == left


@pytest.mark.parametrize("lines", [1, 50])
def test_promise_13_what_was_said_to_be_safe_survives_a_kill(tmp_path: Path, lines: int):
    acknowledged = acknowledged_before_the_kill("journal", tmp_path, lines=lines)
    journal = open_journal(tmp_path)
    kept = seqs(journal)
    assert kept == list(range(1, len(kept) + 1))
    assert len(kept) >= acknowledged >= lines
    journal.close()


def test_a_full_disk_is_said_and_the_journal_goes_on_after_it(journal: SqliteJournal):
    left: list[object] = []
    journal.on_shown = left.append
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StorageIsFull, match="full"):
        journal.transact(_say_much)
    assert left == []
    journal.transact(say_number, 1)
    journal._connection.execute("PRAGMA max_page_count=1073741823")
    journal.transact(_say_much)
    assert left == [VERDICT]
    assert len(seqs(journal)) == 2


def _acknowledge(journal: Any, up_to: int) -> None:
    journal.rows.acknowledged(up_to=up_to)


def _say_much(journal: Any) -> None:
    journal.show(VERDICT)
    journal.rows.post(type="x" * 100_000, body="{}", made_at=0)


def test_a_flow_that_calls_a_flow_is_a_bug(journal: SqliteJournal):
    with pytest.raises(AssertionError, match="a flow never calls a flow"):
        journal.transact(lambda _: journal.transact(say_number, 1))
    journal.transact(say_number, 2)
    assert len(seqs(journal)) == 1


def test_one_transaction_has_one_instant_of_each_clock(journal: SqliteJournal):
    looks = journal.transact(lambda j: {(j.now, j.boot_seconds) for _ in range(50)})
    assert len(looks) == 1


def test_the_journal_belongs_to_its_owner_alone(tmp_path: Path):
    journal = open_journal(tmp_path / "state")
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0
    assert (tmp_path / "state/journal.sqlite").stat().st_mode & 0o077 == 0
    journal.close()

"""The agent's two commits of a scan: heard once from its flows, then run again by sqlite3 alone."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from common.messages.rights import Announced, Right, SessionRight
from common.system import SystemClock, SystemNames
from edge_agent import journal
from edge_agent.flows import rights
from edge_agent.ports import Transaction
from tests.bench.by_statements import Ear, Script, Statement
from tests.fakes.terminal import a_device, an_answer

TOKEN = "." * 144
"""As long as a ticket's."""

WHO = an_answer({})


@dataclass(frozen=True, kw_only=True)
class HeardScan:
    """What one scan says to the journal: before anybody comes, with the ticket, with the right."""

    before: Script
    scan: Sequence[Statement]
    right: Sequence[Statement]


def heard_scans(folder: Path, count: int) -> list[HeardScan]:
    """Hear so many scans, each at a device and in an exchange of its own."""
    with _opened(folder / "heard.db") as connection:
        clock, names = SystemClock(), SystemNames()
        on = partial(journal.OpenTransaction, clock=clock, names=names, boot_id="0" * 36)
        ear = Ear(connection, on)
        return [_heard(ear, f"{number:016}") for number in range(count)]


@contextlib.contextmanager
def timed_commits(file: Path, heard: Sequence[HeardScan]) -> Iterator[Iterator[float]]:
    """Give what does the next scan's and right's commit each time, and says its milliseconds."""
    with _opened(file) as connection:
        yield (_timed(connection, each) for each in heard)


def _timed(connection: sqlite3.Connection, scan: HeardScan) -> float:
    for statements in scan.before:
        _commit(connection, statements)
    began = time.perf_counter()
    _commit(connection, scan.scan)
    _commit(connection, scan.right)
    return (time.perf_counter() - began) * 1000


def _commit(connection: sqlite3.Connection, statements: Sequence[Statement]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for sql, values in statements:
        connection.execute(sql, values).fetchall()
    connection.execute("COMMIT")


def _heard(ear: Ear, key: str) -> HeardScan:
    first = len(ear.script)
    found = a_device(key)
    comm_id = ear.do(_announce, found.device)
    ear.do(rights.take_announced, WHO, Announced(comm_id=comm_id))
    scan = rights.Scan(name=f"x-{key}", token=TOKEN, device=found, store_number=1)
    ear.do(rights.scan, WHO, scan, line_is_up=True)
    ear.do(rights.take_right, WHO, *_right(comm_id, key))
    *before, scanned, stored = ear.script[first:]
    return HeardScan(before=before, scan=scanned, right=stored)


def _announce(open_journal: Transaction, device: str) -> str:
    """Announce an exchange for a device; return its communication id."""
    rights.prepare(open_journal, WHO, device)
    row = open_journal.rows.exchange(kind=f"session:{device}")
    return "/".join((WHO.terminal, WHO.epoch, row["kind"], str(row["seq"]), row["nonce"]))


def _right(comm_id: str, key: str) -> tuple[Right, SessionRight]:
    document: dict[str, Any] = {
        "right": f"g-{key}",
        "comm_id": comm_id,
        "kind": f"session:d-{key}",
        "terminal": WHO.terminal,
        "epoch": WHO.epoch,
        "issued_at": 1,
        "session": f"s-{key}",
        "ticket": key,
        "device": f"d-{key}",
        "program": "signal",
        "fence": 1,
        "granted_seconds": 3600.0,
        "start_within_seconds": 30.0,
    }
    told = Right(comm_id=comm_id, document=document, signature="0" * 128)
    return told, SessionRight.model_validate(document)


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(journal._open(file)) as connection:
        journal._migrate(connection)
        yield connection

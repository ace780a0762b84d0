"""The audit beside a running controller: by the clock, by a command, and by nobody's patience."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from typer.testing import CliRunner

from cloud_controller.auditor import Auditor, audit_all
from cloud_controller.commands.auditing import EXIT_FOUND
from cloud_controller.flows import audit
from cloud_controller.main import command_line
from cloud_controller.storage.choice import BOOKS_FILE
from common.rules.audit import LATE_SECONDS, next_audit_at, quiet_zone
from tests.fakes.books import new_books
from tests.fakes.store import HOUR_MS, MORNING_AT, StoreKit, store_kit

DAY_MS = 24 * HOUR_MS
AN_UNBALANCED_ENTRY = """
INSERT INTO stores (store_id, number, title, time_zone, policy, made_at)
    VALUES ('s', 9, 'S', 'Asia/Tokyo', 'manual', 1);
INSERT INTO entries (entry_id, kind, store_id, at) VALUES (1, 'charged', 's', 1);
INSERT INTO postings VALUES (1, 0, 'sales', -100, 'JPY');
"""


def wall(at: int, zone: str) -> str:
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).strftime("%d %H:%M")


def test_the_next_audit_is_at_four_by_the_clock_of_the_store():
    assert wall(next_audit_at("Asia/Tokyo", None, MORNING_AT), "Asia/Tokyo") == "24 04:00"
    assert wall(next_audit_at("Europe/Paris", None, MORNING_AT), "Europe/Paris") == "23 04:00"


def test_an_audit_that_was_made_is_not_made_again_in_the_same_night():
    last = next_audit_at("Asia/Tokyo", None, MORNING_AT)
    assert next_audit_at("Asia/Tokyo", last, last + 60_000) == last + DAY_MS


def test_an_audit_that_was_missed_is_made_up_for_now():
    now = MORNING_AT + LATE_SECONDS * 1000 + 1
    assert next_audit_at("Asia/Tokyo", MORNING_AT, now) == now


def test_the_night_is_that_of_most_stores():
    assert quiet_zone(["Asia/Tokyo", "Europe/Paris", "Asia/Tokyo"]) == "Asia/Tokyo"
    assert quiet_zone([]) == "UTC"


async def _audits_of(kit: StoreKit) -> list[audit.Audited]:
    return await kit.books.read(audit.audits)


async def test_the_running_controller_audits_at_the_quiet_hour_and_once(tmp_path: Path):
    async with store_kit(tmp_path) as kit:
        await kit.open()
        running = Auditor(kit.books, kit.clock)
        await running.begin()
        await running.look()
        assert await _audits_of(kit) == []
        kit.clock.now = next_audit_at("Asia/Tokyo", None, kit.clock.now)
        for _ in range(3):
            await running.look()
        (only,) = await _audits_of(kit)
        assert (only.asked_by, only.found) == (audit.NIGHTLY, 0)
        assert only.looked["devices"] == 2


async def test_whoever_writes_does_not_wait_for_an_audit(tmp_path: Path):
    """Between any two slices the writer has its turn: the audit writes once, at its end."""
    async with store_kit(tmp_path) as kit:
        await kit.open()
        running = asyncio.create_task(audit_all(kit.books, kit.clock, "akiko"))
        written = 0
        while not running.done():
            await kit.books.transact(lambda books: books.now)
            written += 1
        assert written > len(audit.CHECKS)
        (only,) = await _audits_of(kit)
        assert only.audit == await running


def test_the_command_says_what_it_found_and_leaves_with_one(tmp_path: Path):
    settings = tmp_path / "controller.toml"
    settings.write_text(f'state_folder = "{tmp_path}"\n')
    file = tmp_path / BOOKS_FILE
    file.write_bytes(new_books())
    run = CliRunner().invoke(command_line, ["audit", "--settings", str(settings)])
    assert (run.exit_code, "is kept" in run.output) == (0, True), run.output
    with closing(sqlite3.connect(file)) as books:
        books.executescript(AN_UNBALANCED_ENTRY)
    run = CliRunner().invoke(command_line, ["audit", "--settings", str(settings)])
    assert run.exit_code == EXIT_FOUND
    assert "does not sum to nought" in run.output.replace("\n", " ")

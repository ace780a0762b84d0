"""Whose a problem is, who has taken it on and settled it; whom alerts tell of it, and when."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import add_columns, drop_columns, run

revision = "0030"
down_revision = "0029"

_COLUMNS: Final = (
    ("problems", "store_id", "TEXT"),
    ("problems", "taken_by", "TEXT NOT NULL DEFAULT ''"),
    ("problems", "taken_at", "BIGINT"),
    ("problems", "settled_by", "TEXT NOT NULL DEFAULT ''"),
    ("problems", "settled_why", "TEXT NOT NULL DEFAULT ''"),
)

_TABLES: Final = """
UPDATE problems SET store_id = coalesce(
    (SELECT r.store_id FROM reservations AS r WHERE r.reservation_id = problems.reservation_id),
    (SELECT t.store_id FROM terminals AS t WHERE t.terminal_id = problems.terminal_id),
    (SELECT d.store_id FROM devices AS d WHERE d.device_id = problems.subject),
    (SELECT s.store_id FROM stores AS s WHERE s.store_id = problems.subject));
CREATE INDEX problems_by_subject ON problems (kind, subject);
CREATE INDEX problems_solved ON problems (solved_at) WHERE solved_at IS NOT NULL;
CREATE INDEX sessions_that_failed ON sessions (ended_at)
    WHERE end_reason IN ('program_failed', 'device_failed');
CREATE INDEX compensations_by_time ON compensations (made_at);
CREATE INDEX scans_by_untrusted_clocks ON scans (received_at) WHERE verdict = 'clock_untrusted';
CREATE TABLE alert_rules (
    store_id TEXT PRIMARY KEY,
    mails TEXT NOT NULL DEFAULT '[]',
    escalates_to TEXT NOT NULL DEFAULT '[]',
    language TEXT NOT NULL DEFAULT 'en',
    least TEXT NOT NULL DEFAULT 'soon' CHECK (least IN ('note', 'soon', 'urgent')),
    quiet_from_minute INTEGER NOT NULL DEFAULT 0 CHECK (quiet_from_minute BETWEEN 0 AND 1439),
    quiet_until_minute INTEGER NOT NULL DEFAULT 0 CHECK (quiet_until_minute BETWEEN 0 AND 1439),
    is_urgent_loud INTEGER NOT NULL DEFAULT 1,
    wait_seconds INTEGER NOT NULL DEFAULT 60 CHECK (wait_seconds >= 0),
    escalate_seconds INTEGER NOT NULL DEFAULT 0 CHECK (escalate_seconds >= 0),
    uses_webhooks INTEGER NOT NULL DEFAULT 1,
    changed_by TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE TABLE alerts (
    problem_id TEXT NOT NULL REFERENCES problems,
    step TEXT NOT NULL CHECK (step IN ('raised', 'escalated', 'solved')),
    recipient TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (problem_id, step, recipient)
);
"""

_GONE: Final = """
DROP TABLE alerts;
DROP TABLE alert_rules;
DROP INDEX scans_by_untrusted_clocks;
DROP INDEX compensations_by_time;
DROP INDEX sessions_that_failed;
DROP INDEX problems_solved;
DROP INDEX problems_by_subject;
"""


def upgrade() -> None:
    """Make room for what alerts are made by and have told; say whose each problem is."""
    add_columns(_COLUMNS)
    run(_TABLES)


def downgrade() -> None:
    """Take it away again; nobody is told of a problem any more."""
    run(_GONE)
    drop_columns(_COLUMNS)

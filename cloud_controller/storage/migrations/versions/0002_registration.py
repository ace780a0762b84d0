"""Registration in full: codes for known terminals, certificates, rules, programs, problems."""

from __future__ import annotations

from typing import Final

from alembic import op

from cloud_controller.storage.migrations.dialect import (
    add_columns,
    change_check,
    drop_columns,
    is_postgres,
    run,
)

revision = "0002"
down_revision = "0001"

_STORES: Final = """
CREATE TABLE new_stores (
    store_id TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE CHECK (number BETWEEN 1 AND 16777215),
    title TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    policy TEXT NOT NULL CHECK (policy IN ('manual', 'automatic', 'rules')),
    rules TEXT NOT NULL DEFAULT '{}',
    made_at BIGINT NOT NULL
);
INSERT INTO new_stores (store_id, number, title, time_zone, policy, made_at)
SELECT store_id, number, title, time_zone, policy, made_at FROM stores;
DROP TABLE stores;
ALTER TABLE new_stores RENAME TO stores;
"""
"""A check is not changed in place: the table is made anew, its rows and its name moved over."""

_STORES_BEFORE: Final = """
CREATE TABLE old_stores (
    store_id TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE CHECK (number BETWEEN 1 AND 16777215),
    title TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    policy TEXT NOT NULL CHECK (policy IN ('manual', 'automatic')),
    made_at BIGINT NOT NULL
);
INSERT INTO old_stores (store_id, number, title, time_zone, policy, made_at)
SELECT store_id, number, title, time_zone, CASE policy WHEN 'rules' THEN 'manual' ELSE policy END,
    made_at FROM stores;
DROP TABLE stores;
ALTER TABLE old_stores RENAME TO stores;
"""

_RULES: Final = (("stores", "rules", "TEXT NOT NULL DEFAULT '{}'"),)
"""What PostgreSQL adds in place, where it changes the check in place as well."""

_COLUMNS: Final = (
    ("enrolment_codes", "for_terminal", "TEXT"),
    ("terminals", "ladder", "INTEGER NOT NULL DEFAULT 0 CHECK (ladder BETWEEN 0 AND 2)"),
    ("terminals", "standing_revision", "BIGINT NOT NULL DEFAULT 0"),
    ("terminals", "connection", "TEXT NOT NULL DEFAULT ''"),
    ("terminals", "connection_before", "TEXT NOT NULL DEFAULT ''"),
    ("specifications", "confirmed_body", "TEXT"),
    ("specifications", "confirmed_at", "BIGINT"),
)
"""What tables of the first version have besides: table, column, type."""

_TABLES: Final = """
CREATE INDEX audit_by_subject ON audit (subject, entry_id);
CREATE UNIQUE INDEX a_key_is_one_terminal ON terminals (public_key) WHERE standing <> 'retired';
CREATE TABLE certificates (
    serial TEXT PRIMARY KEY,
    terminal_id TEXT NOT NULL REFERENCES terminals,
    epoch TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX certificates_by_terminal ON certificates (terminal_id);
CREATE TABLE programs (
    program TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE TABLE problems (
    problem_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    terminal_id TEXT,
    reservation_id TEXT,
    why TEXT NOT NULL,
    evidence TEXT NOT NULL,
    proposals TEXT NOT NULL,
    times INTEGER NOT NULL DEFAULT 1,
    raised_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    solved_at BIGINT
);
CREATE UNIQUE INDEX a_problem_is_open_once ON problems (kind, subject) WHERE solved_at IS NULL;
"""


def upgrade() -> None:
    """Add what registration needs beyond the main job."""
    if is_postgres():
        change_check("stores", "policy", "policy IN ('manual', 'automatic', 'rules')")
        add_columns(_RULES)
    else:
        run(_STORES)
    add_columns(_COLUMNS)
    run(_TABLES)


def downgrade() -> None:
    """Take it away again; a store that had rules is confirmed by hand."""
    for table in ("problems", "programs", "certificates"):
        op.execute(f"DROP TABLE {table}")
    for index in ("a_key_is_one_terminal", "audit_by_subject"):
        op.execute(f"DROP INDEX {index}")
    drop_columns(_COLUMNS)
    if is_postgres():
        run("UPDATE stores SET policy = 'manual' WHERE policy = 'rules';")
        drop_columns(_RULES)
        change_check("stores", "policy", "policy IN ('manual', 'automatic')")
    else:
        run(_STORES_BEFORE)

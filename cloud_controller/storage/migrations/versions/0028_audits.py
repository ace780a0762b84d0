"""Audits of the promises over the live books, what each found, and leaks while they last."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import run

revision = "0028"
down_revision = "0027"

_TABLES: Final = """
CREATE TABLE audits (
    audit_id TEXT PRIMARY KEY,
    asked_by TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    looked TEXT NOT NULL,
    found BIGINT NOT NULL CHECK (found >= 0)
);
CREATE INDEX audits_by_time ON audits (began_at);
CREATE TABLE audit_findings (
    audit_id TEXT NOT NULL REFERENCES audits,
    line BIGINT NOT NULL,
    invariant TEXT NOT NULL,
    subject TEXT NOT NULL,
    store_id TEXT NOT NULL,
    facts TEXT NOT NULL,
    PRIMARY KEY (audit_id, line)
);
CREATE TABLE leaks (
    leak_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('device_without_session', 'session_without_device')),
    device_id TEXT NOT NULL REFERENCES devices,
    store_id TEXT NOT NULL REFERENCES stores,
    session_id TEXT NOT NULL DEFAULT '',
    began_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE UNIQUE INDEX one_open_leak_a_device ON leaks (device_id) WHERE ended_at IS NULL;
CREATE INDEX leaks_by_store ON leaks (store_id, began_at);
CREATE INDEX entries_by_store_and_time ON entries (store_id, at);
"""


def upgrade() -> None:
    """Make room for what is found."""
    run(_TABLES)


def downgrade() -> None:
    """Forget it: the next audit finds what is still so."""
    tables = ("leaks", "audit_findings", "audits")
    run("DROP INDEX entries_by_store_and_time;\n" + "".join(f"DROP TABLE {t};\n" for t in tables))

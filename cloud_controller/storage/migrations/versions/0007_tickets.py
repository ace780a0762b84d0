"""Tickets: wrong short codes, counted for a while, and which revocations the terminals know of."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import add_columns, drop_columns, run

revision = "0007"
down_revision = "0006"

_COLUMNS: Final = (("revocations", "is_told", "INTEGER NOT NULL DEFAULT 0"),)

_TABLES: Final = """
CREATE TABLE wrong_codes (
    scan_id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL REFERENCES stores,
    terminal_id TEXT NOT NULL REFERENCES terminals,
    at BIGINT NOT NULL
);
CREATE INDEX wrong_codes_by_store ON wrong_codes (store_id, at);
CREATE INDEX revocations_to_tell ON revocations (store_id) WHERE is_told = 0;
"""


def upgrade() -> None:
    """Make room for both."""
    add_columns(_COLUMNS)
    run(_TABLES)


def downgrade() -> None:
    """Take both away again."""
    run("DROP INDEX revocations_to_tell;\nDROP TABLE wrong_codes;")
    drop_columns(_COLUMNS)

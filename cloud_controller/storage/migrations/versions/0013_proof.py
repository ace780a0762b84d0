"""Proof of service: heartbeats of sessions, and what of a session was lost or still to come."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import add_columns, drop_columns, run

revision = "0013"
down_revision = "0012"

_COLUMNS: Final = (
    ("sessions", "remaining_seconds", "REAL"),
    ("sessions", "lost_seconds", "REAL NOT NULL DEFAULT 0"),
)

_TABLES: Final = """
CREATE TABLE heartbeats (
    session_id TEXT PRIMARY KEY REFERENCES sessions,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    number BIGINT NOT NULL,
    delivered_seconds REAL NOT NULL,
    lost_seconds REAL NOT NULL,
    remaining_seconds REAL NOT NULL
);
"""


def upgrade() -> None:
    """Make room for both; what ended before has lost nothing that was told."""
    add_columns(_COLUMNS)
    run(_TABLES)


def downgrade() -> None:
    """Take both away again."""
    run("DROP TABLE heartbeats;")
    drop_columns(_COLUMNS)

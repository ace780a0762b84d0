"""Devices between two customers: where each stands, what an operator wants, the cleaners' codes."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import add_columns, drop_columns, run

revision = "0015"
down_revision = "0014"

_COLUMNS: Final = (
    ("devices", "state", "TEXT NOT NULL DEFAULT ''"),
    ("devices", "state_at", "BIGINT"),
    ("devices", "fault", "TEXT NOT NULL DEFAULT ''"),
    ("devices", "fault_detail", "TEXT NOT NULL DEFAULT ''"),
    ("devices", "confirmed_session", "TEXT NOT NULL DEFAULT ''"),
    ("devices", "order_number", "BIGINT NOT NULL DEFAULT 0"),
    ("devices", "order_is_out", "INTEGER NOT NULL DEFAULT 0"),
    ("devices", "order_skips", "INTEGER NOT NULL DEFAULT 0"),
    ("devices", "heard_order", "BIGINT NOT NULL DEFAULT 0"),
)

_TABLES: Final = """
CREATE TABLE cleaner_codes (
    store_id TEXT PRIMARY KEY REFERENCES stores,
    salt TEXT NOT NULL,
    digest TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    is_told INTEGER NOT NULL DEFAULT 0
);
"""


def upgrade() -> None:
    """Keep where devices stand by their terminals' word, and by what cleaners are known."""
    add_columns(_COLUMNS)
    run(_TABLES)


def downgrade() -> None:
    """Forget both."""
    run("DROP TABLE cleaner_codes;")
    drop_columns(_COLUMNS)

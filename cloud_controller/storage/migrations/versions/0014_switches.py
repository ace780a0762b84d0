"""Switches: what is remembered to move them, and where each of every terminal stands."""

from __future__ import annotations

from typing import Final

from alembic import op

from cloud_controller.storage.migrations.dialect import run

revision = "0014"
down_revision = "0013"

_TABLES: Final = """
CREATE TABLE switch_needs (
    switch TEXT PRIMARY KEY,
    is_needed INTEGER NOT NULL,
    fell_at BIGINT
);
CREATE TABLE pulses (
    switch TEXT NOT NULL,
    session_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('due', 'sent', 'missed')),
    at BIGINT NOT NULL,
    PRIMARY KEY (switch, session_id)
);
CREATE TABLE switches (
    owner TEXT NOT NULL,
    terminal_id TEXT REFERENCES terminals,
    switch TEXT NOT NULL,
    title TEXT NOT NULL,
    wanted TEXT NOT NULL,
    standing TEXT NOT NULL,
    trouble TEXT NOT NULL,
    tries BIGINT NOT NULL,
    heard TEXT NOT NULL,
    told_at BIGINT NOT NULL,
    PRIMARY KEY (owner, switch)
);
"""


def upgrade() -> None:
    """Make room for them."""
    run(_TABLES)


def downgrade() -> None:
    """Take them away again; a door that is open now is shut by whoever shuts it."""
    for table in ("switches", "pulses", "switch_needs"):
        op.execute(f"DROP TABLE {table}")

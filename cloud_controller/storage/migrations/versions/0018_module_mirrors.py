"""Other controllers that copy our log of modules, and for which logs a controller answers."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import add_columns, drop_columns, run

revision = "0018"
down_revision = "0017"

_COLUMNS: Final = (
    ("module_origins", "is_vouched", "INTEGER NOT NULL DEFAULT 0"),
    ("module_origins", "is_doubted", "INTEGER NOT NULL DEFAULT 0"),
    ("module_origins", "heard_from", "TEXT NOT NULL DEFAULT ''"),
)

_TABLES: Final = """
CREATE TABLE module_mirrors (
    name TEXT PRIMARY KEY,
    is_called INTEGER NOT NULL DEFAULT 0,
    is_sure INTEGER NOT NULL DEFAULT 0,
    heard_at BIGINT NOT NULL DEFAULT 0
);
"""


def upgrade() -> None:
    """Keep with whom lines are exchanged; what was logged here so far is answered for here."""
    add_columns(_COLUMNS)
    run("UPDATE module_origins SET is_vouched = is_own;")
    run(_TABLES)


def downgrade() -> None:
    """Forget them."""
    run("DROP TABLE module_mirrors;")
    drop_columns(_COLUMNS)

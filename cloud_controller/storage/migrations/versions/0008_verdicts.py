"""What a customer was told of a scan besides its reason, and where a device stands."""

from __future__ import annotations

from typing import Final

from alembic import op

revision = "0008"
down_revision = "0007"

_COLUMNS: Final = (
    ("scans", "told", "TEXT NOT NULL DEFAULT ''"),
    ("devices", "place", "TEXT NOT NULL DEFAULT ''"),
)
"""Table, column, type. `told` is empty where nothing in particular was said."""


def upgrade() -> None:
    """Make room for it."""
    for table, column, kind in _COLUMNS:
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")


def downgrade() -> None:
    """Take it away again; a scan that is reported again is told its reason alone."""
    for table, column, _ in reversed(_COLUMNS):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")

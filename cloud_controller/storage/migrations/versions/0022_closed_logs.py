"""Logs of modules that an operator has closed: nobody waits for further lines of them."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import add_columns, drop_columns

revision = "0022"
down_revision = "0021"

_COLUMNS: Final = (("module_origins", "is_closed", "INTEGER NOT NULL DEFAULT 0"),)


def upgrade() -> None:
    """Keep which are."""
    add_columns(_COLUMNS)


def downgrade() -> None:
    """Forget it."""
    drop_columns(_COLUMNS)

"""By which digest the unpacked files of each release are known, as it is signed."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import add_columns, drop_columns

revision = "0023"
down_revision = "0022"

_COLUMNS: Final = (("package_versions", "digest", "TEXT NOT NULL DEFAULT ''"),)


def upgrade() -> None:
    """Keep it; the running controller fills it in from the signed lists."""
    add_columns(_COLUMNS)


def downgrade() -> None:
    """Forget it."""
    drop_columns(_COLUMNS)

"""Keys by which other controllers of ours sign the receipts of modules."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import run

revision = "0020"
down_revision = "0019"

_TABLES: Final = """
CREATE TABLE module_signers (
    public_key TEXT PRIMARY KEY,
    heard_from TEXT NOT NULL,
    heard_at BIGINT NOT NULL
);
"""


def upgrade() -> None:
    """Keep them, and from whom each was heard."""
    run(_TABLES)


def downgrade() -> None:
    """Forget them."""
    run("DROP TABLE module_signers;")

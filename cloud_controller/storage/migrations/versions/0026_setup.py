"""What each store is set up as, version by version: who said it, when and why."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import run

revision = "0026"
down_revision = "0025"

_TABLES: Final = """
CREATE TABLE setup_versions (
    kind TEXT NOT NULL CHECK (kind IN
        ('store', 'hours', 'offering', 'prices', 'program', 'device', 'helper')),
    subject TEXT NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    document TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (kind, subject, number)
);
"""


def upgrade() -> None:
    """Keep the versions of what is set up."""
    run(_TABLES)


def downgrade() -> None:
    """Forget them: what is said now stays, and no older word can be taken again."""
    run("DROP TABLE setup_versions;")

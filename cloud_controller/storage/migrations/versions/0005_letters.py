"""Letters: what is to be sent to whom, how often it was tried, and by which name it is known."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import run

revision = "0005"
down_revision = "0004"

_TABLES: Final = """
CREATE TABLE letters (
    letter_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    recipient TEXT NOT NULL,
    language TEXT NOT NULL,
    facts TEXT NOT NULL,
    order_id TEXT,
    reservation_id TEXT,
    state TEXT NOT NULL
        CHECK (state IN ('queued', 'sent', 'failed', 'not_configured', 'withdrawn')),
    attempts BIGINT NOT NULL DEFAULT 0,
    next_at BIGINT NOT NULL,
    message_id TEXT,
    refusal TEXT NOT NULL DEFAULT '',
    made_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX letters_due ON letters (next_at) WHERE state = 'queued';
CREATE INDEX letters_by_recipient ON letters (recipient, kind, made_at) WHERE recipient <> '';
CREATE INDEX letters_by_order ON letters (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX letters_to_forget ON letters (changed_at)
    WHERE recipient <> '' AND state <> 'queued';
"""


def upgrade() -> None:
    """Make room for letters."""
    run(_TABLES)


def downgrade() -> None:
    """Take it away again; what was not sent is not sent any more."""
    run("DROP TABLE letters;")

"""Sessions that go on: by how much, whose customer has agreed to it, what is to be paid."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import run

revision = "0012"
down_revision = "0011"

_MORE: Final = """
ALTER TABLE sessions ADD COLUMN extended_seconds REAL NOT NULL DEFAULT 0;
ALTER TABLE reservations ADD COLUMN extends_itself INTEGER NOT NULL DEFAULT 0;
CREATE TABLE extensions (
    payment_id TEXT PRIMARY KEY REFERENCES payments,
    session_id TEXT NOT NULL REFERENCES sessions,
    terminal_id TEXT NOT NULL,
    order_id TEXT NOT NULL REFERENCES orders,
    seconds BIGINT NOT NULL CHECK (seconds > 0),
    cents BIGINT NOT NULL CHECK (cents > 0),
    state TEXT NOT NULL CHECK (state IN ('asked', 'granted', 'refused')),
    asked_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX extensions_by_order ON extensions (order_id)
"""

_LESS: Final = """
DROP TABLE extensions;
ALTER TABLE reservations DROP COLUMN extends_itself;
ALTER TABLE sessions DROP COLUMN extended_seconds
"""


def upgrade() -> None:
    """Let a session be extended."""
    run(_MORE)


def downgrade() -> None:
    """End every session when it was booked to; those that were extended keep their later end."""
    run(_LESS)

"""What operators begin on devices from afar: for somebody who sits there, or for maintenance."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import run

revision = "0029"
down_revision = "0028"

_TABLES: Final = """
CREATE TABLE staff_uses (
    reservation_id TEXT PRIMARY KEY REFERENCES reservations,
    device_id TEXT NOT NULL REFERENCES devices,
    purpose TEXT NOT NULL CHECK (purpose IN ('start', 'maintenance', 'moved')),
    operator TEXT NOT NULL,
    from_session TEXT,
    puts_out INTEGER NOT NULL DEFAULT 0 CHECK (puts_out IN (0, 1)),
    is_to_scan INTEGER NOT NULL DEFAULT 0 CHECK (is_to_scan IN (0, 1)),
    made_at BIGINT NOT NULL,
    settled_at BIGINT
);
CREATE INDEX staff_uses_under_way ON staff_uses (made_at) WHERE settled_at IS NULL;
CREATE INDEX staff_uses_by_session ON staff_uses (from_session) WHERE from_session IS NOT NULL;
"""


def upgrade() -> None:
    """Keep which uses are an operator's, what for, and how far each has come."""
    run(_TABLES)


def downgrade() -> None:
    """Forget it: what runs then is a use like any other."""
    run("DROP TABLE staff_uses;")

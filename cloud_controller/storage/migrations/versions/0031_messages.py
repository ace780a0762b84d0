"""What the store has said to whoever is at a device, and since when that is known to be shown."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import run

revision = "0031"
down_revision = "0030"

_TABLES: Final = """
CREATE TABLE device_messages (
    message_id TEXT PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES devices,
    operator TEXT NOT NULL,
    sentence TEXT NOT NULL,
    text TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    shown_at BIGINT
);
CREATE INDEX device_messages_by_device ON device_messages (device_id, made_at);
CREATE INDEX device_messages_by_age ON device_messages (made_at);
"""


def upgrade() -> None:
    """Keep what was said, by whom, and whether it was shown."""
    run(_TABLES)


def downgrade() -> None:
    """Forget it."""
    run("DROP TABLE device_messages;")

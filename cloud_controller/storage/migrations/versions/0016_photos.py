"""Photos by which cleaners confirm a turnover, and the links by which they come to them."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import run

revision = "0016"
down_revision = "0015"

_TABLES: Final = """
CREATE TABLE photo_tasks (
    task_id TEXT PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES devices,
    session_id TEXT NOT NULL,
    link TEXT NOT NULL UNIQUE,
    made_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    is_open INTEGER NOT NULL DEFAULT 1,
    photographed_at BIGINT,
    digest TEXT NOT NULL DEFAULT '',
    photo TEXT NOT NULL DEFAULT '',
    UNIQUE (device_id, session_id)
);
CREATE INDEX photo_tasks_by_age ON photo_tasks (made_at);
CREATE TABLE cleaner_links (
    store_id TEXT PRIMARY KEY REFERENCES stores,
    digest TEXT NOT NULL UNIQUE,
    made_at BIGINT NOT NULL
);
"""


def upgrade() -> None:
    """Keep what is to be photographed, each photo, and by what a cleaners' link is known."""
    run(_TABLES)


def downgrade() -> None:
    """Forget them."""
    run("DROP TABLE cleaner_links;\nDROP TABLE photo_tasks;")

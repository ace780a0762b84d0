"""What offerings are in several languages and pictures, why one is off, since when who is where."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import add_columns, drop_columns, run

revision = "0024"
down_revision = "0023"

_COLUMNS: Final = (
    ("offerings", "texts", "TEXT NOT NULL DEFAULT '{}'"),
    ("offerings", "pictures", "TEXT NOT NULL DEFAULT '[]'"),
    ("offerings", "told_by", "TEXT NOT NULL DEFAULT 'terminal'"),
    ("offered_devices", "reason", "TEXT NOT NULL DEFAULT ''"),
    ("terminals", "presence_at", "BIGINT NOT NULL DEFAULT 0"),
)

_TABLES: Final = """
CREATE TABLE offering_pictures (
    sha256 TEXT PRIMARY KEY,
    store_id TEXT NOT NULL REFERENCES stores,
    media_type TEXT NOT NULL CHECK (media_type IN ('image/webp')),
    body TEXT NOT NULL,
    kept_at BIGINT NOT NULL
);
CREATE INDEX offering_pictures_by_store ON offering_pictures (store_id);
"""


def upgrade() -> None:
    """Keep words in several languages, pictures (Base64), reasons, and since when a presence is."""
    add_columns(_COLUMNS)
    run(_TABLES)


def downgrade() -> None:
    """Forget them."""
    run("DROP TABLE offering_pictures;")
    drop_columns(_COLUMNS)

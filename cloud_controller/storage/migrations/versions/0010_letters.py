"""Letters by reservation: to whom one was given, so that whoever had it before hears no more."""

from __future__ import annotations

from cloud_controller.storage.migrations.dialect import run

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Find a reservation's letters without going through all of them."""
    run("""
CREATE INDEX letters_by_reservation ON letters (reservation_id, kind, made_at)
    WHERE reservation_id IS NOT NULL;
""")


def downgrade() -> None:
    """Take it away again."""
    run("DROP INDEX letters_by_reservation;")

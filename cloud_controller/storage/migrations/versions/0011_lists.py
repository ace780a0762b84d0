"""Lists: reservations by when they begin and orders by when they came, of all stores or of one."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import run

revision = "0011"
down_revision = "0010"

_INDEXES: Final = """
CREATE INDEX reservations_by_begin ON reservations (starts_at, reservation_id);
CREATE INDEX reservations_by_store ON reservations (store_id, starts_at, reservation_id);
CREATE INDEX orders_by_time ON orders (made_at, order_id);
CREATE INDEX orders_by_store ON orders (store_id, made_at, order_id);
"""


def upgrade() -> None:
    """Let a page of a long list be found without going through all of it."""
    run(_INDEXES)


def downgrade() -> None:
    """Take the indexes away again."""
    run(
        "DROP INDEX orders_by_store;\nDROP INDEX orders_by_time;\n"
        "DROP INDEX reservations_by_store;\nDROP INDEX reservations_by_begin;"
    )

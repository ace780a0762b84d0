"""When seats last moved between a branch and its root, and when the root last had none left."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import add_columns, drop_columns, run

revision = "0019"
down_revision = "0018"

_COLUMNS: Final = (
    ("own_exchanges", "moved_at", "BIGINT NOT NULL DEFAULT 0"),
    ("own_exchanges", "refused_at", "BIGINT NOT NULL DEFAULT 0"),
)


def upgrade() -> None:
    """Keep both instants; and find the rights of a class by their age."""
    add_columns(_COLUMNS)
    run("CREATE INDEX rights_by_age ON rights (kind, issued_at);")


def downgrade() -> None:
    """Forget them."""
    run("DROP INDEX rights_by_age;")
    drop_columns(_COLUMNS)

"""Runs of programs that hold seats of modules."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import run

revision = "0021"
down_revision = "0020"

_TABLES: Final = """
CREATE TABLE module_runs (
    party TEXT NOT NULL,
    kind TEXT NOT NULL,
    run TEXT NOT NULL,
    PRIMARY KEY (party, kind)
);
CREATE INDEX runs_to_free ON rights (lease_ends_at)
    WHERE freed_at IS NULL AND kind >= 'run:' AND kind < 'run;';
"""


def upgrade() -> None:
    """Keep which run holds the seat of its class, and find the leases of runs that are over."""
    run(_TABLES)


def downgrade() -> None:
    """Forget them."""
    run("DROP INDEX runs_to_free;\nDROP TABLE module_runs;")

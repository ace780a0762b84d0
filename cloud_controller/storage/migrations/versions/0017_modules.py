"""Licensed modules: what is published, the log that is only added to, reports, wishes, progress."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import append_only, drop_append_only, run

revision = "0017"
down_revision = "0016"

_TABLES: Final = """
CREATE TABLE packages (
    package TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('program', 'module')),
    title TEXT NOT NULL,
    vendor TEXT NOT NULL DEFAULT '',
    spdx TEXT NOT NULL DEFAULT '',
    basis TEXT NOT NULL DEFAULT 'installed'
        CHECK (basis IN ('installed', 'ever_issued', 'concurrent')),
    over_limit TEXT NOT NULL DEFAULT 'refuse' CHECK (over_limit IN ('refuse', 'run_and_report')),
    royalty_basis TEXT NOT NULL DEFAULT 'downloads_matched'
        CHECK (royalty_basis IN ('downloads_matched', 'downloads', 'users')),
    royalty_cents BIGINT NOT NULL DEFAULT 0 CHECK (royalty_cents >= 0),
    currency TEXT NOT NULL DEFAULT 'JPY',
    published_at BIGINT NOT NULL
);
CREATE TABLE package_versions (
    package TEXT NOT NULL REFERENCES packages,
    version TEXT NOT NULL,
    release_counter BIGINT NOT NULL CHECK (release_counter > 0),
    target TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    length BIGINT NOT NULL CHECK (length > 0),
    requires TEXT NOT NULL DEFAULT '[]',
    published_at BIGINT NOT NULL,
    withdrawn_at BIGINT,
    PRIMARY KEY (package, version),
    UNIQUE (package, release_counter)
);
CREATE TABLE module_origins (
    origin TEXT PRIMARY KEY,
    is_own INTEGER NOT NULL DEFAULT 0,
    last_lseq BIGINT NOT NULL DEFAULT 0 CHECK (last_lseq >= 0),
    complete_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX own_module_origin ON module_origins (is_own) WHERE is_own = 1;
CREATE TABLE module_events (
    origin TEXT NOT NULL,
    lseq BIGINT NOT NULL CHECK (lseq > 0),
    kind TEXT NOT NULL,
    module TEXT NOT NULL,
    client TEXT NOT NULL,
    version TEXT NOT NULL DEFAULT '',
    digest TEXT NOT NULL DEFAULT '',
    right_comm_id TEXT NOT NULL DEFAULT '',
    at BIGINT NOT NULL,
    facts TEXT NOT NULL DEFAULT '{}',
    PRIMARY KEY (origin, lseq)
);
CREATE INDEX module_events_by_client ON module_events (module, client, kind);
CREATE TABLE royalty_reports (
    module TEXT NOT NULL,
    number BIGINT NOT NULL CHECK (number > 0),
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    closed_at BIGINT NOT NULL,
    document TEXT NOT NULL,
    signature TEXT NOT NULL,
    PRIMARY KEY (module, number)
);
CREATE TABLE module_wishes (
    terminal_id TEXT NOT NULL REFERENCES terminals,
    module TEXT NOT NULL,
    wish TEXT NOT NULL CHECK (wish IN ('install', 'uninstall')),
    number BIGINT NOT NULL CHECK (number > 0),
    wished_at BIGINT NOT NULL,
    PRIMARY KEY (terminal_id, module)
);
CREATE TABLE package_progress (
    terminal_id TEXT NOT NULL REFERENCES terminals,
    package TEXT NOT NULL,
    version TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '',
    done_bytes BIGINT NOT NULL DEFAULT 0,
    all_bytes BIGINT NOT NULL DEFAULT 0,
    told_at BIGINT NOT NULL,
    PRIMARY KEY (terminal_id, package)
);
"""

_VIEWS: Final = """
CREATE VIEW download_log AS
SELECT module, client, min(at) AS registered_at, max(at) AS updated_at, count(*) AS deliveries
FROM module_events WHERE kind = 'issued' GROUP BY module, client;
CREATE VIEW user_log AS
SELECT module, client, min(at) AS first_used_at, max(at) AS last_used_at, count(*) AS reports
FROM module_events WHERE kind = 'used' GROUP BY module, client;
"""

_APPEND_ONLY: Final = ("module_events", "royalty_reports")


def upgrade() -> None:
    """Keep what is published, what has become of it, and what was reported of that."""
    run(_TABLES)
    for table in _APPEND_ONLY:
        append_only(table)
    run(_VIEWS)


def downgrade() -> None:
    """Forget them."""
    run("DROP VIEW user_log;\nDROP VIEW download_log;")
    for table in reversed(_APPEND_ONLY):
        drop_append_only(table)
    for table in ("package_progress", "module_wishes", "module_origins"):
        run(f"DROP TABLE {table};")
    run("DROP TABLE package_versions;\nDROP TABLE packages;")

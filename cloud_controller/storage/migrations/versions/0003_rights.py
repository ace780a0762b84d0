"""Rights of every kind: quarantine, tickets held offline, seats, peers, compensation."""

from __future__ import annotations

from typing import Final

from alembic import op

from cloud_controller.storage.migrations.dialect import add_columns, drop_columns, is_postgres, run

revision = "0003"
down_revision = "0002"

_RIGHTS: Final = """
CREATE TABLE new_rights (
    right_id TEXT PRIMARY KEY,
    comm_id TEXT NOT NULL UNIQUE,
    party TEXT NOT NULL,
    epoch TEXT NOT NULL,
    kind TEXT NOT NULL,
    session_id TEXT UNIQUE,
    amount BIGINT NOT NULL DEFAULT 1,
    issued_at BIGINT NOT NULL,
    lease_ends_at BIGINT,
    freed_at BIGINT
);
INSERT INTO new_rights (right_id, comm_id, party, epoch, kind, session_id, issued_at, lease_ends_at)
SELECT right_id, comm_id, terminal_id,
    substr(substr(comm_id, length(terminal_id) + 2), 1,
        instr(substr(comm_id, length(terminal_id) + 2), '/') - 1),
    kind, session_id, issued_at, lease_ends_at
FROM rights;
DROP TABLE rights;
ALTER TABLE new_rights RENAME TO rights;
CREATE INDEX leases_to_free ON rights (lease_ends_at)
    WHERE freed_at IS NULL AND kind >= 'module:' AND kind < 'module;';
CREATE INDEX rights_of_a_class ON rights (kind, party);
"""
"""A column that may be empty is not made in place: the table is made anew, its rows moved over. An
epoch is the second part of a communication id; the terminal itself may have another by now."""

_RIGHTS_BEFORE: Final = """
CREATE TABLE old_rights (
    right_id TEXT PRIMARY KEY,
    comm_id TEXT NOT NULL UNIQUE,
    terminal_id TEXT NOT NULL REFERENCES terminals,
    kind TEXT NOT NULL,
    session_id TEXT NOT NULL UNIQUE,
    issued_at BIGINT NOT NULL,
    lease_ends_at BIGINT NOT NULL
);
INSERT INTO old_rights (right_id, comm_id, terminal_id, kind, session_id, issued_at, lease_ends_at)
SELECT right_id, comm_id, party, kind, session_id, issued_at, lease_ends_at
FROM rights WHERE session_id IS NOT NULL AND lease_ends_at IS NOT NULL
    AND party IN (SELECT terminal_id FROM terminals);
DROP TABLE rights;
ALTER TABLE old_rights RENAME TO rights;
"""

_COLUMNS: Final = (
    ("sessions", "admission", "TEXT NOT NULL DEFAULT 'right'"),
    ("sessions", "is_to_move", "INTEGER NOT NULL DEFAULT 0"),
    ("reservations", "cancel_asked_at", "BIGINT"),
    ("scans", "reader_id", "TEXT"),
    ("stores", "offline_signature_starts", "INTEGER NOT NULL DEFAULT 0"),
    ("devices", "signature_starts_told", "INTEGER NOT NULL DEFAULT 0"),
)
"""What earlier tables have besides: table, column, type."""

_TABLES: Final = """
CREATE TABLE quarantines (
    party TEXT NOT NULL,
    epoch TEXT NOT NULL,
    kind TEXT NOT NULL,
    seq BIGINT NOT NULL,
    found_at BIGINT NOT NULL,
    PRIMARY KEY (party, epoch)
);
CREATE TABLE held_tickets (
    ticket_id TEXT PRIMARY KEY REFERENCES tickets,
    device_id TEXT NOT NULL REFERENCES devices,
    terminal_id TEXT NOT NULL REFERENCES terminals,
    epoch TEXT NOT NULL,
    right_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('held', 'recalled', 'released')),
    ends_at BIGINT NOT NULL,
    recall_why TEXT CHECK (recall_why IN ('cancel', 'move', 'elsewhere', 'lapse')),
    recall_asked_at BIGINT,
    said_at BIGINT NOT NULL DEFAULT 0,
    CHECK (state <> 'recalled' OR (recall_why IS NOT NULL AND recall_asked_at IS NOT NULL))
);
CREATE INDEX held_by_device ON held_tickets (device_id);
CREATE INDEX held_by_terminal ON held_tickets (terminal_id) WHERE state <> 'released';
CREATE INDEX recalled_tickets ON held_tickets (recall_asked_at) WHERE state = 'recalled';
CREATE TABLE compensations (
    entry_id INTEGER PRIMARY KEY AUTOINCREMENT,
    reservation_id TEXT NOT NULL REFERENCES reservations,
    seconds REAL NOT NULL,
    cents BIGINT NOT NULL,
    currency TEXT NOT NULL,
    why TEXT NOT NULL,
    made_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_reservation ON sessions (reservation_id);
CREATE INDEX sessions_to_move ON sessions (is_to_move) WHERE is_to_move = 1;
CREATE INDEX compensations_by_reservation ON compensations (reservation_id);
CREATE TABLE seat_pools (
    module TEXT PRIMARY KEY,
    owned BIGINT NOT NULL CHECK (owned >= 0),
    used BIGINT NOT NULL DEFAULT 0 CHECK (used BETWEEN 0 AND owned),
    short BIGINT NOT NULL DEFAULT 0 CHECK (short >= 0),
    is_doubted INTEGER NOT NULL DEFAULT 0,
    lease_seconds BIGINT NOT NULL DEFAULT 86400 CHECK (lease_seconds > 0),
    CHECK (short = 0 OR used = owned)
);
CREATE TABLE peers (
    name TEXT PRIMARY KEY,
    epoch TEXT NOT NULL,
    fingerprint TEXT NOT NULL UNIQUE,
    made_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE TABLE own_exchanges (
    epoch TEXT NOT NULL,
    kind TEXT NOT NULL,
    seq BIGINT NOT NULL DEFAULT 0,
    nonce TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL CHECK (state IN ('idle', 'announcing', 'announced', 'requesting',
        'completing', 'presenting', 'aborting', 'contesting', 'quarantined')),
    request TEXT NOT NULL DEFAULT '',
    request_digest TEXT NOT NULL DEFAULT '',
    answer TEXT NOT NULL DEFAULT '',
    answer_digest TEXT NOT NULL DEFAULT '',
    done_seq BIGINT NOT NULL DEFAULT 0,
    done_nonce TEXT NOT NULL DEFAULT '',
    done_digest TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (epoch, kind)
);
"""

_NEW: Final = "own_exchanges peers seat_pools compensations held_tickets quarantines"


def upgrade() -> None:
    """Make room for rights that are no session's, and for what they change."""
    run(_RIGHTS.replace("instr(", "strpos(") if is_postgres() else _RIGHTS)
    add_columns(_COLUMNS)
    run(_TABLES)


def downgrade() -> None:
    """Take it away again; rights that are no session's are not known any more."""
    for index in ("sessions_to_move", "sessions_by_reservation"):
        op.execute(f"DROP INDEX {index}")
    for table in _NEW.split():
        op.execute(f"DROP TABLE {table}")
    drop_columns(_COLUMNS)
    run(_RIGHTS_BEFORE)

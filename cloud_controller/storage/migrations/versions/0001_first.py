"""The first schema: the main job from registration to the completed use."""

from __future__ import annotations

from typing import Final

from alembic import op

from cloud_controller.storage.migrations.dialect import is_postgres, run

revision = "0001"
down_revision = None

_REGISTRATION: Final = """
CREATE TABLE stores (
    store_id TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE CHECK (number BETWEEN 1 AND 16777215),
    title TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    policy TEXT NOT NULL CHECK (policy IN ('manual', 'automatic')),
    made_at BIGINT NOT NULL
);
CREATE TABLE enrolment_codes (
    code_digest TEXT PRIMARY KEY,
    store_id TEXT NOT NULL REFERENCES stores,
    made_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    spent_at BIGINT,
    public_key TEXT,
    terminal_id TEXT,
    CHECK ((spent_at IS NULL) = (terminal_id IS NULL))
);
CREATE TABLE terminals (
    terminal_id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL REFERENCES stores,
    hostname TEXT NOT NULL,
    public_key TEXT NOT NULL,
    epoch TEXT NOT NULL,
    secret_salt TEXT NOT NULL,
    secret_digest TEXT NOT NULL,
    standing TEXT NOT NULL CHECK (standing IN
        ('claimed', 'pending', 'confirmed', 'rejected', 'suspended', 'retired')),
    standing_reason TEXT NOT NULL DEFAULT '',
    gate_digest TEXT,
    broker_role TEXT NOT NULL CHECK (broker_role IN ('gate', 'service', 'settling')),
    presence TEXT NOT NULL DEFAULT 'gone' CHECK (presence IN ('here', 'late', 'gone')),
    desired_revision BIGINT NOT NULL DEFAULT 0,
    enrolled_at BIGINT NOT NULL
);
CREATE TABLE specifications (
    terminal_id TEXT PRIMARY KEY REFERENCES terminals,
    digest TEXT NOT NULL,
    gate_digest TEXT NOT NULL,
    body TEXT NOT NULL,
    registered_at BIGINT NOT NULL
);
CREATE TABLE profiles (
    terminal_id TEXT PRIMARY KEY REFERENCES terminals,
    gate_digest TEXT NOT NULL,
    profile_digest TEXT NOT NULL,
    body TEXT NOT NULL,
    generated_at BIGINT NOT NULL
);
CREATE TABLE devices (
    device_id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL REFERENCES stores,
    number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 65535),
    terminal_id TEXT NOT NULL REFERENCES terminals,
    key TEXT NOT NULL,
    title TEXT NOT NULL,
    program TEXT NOT NULL,
    is_out_of_order INTEGER NOT NULL DEFAULT 0,
    last_fence BIGINT NOT NULL DEFAULT 0,
    UNIQUE (store_id, number),
    UNIQUE (terminal_id, key)
);
"""

_OFFERINGS: Final = """
CREATE TABLE offerings (
    offering_id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL REFERENCES stores,
    key TEXT NOT NULL,
    title TEXT NOT NULL,
    content TEXT NOT NULL,
    price_cents BIGINT NOT NULL CHECK (price_cents >= 0),
    currency TEXT NOT NULL,
    lengths_seconds TEXT NOT NULL,
    grid_seconds INTEGER NOT NULL CHECK (grid_seconds > 0),
    turnover_seconds INTEGER NOT NULL CHECK (turnover_seconds >= 0),
    early_seconds INTEGER NOT NULL CHECK (early_seconds >= 0),
    registered_at BIGINT NOT NULL,
    UNIQUE (store_id, key)
);
CREATE TABLE offered_devices (
    device_id TEXT PRIMARY KEY REFERENCES devices,
    offering_id TEXT NOT NULL REFERENCES offerings,
    state TEXT NOT NULL CHECK (state IN ('registered', 'on', 'off')),
    changed_at BIGINT NOT NULL
);
CREATE INDEX offered_devices_by_offering ON offered_devices (offering_id);
"""

_RESERVATIONS: Final = """
CREATE TABLE reservations (
    reservation_id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL REFERENCES stores,
    offering_id TEXT NOT NULL REFERENCES offerings,
    device_id TEXT NOT NULL REFERENCES devices,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL CHECK (ends_at > starts_at),
    blocked_until BIGINT NOT NULL CHECK (blocked_until >= ends_at),
    state TEXT NOT NULL CHECK (state IN
        ('held', 'confirmed', 'in_use', 'completed', 'cancelled', 'expired', 'no_show')),
    price_cents BIGINT NOT NULL CHECK (price_cents >= 0),
    currency TEXT NOT NULL,
    link TEXT NOT NULL UNIQUE,
    made_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX reservations_by_device ON reservations (device_id, starts_at, blocked_until)
    WHERE state IN ('held', 'confirmed', 'in_use');
CREATE TABLE tickets (
    ticket_id TEXT PRIMARY KEY,
    reservation_id TEXT NOT NULL UNIQUE REFERENCES reservations,
    device_number INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision BETWEEN 0 AND 255),
    token TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('issued', 'reserved', 'spent', 'void')),
    issued_at BIGINT NOT NULL
);
CREATE TABLE web_answers (
    key TEXT NOT NULL,
    route TEXT NOT NULL,
    body_digest TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (key, route)
);
CREATE INDEX web_answers_by_age ON web_answers (made_at);
"""

_NO_DOUBLE_BOOKING: Final = """
CREATE TRIGGER a_slot_is_sold_once BEFORE INSERT ON reservations
WHEN NEW.state IN ('held', 'confirmed', 'in_use') AND EXISTS (
    SELECT 1 FROM reservations AS other
    WHERE other.device_id = NEW.device_id
      AND other.state IN ('held', 'confirmed', 'in_use')
      AND other.starts_at < NEW.blocked_until AND NEW.starts_at < other.blocked_until)
BEGIN SELECT RAISE(ABORT, 'slot_is_taken'); END;
CREATE TRIGGER a_slot_moves_to_a_free_place
BEFORE UPDATE OF device_id, starts_at, ends_at, blocked_until, state ON reservations
WHEN NEW.state IN ('held', 'confirmed', 'in_use') AND EXISTS (
    SELECT 1 FROM reservations AS other
    WHERE other.device_id = NEW.device_id
      AND other.reservation_id <> NEW.reservation_id
      AND other.state IN ('held', 'confirmed', 'in_use')
      AND other.starts_at < NEW.blocked_until AND NEW.starts_at < other.blocked_until)
BEGIN SELECT RAISE(ABORT, 'slot_is_taken'); END;
"""

_NO_DOUBLE_BOOKING_ON_POSTGRES: Final = """
CREATE EXTENSION IF NOT EXISTS btree_gist;
ALTER TABLE reservations ADD CONSTRAINT a_slot_is_sold_once
    EXCLUDE USING gist (device_id WITH =, int8range(starts_at, blocked_until) WITH &&)
    WHERE (state IN ('held', 'confirmed', 'in_use'));
"""

_RIGHTS_AND_SESSIONS: Final = """
CREATE TABLE exchanges (
    party TEXT NOT NULL,
    epoch TEXT NOT NULL,
    kind TEXT NOT NULL,
    mark_seq BIGINT NOT NULL DEFAULT 0,
    mark_nonce TEXT NOT NULL DEFAULT '',
    seq BIGINT NOT NULL DEFAULT 0,
    nonce TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT 'none' CHECK (state IN ('none', 'announced', 'issued', 'refused')),
    request_digest TEXT NOT NULL DEFAULT '',
    answer TEXT NOT NULL DEFAULT '',
    answer_digest TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (party, epoch, kind),
    CHECK (seq = 0 OR seq > mark_seq)
);
CREATE TABLE rights (
    right_id TEXT PRIMARY KEY,
    comm_id TEXT NOT NULL UNIQUE,
    terminal_id TEXT NOT NULL REFERENCES terminals,
    kind TEXT NOT NULL,
    session_id TEXT NOT NULL UNIQUE,
    issued_at BIGINT NOT NULL,
    lease_ends_at BIGINT NOT NULL
);
CREATE TABLE scans (
    scan_id TEXT PRIMARY KEY,
    terminal_id TEXT NOT NULL REFERENCES terminals,
    device_id TEXT,
    ticket_id TEXT,
    verdict TEXT NOT NULL,
    read_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL
);
CREATE INDEX scans_by_ticket ON scans (ticket_id) WHERE ticket_id IS NOT NULL;
CREATE TABLE sessions (
    session_id TEXT PRIMARY KEY,
    ticket_id TEXT NOT NULL REFERENCES tickets,
    reservation_id TEXT NOT NULL REFERENCES reservations,
    store_id TEXT NOT NULL REFERENCES stores,
    device_id TEXT NOT NULL REFERENCES devices,
    terminal_id TEXT NOT NULL REFERENCES terminals,
    program TEXT NOT NULL,
    fence BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN
        ('granted', 'starting', 'running', 'ending', 'ended', 'failed')),
    is_presumed INTEGER NOT NULL DEFAULT 0,
    granted_seconds REAL NOT NULL CHECK (granted_seconds > 0),
    granted_at BIGINT NOT NULL,
    deadline_at BIGINT NOT NULL,
    running_at BIGINT,
    ended_at BIGINT,
    end_reason TEXT,
    delivered_seconds REAL,
    wanted TEXT NOT NULL DEFAULT 'run' CHECK (wanted IN ('run', 'stop')),
    UNIQUE (device_id, fence)
);
CREATE UNIQUE INDEX one_live_session_a_device ON sessions (device_id)
    WHERE state IN ('granted', 'starting', 'running', 'ending');
CREATE UNIQUE INDEX one_live_session_a_ticket ON sessions (ticket_id)
    WHERE state IN ('granted', 'starting', 'running', 'ending');
CREATE UNIQUE INDEX a_ticket_runs_once ON sessions (ticket_id) WHERE running_at IS NOT NULL;
CREATE INDEX live_sessions_by_deadline ON sessions (deadline_at)
    WHERE state IN ('granted', 'starting', 'running', 'ending');
CREATE TABLE commands (
    command_id TEXT PRIMARY KEY,
    terminal_id TEXT NOT NULL REFERENCES terminals,
    session_id TEXT NOT NULL REFERENCES sessions,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN
        ('queued', 'accepted', 'executing', 'succeeded', 'failed', 'rejected', 'expired')),
    detail TEXT NOT NULL DEFAULT '',
    accept_by BIGINT NOT NULL,
    next_send_at BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    UNIQUE (session_id, type)
);
CREATE INDEX commands_to_send ON commands (next_send_at) WHERE state = 'queued';
"""

_POST: Final = """
CREATE TABLE inbox (
    terminal_id TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq BIGINT NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (terminal_id, epoch, seq)
);
CREATE TABLE inbox_marks (
    terminal_id TEXT NOT NULL,
    epoch TEXT NOT NULL,
    applied_up_to BIGINT NOT NULL,
    PRIMARY KEY (terminal_id, epoch)
);
CREATE TABLE outbox (
    outbox_id INTEGER PRIMARY KEY AUTOINCREMENT,
    recipient TEXT NOT NULL,
    body TEXT NOT NULL,
    made_at BIGINT NOT NULL
);
CREATE TABLE ledger (
    entry_id INTEGER PRIMARY KEY AUTOINCREMENT,
    at BIGINT NOT NULL,
    type TEXT NOT NULL,
    terminal_id TEXT,
    reservation_id TEXT,
    session_id TEXT,
    body TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX ledger_by_reservation ON ledger (reservation_id) WHERE reservation_id IS NOT NULL;
CREATE TABLE audit (
    entry_id INTEGER PRIMARY KEY AUTOINCREMENT,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    act TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason TEXT NOT NULL
);
"""

_TABLES: Final = (
    "audit ledger outbox inbox_marks inbox commands sessions scans rights exchanges web_answers "
    "tickets reservations offered_devices offerings devices profiles specifications terminals "
    "enrolment_codes stores"
)


def upgrade() -> None:
    """Make every table, index and trigger of the first version."""
    for part in (_REGISTRATION, _OFFERINGS, _RESERVATIONS, _RIGHTS_AND_SESSIONS, _POST):
        run(part)
    if is_postgres():
        run(_NO_DOUBLE_BOOKING_ON_POSTGRES)
        return
    for statement in _NO_DOUBLE_BOOKING.split("END;\n"):
        if statement.strip():
            op.execute(f"{statement}END")


def downgrade() -> None:
    """Take every table of the first version away again."""
    for table in _TABLES.split():
        op.execute(f"DROP TABLE {table}")

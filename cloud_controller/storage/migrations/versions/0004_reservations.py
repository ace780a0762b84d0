"""Reservations in full: hours, terms, orders, holds, blackouts, the waiting list, revocations."""

from __future__ import annotations

from typing import Final

from alembic import op

from cloud_controller.storage.migrations.dialect import add_columns, drop_columns, run

revision = "0004"
down_revision = "0003"

_COLUMNS: Final = (
    ("stores", "hours", "TEXT NOT NULL DEFAULT ''"),
    ("stores", "directions", "TEXT NOT NULL DEFAULT ''"),
    ("offerings", "lead_seconds", "BIGINT NOT NULL DEFAULT 0"),
    ("offerings", "horizon_seconds", "BIGINT NOT NULL DEFAULT 5184000"),
    ("offerings", "change_seconds", "BIGINT NOT NULL DEFAULT 0"),
    ("offerings", "cancel_seconds", "BIGINT NOT NULL DEFAULT 0"),
    ("offerings", "hold_seconds", "BIGINT NOT NULL DEFAULT 600"),
    ("offerings", "grace_seconds", "BIGINT"),
    ("offerings", "party_max", "BIGINT NOT NULL DEFAULT 1"),
    ("offerings", "rotates_code", "INTEGER NOT NULL DEFAULT 0"),
    ("reservations", "order_id", "TEXT"),
    ("reservations", "hold_ends_at", "BIGINT"),
    ("reservations", "party_size", "BIGINT NOT NULL DEFAULT 1"),
    ("reservations", "booked_ends_at", "BIGINT"),
    ("reservations", "is_charged", "INTEGER NOT NULL DEFAULT 0"),
    ("tickets", "short_code", "TEXT"),
)
"""What earlier tables have besides: table, column, type. Empty `hours` are all hours; and
`booked_ends_at` is what was booked, where a use that was over early has freed the rest."""

_TABLES: Final = """
CREATE TABLE orders (
    order_id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL REFERENCES stores,
    link TEXT NOT NULL UNIQUE,
    holder TEXT NOT NULL,
    mail TEXT NOT NULL DEFAULT '',
    language TEXT NOT NULL DEFAULT 'ja',
    made_at BIGINT NOT NULL
);
CREATE INDEX orders_by_mail ON orders (mail) WHERE mail <> '';
CREATE TABLE blackouts (
    blackout_id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL REFERENCES stores,
    device_id TEXT REFERENCES devices,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL CHECK (ends_at > starts_at),
    reason TEXT NOT NULL,
    made_at BIGINT NOT NULL
);
CREATE INDEX blackouts_by_store ON blackouts (store_id, ends_at);
CREATE TABLE waiting (
    waiting_id TEXT PRIMARY KEY,
    offering_id TEXT NOT NULL REFERENCES offerings,
    link TEXT NOT NULL UNIQUE,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL CHECK (ends_at > starts_at),
    party_size BIGINT NOT NULL,
    mail TEXT NOT NULL,
    language TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'offered', 'taken', 'lapsed', 'withdrawn')),
    order_id TEXT REFERENCES orders,
    made_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX waiting_by_offering ON waiting (offering_id, starts_at)
    WHERE state IN ('waiting', 'offered');
CREATE INDEX waiting_by_mail ON waiting (mail) WHERE state IN ('waiting', 'offered');
CREATE TABLE revocations (
    ticket_id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    store_id TEXT NOT NULL REFERENCES stores,
    dies_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL,
    PRIMARY KEY (ticket_id, revision)
);
CREATE INDEX revocations_by_store ON revocations (store_id, dies_at);
CREATE INDEX reservations_by_order ON reservations (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX holds_by_end ON reservations (hold_ends_at) WHERE state = 'held';
CREATE INDEX claims_by_begin ON reservations (starts_at) WHERE state = 'confirmed';
CREATE INDEX uses_by_end ON reservations (device_id, blocked_until) WHERE state = 'completed';
CREATE INDEX cancellations_asked ON reservations (cancel_asked_at)
    WHERE cancel_asked_at IS NOT NULL;
CREATE UNIQUE INDEX tickets_by_short_code ON tickets (short_code) WHERE short_code IS NOT NULL
"""

_INDEXES: Final = (
    "tickets_by_short_code cancellations_asked uses_by_end claims_by_begin holds_by_end "
    "reservations_by_order"
)
_NEW: Final = "revocations waiting blackouts orders"


def upgrade() -> None:
    """Make room for whatever a reservation goes through before and after it is confirmed."""
    add_columns(_COLUMNS)
    run(_TABLES)


def downgrade() -> None:
    """Take it away again; orders, holds and the waiting list are not known any more."""
    for index in _INDEXES.split():
        op.execute(f"DROP INDEX {index}")
    drop_columns(_COLUMNS)
    for table in _NEW.split():
        op.execute(f"DROP TABLE {table}")

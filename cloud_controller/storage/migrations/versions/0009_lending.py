"""Reservations kept elsewhere: stores of other controllers, tickets lent to them and borrowed."""

from __future__ import annotations

from typing import Final

from alembic import op

from cloud_controller.storage.migrations.dialect import run

revision = "0009"
down_revision = "0008"

_TABLES: Final = """
CREATE TABLE store_peers (
    store_id TEXT PRIMARY KEY REFERENCES stores,
    peer TEXT NOT NULL,
    digest TEXT NOT NULL,
    told_at BIGINT NOT NULL
);
CREATE TABLE lent_tickets (
    ticket_id TEXT NOT NULL,
    peer TEXT NOT NULL,
    claim BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('lent', 'denied', 'given_back')),
    answer TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    PRIMARY KEY (ticket_id, peer)
);
CREATE UNIQUE INDEX one_borrower_a_ticket ON lent_tickets (ticket_id) WHERE state = 'lent';
CREATE TABLE peer_reports (
    peer TEXT NOT NULL,
    epoch TEXT NOT NULL,
    up_to BIGINT NOT NULL,
    PRIMARY KEY (peer, epoch)
);
CREATE TABLE borrowed_tickets (
    ticket_id TEXT PRIMARY KEY,
    claim BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('asked', 'borrowed', 'returning', 'returned', 'used')),
    token TEXT NOT NULL,
    device_id TEXT NOT NULL,
    terminal_id TEXT NOT NULL,
    epoch TEXT NOT NULL,
    corr TEXT NOT NULL,
    request TEXT NOT NULL,
    reservation_id TEXT,
    failed_session TEXT,
    asked_at BIGINT NOT NULL
);
CREATE INDEX borrowed_tickets_open ON borrowed_tickets (state)
    WHERE state IN ('asked', 'borrowed', 'returning');
CREATE INDEX borrowed_by_reservation ON borrowed_tickets (reservation_id)
    WHERE reservation_id IS NOT NULL;
CREATE TABLE shown_tickets (
    scan_id TEXT PRIMARY KEY,
    terminal_id TEXT NOT NULL,
    epoch TEXT NOT NULL,
    report TEXT NOT NULL,
    asked_at BIGINT NOT NULL
);
CREATE TABLE server_keys (
    key_id INTEGER PRIMARY KEY,
    public_key TEXT NOT NULL
);
CREATE TABLE told_up_to (
    server TEXT PRIMARY KEY,
    up_to BIGINT NOT NULL
);
"""

_NEW: Final = (
    "told_up_to server_keys shown_tickets borrowed_tickets peer_reports lent_tickets store_peers"
)


def upgrade() -> None:
    """Make room for what two controllers have to remember of each other's tickets."""
    run(_TABLES)


def downgrade() -> None:
    """Take it away again; what is lent or borrowed then is not known any more."""
    for table in _NEW.split():
        op.execute(f"DROP TABLE {table}")

"""Webhooks: who is told what, the events, where each stands on its way, and every try."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import run

revision = "0032"
down_revision = "0031"

_TABLES: Final = """
CREATE TABLE hook_endpoints (
    endpoint_id TEXT PRIMARY KEY,
    store_id TEXT REFERENCES stores,
    title TEXT NOT NULL DEFAULT '',
    url TEXT NOT NULL,
    types TEXT NOT NULL DEFAULT '',
    secret_number INTEGER NOT NULL DEFAULT 1,
    old_secret_until BIGINT NOT NULL DEFAULT 0,
    state TEXT NOT NULL CHECK (state IN ('on', 'off', 'gone')),
    why TEXT NOT NULL DEFAULT '',
    failing_since BIGINT,
    delivered_at BIGINT,
    made_at BIGINT NOT NULL,
    removed_at BIGINT
);
CREATE TABLE hook_events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    store_id TEXT,
    type TEXT NOT NULL,
    about TEXT NOT NULL,
    body TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX hook_events_by_age ON hook_events (at);
CREATE TABLE hook_deliveries (
    endpoint_id TEXT NOT NULL REFERENCES hook_endpoints,
    number BIGINT NOT NULL REFERENCES hook_events,
    about TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'given_up', 'dropped')),
    attempts INTEGER NOT NULL DEFAULT 0,
    first_at BIGINT,
    next_at BIGINT NOT NULL,
    closed_at BIGINT,
    answer TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (endpoint_id, number)
);
CREATE INDEX hook_deliveries_waiting ON hook_deliveries (endpoint_id, about, number)
    WHERE state = 'waiting';
CREATE INDEX hook_deliveries_due ON hook_deliveries (next_at) WHERE state = 'waiting';
CREATE INDEX hook_deliveries_by_event ON hook_deliveries (number);
CREATE TABLE hook_tries (
    try_id INTEGER PRIMARY KEY AUTOINCREMENT,
    endpoint_id TEXT NOT NULL REFERENCES hook_endpoints,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    took_ms INTEGER NOT NULL,
    answer TEXT NOT NULL
);
CREATE INDEX hook_tries_by_event ON hook_tries (endpoint_id, number);
CREATE INDEX hook_tries_by_age ON hook_tries (at);
"""

_NONE: Final = """
DROP TABLE hook_tries;
DROP TABLE hook_deliveries;
DROP TABLE hook_events;
DROP TABLE hook_endpoints;
"""


def upgrade() -> None:
    """Keep who is told, and what."""
    run(_TABLES)


def downgrade() -> None:
    """Forget them: nobody is told anything any more."""
    run(_NONE)

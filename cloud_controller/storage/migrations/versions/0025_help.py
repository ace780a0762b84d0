"""Helpers, where each helps, their calls with every line, and what each store was told of them."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import run

revision = "0025"
down_revision = "0024"

_TABLES: Final = """
CREATE TABLE helpers (
    helper_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    title_ja TEXT NOT NULL DEFAULT '',
    title_en TEXT NOT NULL DEFAULT '',
    languages TEXT NOT NULL DEFAULT '',
    price_cents BIGINT NOT NULL DEFAULT 0 CHECK (price_cents >= 0),
    currency TEXT NOT NULL DEFAULT 'JPY',
    state TEXT NOT NULL DEFAULT 'registered' CHECK (state IN ('registered', 'on', 'off')),
    lease_until BIGINT NOT NULL DEFAULT 0,
    key_digest TEXT UNIQUE,
    link_digest TEXT UNIQUE,
    link_until BIGINT NOT NULL DEFAULT 0,
    made_at BIGINT NOT NULL,
    removed_at BIGINT
);
CREATE TABLE helper_stores (
    helper_id TEXT NOT NULL REFERENCES helpers,
    store_id TEXT NOT NULL REFERENCES stores,
    PRIMARY KEY (helper_id, store_id)
);
CREATE TABLE help_calls (
    call_id TEXT PRIMARY KEY,
    helper_id TEXT NOT NULL REFERENCES helpers,
    store_id TEXT NOT NULL REFERENCES stores,
    terminal_id TEXT REFERENCES terminals,
    device_id TEXT REFERENCES devices,
    reservation_id TEXT REFERENCES reservations,
    session_id TEXT,
    language TEXT NOT NULL,
    price_cents BIGINT NOT NULL CHECK (price_cents >= 0),
    currency TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'open', 'ended')),
    why TEXT NOT NULL DEFAULT '',
    chosen_at BIGINT NOT NULL,
    opened_at BIGINT,
    ended_at BIGINT,
    last_line_at BIGINT,
    lines INTEGER NOT NULL DEFAULT 0,
    seen INTEGER NOT NULL DEFAULT 0,
    heard INTEGER NOT NULL DEFAULT 0,
    heard_state TEXT NOT NULL DEFAULT '',
    CHECK (terminal_id IS NOT NULL OR reservation_id IS NOT NULL)
);
CREATE UNIQUE INDEX one_live_call_a_device ON help_calls (device_id)
    WHERE terminal_id IS NOT NULL AND state <> 'ended';
CREATE UNIQUE INDEX one_live_call_a_ticket ON help_calls (reservation_id)
    WHERE reservation_id IS NOT NULL AND state <> 'ended';
CREATE INDEX live_calls_by_helper ON help_calls (helper_id) WHERE state <> 'ended';
CREATE INDEX help_calls_by_reservation ON help_calls (reservation_id, chosen_at);
CREATE INDEX help_calls_by_device ON help_calls (device_id, chosen_at);
CREATE INDEX help_calls_by_age ON help_calls (chosen_at);
CREATE INDEX calls_unheard ON help_calls (terminal_id)
    WHERE terminal_id IS NOT NULL AND (heard < lines OR heard_state <> state);
CREATE TABLE help_lines (
    call_id TEXT NOT NULL REFERENCES help_calls,
    number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 200),
    side TEXT NOT NULL CHECK (side IN ('customer', 'helper')),
    own INTEGER NOT NULL DEFAULT 0,
    text TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (call_id, number)
);
CREATE UNIQUE INDEX a_line_is_kept_once ON help_lines (call_id, own) WHERE own > 0;
CREATE TABLE help_boards (
    store_id TEXT PRIMARY KEY REFERENCES stores,
    number BIGINT NOT NULL,
    told TEXT NOT NULL
);
"""

_NONE: Final = """
DROP TABLE help_boards;
DROP TABLE help_lines;
DROP TABLE help_calls;
DROP TABLE helper_stores;
DROP TABLE helpers;
"""


def upgrade() -> None:
    """Keep who helps, and what is said in calls."""
    run(_TABLES)


def downgrade() -> None:
    """Forget them: nobody can be called, and no call can be read any more."""
    run(_NONE)

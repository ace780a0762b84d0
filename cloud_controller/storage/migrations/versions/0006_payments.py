"""Prices, vouchers, payments, where the money is, receipts."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import append_only, drop_append_only, run

revision = "0006"
down_revision = "0005"

_TABLES: Final = """
CREATE TABLE prices (
    offering_id TEXT PRIMARY KEY REFERENCES offerings,
    body TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE TABLE vouchers (
    voucher_id TEXT PRIMARY KEY,
    code_digest TEXT NOT NULL UNIQUE,
    store_id TEXT REFERENCES stores,
    offering_id TEXT REFERENCES offerings,
    terms TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL CHECK (ends_at > starts_at),
    uses_max BIGINT NOT NULL CHECK (uses_max > 0),
    revoked_at BIGINT,
    made_at BIGINT NOT NULL
);
CREATE TABLE payments (
    payment_id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL REFERENCES orders,
    store_id TEXT NOT NULL REFERENCES stores,
    attempt BIGINT NOT NULL,
    method TEXT NOT NULL CHECK (method IN ('free', 'voucher', 'stripe_checkout')),
    state TEXT NOT NULL CHECK (state IN
        ('pending', 'paid', 'partly_refunded', 'refunded', 'failed', 'expired')),
    due_cents BIGINT NOT NULL CHECK (due_cents >= 0),
    currency TEXT NOT NULL,
    body TEXT NOT NULL,
    provider_ref TEXT UNIQUE,
    provider_intent TEXT UNIQUE,
    checkout_url TEXT NOT NULL DEFAULT '',
    expires_at BIGINT,
    made_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    UNIQUE (order_id, attempt)
);
CREATE UNIQUE INDEX one_pending_payment_an_order ON payments (order_id) WHERE state = 'pending';
CREATE INDEX pending_payments ON payments (expires_at) WHERE state = 'pending';
CREATE TABLE voucher_uses (
    payment_id TEXT PRIMARY KEY REFERENCES payments,
    voucher_id TEXT NOT NULL REFERENCES vouchers,
    uses BIGINT NOT NULL CHECK (uses > 0),
    seconds BIGINT NOT NULL CHECK (seconds >= 0),
    used_at BIGINT NOT NULL,
    returned_at BIGINT
);
CREATE INDEX voucher_uses_by_voucher ON voucher_uses (voucher_id) WHERE returned_at IS NULL;
CREATE TABLE payment_calls (
    call_id TEXT PRIMARY KEY,
    payment_id TEXT NOT NULL REFERENCES payments,
    kind TEXT NOT NULL CHECK (kind IN ('open', 'close', 'refund')),
    cents BIGINT NOT NULL DEFAULT 0 CHECK (cents >= 0),
    state TEXT NOT NULL CHECK (state IN ('due', 'done', 'refused')),
    attempts BIGINT NOT NULL DEFAULT 0,
    next_at BIGINT NOT NULL,
    detail TEXT NOT NULL DEFAULT '',
    made_at BIGINT NOT NULL,
    done_at BIGINT
);
CREATE INDEX payment_calls_due ON payment_calls (next_at) WHERE state = 'due';
CREATE INDEX payment_calls_by_payment ON payment_calls (payment_id);
CREATE TABLE webhook_events (
    provider TEXT NOT NULL,
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    sameness TEXT NOT NULL,
    payment_id TEXT,
    body TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    applied_at BIGINT,
    PRIMARY KEY (provider, event_id),
    UNIQUE (provider, kind, sameness)
);
CREATE INDEX webhook_events_waiting ON webhook_events (payment_id) WHERE applied_at IS NULL;
CREATE TABLE entries (
    entry_id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    store_id TEXT NOT NULL REFERENCES stores,
    order_id TEXT REFERENCES orders,
    payment_id TEXT REFERENCES payments,
    reservation_id TEXT REFERENCES reservations,
    why TEXT NOT NULL DEFAULT '',
    at BIGINT NOT NULL
);
CREATE INDEX entries_by_store ON entries (store_id, entry_id);
CREATE INDEX entries_by_order ON entries (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX entries_of_compensation ON entries (at) WHERE kind = 'compensated';
CREATE INDEX entries_by_reservation ON entries (reservation_id) WHERE reservation_id IS NOT NULL;
CREATE INDEX entries_by_payment ON entries (payment_id) WHERE payment_id IS NOT NULL;
CREATE TABLE postings (
    entry_id BIGINT NOT NULL REFERENCES entries,
    line BIGINT NOT NULL,
    account TEXT NOT NULL,
    cents BIGINT NOT NULL CHECK (cents <> 0),
    currency TEXT NOT NULL,
    PRIMARY KEY (entry_id, line)
);
CREATE TABLE receipt_numbers (
    store_id TEXT NOT NULL REFERENCES stores,
    year BIGINT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (store_id, year)
);
CREATE TABLE receipts (
    store_id TEXT NOT NULL REFERENCES stores,
    year BIGINT NOT NULL,
    number BIGINT NOT NULL CHECK (number > 0),
    kind TEXT NOT NULL CHECK (kind IN ('sale', 'refund')),
    order_id TEXT NOT NULL REFERENCES orders,
    payment_id TEXT NOT NULL REFERENCES payments,
    total_cents BIGINT NOT NULL CHECK (total_cents > 0),
    currency TEXT NOT NULL,
    body TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    PRIMARY KEY (store_id, year, number)
);
CREATE INDEX receipts_by_order ON receipts (order_id)
"""
"""`payments.body` is the quote as it was charged: its lines, and the tax within them."""

_NEW: Final = (
    *("receipt_numbers", "webhook_events", "payment_calls", "voucher_uses", "payments"),
    *("vouchers", "prices"),
)

_FOR_EVER: Final = ("receipts", "postings", "entries")
"""What is only ever added to; the database refuses everything else."""


def upgrade() -> None:
    """Make room for money."""
    run(_TABLES)
    for table in _FOR_EVER:
        append_only(table)


def downgrade() -> None:
    """Take it away again; prices are flat, and nobody is asked for money."""
    for table in _FOR_EVER:
        drop_append_only(table)
    run("".join(f"DROP TABLE {table};\n" for table in _NEW))

-- Where each device stands between two customers, and by what its cleaner is known.
CREATE TABLE devices (
    device TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    since_at INTEGER NOT NULL,
    session TEXT,
    fence INTEGER NOT NULL DEFAULT 0,
    is_used INTEGER NOT NULL DEFAULT 0,
    step TEXT,
    run TEXT,
    try_at_boot_seconds REAL NOT NULL DEFAULT 0,
    by_boot_seconds REAL,
    boot_id TEXT,
    fault TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT '',
    waiting_fault TEXT NOT NULL DEFAULT '',
    waiting_detail TEXT NOT NULL DEFAULT '',
    heard_order INTEGER NOT NULL DEFAULT 0,
    mends INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE cleaner_code (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    salt TEXT NOT NULL,
    digest TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    tries_since_boot_seconds REAL NOT NULL DEFAULT 0,
    boot_id TEXT NOT NULL DEFAULT ''
);
CREATE INDEX sessions_by_device ON sessions (device, fence);

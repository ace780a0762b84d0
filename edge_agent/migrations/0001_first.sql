-- The first journal: who we are, what we were told, what we asked, what runs, and what has still to be told.
CREATE TABLE identity (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    terminal TEXT NOT NULL,
    store TEXT NOT NULL,
    epoch TEXT NOT NULL,
    secret TEXT NOT NULL,
    broker_host TEXT NOT NULL,
    broker_port INTEGER NOT NULL,
    public_keys TEXT NOT NULL
);
CREATE TABLE registration (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    standing TEXT NOT NULL,
    gate_digest TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE TABLE profile (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    gate_digest TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE desired (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    revision INTEGER NOT NULL
);
CREATE TABLE exchanges (
    kind TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    nonce TEXT NOT NULL,
    state TEXT NOT NULL,
    request TEXT,
    asked_boot_seconds REAL,
    asked_boot_id TEXT,
    answer_digest TEXT,
    done_seq INTEGER NOT NULL DEFAULT 0,
    done_nonce TEXT NOT NULL DEFAULT '',
    done_digest TEXT NOT NULL DEFAULT ''
);
CREATE TABLE sessions (
    session TEXT PRIMARY KEY,
    device TEXT NOT NULL,
    program TEXT NOT NULL,
    fence INTEGER NOT NULL,
    right_document TEXT NOT NULL,
    granted_seconds REAL NOT NULL,
    start_by_boot_seconds REAL NOT NULL,
    deadline_boot_seconds REAL NOT NULL,
    boot_id TEXT NOT NULL,
    state TEXT NOT NULL,
    wanted TEXT NOT NULL DEFAULT 'run',
    stop_reason TEXT,
    made_at INTEGER NOT NULL
);
CREATE INDEX live_sessions ON sessions (device)
    WHERE state IN ('starting', 'running', 'ending');
CREATE TABLE commands (
    command TEXT PRIMARY KEY,
    session TEXT NOT NULL,
    state TEXT NOT NULL,
    taken_at INTEGER NOT NULL
);
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    made_at INTEGER NOT NULL
);

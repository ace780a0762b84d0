-- Packages and modules: what is on offer, what an operator wishes, what was asked for, and receipts.
CREATE TABLE modules_offer (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    document TEXT NOT NULL,
    signature TEXT NOT NULL,
    taken_at INTEGER NOT NULL
);
CREATE TABLE module_wishes (
    module TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    wish TEXT NOT NULL
);
CREATE TABLE module_requests (
    module TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    renews INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    changed_at INTEGER NOT NULL
);
CREATE TABLE receipts (
    module TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    version TEXT NOT NULL,
    terminal TEXT NOT NULL,
    document TEXT NOT NULL,
    signature TEXT NOT NULL,
    ends_at INTEGER NOT NULL,
    stored_at INTEGER NOT NULL,
    PRIMARY KEY (module, sha256)
);

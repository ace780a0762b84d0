-- What is next about each package, as it was found last; and when each receipt was issued.
CREATE TABLE package_steps (
    package TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    version TEXT NOT NULL,
    step TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '',
    done_bytes INTEGER NOT NULL DEFAULT 0,
    all_bytes INTEGER NOT NULL DEFAULT 0,
    changed_at INTEGER NOT NULL
);
ALTER TABLE receipts ADD COLUMN issued_at INTEGER NOT NULL DEFAULT 0;

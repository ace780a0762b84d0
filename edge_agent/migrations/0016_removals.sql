-- Packages that are to go from this PC, or have gone, or stay: the latest of each.
CREATE TABLE removals (
    package TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    cause TEXT NOT NULL,
    number INTEGER NOT NULL,
    version TEXT NOT NULL DEFAULT '',
    sha256 TEXT NOT NULL DEFAULT '',
    digest TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT '',
    permission TEXT NOT NULL DEFAULT '',
    needs TEXT NOT NULL DEFAULT '[]',
    times_open INTEGER NOT NULL DEFAULT 0,
    changed_at INTEGER NOT NULL
);

-- Sessions that go on for longer: what was asked, by how much each is extended, and what its runner has heard.
ALTER TABLE sessions ADD COLUMN extended_seconds REAL NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN desired_extended_seconds REAL NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN extends_itself INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN told_extended_seconds REAL NOT NULL DEFAULT 0;
CREATE TABLE extensions (
    device TEXT PRIMARY KEY,
    session TEXT NOT NULL,
    seconds INTEGER NOT NULL,
    price_cents INTEGER NOT NULL,
    is_by_itself INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    added_seconds REAL NOT NULL DEFAULT 0,
    wanted_boot_seconds REAL NOT NULL,
    boot_id TEXT NOT NULL
);

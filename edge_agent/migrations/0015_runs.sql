-- Runs of programs that need seats of modules, what they ran without, which devices wait for modules, and uses told.
CREATE TABLE module_runs (
    kind TEXT PRIMARY KEY,
    module TEXT NOT NULL,
    device TEXT NOT NULL,
    run TEXT NOT NULL,
    session TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    wanted_boot_seconds REAL NOT NULL,
    boot_id TEXT NOT NULL,
    lease_seconds REAL NOT NULL DEFAULT 0,
    lease_to_boot_seconds REAL NOT NULL DEFAULT 0,
    lease_boot_id TEXT NOT NULL DEFAULT '',
    ends_at INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE runs_uncovered (
    session TEXT NOT NULL,
    module TEXT NOT NULL,
    PRIMARY KEY (session, module)
);
CREATE TABLE devices_without_modules (
    device TEXT PRIMARY KEY,
    lacks TEXT NOT NULL
);
CREATE TABLE module_uses (
    module TEXT NOT NULL,
    digest TEXT NOT NULL,
    day INTEGER NOT NULL,
    PRIMARY KEY (module, digest)
);

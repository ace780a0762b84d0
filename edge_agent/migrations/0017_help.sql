-- Who helps now, the calls from this terminal's devices, and their lines until nobody reads them any more.
CREATE TABLE help_there (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    number INTEGER NOT NULL,
    helpers TEXT NOT NULL
);
CREATE TABLE help_calls (
    call TEXT PRIMARY KEY,
    device TEXT NOT NULL,
    session TEXT,
    helper TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    why TEXT NOT NULL DEFAULT '',
    place INTEGER NOT NULL DEFAULT 0,
    heard INTEGER NOT NULL DEFAULT 0,
    is_left INTEGER NOT NULL DEFAULT 0,
    touched_boot_seconds REAL NOT NULL,
    boot_id TEXT NOT NULL
);
CREATE UNIQUE INDEX live_help_calls ON help_calls (device) WHERE state <> 'ended';
CREATE TABLE help_lines (
    call TEXT NOT NULL,
    own INTEGER,
    number INTEGER,
    by TEXT NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (call, own),
    UNIQUE (call, number)
);

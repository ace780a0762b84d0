-- Since when a switch is not needed any more: it may have to stay on for a while.
CREATE TABLE switch_needs (
    switch TEXT PRIMARY KEY,
    is_needed INTEGER NOT NULL,
    fell_boot_seconds REAL,
    boot_id TEXT NOT NULL
);
-- Which session has had its pulse of which switch: written before it is made.
CREATE TABLE pulses (
    switch TEXT NOT NULL,
    session TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('due', 'sent', 'missed')),
    at_boot_seconds REAL NOT NULL,
    boot_id TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    PRIMARY KEY (switch, session)
);
-- Where each switch stood when that last changed.
CREATE TABLE switches (
    switch TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    wanted TEXT NOT NULL,
    standing TEXT NOT NULL,
    trouble TEXT NOT NULL,
    tries INTEGER NOT NULL,
    heard TEXT NOT NULL,
    told_at INTEGER NOT NULL
);

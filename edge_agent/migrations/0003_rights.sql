-- Rights of every kind: what is asked and answered, what is held, and what time the controller last said it was.
ALTER TABLE exchanges ADD COLUMN request_digest TEXT NOT NULL DEFAULT '';
ALTER TABLE exchanges ADD COLUMN answer TEXT NOT NULL DEFAULT '';
UPDATE exchanges SET request = '' WHERE request IS NULL;
UPDATE exchanges SET answer_digest = '' WHERE answer_digest IS NULL;
ALTER TABLE sessions ADD COLUMN ticket TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN admission TEXT NOT NULL DEFAULT 'right';
CREATE UNIQUE INDEX a_ticket_runs_once ON sessions (ticket) WHERE ticket <> '' AND state <> 'failed';
CREATE TABLE held_rights (
    kind TEXT PRIMARY KEY,
    comm_id TEXT NOT NULL,
    document TEXT NOT NULL,
    signature TEXT NOT NULL,
    stored_at INTEGER NOT NULL
);
CREATE TABLE held_tickets (
    ticket TEXT PRIMARY KEY,
    device TEXT NOT NULL,
    token_digest TEXT NOT NULL,
    opens_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    right_id TEXT NOT NULL,
    is_released INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE controller_clock (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    server_at INTEGER NOT NULL,
    boot_seconds REAL NOT NULL,
    boot_id TEXT NOT NULL,
    floor_at INTEGER NOT NULL
);
ALTER TABLE sessions ADD COLUMN start_tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN try_at_boot_seconds REAL NOT NULL DEFAULT 0;

-- What was measured of a session so far, and the warning that its customer's screen has not yet shown.
ALTER TABLE sessions ADD COLUMN heartbeats INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN delivered_seconds REAL NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN lost_seconds REAL NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN warned_seconds_left REAL;

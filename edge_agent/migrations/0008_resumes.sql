-- When a session's slot is over, as far as a clock could be trusted at its beginning, and what is known of a power cut in it.
ALTER TABLE sessions ADD COLUMN ends_at INTEGER;
ALTER TABLE sessions ADD COLUMN interruption TEXT NOT NULL DEFAULT 'none';

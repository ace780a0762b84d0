-- Whose word a turnover waits for: a cleaner's code, or a photo that our controller has of it.
ALTER TABLE devices ADD COLUMN waits_for TEXT NOT NULL DEFAULT '';
UPDATE devices SET waits_for = 'code' WHERE step = 'confirm' AND run IS NULL;

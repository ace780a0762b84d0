-- How often the controller's keys had been changed when we were last told of them, and whether we were told of some that none of ours has signed.
ALTER TABLE identity ADD COLUMN keys_revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE identity ADD COLUMN keys_are_doubted INTEGER NOT NULL DEFAULT 0;

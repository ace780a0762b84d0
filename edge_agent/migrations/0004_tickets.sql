-- Tickets of the store that are dead, and until which end the list of them is whole (NULL: all of it is).
CREATE TABLE revoked_tickets (
    ticket TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    dies_at INTEGER NOT NULL
);
ALTER TABLE desired ADD COLUMN revoked_until INTEGER;

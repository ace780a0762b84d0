-- Who this terminal is, and what it forgets when it is enrolled anew.

-- name: identity()^
SELECT terminal, store, epoch, secret, broker_host, broker_port, public_keys, ladder, authority,
    certificate, url, pinned
FROM identity;

-- name: keep_identity(terminal, store, epoch, secret, broker_host, broker_port, public_keys, ladder, authority, certificate, url, pinned)!
INSERT OR REPLACE INTO identity (only_row, terminal, store, epoch, secret, broker_host, broker_port,
    public_keys, ladder, authority, certificate, url, pinned)
VALUES (1, :terminal, :store, :epoch, :secret, :broker_host, :broker_port, :public_keys, :ladder,
    :authority, :certificate, :url, :pinned);

-- name: keep_renewed(terminal, epoch, secret, broker_host, broker_port, public_keys, ladder, authority, certificate, pinned)!
-- For who asked, and never down. Keys that were told since are not older than those of a renewal.
UPDATE identity SET broker_host = :broker_host, broker_port = :broker_port,
    public_keys = CASE WHEN keys_revision = 0 OR keys_are_doubted THEN :public_keys
        ELSE public_keys END,
    keys_revision = CASE WHEN keys_are_doubted THEN 0 ELSE keys_revision END, keys_are_doubted = 0,
    ladder = :ladder, authority = :authority, certificate = :certificate, pinned = :pinned
WHERE terminal = :terminal AND epoch = :epoch AND secret = :secret AND ladder <= :ladder;

-- name: public_keys()$
SELECT public_keys FROM identity;

-- name: keys_revision()$
SELECT keys_revision FROM identity;

-- name: keep_keys(public_keys, revision)!
UPDATE identity SET public_keys = :public_keys, keys_revision = :revision
WHERE keys_revision < :revision;

-- name: doubt_keys()!
-- None of ours has signed what we were told: the next renewal's keys count, whatever they are.
UPDATE identity SET keys_are_doubted = 1;

-- name: forget_registration()!
DELETE FROM registration;

-- name: forget_profile()!
DELETE FROM profile;

-- name: forget_revision()!
DELETE FROM desired;

-- name: forget_exchanges()!
DELETE FROM exchanges;

-- name: forget_events()!
DELETE FROM outbox;

-- name: count_events_anew()!
-- The events of a new epoch count from one.
DELETE FROM sqlite_sequence WHERE name = 'outbox';

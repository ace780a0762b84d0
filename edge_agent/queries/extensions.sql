-- Wishes for more time, and what has been granted.

-- name: keep_wish(device, session, seconds, price_cents, is_by_itself, state, wanted_boot_seconds, boot_id)!
-- One of each device at a time: what is open stays as it is.
INSERT INTO extensions (device, session, seconds, price_cents, is_by_itself, state,
    wanted_boot_seconds, boot_id)
VALUES (:device, :session, :seconds, :price_cents, :is_by_itself, :state, :wanted_boot_seconds,
    :boot_id)
ON CONFLICT (device) DO UPDATE SET session = excluded.session, seconds = excluded.seconds,
    price_cents = excluded.price_cents, is_by_itself = excluded.is_by_itself,
    state = excluded.state, wanted_boot_seconds = excluded.wanted_boot_seconds,
    boot_id = excluded.boot_id, reason = '', added_seconds = 0
WHERE extensions.state IN ('granted', 'refused');

-- name: wish_on(device)^
SELECT device, session, seconds, price_cents, is_by_itself, state, reason, added_seconds,
    wanted_boot_seconds, boot_id
FROM extensions WHERE device = :device;

-- name: wish_of(session)^
SELECT device, session, seconds, price_cents, is_by_itself, state, reason, added_seconds,
    wanted_boot_seconds, boot_id
FROM extensions WHERE session = :session;

-- name: open_wishes()
SELECT device, session, seconds, price_cents, is_by_itself, state, wanted_boot_seconds, boot_id
FROM extensions WHERE state IN ('wanted', 'asked') ORDER BY device;

-- name: move_wish(device, before, state, reason, added_seconds)!
UPDATE extensions SET state = :state, reason = :reason, added_seconds = :added_seconds
WHERE device = :device AND state = :before;

-- name: extended_elsewhere()
-- Sessions that were granted more than we hold the right to.
SELECT session, device FROM sessions AS s WHERE state IN ('starting', 'running') AND wanted = 'run'
    AND desired_extended_seconds > extended_seconds AND NOT EXISTS (SELECT 1 FROM extensions AS e
        WHERE e.device = s.device AND e.state IN ('wanted', 'asked'))
ORDER BY session;

-- name: note_desired(session, extended_seconds, extends_itself)!
UPDATE sessions SET desired_extended_seconds = :extended_seconds, extends_itself = :extends_itself
WHERE session = :session;

-- name: forget_desired_extension(session)!
UPDATE sessions SET desired_extended_seconds = extended_seconds WHERE session = :session;

-- name: extend(session, device, extended_seconds)!
-- By what is new of the sum of all its extensions: taken twice, or after a later one, it is nothing.
UPDATE sessions SET deadline_boot_seconds = deadline_boot_seconds
        + (:extended_seconds - extended_seconds),
    granted_seconds = granted_seconds + (:extended_seconds - extended_seconds),
    ends_at = ends_at + CAST(1000 * (:extended_seconds - extended_seconds) AS INTEGER),
    extended_seconds = :extended_seconds
WHERE session = :session AND device = :device AND extended_seconds < :extended_seconds
    AND state IN ('starting', 'running') AND wanted = 'run';

-- name: to_extend(boot_id)
-- What runs, and whose runner has not been heard to know by how much it is extended; of what waits
-- after a power cut it hears when that has gone on, since until then it reckons from its checkpoint.
SELECT session, deadline_boot_seconds, extended_seconds FROM sessions
WHERE state = 'running' AND wanted = 'run' AND extended_seconds > told_extended_seconds
    AND boot_id = :boot_id AND interruption NOT IN ('waiting', 'scanned') ORDER BY session;

-- name: note_told_extension(session, extended_seconds)!
UPDATE sessions SET told_extended_seconds = :extended_seconds
WHERE session = :session AND told_extended_seconds < :extended_seconds;

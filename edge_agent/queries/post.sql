-- The one ordered stream of what is told to the controller.

-- name: post(type, body, made_at)$
INSERT INTO outbox (type, body, made_at) VALUES (:type, :body, :made_at) RETURNING seq;

-- name: tell_newer_heartbeat(session, body, made_at)$
-- In the place of one that is not acknowledged yet: it is told once, whichever of the two arrives.
UPDATE outbox SET body = :body, made_at = :made_at WHERE type = 'session.alive'
    AND json_extract(body, '$.session') = :session RETURNING seq;

-- name: unsent(after, most)
SELECT seq, type, body, made_at FROM outbox WHERE seq > :after ORDER BY seq LIMIT :most;

-- name: has_to_tell_a_start(device)$
-- Whether a session that was begun here without the line is still to be told.
SELECT EXISTS (SELECT 1 FROM outbox WHERE type = 'session.admitted'
    AND json_extract(body, '$.device') = :device);

-- name: has_to_tell_a_call(device)$
-- Whether a call for help, of this device or of any, is still to be told.
SELECT EXISTS (SELECT 1 FROM outbox WHERE type = 'help.asked'
    AND (:device IS NULL OR json_extract(body, '$.device') = :device));

-- name: outbox_range()^
-- All before `first` has been acknowledged: it is the lowest that waits, or the next to be posted.
SELECT coalesce(min(seq), 1 + (SELECT coalesce(max(seq), 0) FROM sqlite_sequence
    WHERE name = 'outbox')) AS first, coalesce(max(seq), 0) AS last, count(*) AS waiting FROM outbox;

-- name: last_posted()$
-- The highest number ever given to an event of this epoch, told or not.
SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox';

-- name: acknowledged(up_to)!
DELETE FROM outbox WHERE seq <= :up_to;

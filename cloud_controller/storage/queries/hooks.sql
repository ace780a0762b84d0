-- Webhooks: who is told, what, and where each word stands. Written by the hooks flow; events and their deliveries on behalf of every flow.

-- name: listening()
-- Whoever is told at all, with what of.
SELECT endpoint_id, store_id, types FROM hook_endpoints WHERE state = 'on';

-- name: store_of(reservation_id, terminal_id, device_id)$
-- Where something has happened, by whatever is known of it.
SELECT coalesce((SELECT store_id FROM reservations WHERE reservation_id = :reservation_id),
    (SELECT store_id FROM terminals WHERE terminal_id = :terminal_id),
    (SELECT t.store_id FROM devices AS v JOIN terminals AS t USING (terminal_id)
        WHERE v.device_id = :device_id));

-- name: add_event(event_id, store_id, type, about, body, at)$
INSERT INTO hook_events (event_id, store_id, type, about, body, at)
VALUES (:event_id, :store_id, :type, :about, :body, :at) RETURNING number;

-- name: add_delivery(endpoint_id, number, about, at)!
INSERT INTO hook_deliveries (endpoint_id, number, about, state, next_at)
VALUES (:endpoint_id, :number, :about, 'waiting', :at);

-- name: endpoints()
SELECT endpoint_id, store_id, title, url, types, secret_number, old_secret_until, state, why,
    failing_since, delivered_at, made_at,
    (SELECT count(*) FROM hook_deliveries AS d
        WHERE d.endpoint_id = e.endpoint_id AND d.state = 'waiting') AS waiting
FROM hook_endpoints AS e WHERE removed_at IS NULL ORDER BY made_at, endpoint_id;

-- name: endpoint(endpoint_id)^
SELECT endpoint_id, store_id, title, url, types, secret_number, old_secret_until, state, why,
    failing_since, delivered_at, made_at,
    (SELECT count(*) FROM hook_deliveries AS d
        WHERE d.endpoint_id = e.endpoint_id AND d.state = 'waiting') AS waiting
FROM hook_endpoints AS e WHERE endpoint_id = :endpoint_id AND removed_at IS NULL;

-- name: add_endpoint(endpoint_id, store_id, title, url, types, at)!
INSERT INTO hook_endpoints (endpoint_id, store_id, title, url, types, state, made_at)
VALUES (:endpoint_id, :store_id, :title, :url, :types, 'on', :at);

-- name: change_endpoint(endpoint_id, title, url, types)!
UPDATE hook_endpoints SET title = :title, url = :url, types = :types
WHERE endpoint_id = :endpoint_id AND removed_at IS NULL;

-- name: switch(endpoint_id, state, why)!
-- Switched on again, it has not failed yet.
UPDATE hook_endpoints SET state = :state, why = :why, failing_since = NULL
WHERE endpoint_id = :endpoint_id AND removed_at IS NULL;

-- name: remove(endpoint_id, at)!
UPDATE hook_endpoints SET state = 'off', removed_at = :at
WHERE endpoint_id = :endpoint_id AND removed_at IS NULL;

-- name: rotate(endpoint_id, until)!
UPDATE hook_endpoints SET secret_number = secret_number + 1, old_secret_until = :until
WHERE endpoint_id = :endpoint_id AND removed_at IS NULL;

-- name: drop_waiting(endpoint_id, at)!
UPDATE hook_deliveries SET state = 'dropped', closed_at = :at
WHERE endpoint_id = :endpoint_id AND state = 'waiting';

-- name: due_endpoints(now)
-- To whom there is something to say now.
SELECT DISTINCT d.endpoint_id FROM hook_deliveries AS d
WHERE d.state = 'waiting' AND d.next_at <= :now;

-- name: due(endpoint_id, now, most)
-- The first word of each thing, where its turn has come: the next one waits until it is said.
SELECT d.number, d.attempts, d.first_at, d.about, e.event_id, e.type, e.body, e.at, h.url,
    h.secret_number, h.old_secret_until, h.failing_since
FROM hook_deliveries AS d JOIN hook_events AS e USING (number)
JOIN hook_endpoints AS h ON h.endpoint_id = d.endpoint_id
WHERE d.endpoint_id = :endpoint_id AND d.state = 'waiting' AND d.next_at <= :now
    AND h.state = 'on' AND NOT EXISTS (SELECT 1 FROM hook_deliveries AS p
        WHERE p.endpoint_id = d.endpoint_id AND p.about = d.about AND p.state = 'waiting'
            AND p.number < d.number)
ORDER BY d.number LIMIT :most;

-- name: note_try(endpoint_id, number, attempts, first_at, next_at)!
-- Written before it is sent: a kill in between says it once more, under the same id.
UPDATE hook_deliveries SET attempts = :attempts, first_at = :first_at, next_at = :next_at
WHERE endpoint_id = :endpoint_id AND number = :number AND state = 'waiting';

-- name: log_try(endpoint_id, number, at, took_ms, answer)!
INSERT INTO hook_tries (endpoint_id, number, at, took_ms, answer)
VALUES (:endpoint_id, :number, :at, :took_ms, :answer);

-- name: put_off(endpoint_id, number, next_at, answer)!
UPDATE hook_deliveries SET next_at = :next_at, answer = :answer
WHERE endpoint_id = :endpoint_id AND number = :number AND state = 'waiting';

-- name: close(endpoint_id, number, state, answer, at)!
UPDATE hook_deliveries SET state = :state, answer = :answer, closed_at = :at
WHERE endpoint_id = :endpoint_id AND number = :number AND state = 'waiting';

-- name: note_failing(endpoint_id, at)!
UPDATE hook_endpoints SET failing_since = coalesce(failing_since, :at)
WHERE endpoint_id = :endpoint_id;

-- name: note_delivered(endpoint_id, at)!
UPDATE hook_endpoints SET failing_since = NULL, delivered_at = :at
WHERE endpoint_id = :endpoint_id;

-- name: say_all_now(endpoint_id, at)!
-- It answers again: what has waited for it need not wait longer.
UPDATE hook_deliveries SET next_at = :at
WHERE endpoint_id = :endpoint_id AND state = 'waiting' AND next_at > :at;

-- name: replay(endpoint_id, number, at)!
UPDATE hook_deliveries SET state = 'waiting', attempts = 0, first_at = NULL, next_at = :at,
    closed_at = NULL
WHERE endpoint_id = :endpoint_id AND number = :number AND state <> 'waiting';

-- name: replay_since(endpoint_id, since, at)!
-- What was not taken since then; what was is not said again.
UPDATE hook_deliveries SET state = 'waiting', attempts = 0, first_at = NULL, next_at = :at,
    closed_at = NULL
WHERE endpoint_id = :endpoint_id AND state IN ('given_up', 'dropped')
    AND number IN (SELECT number FROM hook_events WHERE at >= :since);

-- name: deliveries(endpoint_id, before, most)
-- The latest first.
SELECT d.number, e.event_id, e.type, d.about, d.state, d.attempts, d.next_at, d.closed_at,
    d.answer, e.at, e.body
FROM hook_deliveries AS d JOIN hook_events AS e USING (number)
WHERE d.endpoint_id = :endpoint_id AND d.number < :before ORDER BY d.number DESC LIMIT :most;

-- name: delivery(endpoint_id, number)^
SELECT d.number, e.event_id, e.type, d.about, d.state, d.attempts, d.next_at, d.closed_at,
    d.answer, e.at, e.body
FROM hook_deliveries AS d JOIN hook_events AS e USING (number)
WHERE d.endpoint_id = :endpoint_id AND d.number = :number;

-- name: tries(endpoint_id, number, most)
SELECT at, took_ms, answer FROM hook_tries
WHERE endpoint_id = :endpoint_id AND number = :number ORDER BY try_id DESC LIMIT :most;

-- name: forget_tries(before)!
DELETE FROM hook_tries WHERE at < :before;

-- name: forget_deliveries(before)!
DELETE FROM hook_deliveries WHERE state <> 'waiting'
    AND number IN (SELECT number FROM hook_events WHERE at < :before);

-- name: forget_events(before)!
DELETE FROM hook_events WHERE at < :before
    AND NOT EXISTS (SELECT 1 FROM hook_deliveries AS d WHERE d.number = hook_events.number);

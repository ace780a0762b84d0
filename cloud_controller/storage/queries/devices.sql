-- Where devices stand, and what is wanted of them. Written by the devices flow.

-- name: device(device_id)^
SELECT device_id, store_id, number, title, terminal_id, state, fault, is_out_of_order,
    order_number
FROM devices WHERE device_id = :device_id;

-- name: keep_state(device_id, terminal_id, state, state_at, fault, fault_detail, heard_order)!
UPDATE devices SET state = :state, state_at = :state_at, fault = :fault,
    fault_detail = :fault_detail, heard_order = :heard_order
WHERE device_id = :device_id AND terminal_id = :terminal_id;

-- name: note_confirmed(device_id, session_id)!
-- Whoever has looked says that it is ready after this use, however early.
UPDATE devices SET confirmed_session = :session_id WHERE device_id = :device_id;

-- name: take_for_ready(device_id)!
UPDATE devices SET confirmed_session = coalesce((SELECT u.session_id FROM sessions AS u
    WHERE u.device_id = devices.device_id AND u.fence = devices.last_fence LIMIT 1),
    confirmed_session)
WHERE device_id = :device_id;

-- name: put_out(device_id)!
UPDATE devices SET is_out_of_order = 1 WHERE device_id = :device_id AND is_out_of_order = 0;

-- name: put_in(device_id)!
UPDATE devices SET is_out_of_order = 0 WHERE device_id = :device_id AND is_out_of_order = 1;

-- name: order_device(device_id, is_out, skips)$
UPDATE devices SET order_number = order_number + 1, order_is_out = :is_out, order_skips = :skips
WHERE device_id = :device_id RETURNING terminal_id;

-- name: ordered(terminal_id)
SELECT v.device_id, v.order_number, v.order_is_out, v.order_skips, p.session_id AS photographed
FROM devices AS v LEFT JOIN photo_tasks AS p ON p.device_id = v.device_id
    AND p.is_open = 1 AND p.photographed_at IS NOT NULL
WHERE v.terminal_id = :terminal_id AND (v.order_number > 0 OR p.session_id IS NOT NULL)
ORDER BY v.device_id;

-- name: lagging(most)
-- Terminals that are here and have not said yet that they know what is wanted of their devices, or
-- that they have heard of a photo: what it confirms is over then.
SELECT DISTINCT terminal_id FROM devices AS v JOIN terminals USING (terminal_id)
WHERE (v.order_number > v.heard_order OR EXISTS (SELECT 1 FROM photo_tasks AS p
        WHERE p.device_id = v.device_id AND p.is_open = 1 AND p.photographed_at IS NOT NULL))
    AND broker_role = 'service' AND presence <> 'gone'
ORDER BY terminal_id LIMIT :most;

-- name: untold_codes(most)
SELECT store_id FROM cleaner_codes WHERE is_told = 0 ORDER BY store_id LIMIT :most;

-- name: note_code_told(store_id)!
UPDATE cleaner_codes SET is_told = 1 WHERE store_id = :store_id;

-- name: cleaner_code(terminal_id)^
-- Without a digest there is none any more, and that has to be told as well.
SELECT c.salt, c.digest FROM cleaner_codes AS c JOIN terminals AS t USING (store_id)
WHERE t.terminal_id = :terminal_id;

-- name: keep_cleaner_code(store_id, salt, digest, made_at)!
INSERT INTO cleaner_codes (store_id, salt, digest, made_at)
VALUES (:store_id, :salt, :digest, :made_at)
ON CONFLICT (store_id) DO UPDATE SET salt = excluded.salt, digest = excluded.digest,
    made_at = excluded.made_at, is_told = 0;

-- name: forget_cleaner_code(store_id)!
UPDATE cleaner_codes SET digest = '', is_told = 0 WHERE store_id = :store_id AND digest <> '';

-- name: has_store(store_id)$
SELECT EXISTS (SELECT 1 FROM stores WHERE store_id = :store_id);

-- name: in_service(store_id)
SELECT terminal_id FROM terminals
WHERE store_id = :store_id AND broker_role = 'service' ORDER BY terminal_id;

-- name: is_in_service(terminal_id)$
SELECT EXISTS (SELECT 1 FROM terminals
    WHERE terminal_id = :terminal_id AND broker_role = 'service');

-- name: board(store_id, after_store, after_number, now, most)
-- For the operator: each device with who uses it, and whose slot on it has begun.
SELECT v.device_id, v.store_id, v.number, v.title, v.place, v.program, v.terminal_id, v.state,
    v.state_at, v.fault, v.fault_detail, v.is_out_of_order, t.presence,
    live.session_id, live.state AS session_state, live.deadline_at,
    (SELECT min(n.starts_at) FROM reservations AS n WHERE n.device_id = v.device_id
        AND n.state IN ('held', 'confirmed') AND n.ends_at > :now) AS next_starts_at,
    EXISTS (SELECT 1 FROM reservations AS c WHERE c.device_id = v.device_id
        AND c.state IN ('held', 'confirmed', 'in_use', 'completed')
        AND c.starts_at <= :now AND c.blocked_until > :now) AS is_claimed
FROM devices AS v JOIN terminals AS t USING (terminal_id)
LEFT JOIN sessions AS live ON live.device_id = v.device_id
    AND live.state IN ('granted', 'starting', 'running', 'ending')
WHERE t.standing <> 'retired' AND (:store_id = '' OR v.store_id = :store_id)
    AND (v.store_id > :after_store OR (v.store_id = :after_store AND v.number > :after_number))
ORDER BY v.store_id, v.number LIMIT :most;

-- name: around(link, now)^
-- For a ticket's holder: his device, who else has it, and who else comes before him. States are named
-- as their index names them, so that nothing is read of what was sold in all the years.
SELECT v.state, v.is_out_of_order, t.presence, live.state AS session_state,
    (SELECT max(c.ends_at) FROM reservations AS c WHERE c.device_id = r.device_id
        AND c.reservation_id <> r.reservation_id AND c.state IN ('held', 'confirmed', 'in_use')
        AND c.state <> 'held' AND c.starts_at <= :now AND c.ends_at > :now) AS claimed_until,
    live.deadline_at AS used_until,
    (SELECT count(*) FROM reservations AS n WHERE n.device_id = r.device_id
        AND n.state IN ('held', 'confirmed', 'in_use') AND n.state <> 'held'
        AND n.starts_at < r.starts_at AND n.ends_at > :now) AS before_you,
    (SELECT c.made_at FROM commands AS c JOIN sessions AS u USING (session_id)
        WHERE u.reservation_id = r.reservation_id AND u.state IN ('running', 'ending')
        AND c.type = 'session.stop') AS stop_asked_at
FROM reservations AS r JOIN devices AS v USING (device_id) JOIN terminals AS t USING (terminal_id)
LEFT JOIN sessions AS live ON live.device_id = r.device_id
    AND live.reservation_id <> r.reservation_id
    AND live.state IN ('granted', 'starting', 'running', 'ending')
WHERE r.link = :link;

-- name: told_around(device_id, terminal_id, now, until)^
-- For whoever stands at a device: what its session costs, where we have sold it, and who comes next.
SELECT u.session_id, r.price_cents, r.currency,
    (SELECT min(n.starts_at) FROM reservations AS n WHERE n.device_id = v.device_id
        AND n.state = 'confirmed' AND n.ends_at > :now AND n.starts_at < :until
        AND (u.reservation_id IS NULL OR n.reservation_id <> u.reservation_id)) AS next_at,
    (SELECT count(*) FROM reservations AS n WHERE n.device_id = v.device_id
        AND n.state = 'confirmed' AND n.ends_at > :now AND n.starts_at < :until
        AND (u.reservation_id IS NULL OR n.reservation_id <> u.reservation_id)) AS coming
FROM devices AS v LEFT JOIN sessions AS u ON u.device_id = v.device_id
    AND u.state IN ('granted', 'starting', 'running', 'ending')
    AND NOT EXISTS (SELECT 1 FROM borrowed_tickets AS b WHERE b.ticket_id = u.ticket_id)
LEFT JOIN reservations AS r USING (reservation_id)
WHERE v.device_id = :device_id AND v.terminal_id = :terminal_id;

-- name: lost(now, until, since, most)
-- Coming claims to devices that are out of order, which nobody has been called to of late.
SELECT r.reservation_id, r.link, r.device_id, r.offering_id, r.starts_at, r.ends_at,
    v.title AS device_title, v.terminal_id, v.fault, o.lengths_seconds
FROM devices AS v JOIN reservations AS r USING (device_id)
JOIN offerings AS o ON o.offering_id = r.offering_id JOIN terminals AS t USING (terminal_id)
WHERE v.is_out_of_order = 1 AND t.standing = 'confirmed' AND r.state IN ('held', 'confirmed')
    AND r.ends_at > :now AND r.starts_at < :until
    AND NOT EXISTS (SELECT 1 FROM problems AS p WHERE p.kind = 'reservation_without_device'
        AND p.subject = r.reservation_id AND (p.solved_at IS NULL OR p.raised_at > :since))
ORDER BY r.starts_at, r.reservation_id LIMIT :most;

-- name: late(now, until, since, most)
-- Claims that begin soon on a device that is not ready, although the time for that is over. Whoever
-- was called already is told the photo that has come to be waited for since.
SELECT r.reservation_id, r.link, r.device_id, r.offering_id, r.starts_at, r.ends_at,
    v.title AS device_title, v.terminal_id, v.fault, o.lengths_seconds,
    (SELECT p.task_id FROM photo_tasks AS p WHERE p.device_id = v.device_id AND p.is_open = 1)
        AS photo_task
FROM devices AS v JOIN reservations AS r USING (device_id)
JOIN offerings AS o ON o.offering_id = r.offering_id JOIN terminals AS t USING (terminal_id)
WHERE v.state IN ('finishing', 'turnover') AND v.is_out_of_order = 0
    AND t.standing = 'confirmed' AND r.state IN ('held', 'confirmed')
    AND r.ends_at > :now AND r.starts_at < :until
    AND NOT EXISTS (SELECT 1 FROM reservations AS had WHERE had.device_id = v.device_id
        AND had.state IN ('in_use', 'completed') AND had.starts_at <= :now
        AND had.blocked_until > :now)
    AND NOT EXISTS (SELECT 1 FROM problems AS p WHERE p.kind = 'turnover_overdue'
        AND p.subject = r.reservation_id AND (p.solved_at IS NULL OR p.raised_at > :since)
        AND NOT (p.solved_at IS NULL AND EXISTS (SELECT 1 FROM photo_tasks AS w
            WHERE w.device_id = v.device_id AND w.is_open = 1 AND w.photographed_at IS NULL
            AND w.made_at >= p.seen_at)))
ORDER BY r.starts_at, r.reservation_id LIMIT :most;

-- name: reservation_of(session_id, terminal_id)$
SELECT reservation_id FROM sessions WHERE session_id = :session_id AND terminal_id = :terminal_id;

-- name: add_photo_task(task_id, device_id, session_id, link, made_at, expires_at)!
-- One for each turnover, however often it is told.
INSERT INTO photo_tasks (task_id, device_id, session_id, link, made_at, expires_at)
VALUES (:task_id, :device_id, :session_id, :link, :made_at, :expires_at)
ON CONFLICT (device_id, session_id) DO NOTHING;

-- name: forget_unphotographed(device_id, session_id)!
-- What is waited for no more leaves nothing, unless there is a photo of it.
DELETE FROM photo_tasks
WHERE device_id = :device_id AND session_id <> :session_id AND photographed_at IS NULL;

-- name: close_photographed(device_id, session_id)!
UPDATE photo_tasks SET is_open = 0
WHERE device_id = :device_id AND session_id <> :session_id AND is_open = 1;

-- name: photo_task_of(device_id, session_id)^
SELECT task_id, photographed_at FROM photo_tasks
WHERE device_id = :device_id AND session_id = :session_id AND is_open = 1;

-- name: photo_tasks(link, digest, now, most)
-- What a link opens: its own task, or all of the store whose cleaners have it.
SELECT p.task_id, p.device_id, p.session_id, p.link, p.made_at, p.expires_at, p.photographed_at,
    v.title, v.place, v.number, v.terminal_id, v.store_id, s.time_zone
FROM photo_tasks AS p JOIN devices AS v USING (device_id) JOIN stores AS s USING (store_id)
WHERE p.expires_at > :now AND (p.link = :link OR (p.is_open = 1 AND v.store_id =
    (SELECT c.store_id FROM cleaner_links AS c WHERE c.digest = :digest)))
ORDER BY v.number, p.task_id LIMIT :most;

-- name: photo_tasks_of_store(store_id, most)
SELECT p.task_id, p.device_id, p.link, p.made_at, p.expires_at, p.photographed_at, p.is_open,
    p.digest
FROM photo_tasks AS p JOIN devices AS v USING (device_id) WHERE v.store_id = :store_id
ORDER BY p.made_at DESC, p.task_id LIMIT :most;

-- name: is_cleaner_link(digest)$
SELECT EXISTS (SELECT 1 FROM cleaner_links WHERE digest = :digest);

-- name: keep_photo(task_id, photo, digest, photographed_at)!
UPDATE photo_tasks SET photo = :photo, digest = :digest, photographed_at = :photographed_at
WHERE task_id = :task_id AND photographed_at IS NULL AND is_open = 1;

-- name: photo(device_id, task_id)$
SELECT photo FROM photo_tasks
WHERE device_id = :device_id AND task_id = :task_id AND photographed_at IS NOT NULL;

-- name: forget_photos(before, now)!
DELETE FROM photo_tasks
WHERE made_at < :before OR (expires_at <= :now AND photographed_at IS NULL);

-- name: forget_photos_before_the_last(device_id, most)!
-- A device keeps so many: whoever photographs all day fills no disk.
DELETE FROM photo_tasks WHERE is_open = 0 AND device_id = :device_id AND task_id NOT IN
    (SELECT task_id FROM photo_tasks WHERE device_id = :device_id
     ORDER BY made_at DESC, task_id LIMIT :most);

-- name: keep_cleaner_link(store_id, digest, made_at)!
INSERT INTO cleaner_links (store_id, digest, made_at) VALUES (:store_id, :digest, :made_at)
ON CONFLICT (store_id) DO UPDATE SET digest = excluded.digest, made_at = excluded.made_at;

-- name: forget_cleaner_link(store_id)!
DELETE FROM cleaner_links WHERE store_id = :store_id;

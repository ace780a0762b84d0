-- What the console shows around each of its pages, and of every device. Nothing is written here.

-- name: stores()
SELECT store_id, title, time_zone, hours, number FROM stores
WHERE store_id NOT IN (SELECT store_id FROM store_peers) ORDER BY number;

-- name: open_problems()
-- How many are open, by their store; some are no store's.
SELECT store_id, count(*) AS open_count FROM problems WHERE solved_at IS NULL GROUP BY store_id;

-- name: devices_now(store_id, now, told_since, most)
-- Each device with who has it, until when, and who comes next: codes of tickets, never anybody's name.
-- States are named as their index names them.
SELECT v.device_id, v.store_id, v.number, v.title, v.place, v.program, v.terminal_id, t.hostname,
    t.presence, t.presence_at, v.state, v.state_at, v.fault, v.fault_detail, v.is_out_of_order,
    u.session_id, u.state AS session_state, u.granted_at, u.running_at, u.deadline_at,
    u.reservation_id, w.purpose, k.short_code, n.reservation_id AS next_reservation,
    n.starts_at AS next_starts_at, n.ends_at AS next_ends_at, n.state AS next_state,
    m.short_code AS next_code, o.title AS next_title,
    g.sentence, g.text AS said_text, g.made_at AS said_at, g.expires_at AS said_until,
    g.shown_at AS said_shown_at,
    CASE WHEN v.order_number > v.heard_order THEN 1 ELSE 0 END AS is_untold,
    (SELECT count(*) FROM photo_tasks AS p WHERE p.device_id = v.device_id AND p.is_open = 1
        AND p.photographed_at IS NULL) AS photos,
    (SELECT count(*) FROM reservations AS c WHERE c.device_id = v.device_id
        AND c.state IN ('held', 'confirmed', 'in_use', 'completed')
        AND c.starts_at <= :now AND c.blocked_until > :now) AS claims
FROM devices AS v JOIN terminals AS t USING (terminal_id)
LEFT JOIN sessions AS u ON u.device_id = v.device_id
    AND u.state IN ('granted', 'starting', 'running', 'ending')
LEFT JOIN staff_uses AS w ON w.reservation_id = u.reservation_id
LEFT JOIN tickets AS k ON k.ticket_id = u.ticket_id
LEFT JOIN reservations AS n ON n.reservation_id = (
    SELECT r.reservation_id FROM reservations AS r WHERE r.device_id = v.device_id
        AND r.state IN ('held', 'confirmed', 'in_use') AND r.state <> 'in_use'
        AND r.ends_at > :now AND r.reservation_id <> coalesce(u.reservation_id, '')
        AND (r.state = 'confirmed' OR r.hold_ends_at > :now)
    ORDER BY r.starts_at, r.reservation_id LIMIT 1)
LEFT JOIN device_messages AS g ON g.message_id = (
    SELECT e.message_id FROM device_messages AS e WHERE e.device_id = v.device_id
        AND e.made_at > :told_since
    ORDER BY e.made_at DESC, e.message_id DESC LIMIT 1)
LEFT JOIN tickets AS m ON m.reservation_id = n.reservation_id
LEFT JOIN offerings AS o ON o.offering_id = n.offering_id
WHERE t.standing <> 'retired' AND v.store_id = :store_id
ORDER BY v.number LIMIT :most;

-- name: problems_of_devices()
-- How much is open of each device: about itself, about a claim to it, or about its terminal.
SELECT v.device_id, count(*) AS open_count
FROM problems AS p LEFT JOIN reservations AS r ON r.reservation_id = p.reservation_id
JOIN devices AS v ON v.device_id = p.subject OR v.device_id = r.device_id
    OR (v.terminal_id = p.terminal_id AND p.subject = p.terminal_id)
WHERE p.solved_at IS NULL GROUP BY v.device_id;

-- name: claims_of_day(store_id, from_at, to_at, now, most)
-- What a store's devices were and are kept for in a stretch of time.
SELECT r.reservation_id, r.device_id, r.starts_at, r.ends_at, r.blocked_until, r.state,
    k.short_code, o.title AS offering_title, u.session_id, u.state AS session_state, u.running_at,
    u.ended_at, u.deadline_at, u.end_reason
FROM reservations AS r JOIN offerings AS o USING (offering_id)
LEFT JOIN tickets AS k USING (reservation_id)
LEFT JOIN sessions AS u ON u.session_id = (
    SELECT x.session_id FROM sessions AS x WHERE x.reservation_id = r.reservation_id
    ORDER BY x.granted_at DESC, x.fence DESC LIMIT 1)
WHERE r.store_id = :store_id AND r.blocked_until > :from_at AND r.starts_at < :to_at
    AND (r.state IN ('confirmed', 'in_use', 'completed', 'no_show')
        OR (r.state = 'held' AND r.hold_ends_at > :now))
ORDER BY r.starts_at, r.reservation_id LIMIT :most;

-- name: blackouts_of_day(store_id, from_at, to_at, most)
SELECT device_id, starts_at, ends_at, reason FROM blackouts
WHERE store_id = :store_id AND ends_at > :from_at AND starts_at < :to_at
ORDER BY starts_at, blackout_id LIMIT :most;

-- name: devices_of_day(store_id, most)
SELECT v.device_id, v.number, v.title, v.is_out_of_order, v.state_at, v.fault
FROM devices AS v JOIN terminals AS t USING (terminal_id)
WHERE v.store_id = :store_id AND t.standing <> 'retired' ORDER BY v.number LIMIT :most;

-- name: stands(store_id)^
-- All that the console's pages of a store hang on beside the clock; of every store, where none is named.
SELECT
    (SELECT count(*) FROM devices AS v WHERE :store_id = '' OR v.store_id = :store_id) AS devices,
    (SELECT sum(v.order_number + v.heard_order + v.is_out_of_order) FROM devices AS v
        WHERE :store_id = '' OR v.store_id = :store_id) AS orders,
    (SELECT max(v.state_at) FROM devices AS v WHERE :store_id = '' OR v.store_id = :store_id)
        AS state_at,
    (SELECT max(t.presence_at) FROM terminals AS t WHERE :store_id = '' OR t.store_id = :store_id)
        AS presence_at,
    (SELECT count(*) FROM terminals AS t WHERE t.presence = 'here'
        AND (:store_id = '' OR t.store_id = :store_id)) AS here,
    (SELECT count(*) FROM terminals AS t WHERE t.standing = 'pending'
        AND (:store_id = '' OR t.store_id = :store_id)) AS pending,
    (SELECT count(*) FROM sessions AS u WHERE u.state IN ('granted', 'starting', 'running', 'ending')
        AND (:store_id = '' OR u.store_id = :store_id)) AS live,
    (SELECT count(*) FROM sessions AS u WHERE u.state IN ('granted', 'starting', 'running', 'ending')
        AND u.state IN ('running', 'ending') AND (:store_id = '' OR u.store_id = :store_id))
        AS running,
    (SELECT sum(u.deadline_at - u.granted_at) FROM sessions AS u
        WHERE u.state IN ('granted', 'starting', 'running', 'ending')
        AND (:store_id = '' OR u.store_id = :store_id)) AS granted,
    (SELECT count(*) FROM reservations AS r WHERE r.state IN ('held', 'confirmed', 'in_use')
        AND (:store_id = '' OR r.store_id = :store_id)) AS claims,
    (SELECT max(r.changed_at) FROM reservations AS r WHERE r.state IN ('held', 'confirmed', 'in_use')
        AND (:store_id = '' OR r.store_id = :store_id)) AS claimed_at,
    (SELECT count(*) FROM problems AS p WHERE p.solved_at IS NULL) AS problems,
    (SELECT max(p.seen_at) FROM problems AS p WHERE p.solved_at IS NULL) AS seen_at,
    (SELECT max(a.entry_id) FROM audit AS a) AS acts,
    (SELECT max(g.shown_at) FROM device_messages AS g) AS shown_at;

-- name: terminals()
-- Every terminal with its store, who came last first.
SELECT t.terminal_id, t.store_id, t.hostname, t.standing, t.standing_reason, t.presence,
    t.enrolled_at, s.title AS store_title, s.time_zone
FROM terminals AS t JOIN stores AS s USING (store_id)
ORDER BY s.title, t.enrolled_at DESC, t.terminal_id;

-- name: hosted()
SELECT terminal_id, device_id, number, title FROM devices ORDER BY store_id, number;

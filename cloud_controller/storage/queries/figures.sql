-- What reports are counted from. Reads only.

-- name: store(store_id)^
SELECT store_id, title, time_zone, hours FROM stores WHERE store_id = :store_id;

-- name: devices(store_id)
SELECT device_id, title FROM devices WHERE store_id = :store_id ORDER BY number;

-- name: offerings(store_id)
SELECT offering_id, title FROM offerings WHERE store_id = :store_id ORDER BY offering_id;

-- name: asked(store_id, starts_at, ends_at)
-- Reservations that begin in a period, as they were booked; those that never came to stand are
-- none, and maintenance is nobody's visit.
SELECT r.reservation_id, r.device_id, r.offering_id, r.state, r.starts_at,
    coalesce(r.booked_ends_at, r.ends_at) AS ends_at, r.price_cents, r.currency,
    coalesce(c.seconds, 0.0) AS owed_seconds, CAST(coalesce(c.cents, 0) AS BIGINT) AS owed_cents
FROM reservations AS r LEFT JOIN (SELECT reservation_id, sum(seconds) AS seconds,
        sum(cents) AS cents FROM compensations WHERE reservation_id IN (
            SELECT reservation_id FROM reservations WHERE store_id = :store_id
                AND starts_at >= :starts_at AND starts_at < :ends_at)
        GROUP BY reservation_id) AS c USING (reservation_id)
WHERE r.store_id = :store_id AND r.starts_at >= :starts_at AND r.starts_at < :ends_at
    AND r.state NOT IN ('held', 'expired') AND NOT EXISTS (SELECT 1 FROM staff_uses AS m
        WHERE m.reservation_id = r.reservation_id AND m.purpose = 'maintenance')
ORDER BY r.starts_at, r.reservation_id;

-- name: given(store_id, starts_at, ends_at)
-- Sessions of those reservations; what never ran has delivered nothing, whoever says so.
SELECT s.reservation_id, s.device_id, s.state, s.running_at, s.ended_at, s.end_reason,
    s.lost_seconds,
    CASE WHEN s.state = 'failed' THEN 0.0 ELSE s.delivered_seconds END AS delivered_seconds
FROM reservations AS r JOIN sessions AS s USING (reservation_id)
WHERE r.store_id = :store_id AND r.starts_at >= :starts_at AND r.starts_at < :ends_at
    AND r.state NOT IN ('held', 'expired') AND NOT EXISTS (SELECT 1 FROM staff_uses AS m
        WHERE m.reservation_id = r.reservation_id AND m.purpose = 'maintenance')
ORDER BY r.starts_at, r.reservation_id, s.granted_at, s.fence;

-- name: posted(store_id, starts_at, ends_at)
SELECT e.kind, e.at, p.account, p.cents, p.currency
FROM entries AS e JOIN postings AS p USING (entry_id)
WHERE e.store_id = :store_id AND e.at >= :starts_at AND e.at < :ends_at
ORDER BY e.at, e.entry_id, p.line;

-- name: out_of_order(store_id, starts_at, ends_at)
-- When somebody had to look at a device of the store that was out of order.
SELECT p.subject AS device_id, p.raised_at, p.solved_at
FROM problems AS p JOIN devices AS v ON v.device_id = p.subject
WHERE p.kind = 'device_out_of_order' AND v.store_id = :store_id
    AND p.raised_at < :ends_at AND (p.solved_at IS NULL OR p.solved_at > :starts_at)
ORDER BY p.raised_at, p.problem_id;

-- name: leaked(store_id, starts_at, ends_at)
SELECT kind, device_id, began_at, ended_at FROM leaks
WHERE store_id = :store_id AND began_at < :ends_at
    AND (ended_at IS NULL OR ended_at > :starts_at)
ORDER BY began_at, leak_id;

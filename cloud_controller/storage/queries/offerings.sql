-- What can be bought, on which devices, and whether it can be had now. Written by the offerings flow.

-- name: register(offering_id, store_id, key, title, content, price_cents, currency, lengths_seconds, grid_seconds, turnover_seconds, early_seconds, lead_seconds, horizon_seconds, change_seconds, cancel_seconds, hold_seconds, grace_seconds, party_max, rotates_code, registered_at)$
-- Registered again, it keeps its id and takes the new words and terms.
INSERT INTO offerings (offering_id, store_id, key, title, content, price_cents, currency,
    lengths_seconds, grid_seconds, turnover_seconds, early_seconds, lead_seconds, horizon_seconds,
    change_seconds, cancel_seconds, hold_seconds, grace_seconds, party_max, rotates_code,
    registered_at)
VALUES (:offering_id, :store_id, :key, :title, :content, :price_cents, :currency,
    :lengths_seconds, :grid_seconds, :turnover_seconds, :early_seconds, :lead_seconds,
    :horizon_seconds, :change_seconds, :cancel_seconds, :hold_seconds, :grace_seconds, :party_max,
    :rotates_code, :registered_at)
ON CONFLICT (store_id, key) DO UPDATE SET title = excluded.title, content = excluded.content,
    price_cents = excluded.price_cents, currency = excluded.currency,
    lengths_seconds = excluded.lengths_seconds, grid_seconds = excluded.grid_seconds,
    turnover_seconds = excluded.turnover_seconds, early_seconds = excluded.early_seconds,
    lead_seconds = excluded.lead_seconds, horizon_seconds = excluded.horizon_seconds,
    change_seconds = excluded.change_seconds, cancel_seconds = excluded.cancel_seconds,
    hold_seconds = excluded.hold_seconds, grace_seconds = excluded.grace_seconds,
    party_max = excluded.party_max, rotates_code = excluded.rotates_code
RETURNING offering_id;

-- name: device_of_terminal(device_id, terminal_id)^
SELECT device_id, store_id FROM devices
WHERE device_id = :device_id AND terminal_id = :terminal_id;

-- name: offer_device(device_id, offering_id, changed_at)!
INSERT INTO offered_devices (device_id, offering_id, state, changed_at)
VALUES (:device_id, :offering_id, 'registered', :changed_at)
ON CONFLICT (device_id) DO UPDATE SET offering_id = excluded.offering_id;

-- name: offered(device_id, key, terminal_id)^
SELECT o.offering_id, d.state
FROM offered_devices AS d
JOIN offerings AS o USING (offering_id)
JOIN devices AS v USING (device_id)
WHERE d.device_id = :device_id AND o.key = :key AND v.terminal_id = :terminal_id;

-- name: turn(device_id, before, state, changed_at)!
UPDATE offered_devices SET state = :state, changed_at = :changed_at
WHERE device_id = :device_id AND state = :before;

-- name: choices()
-- What can be had: on, on a confirmed terminal that is not gone, with how many of its devices are free now.
SELECT o.offering_id, o.store_id, s.title AS store_title, s.time_zone, o.title, o.content,
    o.price_cents, o.currency, o.lengths_seconds, o.grid_seconds, o.turnover_seconds, o.party_max,
    count(*) AS devices_on,
    count(CASE WHEN NOT EXISTS (SELECT 1 FROM sessions AS live WHERE live.device_id = d.device_id
        AND live.state IN ('granted', 'starting', 'running', 'ending'))
        AND v.state NOT IN ('finishing', 'turnover', 'out_of_order') THEN 1 END) AS devices_free
FROM offered_devices AS d
JOIN offerings AS o USING (offering_id)
JOIN devices AS v USING (device_id)
JOIN terminals AS t USING (terminal_id)
JOIN stores AS s ON s.store_id = o.store_id
WHERE d.state = 'on' AND t.standing = 'confirmed' AND t.presence <> 'gone' AND v.is_out_of_order = 0
GROUP BY o.offering_id, s.store_id
ORDER BY s.number, o.title, o.offering_id;

-- name: terms(offering_id)^
SELECT o.offering_id, o.store_id, s.number AS store_number, s.title AS store_title, s.time_zone,
    o.title, o.content, o.price_cents, o.currency, o.lengths_seconds, o.grid_seconds,
    o.turnover_seconds, o.early_seconds, o.lead_seconds, o.horizon_seconds, o.change_seconds,
    o.cancel_seconds, o.hold_seconds, o.grace_seconds, o.party_max, o.rotates_code, s.hours,
    s.directions
FROM offerings AS o JOIN stores AS s USING (store_id)
WHERE o.offering_id = :offering_id;

-- name: devices(offering_id)
-- The devices of an offering that can be booked now, those that are on.
SELECT v.device_id, v.number, v.title, d.state
FROM offered_devices AS d
JOIN devices AS v USING (device_id)
JOIN terminals AS t USING (terminal_id)
WHERE d.offering_id = :offering_id AND d.state = 'on' AND t.standing = 'confirmed'
    AND t.presence <> 'gone' AND v.is_out_of_order = 0
ORDER BY v.number;

-- name: whereabouts(device_id)^
SELECT v.title, v.number, v.place, s.title AS store_title
FROM devices AS v JOIN stores AS s USING (store_id) WHERE v.device_id = :device_id;

-- name: free_device(offering_id, device_id, reservation_id, now, free_from, blocked_until)^
-- Another one, that a ticket for any device of the offering opens now and for the whole of its slot.
SELECT v.device_id FROM offered_devices AS d
JOIN devices AS v USING (device_id) JOIN terminals AS t USING (terminal_id)
WHERE d.offering_id = :offering_id AND d.state = 'on' AND v.device_id <> :device_id
    AND t.standing = 'confirmed' AND t.presence <> 'gone' AND v.is_out_of_order = 0
    AND v.state NOT IN ('finishing', 'turnover', 'out_of_order')
    AND NOT EXISTS (SELECT 1 FROM sessions AS live WHERE live.device_id = v.device_id
        AND live.state IN ('granted', 'starting', 'running', 'ending'))
    AND NOT EXISTS (SELECT 1 FROM reservations AS r WHERE r.device_id = v.device_id
        AND r.state IN ('held', 'confirmed', 'in_use') AND r.reservation_id <> :reservation_id
        AND r.starts_at < :blocked_until AND r.blocked_until > :free_from)
    AND NOT EXISTS (SELECT 1 FROM sessions AS had JOIN reservations AS r USING (reservation_id)
        WHERE had.device_id = v.device_id AND had.fence = v.last_fence AND had.state = 'ended'
            AND had.running_at IS NOT NULL AND had.session_id <> v.confirmed_session
            AND had.ended_at + r.blocked_until - r.ends_at > :now)
ORDER BY v.number LIMIT 1;

-- name: free_now(offering_id, now)$
SELECT count(*) FROM offered_devices AS d
JOIN devices AS v USING (device_id) JOIN terminals AS t USING (terminal_id)
WHERE d.offering_id = :offering_id AND d.state = 'on'
    AND t.standing = 'confirmed' AND t.presence <> 'gone' AND v.is_out_of_order = 0
    AND v.state NOT IN ('finishing', 'turnover', 'out_of_order')
    AND NOT EXISTS (SELECT 1 FROM sessions AS live WHERE live.device_id = v.device_id
        AND live.state IN ('granted', 'starting', 'running', 'ending'))
    AND NOT EXISTS (SELECT 1 FROM reservations AS r WHERE r.device_id = v.device_id
        AND r.state IN ('held', 'confirmed', 'in_use')
        AND (r.state <> 'held' OR r.hold_ends_at IS NULL OR r.hold_ends_at > :now)
        AND r.starts_at <= :now AND r.blocked_until > :now);

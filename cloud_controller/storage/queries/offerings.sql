-- What can be bought, on which devices, and whether it can be had now. Written by the offerings flow.

-- name: register(offering_id, store_id, key, title, content, texts, pictures, told_by, price_cents, currency, lengths_seconds, grid_seconds, turnover_seconds, early_seconds, lead_seconds, horizon_seconds, change_seconds, cancel_seconds, hold_seconds, grace_seconds, party_max, rotates_code, registered_at)$
-- Registered again, it keeps its id and takes the new words and terms.
INSERT INTO offerings (offering_id, store_id, key, title, content, texts, pictures, told_by,
    price_cents, currency,
    lengths_seconds, grid_seconds, turnover_seconds, early_seconds, lead_seconds, horizon_seconds,
    change_seconds, cancel_seconds, hold_seconds, grace_seconds, party_max, rotates_code,
    registered_at)
VALUES (:offering_id, :store_id, :key, :title, :content, :texts, :pictures, :told_by,
    :price_cents, :currency,
    :lengths_seconds, :grid_seconds, :turnover_seconds, :early_seconds, :lead_seconds,
    :horizon_seconds, :change_seconds, :cancel_seconds, :hold_seconds, :grace_seconds, :party_max,
    :rotates_code, :registered_at)
ON CONFLICT (store_id, key) DO UPDATE SET title = excluded.title, content = excluded.content,
    texts = excluded.texts, pictures = excluded.pictures, told_by = excluded.told_by,
    price_cents = excluded.price_cents, currency = excluded.currency,
    lengths_seconds = excluded.lengths_seconds, grid_seconds = excluded.grid_seconds,
    turnover_seconds = excluded.turnover_seconds, early_seconds = excluded.early_seconds,
    lead_seconds = excluded.lead_seconds, horizon_seconds = excluded.horizon_seconds,
    change_seconds = excluded.change_seconds, cancel_seconds = excluded.cancel_seconds,
    hold_seconds = excluded.hold_seconds, grace_seconds = excluded.grace_seconds,
    party_max = excluded.party_max, rotates_code = excluded.rotates_code
RETURNING offering_id;

-- name: known(store_id, key)^
SELECT offering_id, told_by FROM offerings WHERE store_id = :store_id AND key = :key;

-- name: device_of_terminal(device_id, terminal_id)^
SELECT device_id, store_id FROM devices
WHERE device_id = :device_id AND terminal_id = :terminal_id;

-- name: offer_device(device_id, offering_id, changed_at)!
INSERT INTO offered_devices (device_id, offering_id, state, changed_at)
VALUES (:device_id, :offering_id, 'registered', :changed_at)
ON CONFLICT (device_id) DO UPDATE SET offering_id = excluded.offering_id;

-- name: offered(device_id, key, terminal_id)^
SELECT o.offering_id, d.state, d.reason
FROM offered_devices AS d
JOIN offerings AS o USING (offering_id)
JOIN devices AS v USING (device_id)
WHERE d.device_id = :device_id AND o.key = :key AND v.terminal_id = :terminal_id;

-- name: turn(device_id, before, state, reason, changed_at)!
UPDATE offered_devices SET state = :state, reason = :reason, changed_at = :changed_at
WHERE device_id = :device_id AND state = :before;

-- name: shelves(store_id, offering_id)
-- What is registered, with its store: of one store or of all, one offering or every one.
SELECT o.offering_id, o.store_id, s.number AS store_number, s.title AS store_title, s.time_zone,
    s.hours, s.directions, o.key, o.title, o.content, o.texts, o.pictures, o.price_cents,
    o.currency, o.lengths_seconds, o.grid_seconds, o.turnover_seconds, o.early_seconds,
    o.lead_seconds, o.horizon_seconds, o.change_seconds, o.cancel_seconds, o.hold_seconds,
    o.grace_seconds, o.party_max
FROM offerings AS o JOIN stores AS s ON s.store_id = o.store_id
WHERE (:store_id = '' OR o.store_id = :store_id)
    AND (:offering_id = '' OR o.offering_id = :offering_id)
ORDER BY s.number, o.title, o.offering_id;

-- name: served(store_id, offering_id)
-- Their devices, of terminals that are confirmed, each with whether somebody or its cleaning has it now.
SELECT d.offering_id, d.device_id, d.state, d.reason, t.presence, t.presence_at, v.is_out_of_order,
    CASE WHEN v.state IN ('finishing', 'turnover', 'out_of_order') OR EXISTS (SELECT 1
        FROM sessions AS live WHERE live.device_id = d.device_id
            AND live.state IN ('granted', 'starting', 'running', 'ending'))
        THEN 1 ELSE 0 END AS is_busy
FROM offered_devices AS d JOIN devices AS v USING (device_id) JOIN terminals AS t USING (terminal_id)
WHERE t.standing = 'confirmed' AND (:store_id = '' OR v.store_id = :store_id)
    AND (:offering_id = '' OR d.offering_id = :offering_id)
ORDER BY v.number;

-- name: taken(store_id, offering_id, now, to_at)
-- What blocks their devices from now to an instant, by the rules of the reservations flow. The joins
-- say their order: device by device, so that nothing is read of what was sold in all the years.
SELECT r.device_id, r.starts_at, r.blocked_until
FROM offered_devices AS d CROSS JOIN reservations AS r
WHERE r.device_id = d.device_id AND r.state IN ('held', 'confirmed', 'in_use') AND r.starts_at < :to_at AND r.blocked_until > :now
    AND (r.state <> 'held' OR r.hold_ends_at IS NULL OR r.hold_ends_at > :now)
    AND (:store_id = '' OR r.store_id = :store_id)
    AND (:offering_id = '' OR d.offering_id = :offering_id)
UNION ALL
SELECT u.device_id, u.starts_at, u.blocked_until
FROM offered_devices AS d CROSS JOIN reservations AS u
WHERE u.device_id = d.device_id AND u.state = 'completed' AND u.blocked_until > :now AND u.starts_at < :to_at
    AND (:store_id = '' OR u.store_id = :store_id)
    AND (:offering_id = '' OR d.offering_id = :offering_id)
UNION ALL
SELECT v.device_id, b.starts_at, b.ends_at
FROM blackouts AS b JOIN devices AS v ON v.store_id = b.store_id
    AND (b.device_id IS NULL OR b.device_id = v.device_id)
JOIN offered_devices AS d ON d.device_id = v.device_id
WHERE b.ends_at > :now AND b.starts_at < :to_at AND (:store_id = '' OR b.store_id = :store_id)
    AND (:offering_id = '' OR d.offering_id = :offering_id);

-- name: record(offering_id, most, on_time_ms)^
-- Of the latest uses of each of its devices: how many there were, and how many began on time. One that
-- nobody began because its customer or an operator ended it says nothing of the device.
SELECT count(*) AS uses, coalesce(sum(CASE WHEN had.running_at <= :on_time_ms
    + CASE WHEN had.granted_at > r.starts_at THEN had.granted_at ELSE r.starts_at END
    THEN 1 ELSE 0 END), 0) AS on_time
FROM offered_devices AS d JOIN devices AS v USING (device_id)
JOIN sessions AS had ON had.device_id = d.device_id AND had.fence > v.last_fence - :most
JOIN reservations AS r ON r.reservation_id = had.reservation_id
WHERE d.offering_id = :offering_id AND (had.running_at IS NOT NULL OR (had.state IN ('ended', 'failed')
    AND coalesce(had.end_reason, 'unknown') NOT IN
        ('customer_ended', 'staff_ended', 'superseded', 'revoked', 'emergency', 'unknown')));

-- name: picture(sha256)$
SELECT body FROM offering_pictures WHERE sha256 = :sha256;

-- name: has_picture(sha256)$
SELECT count(*) FROM offering_pictures WHERE sha256 = :sha256;

-- name: count_pictures(store_id)$
SELECT count(*) FROM offering_pictures WHERE store_id = :store_id;

-- name: keep_picture(sha256, store_id, media_type, body, kept_at)!
INSERT INTO offering_pictures (sha256, store_id, media_type, body, kept_at)
VALUES (:sha256, :store_id, :media_type, :body, :kept_at)
ON CONFLICT (sha256) DO NOTHING;

-- name: forget_pictures(store_id, most)!
-- Those of a store that no offering names, the oldest first.
DELETE FROM offering_pictures WHERE sha256 IN (SELECT p.sha256 FROM offering_pictures AS p
    WHERE p.store_id = :store_id AND NOT EXISTS (SELECT 1 FROM offerings AS o
        WHERE o.pictures LIKE '%' || p.sha256 || '%')
    ORDER BY p.kept_at, p.sha256 LIMIT :most);

-- name: store_of(terminal_id)$
SELECT store_id FROM terminals WHERE terminal_id = :terminal_id;

-- name: own_store(store_id)$
-- A store that another controller keeps is not ours to say anything of.
SELECT count(*) FROM stores AS s WHERE s.store_id = :store_id
    AND NOT EXISTS (SELECT 1 FROM store_peers AS p WHERE p.store_id = s.store_id);

-- name: count_offerings(store_id)$
SELECT count(*) FROM offerings WHERE store_id = :store_id;

-- name: hand_back(store_id, key)!
UPDATE offerings SET told_by = 'terminal'
WHERE store_id = :store_id AND key = :key AND told_by = 'operator';

-- name: said(store_id)
-- All that is registered in a store, whether it is on or not.
SELECT offering_id, key, told_by, title, content, texts, pictures, price_cents, currency,
    lengths_seconds, grid_seconds, turnover_seconds, early_seconds, lead_seconds, horizon_seconds,
    change_seconds, cancel_seconds, hold_seconds, grace_seconds, party_max, rotates_code
FROM offerings WHERE store_id = :store_id ORDER BY key;

-- name: serving(store_id)
-- The devices of each of them, and where each stands.
SELECT d.offering_id, v.device_id, v.number, v.title, d.state, d.reason, t.presence, t.standing,
    v.is_out_of_order
FROM offered_devices AS d JOIN devices AS v USING (device_id) JOIN terminals AS t USING (terminal_id)
WHERE v.store_id = :store_id ORDER BY v.number;

-- name: stores()
SELECT store_id, number AS store_number, title AS store_title, time_zone, hours, directions
FROM stores ORDER BY number;

-- name: terms(offering_id)^
SELECT o.offering_id, o.store_id, s.number AS store_number, s.title AS store_title, s.time_zone,
    o.title, o.content, o.price_cents, o.currency, o.lengths_seconds, o.grid_seconds,
    o.turnover_seconds, o.early_seconds, o.lead_seconds, o.horizon_seconds, o.change_seconds,
    o.cancel_seconds, o.hold_seconds, o.grace_seconds, o.party_max, o.rotates_code, s.hours,
    s.directions
FROM offerings AS o JOIN stores AS s USING (store_id)
WHERE o.offering_id = :offering_id;

-- name: devices(offering_id, seen_since)
-- The devices of an offering that can be booked; `seen_since`: see `is_sold` in common/rules/offerings.
SELECT v.device_id, v.number, v.title, d.state
FROM offered_devices AS d
JOIN devices AS v USING (device_id)
JOIN terminals AS t USING (terminal_id)
WHERE d.offering_id = :offering_id AND t.standing = 'confirmed' AND v.is_out_of_order = 0
    AND ((d.state = 'on' AND t.presence <> 'gone') OR (t.presence_at >= :seen_since
        AND (d.state <> 'off' OR d.reason = 'stopping')))
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

-- Terminals, their standing, what they are and what they were given. Written by the registration flow.

-- name: add_store(store_id, number, title, time_zone, policy, rules, made_at)!
-- A store that is known already keeps what it has.
INSERT INTO stores (store_id, number, title, time_zone, policy, rules, made_at)
VALUES (:store_id, :number, :title, :time_zone, :policy, :rules, :made_at)
ON CONFLICT (store_id) DO NOTHING;

-- name: store(store_id)^
SELECT store_id, number, title, time_zone, policy, rules, offline_signature_starts, hours, directions
FROM stores WHERE store_id = :store_id;

-- name: keep_hours(store_id, hours)!
UPDATE stores SET hours = :hours WHERE store_id = :store_id AND hours <> :hours;

-- name: keep_directions(store_id, directions)!
UPDATE stores SET directions = :directions
WHERE store_id = :store_id AND directions <> :directions;

-- name: keep_store(store_id, title, time_zone, directions, policy, rules)!
UPDATE stores SET title = :title, time_zone = :time_zone, directions = :directions,
    policy = :policy, rules = :rules
WHERE store_id = :store_id AND (title <> :title OR time_zone <> :time_zone
    OR directions <> :directions OR policy <> :policy OR rules <> :rules);

-- name: allow_offline_starts(store_id, is_on)!
UPDATE stores SET offline_signature_starts = :is_on
WHERE store_id = :store_id AND offline_signature_starts <> :is_on;

-- name: stores()
SELECT store_id, number, title, time_zone, hours, directions FROM stores ORDER BY number;

-- name: highest_store_number()$
SELECT coalesce(max(number), 0) FROM stores;

-- name: terminal(terminal_id)^
SELECT t.terminal_id, t.store_id, t.hostname, t.epoch, t.standing, t.standing_reason,
    t.standing_revision, t.gate_digest, t.broker_role, t.presence, t.desired_revision,
    t.enrolled_at, t.connection, t.connection_before, s.number AS store_number, s.policy, s.rules
FROM terminals AS t JOIN stores AS s USING (store_id)
WHERE t.terminal_id = :terminal_id;

-- name: terminals()
SELECT terminal_id, store_id, hostname, standing, standing_reason, broker_role, presence, enrolled_at
FROM terminals ORDER BY enrolled_at, terminal_id;

-- name: admission(terminal_id)^
-- What says whether a message of this terminal may be taken at all.
SELECT epoch, broker_role FROM terminals WHERE terminal_id = :terminal_id;

-- name: register_specification(terminal_id, digest, gate_digest, body, registered_at)!
INSERT INTO specifications (terminal_id, digest, gate_digest, body, registered_at)
VALUES (:terminal_id, :digest, :gate_digest, :body, :registered_at)
ON CONFLICT (terminal_id) DO UPDATE SET digest = excluded.digest,
    gate_digest = excluded.gate_digest, body = excluded.body, registered_at = excluded.registered_at;

-- name: specification(terminal_id)^
SELECT digest, gate_digest, body, registered_at, confirmed_body, confirmed_at
FROM specifications WHERE terminal_id = :terminal_id;

-- name: keep_confirmed(terminal_id, gate_digest, confirmed_at)!
-- What was confirmed is what the next one is compared with.
UPDATE specifications SET confirmed_body = body, confirmed_at = :confirmed_at
WHERE terminal_id = :terminal_id AND gate_digest = :gate_digest;

-- name: change_standing(terminal_id, before, standing, reason, gate_digest, broker_role)!
UPDATE terminals SET standing = :standing, standing_reason = :reason, gate_digest = :gate_digest,
    broker_role = :broker_role, standing_revision = standing_revision + 1
WHERE terminal_id = :terminal_id AND standing = :before;

-- name: revoke_certificates(terminal_id, revoked_at)!
UPDATE certificates SET revoked_at = :revoked_at
WHERE terminal_id = :terminal_id AND revoked_at IS NULL;

-- name: settled(most)
-- Terminals whose registration closed while sessions ran or tickets were held, and that have none now.
SELECT terminal_id FROM terminals AS t
WHERE broker_role = 'settling' AND NOT EXISTS (SELECT 1 FROM sessions AS live
    WHERE live.terminal_id = t.terminal_id
    AND live.state IN ('granted', 'starting', 'running', 'ending'))
    AND NOT EXISTS (SELECT 1 FROM held_tickets AS h WHERE h.terminal_id = t.terminal_id
    AND h.state <> 'released')
ORDER BY terminal_id LIMIT :most;

-- name: close_settled(terminal_id)!
UPDATE terminals SET broker_role = 'gate'
WHERE terminal_id = :terminal_id AND broker_role = 'settling';

-- name: keep_connection(terminal_id, before, connection)!
UPDATE terminals SET connection_before = connection, connection = :connection
WHERE terminal_id = :terminal_id AND connection = :before;

-- name: coming_reservations(terminal_id, now, most)
-- Claims that lose their device when this terminal leaves.
SELECT r.reservation_id, r.link, r.device_id, r.offering_id, r.starts_at, r.ends_at,
    r.blocked_until, v.title AS device_title
FROM reservations AS r JOIN devices AS v USING (device_id)
WHERE v.terminal_id = :terminal_id AND r.state IN ('held', 'confirmed') AND r.ends_at > :now
ORDER BY r.starts_at, r.reservation_id LIMIT :most;

-- name: free_instead(offering_id, terminal_id, starts_at, blocked_until, most)
-- Devices of the same offering on other terminals that nobody has claimed in this time.
SELECT v.device_id, v.title FROM offered_devices AS d
JOIN devices AS v USING (device_id)
JOIN terminals AS t USING (terminal_id)
WHERE d.offering_id = :offering_id AND v.terminal_id <> :terminal_id
    AND t.standing = 'confirmed' AND v.is_out_of_order = 0
    AND NOT EXISTS (SELECT 1 FROM reservations AS r WHERE r.device_id = v.device_id
        AND r.state IN ('held', 'confirmed', 'in_use')
        AND r.starts_at < :blocked_until AND r.blocked_until > :starts_at)
    AND NOT EXISTS (SELECT 1 FROM blackouts AS b WHERE b.store_id = v.store_id
        AND (b.device_id IS NULL OR b.device_id = v.device_id)
        AND b.starts_at < :blocked_until AND b.ends_at > :starts_at)
ORDER BY v.number LIMIT :most;

-- name: has_to_settle(terminal_id)$
-- Whether sessions run there, or tickets are held that only it can redeem.
SELECT EXISTS (SELECT 1 FROM sessions WHERE terminal_id = :terminal_id
    AND state IN ('granted', 'starting', 'running', 'ending'))
    OR EXISTS (SELECT 1 FROM held_tickets WHERE terminal_id = :terminal_id
    AND state <> 'released');

-- name: presences()
SELECT terminal_id, presence FROM terminals WHERE standing = 'confirmed';

-- name: change_presence(terminal_id, presence, now)!
-- Who waits at the gate has no word in this: it can only be gone.
UPDATE terminals SET presence = :presence, presence_at = :now WHERE terminal_id = :terminal_id
    AND presence <> :presence AND (broker_role <> 'gate' OR :presence = 'gone');

-- name: quarantined(most)
-- Of those that are confirmed still: two disks speak under the name of each.
SELECT t.terminal_id FROM terminals AS t JOIN quarantines AS q
    ON q.party = t.terminal_id AND q.epoch = t.epoch
WHERE t.standing = 'confirmed' LIMIT :most;

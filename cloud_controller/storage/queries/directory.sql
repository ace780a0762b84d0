-- Stores of other controllers as those have told us of them, and what we tell of ours. Written by the directory flow.

-- name: stores()
SELECT store_id, number, title, time_zone, hours, directions FROM stores
WHERE store_id NOT IN (SELECT store_id FROM store_peers) ORDER BY number;

-- name: offerings_of(store_id)
SELECT offering_id, key, title, content, texts, price_cents, currency, lengths_seconds, grid_seconds,
    turnover_seconds, early_seconds, lead_seconds, horizon_seconds, change_seconds, cancel_seconds,
    hold_seconds, grace_seconds, party_max, rotates_code FROM offerings WHERE store_id = :store_id ORDER BY offering_id;

-- name: terminals_of(store_id)
SELECT terminal_id, hostname, standing, presence FROM terminals
WHERE store_id = :store_id AND standing IN ('confirmed', 'suspended', 'retired')
ORDER BY terminal_id;

-- name: devices_of(store_id)
SELECT v.device_id, v.terminal_id, v.number, v.key, v.title, v.program, v.is_out_of_order,
    d.offering_id, d.state, d.reason
FROM devices AS v JOIN terminals AS t USING (terminal_id)
LEFT JOIN offered_devices AS d USING (device_id)
WHERE v.store_id = :store_id AND t.standing IN ('confirmed', 'suspended', 'retired')
ORDER BY v.number;

-- name: store(store_id)^
SELECT s.store_id, s.number, p.peer, p.digest FROM stores AS s LEFT JOIN store_peers AS p USING (store_id)
WHERE s.store_id = :store_id;

-- name: store_numbered(number)$
SELECT store_id FROM stores WHERE number = :number;

-- name: keep_store(store_id, number, title, time_zone, hours, directions, now)!
-- What is not told of hours and directions stays as it is said here.
INSERT INTO stores (store_id, number, title, time_zone, policy, rules, hours, directions, made_at)
VALUES (:store_id, :number, :title, :time_zone, 'manual', '{}', :hours, :directions, :now)
ON CONFLICT (store_id) DO UPDATE SET title = excluded.title, time_zone = excluded.time_zone,
    hours = CASE WHEN excluded.hours <> '' THEN excluded.hours ELSE stores.hours END,
    directions = CASE WHEN excluded.directions <> '' THEN excluded.directions
        ELSE stores.directions END;

-- name: keep_peer(store_id, peer, digest, now)!
INSERT INTO store_peers (store_id, peer, digest, told_at) VALUES (:store_id, :peer, :digest, :now)
ON CONFLICT (store_id) DO UPDATE SET digest = excluded.digest, told_at = excluded.told_at
WHERE store_peers.peer = excluded.peer;

-- name: keep_terminal(terminal_id, store_id, hostname, nobodys_key, standing, broker_role, now)!
-- It has no secret here: nobody can speak under its name to us.
INSERT INTO terminals (terminal_id, store_id, hostname, public_key, epoch, secret_salt,
    secret_digest, standing, broker_role, enrolled_at)
VALUES (:terminal_id, :store_id, :hostname, :nobodys_key, '', '', '', :standing, :broker_role, :now)
ON CONFLICT (terminal_id) DO UPDATE SET hostname = excluded.hostname, standing = excluded.standing,
    broker_role = excluded.broker_role, presence = CASE
        WHEN excluded.standing = 'confirmed' THEN terminals.presence ELSE 'gone' END
WHERE terminals.store_id = excluded.store_id;

-- name: keep_offering(offering_id, store_id, key, title, content, texts, price_cents, currency, lengths_seconds, grid_seconds, turnover_seconds, early_seconds, lead_seconds, horizon_seconds, change_seconds, cancel_seconds, hold_seconds, grace_seconds, party_max, rotates_code, now)!
INSERT INTO offerings (offering_id, store_id, key, title, content, texts, price_cents, currency,
    lengths_seconds, grid_seconds, turnover_seconds, early_seconds, lead_seconds, horizon_seconds,
    change_seconds, cancel_seconds, hold_seconds, grace_seconds, party_max, rotates_code,
    registered_at)
VALUES (:offering_id, :store_id, :key, :title, :content, :texts, :price_cents, :currency,
    :lengths_seconds, :grid_seconds, :turnover_seconds, :early_seconds, :lead_seconds,
    :horizon_seconds, :change_seconds, :cancel_seconds, :hold_seconds, :grace_seconds, :party_max,
    :rotates_code, :now)
ON CONFLICT (offering_id) DO UPDATE SET title = excluded.title, content = excluded.content,
    texts = excluded.texts, price_cents = excluded.price_cents, currency = excluded.currency,
    lengths_seconds = excluded.lengths_seconds, grid_seconds = excluded.grid_seconds,
    turnover_seconds = excluded.turnover_seconds, early_seconds = excluded.early_seconds,
    lead_seconds = excluded.lead_seconds, horizon_seconds = excluded.horizon_seconds,
    change_seconds = excluded.change_seconds, cancel_seconds = excluded.cancel_seconds,
    hold_seconds = excluded.hold_seconds, grace_seconds = excluded.grace_seconds,
    party_max = excluded.party_max, rotates_code = excluded.rotates_code
WHERE offerings.store_id = excluded.store_id;

-- name: keep_device(device_id, store_id, number, terminal_id, key, title, program, is_out_of_order)!
INSERT INTO devices (device_id, store_id, number, terminal_id, key, title, program, is_out_of_order)
VALUES (:device_id, :store_id, :number, :terminal_id, :key, :title, :program, :is_out_of_order)
ON CONFLICT (device_id) DO UPDATE SET title = excluded.title, program = excluded.program,
    is_out_of_order = excluded.is_out_of_order
WHERE devices.store_id = excluded.store_id;

-- name: keep_offered(device_id, offering_id, state, reason, now)!
INSERT INTO offered_devices (device_id, offering_id, state, reason, changed_at)
VALUES (:device_id, :offering_id, :state, :reason, :now)
ON CONFLICT (device_id) DO UPDATE SET offering_id = excluded.offering_id, state = excluded.state,
    reason = excluded.reason, changed_at = excluded.changed_at
WHERE offered_devices.offering_id <> excluded.offering_id
    OR offered_devices.state <> excluded.state OR offered_devices.reason <> excluded.reason;

-- name: offered_of(store_id)
SELECT d.device_id FROM offered_devices AS d JOIN devices AS v USING (device_id)
WHERE v.store_id = :store_id AND d.state <> 'off';

-- name: turn_off(device_id, now)!
-- A device that its store does not name any more is sold no more; what is sold of it stays.
UPDATE offered_devices SET state = 'off', reason = 'device_gone', changed_at = :now
WHERE device_id = :device_id AND state <> 'off';

-- name: here_of(store_id)
SELECT terminal_id FROM terminals WHERE store_id = :store_id AND standing = 'confirmed';

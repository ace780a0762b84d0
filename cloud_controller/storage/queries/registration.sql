-- Terminals, their standing, what they are and what they were given. Written by the registration flow.

-- name: add_store(store_id, number, title, time_zone, policy, made_at)!
-- A store that is known already keeps what it has.
INSERT INTO stores (store_id, number, title, time_zone, policy, made_at)
VALUES (:store_id, :number, :title, :time_zone, :policy, :made_at)
ON CONFLICT (store_id) DO NOTHING;

-- name: store(store_id)^
SELECT store_id, number, title, time_zone, policy FROM stores WHERE store_id = :store_id;

-- name: stores()
SELECT store_id, number, title, time_zone FROM stores ORDER BY number;

-- name: highest_store_number()$
SELECT coalesce(max(number), 0) FROM stores;

-- name: add_code(code_digest, store_id, made_at, expires_at)!
INSERT INTO enrolment_codes (code_digest, store_id, made_at, expires_at)
VALUES (:code_digest, :store_id, :made_at, :expires_at);

-- name: code(code_digest)^
SELECT store_id, expires_at, public_key, terminal_id FROM enrolment_codes
WHERE code_digest = :code_digest;

-- name: spend_code(code_digest, public_key, terminal_id, spent_at)!
UPDATE enrolment_codes
SET spent_at = :spent_at, public_key = :public_key, terminal_id = :terminal_id
WHERE code_digest = :code_digest AND spent_at IS NULL;

-- name: add_terminal(terminal_id, store_id, hostname, public_key, epoch, secret_salt, secret_digest, enrolled_at)!
INSERT INTO terminals (terminal_id, store_id, hostname, public_key, epoch, secret_salt,
    secret_digest, standing, broker_role, enrolled_at)
VALUES (:terminal_id, :store_id, :hostname, :public_key, :epoch, :secret_salt,
    :secret_digest, 'claimed', 'gate', :enrolled_at);

-- name: change_secret(terminal_id, secret_salt, secret_digest)!
UPDATE terminals SET secret_salt = :secret_salt, secret_digest = :secret_digest
WHERE terminal_id = :terminal_id;

-- name: terminal(terminal_id)^
SELECT t.terminal_id, t.store_id, t.epoch, t.standing, t.standing_reason, t.gate_digest,
    t.broker_role, t.desired_revision, s.number AS store_number, s.policy
FROM terminals AS t JOIN stores AS s USING (store_id)
WHERE t.terminal_id = :terminal_id;

-- name: terminals()
SELECT terminal_id, store_id, hostname, standing, standing_reason, broker_role, presence, enrolled_at
FROM terminals ORDER BY enrolled_at, terminal_id;

-- name: broker_accounts()
-- Everybody the broker has to know after a start.
SELECT terminal_id, broker_role, secret_salt, secret_digest FROM terminals
WHERE standing <> 'retired' ORDER BY terminal_id;

-- name: register_specification(terminal_id, digest, gate_digest, body, registered_at)!
INSERT INTO specifications (terminal_id, digest, gate_digest, body, registered_at)
VALUES (:terminal_id, :digest, :gate_digest, :body, :registered_at)
ON CONFLICT (terminal_id) DO UPDATE SET digest = excluded.digest,
    gate_digest = excluded.gate_digest, body = excluded.body, registered_at = excluded.registered_at;

-- name: specification(terminal_id)^
SELECT digest, gate_digest, body FROM specifications WHERE terminal_id = :terminal_id;

-- name: change_standing(terminal_id, before, standing, reason, gate_digest, broker_role)!
UPDATE terminals SET standing = :standing, standing_reason = :reason, gate_digest = :gate_digest,
    broker_role = :broker_role
WHERE terminal_id = :terminal_id AND standing = :before;

-- name: has_live_sessions(terminal_id)$
SELECT EXISTS (SELECT 1 FROM sessions WHERE terminal_id = :terminal_id
    AND state IN ('granted', 'starting', 'running', 'ending'));

-- name: devices_of(terminal_id)
SELECT device_id, number, key FROM devices WHERE terminal_id = :terminal_id ORDER BY key;

-- name: next_device_number(store_id)$
SELECT coalesce(max(number), 0) + 1 FROM devices WHERE store_id = :store_id;

-- name: add_device(device_id, store_id, number, terminal_id, key, title, program)!
INSERT INTO devices (device_id, store_id, number, terminal_id, key, title, program)
VALUES (:device_id, :store_id, :number, :terminal_id, :key, :title, :program);

-- name: describe_device(device_id, title, program)!
UPDATE devices SET title = :title, program = :program WHERE device_id = :device_id;

-- name: keep_profile(terminal_id, gate_digest, profile_digest, body, generated_at)!
INSERT INTO profiles (terminal_id, gate_digest, profile_digest, body, generated_at)
VALUES (:terminal_id, :gate_digest, :profile_digest, :body, :generated_at)
ON CONFLICT (terminal_id) DO UPDATE SET gate_digest = excluded.gate_digest,
    profile_digest = excluded.profile_digest, body = excluded.body,
    generated_at = excluded.generated_at;

-- name: presences()
SELECT terminal_id, presence FROM terminals WHERE standing = 'confirmed';

-- name: change_presence(terminal_id, presence)!
UPDATE terminals SET presence = :presence WHERE terminal_id = :terminal_id AND presence <> :presence;

-- name: audit(at, actor, act, subject, reason)!
INSERT INTO audit (at, actor, act, subject, reason)
VALUES (:at, :actor, :act, :subject, :reason);

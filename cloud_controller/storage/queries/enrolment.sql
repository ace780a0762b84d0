-- Codes, identities and certificates. Written by the enrolment flow.

-- name: add_code(code_digest, store_id, for_terminal, made_at, expires_at)!
INSERT INTO enrolment_codes (code_digest, store_id, for_terminal, made_at, expires_at)
VALUES (:code_digest, :store_id, :for_terminal, :made_at, :expires_at);

-- name: code(code_digest)^
SELECT store_id, expires_at, for_terminal, public_key, terminal_id, spent_at FROM enrolment_codes
WHERE code_digest = :code_digest;

-- name: spend_code(code_digest, public_key, terminal_id, spent_at)!
UPDATE enrolment_codes
SET spent_at = :spent_at, public_key = :public_key, terminal_id = :terminal_id
WHERE code_digest = :code_digest AND spent_at IS NULL;

-- name: forget_codes(before)!
-- Codes that nobody can use any more.
DELETE FROM enrolment_codes WHERE expires_at < :before;

-- name: terminal(terminal_id)^
SELECT terminal_id, store_id, public_key, epoch, standing, broker_role, ladder, enrolled_at
FROM terminals
WHERE terminal_id = :terminal_id;

-- name: holder_of(public_key)$
-- The terminal that this key is, unless it has retired.
SELECT terminal_id FROM terminals WHERE public_key = :public_key AND standing <> 'retired';

-- name: add_terminal(terminal_id, store_id, hostname, public_key, epoch, secret_salt, secret_digest, ladder, enrolled_at)!
INSERT INTO terminals (terminal_id, store_id, hostname, public_key, epoch, secret_salt,
    secret_digest, standing, broker_role, ladder, enrolled_at)
VALUES (:terminal_id, :store_id, :hostname, :public_key, :epoch, :secret_salt,
    :secret_digest, 'claimed', 'gate', :ladder, :enrolled_at);

-- name: enrol_again(terminal_id, before, hostname, public_key, epoch, secret_salt, secret_digest, standing, reason, broker_role, ladder, enrolled_at)!
-- A new epoch: what was registered in the one before is registered no more.
UPDATE terminals SET hostname = :hostname, public_key = :public_key, epoch = :epoch,
    secret_salt = :secret_salt, secret_digest = :secret_digest, standing = :standing,
    standing_reason = :reason, standing_revision = standing_revision + 1, gate_digest = NULL,
    broker_role = :broker_role,
    ladder = CASE WHEN ladder < :ladder THEN :ladder ELSE ladder END, connection = '',
    connection_before = '', presence = 'gone', enrolled_at = :enrolled_at
WHERE terminal_id = :terminal_id AND standing = :before;

-- name: forget_device_states(terminal_id)!
-- A new epoch begins with a new journal: its devices are as nobody has told yet, and what an
-- operator wants of them is told anew.
UPDATE devices SET state = '', state_at = NULL, fault = '', fault_detail = '', heard_order = 0
WHERE terminal_id = :terminal_id;

-- name: change_secret(terminal_id, secret_salt, secret_digest)!
UPDATE terminals SET secret_salt = :secret_salt, secret_digest = :secret_digest
WHERE terminal_id = :terminal_id;

-- name: raise_ladder(terminal_id, ladder)!
UPDATE terminals SET ladder = :ladder WHERE terminal_id = :terminal_id AND ladder < :ladder;

-- name: highest_ladder()$
SELECT coalesce(max(ladder), 0) FROM terminals WHERE standing <> 'retired';

-- name: broker_accounts()
-- Everybody the broker has to know after a start; terminals of other controllers have no secret.
SELECT terminal_id, broker_role, secret_salt, secret_digest FROM terminals
WHERE standing <> 'retired' AND secret_digest <> '' ORDER BY terminal_id;

-- name: keep_certificate(serial, terminal_id, epoch, issued_at, expires_at)!
INSERT INTO certificates (serial, terminal_id, epoch, issued_at, expires_at)
VALUES (:serial, :terminal_id, :epoch, :issued_at, :expires_at);

-- name: revoke_certificates(terminal_id, revoked_at)!
UPDATE certificates SET revoked_at = :revoked_at
WHERE terminal_id = :terminal_id AND revoked_at IS NULL;

-- name: revoked_certificates(now)
-- What the broker has to refuse; one that has expired it refuses by itself.
SELECT serial, revoked_at FROM certificates
WHERE revoked_at IS NOT NULL AND expires_at > :now ORDER BY serial;

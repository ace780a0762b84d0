-- Operators, sessions, proofs, tokens, and whose store a subject is. Written by the accounts flow.

-- name: store_of_store(name)
SELECT store_id FROM stores WHERE store_id = :name;

-- name: store_of_device(name)
SELECT store_id FROM devices WHERE device_id = :name;

-- name: store_of_terminal(name)
SELECT store_id FROM terminals WHERE terminal_id = :name;

-- name: store_of_reservation(name)
SELECT store_id FROM reservations WHERE reservation_id = :name;

-- name: store_of_order(name)
SELECT store_id FROM orders WHERE order_id = :name;

-- name: store_of_offering(name)
SELECT store_id FROM offerings WHERE offering_id = :name;

-- name: store_of_session(name)
SELECT store_id FROM sessions WHERE session_id = :name;

-- name: store_of_blackout(name)
SELECT store_id FROM blackouts WHERE blackout_id = :name;

-- name: store_of_voucher(name)
-- One that is good in every store has none.
SELECT store_id FROM vouchers WHERE voucher_id = :name AND store_id IS NOT NULL;

-- name: store_of_call(name)
SELECT store_id FROM help_calls WHERE call_id = :name;

-- name: stores_of_helper(name)
SELECT store_id FROM helper_stores WHERE helper_id = :name;

-- name: stores_of_operator(name)
SELECT store_id FROM operator_roles WHERE operator_id = :name;

-- name: stores_of_token(name)
SELECT DISTINCT store_id FROM api_token_scopes WHERE token_id = :name;

-- name: store_of_problem(name)
-- Some belong to no store.
SELECT store_id FROM problems WHERE problem_id = :name AND store_id IS NOT NULL;

-- name: session(key_digest)^
SELECT s.session_id, s.operator_id, s.state, s.challenge, s.made_at, s.seen_at, s.proved_at, o.name
FROM operator_sessions AS s JOIN operators AS o USING (operator_id)
WHERE s.key_digest = :key_digest AND s.state <> 'ended' AND o.removed_at IS NULL;

-- name: roles(operator_id)
SELECT store_id, role FROM operator_roles WHERE operator_id = :operator_id ORDER BY store_id;

-- name: begin_session(session_id, key_digest, operator_id, state, peer, browser, now)!
INSERT INTO operator_sessions (session_id, key_digest, operator_id, state, peer, browser, made_at,
    seen_at, proved_at)
VALUES (:session_id, :key_digest, :operator_id, :state, :peer, :browser, :now, :now, :now);

-- name: note_seen(session_id, now)!
UPDATE operator_sessions SET seen_at = :now WHERE session_id = :session_id AND seen_at < :now;

-- name: end_session(session_id, operator_id)!
UPDATE operator_sessions SET state = 'ended', challenge = ''
WHERE session_id = :session_id AND operator_id = :operator_id AND state <> 'ended';

-- name: token(digest, now)^
SELECT token_id, name, used_at FROM api_tokens
WHERE digest = :digest AND ended_at IS NULL AND ends_at > :now;

-- name: scopes(token_id)
SELECT store_id, permission FROM api_token_scopes
WHERE token_id = :token_id ORDER BY store_id, permission;

-- name: note_token_used(token_id, now)!
UPDATE api_tokens SET used_at = :now WHERE token_id = :token_id;

-- name: add_operator(operator_id, name, now)!
INSERT INTO operators (operator_id, name, made_at) VALUES (:operator_id, :name, :now)
ON CONFLICT (name) DO NOTHING;

-- name: give_role(operator_id, store_id, role)!
INSERT INTO operator_roles (operator_id, store_id, role) VALUES (:operator_id, :store_id, :role)
ON CONFLICT (operator_id, store_id) DO UPDATE SET role = excluded.role;

-- name: add_token(token_id, digest, name, made_by, now, ends_at)!
INSERT INTO api_tokens (token_id, digest, name, made_by, made_at, ends_at)
VALUES (:token_id, :digest, :name, :made_by, :now, :ends_at);

-- name: add_scope(token_id, store_id, permission)!
INSERT INTO api_token_scopes (token_id, store_id, permission)
VALUES (:token_id, :store_id, :permission);

-- name: end_token(token_id, now)!
UPDATE api_tokens SET ended_at = :now WHERE token_id = :token_id AND ended_at IS NULL;

-- name: end_tokens_of(made_by, now)!
UPDATE api_tokens SET ended_at = :now WHERE made_by = :made_by AND ended_at IS NULL;

-- name: tokens(now, most)
-- Those that are good first, then the latest that were.
SELECT token_id, name, made_by, made_at, ends_at, used_at, ended_at,
    CASE WHEN ended_at IS NULL AND ends_at > :now THEN 1 ELSE 0 END AS is_good
FROM api_tokens ORDER BY is_good DESC, made_at DESC, token_id LIMIT :most;

-- name: all_scopes()
SELECT token_id, store_id, permission FROM api_token_scopes
ORDER BY token_id, store_id, permission;

-- name: operator_by_name(name)^
SELECT operator_id, name, password, totp_secret, totp_step, made_at, ready_at FROM operators
WHERE name = :name AND removed_at IS NULL;

-- name: operator(operator_id)^
SELECT operator_id, name, password, totp_secret, totp_step, made_at, ready_at, link_until
FROM operators WHERE operator_id = :operator_id AND removed_at IS NULL;

-- name: operators(most)
SELECT o.operator_id, o.name, o.made_at, o.ready_at, o.link_until, o.totp_secret <> '' AS has_totp,
    (SELECT count(*) FROM passkeys AS p WHERE p.operator_id = o.operator_id) AS passkeys,
    (SELECT max(seen_at) FROM operator_sessions AS s WHERE s.operator_id = o.operator_id) AS seen_at
FROM operators AS o WHERE o.removed_at IS NULL ORDER BY o.name LIMIT :most;

-- name: all_roles()
SELECT operator_id, store_id, role FROM operator_roles ORDER BY operator_id, store_id;

-- name: owners_of_all()
-- Who is ready and owns every store: the last of them stays.
SELECT o.operator_id FROM operators AS o JOIN operator_roles AS r USING (operator_id)
WHERE r.store_id = '*' AND r.role = 'owner' AND o.ready_at IS NOT NULL AND o.removed_at IS NULL;

-- name: drop_roles(operator_id)!
DELETE FROM operator_roles WHERE operator_id = :operator_id;

-- name: keep_link(operator_id, link_digest, link_until)!
UPDATE operators SET link_digest = :link_digest, link_until = :link_until
WHERE operator_id = :operator_id AND removed_at IS NULL;

-- name: operator_by_link(link_digest, now)^
SELECT operator_id, name, ready_at FROM operators
WHERE link_digest = :link_digest AND link_until > :now AND removed_at IS NULL;

-- name: rename(operator_id, name)!
UPDATE operators SET name = :name WHERE operator_id = :operator_id;

-- name: keep_password(operator_id, password)!
UPDATE operators SET password = :password WHERE operator_id = :operator_id;

-- name: keep_totp(operator_id, secret, step)!
UPDATE operators SET totp_secret = :secret, totp_step = :step WHERE operator_id = :operator_id;

-- name: spend_totp(operator_id, step)!
-- Of two that show the same code only one finds it new.
UPDATE operators SET totp_step = :step WHERE operator_id = :operator_id AND totp_step < :step;

-- name: make_ready(operator_id, now)!
UPDATE operators SET ready_at = :now, link_digest = NULL, link_until = 0
WHERE operator_id = :operator_id;

-- name: make_unready(operator_id)!
-- What he was known by is forgotten; he is ready when he has shown a second step again.
UPDATE operators SET ready_at = NULL WHERE operator_id = :operator_id;

-- name: remove_operator(operator_id, name, now)!
-- His name becomes free, and nothing of his opens anything.
UPDATE operators SET removed_at = :now, name = :name, password = '', totp_secret = '',
    link_digest = NULL, link_until = 0
WHERE operator_id = :operator_id AND removed_at IS NULL;

-- name: end_sessions(operator_id, but)!
UPDATE operator_sessions SET state = 'ended', challenge = ''
WHERE operator_id = :operator_id AND session_id <> :but AND state <> 'ended';

-- name: live_sessions(operator_id, seen_after, made_after)
SELECT session_id, peer, browser, made_at, seen_at FROM operator_sessions
WHERE operator_id = :operator_id AND state = 'whole' AND seen_at > :seen_after
    AND made_at > :made_after
ORDER BY seen_at DESC, session_id;

-- name: forget_sessions(before)!
DELETE FROM operator_sessions WHERE made_at < :before;

-- name: note_proof(session_id, now)!
UPDATE operator_sessions SET proved_at = :now, challenge = '' WHERE session_id = :session_id;

-- name: keep_challenge(session_id, challenge)!
UPDATE operator_sessions SET challenge = :challenge WHERE session_id = :session_id;

-- name: add_passkey(passkey_id, operator_id, credential, public_key, signs, title, now)!
INSERT INTO passkeys (passkey_id, operator_id, credential, public_key, signs, title, made_at)
VALUES (:passkey_id, :operator_id, :credential, :public_key, :signs, :title, :now)
ON CONFLICT (credential) DO NOTHING;

-- name: passkeys(operator_id)
SELECT passkey_id, credential, public_key, signs, title, made_at, used_at FROM passkeys
WHERE operator_id = :operator_id ORDER BY made_at, passkey_id;

-- name: note_passkey(passkey_id, signs, now)!
UPDATE passkeys SET signs = :signs, used_at = :now WHERE passkey_id = :passkey_id;

-- name: remove_passkey(passkey_id, operator_id)!
DELETE FROM passkeys WHERE passkey_id = :passkey_id AND operator_id = :operator_id;

-- name: drop_passkeys(operator_id)!
DELETE FROM passkeys WHERE operator_id = :operator_id;

-- name: add_recovery_code(code_digest, operator_id)!
INSERT INTO recovery_codes (code_digest, operator_id) VALUES (:code_digest, :operator_id);

-- name: drop_recovery_codes(operator_id)!
DELETE FROM recovery_codes WHERE operator_id = :operator_id;

-- name: spend_recovery_code(code_digest, operator_id, now)!
UPDATE recovery_codes SET used_at = :now
WHERE code_digest = :code_digest AND operator_id = :operator_id AND used_at IS NULL;

-- name: recovery_codes_left(operator_id)$
SELECT count(*) FROM recovery_codes WHERE operator_id = :operator_id AND used_at IS NULL;

-- name: failures(subject)^
SELECT failures, failed_at, closed_until FROM sign_in_failures WHERE subject = :subject;

-- name: note_failure(subject, failures, now, closed_until)!
INSERT INTO sign_in_failures (subject, failures, failed_at, closed_until)
VALUES (:subject, :failures, :now, :closed_until)
ON CONFLICT (subject) DO UPDATE SET failures = excluded.failures, failed_at = excluded.failed_at,
    closed_until = excluded.closed_until;

-- name: forget_failures(subject)!
DELETE FROM sign_in_failures WHERE subject = :subject;

-- name: forget_old_failures(before)!
DELETE FROM sign_in_failures WHERE failed_at < :before;

-- name: acts(before, actor, act, subject, since, until, most)
-- The latest first, from one entry on; each filter is empty where it is not asked for.
SELECT entry_id, at, actor, act, subject, reason FROM audit
WHERE entry_id < :before AND at >= :since AND at < :until
    AND (CAST(:actor AS TEXT) = '' OR actor = :actor)
    AND (CAST(:act AS TEXT) = '' OR act = :act
        OR substr(act, 1, length(CAST(:act AS TEXT)) + 1) = CAST(:act AS TEXT) || '.')
    AND (CAST(:subject AS TEXT) = '' OR subject = :subject)
ORDER BY entry_id DESC LIMIT :most;

-- name: actors(since)
SELECT DISTINCT actor FROM audit WHERE at >= :since ORDER BY actor;

-- name: store_of_hook(name)
SELECT store_id FROM hook_endpoints
WHERE endpoint_id = :name AND removed_at IS NULL AND store_id IS NOT NULL;

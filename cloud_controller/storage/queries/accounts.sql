-- Operators, their sessions and proofs, tokens of programs, and whose store a subject is. Written by
-- the accounts flow.

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

-- name: store_of_problem(name)
-- One about neither a terminal, a reservation nor a device or store belongs to no store.
SELECT COALESCE(t.store_id, r.store_id, d.store_id, s.store_id) AS store_id
FROM problems AS p
LEFT JOIN terminals AS t ON t.terminal_id = p.terminal_id
LEFT JOIN reservations AS r ON r.reservation_id = p.reservation_id
LEFT JOIN devices AS d ON d.device_id = p.subject
LEFT JOIN stores AS s ON s.store_id = p.subject
WHERE p.problem_id = :name
    AND COALESCE(t.store_id, r.store_id, d.store_id, s.store_id) IS NOT NULL;

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

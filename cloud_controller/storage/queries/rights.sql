-- The exchange of rights: what is kept of it for ever, and the rights it made. Written by the rights flow.

-- name: exchange(party, epoch, kind)^
SELECT mark_seq, mark_nonce, seq, nonce, state, request_digest, answer, answer_digest
FROM exchanges WHERE party = :party AND epoch = :epoch AND kind = :kind;

-- name: keep_exchange(party, epoch, kind, mark_seq, mark_nonce, seq, nonce, state, request_digest, answer, answer_digest)!
INSERT INTO exchanges (party, epoch, kind, mark_seq, mark_nonce, seq, nonce, state,
    request_digest, answer, answer_digest)
VALUES (:party, :epoch, :kind, :mark_seq, :mark_nonce, :seq, :nonce, :state,
    :request_digest, :answer, :answer_digest)
ON CONFLICT (party, epoch, kind) DO UPDATE SET mark_seq = excluded.mark_seq,
    mark_nonce = excluded.mark_nonce, seq = excluded.seq, nonce = excluded.nonce,
    state = excluded.state, request_digest = excluded.request_digest, answer = excluded.answer,
    answer_digest = excluded.answer_digest;

-- name: standing(terminal_id)^
SELECT standing, epoch, broker_role FROM terminals WHERE terminal_id = :terminal_id;

-- name: door(device_id, terminal_id)^
SELECT s.number AS store_number, v.device_id AS device, v.number AS device_number,
    d.offering_id AS offering, v.terminal_id AS terminal, v.is_out_of_order,
    EXISTS (SELECT 1 FROM sessions AS live WHERE live.device_id = v.device_id
        AND live.state IN ('granted', 'starting', 'running', 'ending')) AS is_in_use,
    v.store_id AS store, v.program, v.last_fence
FROM devices AS v
JOIN stores AS s USING (store_id)
LEFT JOIN offered_devices AS d USING (device_id)
WHERE v.device_id = :device_id AND v.terminal_id = :terminal_id;

-- name: ticket(ticket_id)^
SELECT k.state AS ticket_state, k.revision, r.state AS reservation_state, r.starts_at, r.ends_at,
    r.blocked_until, k.token, o.early_seconds, r.device_id AS device, r.offering_id AS offering,
    (SELECT live.terminal_id FROM sessions AS live WHERE live.ticket_id = k.ticket_id
        AND live.state IN ('granted', 'starting', 'running', 'ending')) AS live_terminal,
    r.reservation_id AS reservation
FROM tickets AS k
JOIN reservations AS r USING (reservation_id)
JOIN offerings AS o USING (offering_id)
WHERE k.ticket_id = :ticket_id;

-- name: reserve_ticket(ticket_id)!
UPDATE tickets SET state = 'reserved' WHERE ticket_id = :ticket_id AND state = 'issued';

-- name: is_taken(device_id, reservation_id, starts_at, blocked_until)$
SELECT EXISTS (SELECT 1 FROM reservations WHERE device_id = :device_id
    AND reservation_id <> :reservation_id AND state IN ('held', 'confirmed', 'in_use')
    AND starts_at < :blocked_until AND :starts_at < blocked_until);

-- name: move_reservation(reservation_id, device_id, changed_at)!
-- An any-device ticket moves to the device it opens; refused where that device is taken.
UPDATE reservations SET device_id = :device_id, changed_at = :changed_at
WHERE reservation_id = :reservation_id;

-- name: raise_fence(device_id, fence)!
UPDATE devices SET last_fence = :fence WHERE device_id = :device_id AND last_fence < :fence;

-- name: grant_session(session_id, ticket_id, reservation_id, store_id, device_id, terminal_id, program, fence, granted_seconds, granted_at, deadline_at)!
INSERT INTO sessions (session_id, ticket_id, reservation_id, store_id, device_id, terminal_id,
    program, fence, state, granted_seconds, granted_at, deadline_at)
VALUES (:session_id, :ticket_id, :reservation_id, :store_id, :device_id, :terminal_id,
    :program, :fence, 'granted', :granted_seconds, :granted_at, :deadline_at);

-- name: add_right(right_id, comm_id, terminal_id, kind, session_id, issued_at, lease_ends_at)!
INSERT INTO rights (right_id, comm_id, terminal_id, kind, session_id, issued_at, lease_ends_at)
VALUES (:right_id, :comm_id, :terminal_id, :kind, :session_id, :issued_at, :lease_ends_at);

-- name: add_scan(scan_id, terminal_id, device_id, ticket_id, verdict, read_at, received_at)!
INSERT INTO scans (scan_id, terminal_id, device_id, ticket_id, verdict, read_at, received_at)
VALUES (:scan_id, :terminal_id, :device_id, :ticket_id, :verdict, :read_at, :received_at)
ON CONFLICT (scan_id) DO NOTHING;

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
SELECT t.standing, t.epoch, EXISTS (SELECT 1 FROM quarantines AS q
    WHERE q.party = t.terminal_id AND q.epoch = t.epoch) AS is_quarantined
FROM terminals AS t WHERE t.terminal_id = :terminal_id;

-- name: door(device_id, terminal_id)^
SELECT s.number AS store_number, v.device_id AS device, v.number AS device_number,
    d.offering_id AS offering, v.terminal_id AS terminal, v.is_out_of_order,
    v.state AS device_state,
    EXISTS (SELECT 1 FROM sessions AS live WHERE live.device_id = v.device_id
        AND live.state IN ('granted', 'starting', 'running', 'ending')) AS is_in_use,
    v.store_id AS store, v.program, v.last_fence, v.title,
    (SELECT had.ended_at + r.blocked_until - r.ends_at
        FROM sessions AS had JOIN reservations AS r USING (reservation_id)
        WHERE had.device_id = v.device_id AND had.fence = v.last_fence AND had.state = 'ended'
            AND had.running_at IS NOT NULL
            AND had.session_id <> v.confirmed_session) AS ready_at
FROM devices AS v
JOIN stores AS s USING (store_id)
LEFT JOIN offered_devices AS d USING (device_id)
WHERE v.device_id = :device_id AND v.terminal_id = :terminal_id;

-- name: ticket(ticket_id)^
SELECT k.state AS ticket_state, k.revision, r.state AS reservation_state, r.starts_at, r.ends_at,
    r.blocked_until, k.token, o.early_seconds, r.device_id AS device, r.offering_id AS offering,
    (SELECT live.terminal_id FROM sessions AS live WHERE live.ticket_id = k.ticket_id
        AND live.state IN ('granted', 'starting', 'running', 'ending')) AS live_terminal,
    h.terminal_id AS held_by, r.cancel_asked_at, r.reservation_id AS reservation, r.hold_ends_at,
    r.changed_at, v.is_out_of_order AS device_is_out_of_order, s.time_zone,
    CASE WHEN EXISTS (SELECT 1 FROM staff_uses AS w WHERE w.reservation_id = r.reservation_id)
        THEN '' ELSE s.hours END AS hours
FROM tickets AS k
JOIN reservations AS r USING (reservation_id)
JOIN offerings AS o USING (offering_id) JOIN devices AS v USING (device_id)
JOIN stores AS s ON s.store_id = r.store_id
LEFT JOIN held_tickets AS h ON h.ticket_id = k.ticket_id AND h.state <> 'released'
WHERE k.ticket_id = :ticket_id;

-- name: reserve_ticket(ticket_id)!
UPDATE tickets SET state = 'reserved' WHERE ticket_id = :ticket_id AND state = 'issued';

-- name: is_taken(device_id, reservation_id, starts_at, blocked_until)$
SELECT EXISTS (SELECT 1 FROM reservations WHERE device_id = :device_id
    AND reservation_id <> :reservation_id AND state IN ('held', 'confirmed', 'in_use')
    AND starts_at < :blocked_until AND :starts_at < blocked_until);

-- name: move_reservation(reservation_id, device_id, changed_at)!
-- An any-device ticket moves to the device it opens; a trigger refuses one that is taken.
UPDATE reservations SET device_id = :device_id, changed_at = :changed_at
WHERE reservation_id = :reservation_id AND state = 'confirmed';

-- name: raise_fence(device_id, fence)!
UPDATE devices SET last_fence = :fence WHERE device_id = :device_id AND last_fence < :fence;

-- name: grant_session(session_id, ticket_id, reservation_id, store_id, device_id, terminal_id, program, fence, granted_seconds, granted_at, deadline_at)!
INSERT INTO sessions (session_id, ticket_id, reservation_id, store_id, device_id, terminal_id,
    program, fence, state, granted_seconds, granted_at, deadline_at)
VALUES (:session_id, :ticket_id, :reservation_id, :store_id, :device_id, :terminal_id,
    :program, :fence, 'granted', :granted_seconds, :granted_at, :deadline_at);

-- name: add_right(right_id, comm_id, party, epoch, kind, session_id, amount, issued_at, lease_ends_at)!
INSERT INTO rights (right_id, comm_id, party, epoch, kind, session_id, amount, issued_at,
    lease_ends_at)
VALUES (:right_id, :comm_id, :party, :epoch, :kind, :session_id, :amount, :issued_at,
    :lease_ends_at);

-- name: is_issued(comm_id)$
SELECT EXISTS (SELECT 1 FROM rights WHERE comm_id = :comm_id);

-- name: add_scan(scan_id, terminal_id, reader_id, device_id, ticket_id, verdict, told, read_at, received_at)!
INSERT INTO scans (scan_id, terminal_id, reader_id, device_id, ticket_id, verdict, told, read_at,
    received_at)
VALUES (:scan_id, :terminal_id, :reader_id, :device_id, :ticket_id, :verdict, :told, :read_at,
    :received_at)
ON CONFLICT (scan_id) DO NOTHING;

-- name: scan(scan_id)^
SELECT c.terminal_id, c.reader_id, c.device_id, c.verdict, c.told, v.title AS device_title
FROM scans AS c LEFT JOIN devices AS v USING (device_id) WHERE c.scan_id = :scan_id;

-- name: store_of(terminal_id)^
SELECT s.store_id, s.number FROM terminals AS t JOIN stores AS s USING (store_id)
WHERE t.terminal_id = :terminal_id;

-- name: revoke(ticket_id, revoked_at)!
-- A cancelling that had to wait for its holder: whoever checks signatures alone is told as well.
INSERT INTO revocations (ticket_id, revision, store_id, dies_at, revoked_at)
SELECT k.ticket_id, k.revision, r.store_id, r.ends_at, :revoked_at
FROM tickets AS k JOIN reservations AS r USING (reservation_id)
WHERE k.ticket_id = :ticket_id AND k.state = 'issued' AND r.ends_at > :revoked_at
ON CONFLICT DO NOTHING;

-- name: token_of_code(store_id, short_code)$
SELECT k.token FROM tickets AS k JOIN reservations AS r USING (reservation_id)
WHERE k.short_code = :short_code AND r.store_id = :store_id;

-- name: wrong_codes(store_id, terminal_id, since)^
SELECT count(*) AS of_store,
    coalesce(sum(CASE WHEN terminal_id = :terminal_id THEN 1 ELSE 0 END), 0) AS of_terminal
FROM wrong_codes WHERE store_id = :store_id AND at > :since;

-- name: add_wrong_code(scan_id, store_id, terminal_id, at)!
INSERT INTO wrong_codes (scan_id, store_id, terminal_id, at)
VALUES (:scan_id, :store_id, :terminal_id, :at) ON CONFLICT (scan_id) DO NOTHING;

-- name: forget_wrong_codes(before)!
DELETE FROM wrong_codes WHERE at <= :before;

-- name: host_of(ticket_id)^
-- Where a ticket is to be used: the device of its reservation, and the terminal that hosts it.
SELECT v.device_id, v.title, v.terminal_id, t.presence, k.token
FROM tickets AS k JOIN reservations AS r USING (reservation_id) JOIN devices AS v USING (device_id)
JOIN terminals AS t USING (terminal_id)
WHERE k.ticket_id = :ticket_id;

-- name: quarantine(party, epoch, kind, seq, found_at)!
INSERT INTO quarantines (party, epoch, kind, seq, found_at)
VALUES (:party, :epoch, :kind, :seq, :found_at) ON CONFLICT DO NOTHING;

-- name: peer(name)^
SELECT p.name, p.epoch, p.fingerprint, p.made_at, p.revoked_at, EXISTS (SELECT 1
    FROM quarantines AS q WHERE q.party = p.name AND q.epoch = p.epoch) AS is_quarantined
FROM peers AS p WHERE p.name = :name;

-- name: add_peer(name, epoch, fingerprint, made_at)!
-- Added again, it has another epoch, and the earlier one is fenced.
INSERT INTO peers (name, epoch, fingerprint, made_at)
VALUES (:name, :epoch, :fingerprint, :made_at)
ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch, fingerprint = excluded.fingerprint,
    made_at = excluded.made_at, revoked_at = NULL;

-- name: revoke_peer(name, revoked_at)!
UPDATE peers SET revoked_at = :revoked_at WHERE name = :name AND revoked_at IS NULL;

-- name: peers()
SELECT p.name, p.epoch, p.made_at, p.revoked_at, EXISTS (SELECT 1 FROM quarantines AS q
    WHERE q.party = p.name AND q.epoch = p.epoch) AS is_quarantined
FROM peers AS p ORDER BY p.name;

-- name: seats_held(party)
SELECT kind, sum(amount) AS seats FROM rights WHERE party = :party AND kind LIKE 'seats:%'
GROUP BY kind HAVING sum(amount) <> 0 ORDER BY kind;

-- name: pool(module)^
SELECT module, owned, used, short, is_doubted, lease_seconds FROM seat_pools
WHERE module = :module;

-- name: pools()
SELECT p.module, p.owned, p.used, p.short, p.is_doubted,
    (SELECT coalesce(sum(r.amount), 0) FROM rights AS r WHERE r.kind = 'seats:' || p.module)
    AS given
FROM seat_pools AS p ORDER BY p.module;

-- name: take_seats(module, seats)!
-- The last seat is taken once, whoever asks at the same time.
UPDATE seat_pools SET used = used + :seats
WHERE module = :module AND used + :seats <= owned AND is_doubted = 0;

-- name: give_back_seats(module, seats)!
-- Those that are in use beyond what is owned go first.
UPDATE seat_pools SET used = used - CASE WHEN :seats > short THEN :seats - short ELSE 0 END,
    short = CASE WHEN :seats > short THEN 0 ELSE short - :seats END
WHERE module = :module AND :seats <= used + short;

-- name: count_seats(module, seats)!
-- In use they are, whether or not we still own as many: an old backup had forgotten them.
INSERT INTO seat_pools AS p (module, owned, used, short) VALUES (:module, 0, 0, :seats)
ON CONFLICT (module) DO UPDATE SET
    used = CASE WHEN p.used + :seats > p.owned THEN p.owned ELSE p.used + :seats END,
    short = p.short + CASE WHEN p.used + :seats > p.owned THEN p.used + :seats - p.owned ELSE 0 END;

-- name: own_seats(module, owned)!
-- Never fewer than are in use.
INSERT INTO seat_pools AS p (module, owned) VALUES (:module, :owned)
ON CONFLICT (module) DO UPDATE SET owned = :owned,
    used = CASE WHEN p.used + p.short > :owned THEN :owned ELSE p.used + p.short END,
    short = CASE WHEN p.used + p.short > :owned THEN p.used + p.short - :owned ELSE 0 END
WHERE :owned >= p.used;

-- name: add_seats(module, seats)!
-- Seats that our root has given us.
INSERT INTO seat_pools AS p (module, owned) VALUES (:module, :seats)
ON CONFLICT (module) DO UPDATE SET owned = p.owned + :seats,
    used = p.used + CASE WHEN p.short > :seats THEN :seats ELSE p.short END,
    short = CASE WHEN p.short > :seats THEN p.short - :seats ELSE 0 END;

-- name: lower_seats(module, seats)!
-- Seats on their way back to our root: they must be free, and are nobody's from now on.
UPDATE seat_pools SET owned = owned - :seats
WHERE module = :module AND used + :seats <= owned AND short = 0;

-- name: doubt_seats_of(epoch)!
-- Our root takes us for a copy: what we had from it is given to nobody.
UPDATE seat_pools SET is_doubted = 1
WHERE 'seats:' || module IN (SELECT kind FROM own_exchanges WHERE epoch = :epoch);

-- name: doubt_no_seats()!
UPDATE seat_pools SET is_doubted = 0 WHERE is_doubted = 1;

-- name: seats_given(party, kind)$
SELECT coalesce(sum(amount), 0) FROM rights WHERE party = :party AND kind = :kind;

-- name: seats_in_use_of(party, kind)$
-- What the leases of a terminal hold that have not been freed.
SELECT coalesce(sum(amount), 0) FROM rights
WHERE party = :party AND kind = :kind AND freed_at IS NULL;

-- name: free_held(party, kind, freed_at)!
-- The lease that a new one of the same class takes over, with its seat.
UPDATE rights SET freed_at = :freed_at
WHERE party = :party AND kind = :kind AND freed_at IS NULL;

-- name: ended_leases(before, most)
-- Of modules: what else a lease holds ends with its session, or its ticket's time.
SELECT right_id, kind, amount FROM rights
WHERE freed_at IS NULL AND lease_ends_at < :before AND kind >= 'module:' AND kind < 'module;'
ORDER BY lease_ends_at LIMIT :most;

-- name: free_right(right_id, freed_at)!
UPDATE rights SET freed_at = :freed_at WHERE right_id = :right_id AND freed_at IS NULL;

-- name: held(ticket_id)^
SELECT h.ticket_id, h.terminal_id, h.right_id, h.state, h.recall_why, h.recall_asked_at,
    k.reservation_id
FROM held_tickets AS h JOIN tickets AS k USING (ticket_id)
WHERE h.ticket_id = :ticket_id AND h.state <> 'released';

-- name: hold(ticket_id, device_id, terminal_id, epoch, right_id, ends_at)!
-- What is recalled stays so: the terminal answers for it first.
INSERT INTO held_tickets (ticket_id, device_id, terminal_id, epoch, right_id, state, ends_at)
VALUES (:ticket_id, :device_id, :terminal_id, :epoch, :right_id, 'held', :ends_at)
ON CONFLICT (ticket_id) DO UPDATE SET device_id = excluded.device_id,
    terminal_id = excluded.terminal_id, epoch = excluded.epoch, right_id = excluded.right_id,
    state = 'held', ends_at = excluded.ends_at, recall_why = NULL, recall_asked_at = NULL
WHERE held_tickets.state <> 'recalled';

-- name: recall(ticket_id, why, asked_at)!
UPDATE held_tickets SET state = 'recalled', recall_why = :why, recall_asked_at = :asked_at
WHERE ticket_id = :ticket_id AND state <> 'released';

-- name: keep_held(ticket_id)!
UPDATE held_tickets SET state = 'held', recall_why = NULL, recall_asked_at = NULL
WHERE ticket_id = :ticket_id AND state = 'recalled';

-- name: release(ticket_id)!
UPDATE held_tickets SET state = 'released'
WHERE ticket_id = :ticket_id AND state <> 'released';

-- name: forget_released(before)!
DELETE FROM held_tickets WHERE state = 'released' AND ends_at < :before;

-- name: tickets_to_hold(device_id, terminal_id, now, until, shown_before, most)
-- Good, coming, and nobody else's; one that was just shown elsewhere is left to be redeemed there.
-- The three states are those of the index.
SELECT k.ticket_id, k.token, r.starts_at, r.ends_at, o.early_seconds
FROM reservations AS r JOIN tickets AS k USING (reservation_id) JOIN offerings AS o USING (offering_id)
LEFT JOIN held_tickets AS h ON h.ticket_id = k.ticket_id
WHERE r.device_id = :device_id AND r.state = 'confirmed' AND k.state = 'issued'
    AND r.state IN ('held', 'confirmed', 'in_use')
    AND r.cancel_asked_at IS NULL AND r.starts_at < :until AND r.ends_at > :now
    AND NOT EXISTS (SELECT 1 FROM borrowed_tickets AS b WHERE b.ticket_id = k.ticket_id)
    AND (h.ticket_id IS NULL OR (h.state = 'held' AND h.terminal_id = :terminal_id)
        OR (h.state = 'released'
            AND (h.recall_why IS NULL OR h.recall_why <> 'elsewhere'
                OR h.recall_asked_at < :shown_before)))
ORDER BY r.starts_at LIMIT :most;

-- name: devices_to_hold(now, until, shown_before, held_max, most)
-- Those of terminals that are here with a coming ticket that is not held yet, and those that have not
-- been told of the operator's switch. Device by device, in the index's three states: the tickets of
-- all years are many more.
SELECT DISTINCT v.device_id, v.terminal_id
FROM terminals AS t JOIN devices AS v USING (terminal_id)
CROSS JOIN reservations AS r JOIN tickets AS k USING (reservation_id)
LEFT JOIN held_tickets AS h ON h.ticket_id = k.ticket_id
WHERE r.device_id = v.device_id AND r.state = 'confirmed' AND k.state = 'issued'
    AND r.cancel_asked_at IS NULL
    AND r.state IN ('held', 'confirmed', 'in_use') AND r.starts_at < :until AND r.ends_at > :now
    AND t.standing = 'confirmed' AND t.presence <> 'gone'
    AND (SELECT count(*) FROM held_tickets AS n WHERE n.device_id = r.device_id
        AND n.state = 'held' AND n.ends_at > :now) < :held_max
    AND (h.ticket_id IS NULL OR (h.state = 'released'
        AND (h.recall_why IS NULL OR h.recall_why <> 'elsewhere'
            OR h.recall_asked_at < :shown_before)))
UNION
SELECT v.device_id, v.terminal_id
FROM devices AS v JOIN stores AS s USING (store_id) JOIN terminals AS t USING (terminal_id)
WHERE v.signature_starts_told <> s.offline_signature_starts
    AND t.standing = 'confirmed' AND t.presence <> 'gone'
LIMIT :most;

-- name: note_signature_starts(device_id, told)!
UPDATE devices SET signature_starts_told = :told
WHERE device_id = :device_id AND signature_starts_told <> :told;

-- name: has_to_settle_held(before)$
SELECT EXISTS (SELECT 1 FROM held_tickets AS h JOIN terminals AS t USING (terminal_id)
    WHERE (h.state = 'recalled' AND (t.presence <> 'gone' OR t.broker_role = 'settling'))
        OR (h.state <> 'recalled' AND h.ends_at < :before)
        OR (h.state = 'held' AND t.broker_role = 'settling')
        OR (h.state <> 'released' AND (h.epoch <> t.epoch OR t.standing = 'retired')));

-- name: held_by_the_fenced(most)
-- Their holder has enrolled anew since, or has left for good: an operator's word that it is not used.
SELECT h.ticket_id, h.terminal_id, h.recall_why, k.reservation_id
FROM held_tickets AS h JOIN tickets AS k USING (ticket_id) JOIN terminals AS t USING (terminal_id)
WHERE h.state <> 'released' AND (h.epoch <> t.epoch OR t.standing = 'retired') LIMIT :most;

-- name: held_and_over(before, most)
SELECT ticket_id FROM held_tickets WHERE state = 'held' AND ends_at < :before LIMIT :most;

-- name: recalled(before, most)
-- Recalls without an answer, of terminals that can hear them; who was asked longest ago is first.
SELECT h.ticket_id, h.terminal_id, h.right_id, h.recall_asked_at
FROM held_tickets AS h JOIN terminals AS t USING (terminal_id)
WHERE h.state = 'recalled' AND h.said_at <= :before
    AND (t.presence <> 'gone' OR t.broker_role = 'settling')
ORDER BY h.said_at LIMIT :most;

-- name: note_said(ticket_id, said_at)!
UPDATE held_tickets SET said_at = :said_at WHERE ticket_id = :ticket_id;

-- name: move_no_more(ticket_id)!
-- It has been used where its program had failed before.
UPDATE sessions SET is_to_move = 0 WHERE ticket_id = :ticket_id AND is_to_move = 1;

-- name: held_by_the_shut_out(most)
-- Of terminals that serve nobody any more, and have not given back what they may not know they hold.
SELECT h.ticket_id FROM held_tickets AS h JOIN terminals AS t USING (terminal_id)
WHERE h.state = 'held' AND t.broker_role = 'settling' LIMIT :most;

-- name: forget_cancel(reservation_id)!
UPDATE reservations SET cancel_asked_at = NULL
WHERE reservation_id = :reservation_id AND state = 'confirmed';

-- name: cancel(reservation_id, changed_at)!
UPDATE reservations SET state = 'cancelled', changed_at = :changed_at
WHERE reservation_id = :reservation_id AND state = 'confirmed';

-- name: void_ticket(ticket_id)!
UPDATE tickets SET state = 'void' WHERE ticket_id = :ticket_id AND state = 'issued';

-- name: supersede(device_id, ticket_id, terminal_id, ended_at, end_reason)
-- Rights whose answers never reached the terminal, which has begun another session meanwhile.
UPDATE sessions SET state = 'failed', ended_at = :ended_at, end_reason = :end_reason,
    delivered_seconds = 0.0
WHERE (device_id = :device_id OR ticket_id = :ticket_id) AND terminal_id = :terminal_id
    AND state IN ('granted', 'starting')
RETURNING ticket_id, session_id, reservation_id;

-- name: give_ticket_back(ticket_id)!
UPDATE tickets SET state = 'issued' WHERE ticket_id = :ticket_id AND state = 'reserved';

-- name: admit_session(session_id, ticket_id, reservation_id, store_id, device_id, terminal_id, program, fence, granted_seconds, granted_at, deadline_at, admission)!
INSERT INTO sessions (session_id, ticket_id, reservation_id, store_id, device_id, terminal_id,
    program, fence, state, granted_seconds, granted_at, deadline_at, admission)
VALUES (:session_id, :ticket_id, :reservation_id, :store_id, :device_id, :terminal_id,
    :program, :fence, 'granted', :granted_seconds, :granted_at, :deadline_at, :admission);

-- What the audit looks at, slice by slice, and what it found. Written by the audit flow.
-- A slice is asked for first: how many rows follow a key, and the last of them.

-- name: claims(after, most)^
SELECT count(*) AS looked, max(k) AS last FROM (SELECT reservation_id AS k FROM reservations
    WHERE reservation_id > :after ORDER BY reservation_id LIMIT :most) AS part;

-- name: sold_twice(after, last)
-- Two claims that stand, each with its buffer.
SELECT r.reservation_id AS subject, o.reservation_id AS other, r.store_id, r.device_id,
    r.starts_at, r.ends_at, o.starts_at AS other_starts_at, o.ends_at AS other_ends_at
FROM reservations AS r JOIN reservations AS o ON o.device_id = r.device_id
    AND o.reservation_id > r.reservation_id
    AND o.starts_at < r.blocked_until AND r.starts_at < o.blocked_until
WHERE r.reservation_id > :after AND r.reservation_id <= :last
    AND r.state IN ('held', 'confirmed', 'in_use') AND o.state IN ('held', 'confirmed', 'in_use')
ORDER BY r.reservation_id, o.reservation_id;

-- name: used_twice(after, last, reach_ms)
-- One that is over holds no buffer any more, and only the time that was used. How far a claim
-- reaches past its beginning is bounded, so that an index finds what lies around another.
SELECT r.reservation_id AS subject, o.reservation_id AS other, r.store_id, r.device_id,
    r.starts_at, r.ends_at, o.starts_at AS other_starts_at, o.ends_at AS other_ends_at
FROM reservations AS r JOIN reservations AS o ON o.device_id = r.device_id
    AND o.state = 'completed' AND o.blocked_until > r.starts_at
    AND o.blocked_until < r.ends_at + :reach_ms
    AND o.starts_at < r.ends_at AND r.starts_at < o.ends_at
WHERE r.reservation_id > :after AND r.reservation_id <= :last
    AND (r.state IN ('held', 'confirmed', 'in_use')
        OR r.state = 'completed' AND o.reservation_id > r.reservation_id)
ORDER BY r.reservation_id, o.reservation_id;

-- name: debts(after, last, account)
-- Reservations whose use is over, or was given up as undelivered, with what was entered as owed.
SELECT r.reservation_id AS subject, r.store_id, r.starts_at,
    coalesce(r.booked_ends_at, r.ends_at) AS ends_at, r.price_cents, r.currency,
    (SELECT coalesce(sum(c.seconds), 0.0) FROM compensations AS c
        WHERE c.reservation_id = r.reservation_id) AS entered_seconds,
    CAST((SELECT coalesce(sum(c.cents), 0) FROM compensations AS c
        WHERE c.reservation_id = r.reservation_id) AS BIGINT) AS entered_cents,
    CAST((SELECT coalesce(sum(-p.cents), 0) FROM entries AS e JOIN postings AS p USING (entry_id)
        WHERE e.reservation_id = r.reservation_id AND e.kind = 'compensated'
        AND p.account = :account) AS BIGINT) AS moved_cents
FROM reservations AS r
WHERE r.reservation_id > :after AND r.reservation_id <= :last
    AND (r.state = 'completed' OR r.state = 'cancelled' AND EXISTS (SELECT 1 FROM ledger AS l
        WHERE l.reservation_id = r.reservation_id AND l.type = 'reservation.undelivered'))
    AND EXISTS (SELECT 1 FROM sessions AS s WHERE s.reservation_id = r.reservation_id)
    AND NOT EXISTS (SELECT 1 FROM sessions AS s WHERE s.reservation_id = r.reservation_id
        AND s.state IN ('granted', 'starting', 'running', 'ending'))
ORDER BY r.reservation_id;

-- name: sessions(after, most)^
SELECT count(*) AS looked, max(k) AS last FROM (SELECT session_id AS k FROM sessions
    WHERE session_id > :after ORDER BY session_id LIMIT :most) AS part;

-- name: ran_twice(after, last)
SELECT s.session_id AS subject, o.session_id AS other, s.store_id, s.device_id, s.ticket_id
FROM sessions AS s JOIN sessions AS o ON o.ticket_id = s.ticket_id
    AND o.session_id > s.session_id
WHERE s.session_id > :after AND s.session_id <= :last
    AND s.running_at IS NOT NULL AND o.running_at IS NOT NULL
ORDER BY s.session_id, o.session_id;

-- name: live_twice(after, last)
SELECT s.session_id AS subject, o.session_id AS other, s.store_id, s.device_id, s.ticket_id
FROM sessions AS s JOIN sessions AS o ON o.device_id = s.device_id
    AND o.session_id > s.session_id
WHERE s.session_id > :after AND s.session_id <= :last
    AND s.state IN ('granted', 'starting', 'running', 'ending')
    AND o.state IN ('granted', 'starting', 'running', 'ending')
ORDER BY s.session_id, o.session_id;

-- name: without_right(after, last)
SELECT s.session_id AS subject, s.store_id, s.device_id, s.ticket_id, s.admission,
    v.store_id AS store_of_device, r.store_id AS store_of_reservation
FROM sessions AS s JOIN devices AS v USING (device_id)
JOIN reservations AS r USING (reservation_id) JOIN tickets AS k ON k.ticket_id = s.ticket_id
WHERE s.session_id > :after AND s.session_id <= :last AND s.running_at IS NOT NULL
    AND (v.store_id <> s.store_id OR r.store_id <> s.store_id
        OR k.reservation_id <> s.reservation_id
        OR s.admission = 'right' AND NOT EXISTS (SELECT 1 FROM rights AS g
            WHERE g.session_id = s.session_id))
ORDER BY s.session_id;

-- name: ran_too_long(after, last, tolerance_seconds, before)
SELECT session_id AS subject, store_id, device_id, granted_seconds, delivered_seconds, deadline_at,
    state
FROM sessions
WHERE session_id > :after AND session_id <= :last
    AND (delivered_seconds > granted_seconds + :tolerance_seconds
        OR state IN ('granted', 'starting', 'running', 'ending') AND deadline_at < :before)
ORDER BY session_id;

-- name: beat_after_end(after, last, most_ms)
-- A program that reports seconds long after its session was over by the books.
SELECT s.session_id AS subject, s.store_id, s.device_id, s.ended_at, h.last_at
FROM sessions AS s JOIN heartbeats AS h USING (session_id)
WHERE s.session_id > :after AND s.session_id <= :last
    AND s.state IN ('ended', 'failed') AND h.last_at > s.ended_at + :most_ms
ORDER BY s.session_id;

-- name: never_told(after, last, before)
-- Presumed to be over, paid for, and nobody has said since whether anything ran.
SELECT s.session_id AS subject, s.store_id, s.device_id, s.deadline_at, s.running_at
FROM sessions AS s
WHERE s.session_id > :after AND s.session_id <= :last AND s.is_presumed = 1
    AND s.running_at IS NOT NULL AND s.delivered_seconds IS NULL AND s.ended_at < :before
ORDER BY s.session_id;

-- name: rights(after, most)^
SELECT count(*) AS looked, max(k) AS last FROM (SELECT right_id AS k FROM rights
    WHERE right_id > :after ORDER BY right_id LIMIT :most) AS part;

-- name: issued_twice(after, last)
SELECT r.right_id AS subject, o.right_id AS other, r.party, r.kind, r.comm_id, r.session_id
FROM rights AS r JOIN rights AS o ON o.right_id > r.right_id
    AND (o.comm_id = r.comm_id OR o.session_id = r.session_id)
WHERE r.right_id > :after AND r.right_id <= :last
ORDER BY r.right_id, o.right_id;

-- name: pools(after, most)
SELECT module, owned, used, short FROM seat_pools WHERE module > :after ORDER BY module LIMIT :most;

-- name: seats_out()
-- What has a seat of a module now, by class of right: leases, runs, and what peers were given.
SELECT kind, CAST(sum(amount) AS BIGINT) AS seats FROM rights
WHERE kind >= 'module:' AND kind < 'module;' AND freed_at IS NULL
    OR kind >= 'run:' AND kind < 'run;' AND freed_at IS NULL
    OR kind >= 'seats:' AND kind < 'seats;'
GROUP BY kind ORDER BY kind;

-- name: terminals(after, most)^
SELECT count(*) AS looked, max(k) AS last FROM (SELECT terminal_id AS k FROM terminals
    WHERE terminal_id > :after ORDER BY terminal_id LIMIT :most) AS part;

-- name: served_unconfirmed(after, last)
SELECT terminal_id AS subject, store_id, standing, broker_role FROM terminals
WHERE terminal_id > :after AND terminal_id <= :last
    AND broker_role = 'service' AND standing <> 'confirmed'
ORDER BY terminal_id;

-- name: standing_unrecorded(after, last)
-- Whatever a terminal stands as, somebody has decided it, and is named.
SELECT t.terminal_id AS subject, t.store_id, t.standing FROM terminals AS t
WHERE t.terminal_id > :after AND t.terminal_id <= :last
    AND t.standing IN ('confirmed', 'rejected', 'suspended', 'retired')
    AND NOT EXISTS (SELECT 1 FROM audit AS a WHERE a.subject = t.terminal_id
        AND a.act = 'registration.' || t.standing)
ORDER BY t.terminal_id;

-- name: events_stuck(after, last, before)
SELECT i.terminal_id AS subject, t.store_id, i.epoch, min(i.seq) AS seq,
    min(i.received_at) AS received_at, count(*) AS events
FROM inbox AS i JOIN terminals AS t USING (terminal_id)
WHERE i.terminal_id > :after AND i.terminal_id <= :last
    AND i.epoch = t.epoch AND t.standing <> 'retired' AND i.received_at < :before
GROUP BY i.terminal_id, t.store_id, i.epoch ORDER BY i.terminal_id;

-- name: entries(after, most)^
SELECT count(*) AS looked, max(k) AS last FROM (SELECT entry_id AS k FROM entries
    WHERE entry_id > :after ORDER BY entry_id LIMIT :most) AS part;

-- name: unbalanced(after, last)
SELECT e.entry_id AS subject, e.store_id, e.kind, p.currency, CAST(sum(p.cents) AS BIGINT) AS cents
FROM entries AS e JOIN postings AS p USING (entry_id)
WHERE e.entry_id > :after AND e.entry_id <= :last
GROUP BY e.entry_id, e.store_id, e.kind, p.currency HAVING sum(p.cents) <> 0
ORDER BY e.entry_id, p.currency;

-- name: without_postings(after, last)
SELECT e.entry_id AS subject, e.store_id, e.kind FROM entries AS e
WHERE e.entry_id > :after AND e.entry_id <= :last
    AND NOT EXISTS (SELECT 1 FROM postings AS p WHERE p.entry_id = e.entry_id)
ORDER BY e.entry_id;

-- name: payments(after, most)^
SELECT count(*) AS looked, max(k) AS last FROM (SELECT payment_id AS k FROM payments
    WHERE payment_id > :after ORDER BY payment_id LIMIT :most) AS part;

-- name: overdrawn(after, last)
SELECT e.payment_id AS subject, e.store_id, p.account, p.currency,
    CAST(sum(p.cents) AS BIGINT) AS cents
FROM entries AS e JOIN postings AS p USING (entry_id)
WHERE e.payment_id > :after AND e.payment_id <= :last AND p.account LIKE 'cash%'
GROUP BY e.payment_id, e.store_id, p.account, p.currency HAVING sum(p.cents) < 0
ORDER BY e.payment_id, p.account;

-- name: numbered(after, most)
-- Years of receipts, by store.
SELECT n.store_id, n.year, n.last,
    (SELECT count(*) FROM receipts AS r WHERE r.store_id = n.store_id AND r.year = n.year) AS number,
    (SELECT max(r.number) FROM receipts AS r WHERE r.store_id = n.store_id AND r.year = n.year)
        AS highest
FROM receipt_numbers AS n WHERE n.store_id > :after
    AND n.store_id IN (SELECT store_id FROM stores WHERE store_id > :after
        ORDER BY store_id LIMIT :most)
ORDER BY n.store_id, n.year;

-- name: vouchers(after, most)^
SELECT count(*) AS looked, max(k) AS last FROM (SELECT voucher_id AS k FROM vouchers
    WHERE voucher_id > :after ORDER BY voucher_id LIMIT :most) AS part;

-- name: vouchers_unrecorded(after, last)
SELECT v.voucher_id AS subject, coalesce(v.store_id, '') AS store_id FROM vouchers AS v
WHERE v.voucher_id > :after AND v.voucher_id <= :last
    AND NOT EXISTS (SELECT 1 FROM audit AS a
        WHERE a.subject = v.voucher_id AND a.act = 'voucher.made')
ORDER BY v.voucher_id;

-- name: devices_now(after, most)
-- Each device beside what the books think runs on it, and since when.
SELECT v.device_id, v.store_id, v.title, v.state, v.state_at, t.presence, t.standing, s.session_id,
    s.state AS session_state, s.running_at, h.last_at
FROM devices AS v JOIN terminals AS t USING (terminal_id)
LEFT JOIN sessions AS s ON s.device_id = v.device_id
    AND s.state IN ('granted', 'starting', 'running', 'ending')
LEFT JOIN heartbeats AS h ON h.session_id = s.session_id
WHERE v.device_id > :after ORDER BY v.device_id LIMIT :most;

-- name: zones()
SELECT time_zone FROM stores ORDER BY store_id;

-- name: last_began_at()$
SELECT max(began_at) FROM audits;

-- name: keep_audit(audit_id, asked_by, began_at, ended_at, looked, found)!
INSERT INTO audits (audit_id, asked_by, began_at, ended_at, looked, found)
VALUES (:audit_id, :asked_by, :began_at, :ended_at, :looked, :found);

-- name: keep_finding(audit_id, line, invariant, subject, store_id, facts)!
INSERT INTO audit_findings (audit_id, line, invariant, subject, store_id, facts)
VALUES (:audit_id, :line, :invariant, :subject, :store_id, :facts);

-- name: audits(most)
SELECT audit_id, asked_by, began_at, ended_at, looked, found FROM audits
ORDER BY began_at DESC, audit_id LIMIT :most;

-- name: found(audit_id)
SELECT invariant, subject, store_id, facts FROM audit_findings
WHERE audit_id = :audit_id ORDER BY line;

-- name: open_subjects(kind)
-- What is open of a kind of problem, so that what is found no more can be closed.
SELECT subject FROM problems WHERE kind = :kind AND solved_at IS NULL ORDER BY subject;

-- name: forget_findings(before)!
DELETE FROM audit_findings WHERE audit_id IN (SELECT audit_id FROM audits WHERE began_at < :before);

-- name: forget_audits(before)!
DELETE FROM audits WHERE began_at < :before;

-- name: open_leaks()
SELECT leak_id, kind, device_id, store_id, session_id, began_at FROM leaks
WHERE ended_at IS NULL ORDER BY leak_id;

-- name: open_leak(leak_id, kind, device_id, store_id, session_id, began_at)!
INSERT INTO leaks (leak_id, kind, device_id, store_id, session_id, began_at)
VALUES (:leak_id, :kind, :device_id, :store_id, :session_id, :began_at)
ON CONFLICT (device_id) WHERE ended_at IS NULL DO NOTHING;

-- name: close_leak(leak_id, ended_at)!
UPDATE leaks SET ended_at = :ended_at WHERE leak_id = :leak_id AND ended_at IS NULL;

-- Claims to devices, their tickets, and answers already given on the web. Written by the reservations flow.

-- name: taken(device_id, from_at, to_at)
-- What blocks a device in a stretch of time.
SELECT starts_at, blocked_until FROM reservations
WHERE device_id = :device_id AND state IN ('held', 'confirmed', 'in_use')
    AND starts_at < :to_at AND blocked_until > :from_at
ORDER BY starts_at;

-- name: book(reservation_id, store_id, offering_id, device_id, starts_at, ends_at, blocked_until, price_cents, currency, link, made_at)!
-- Refused by the database itself where it would overlap another claim to the device.
INSERT INTO reservations (reservation_id, store_id, offering_id, device_id, starts_at, ends_at,
    blocked_until, state, price_cents, currency, link, made_at, changed_at)
VALUES (:reservation_id, :store_id, :offering_id, :device_id, :starts_at, :ends_at,
    :blocked_until, 'confirmed', :price_cents, :currency, :link, :made_at, :made_at);

-- name: issue_ticket(ticket_id, reservation_id, device_number, revision, token, issued_at)!
INSERT INTO tickets (ticket_id, reservation_id, device_number, revision, token, state, issued_at)
VALUES (:ticket_id, :reservation_id, :device_number, :revision, :token, 'issued', :issued_at);

-- name: by_link(link)^
SELECT r.reservation_id, r.store_id, s.title AS store_title, s.time_zone, r.offering_id,
    o.title AS offering_title, r.device_id, v.title AS device_title, v.number AS device_number,
    r.starts_at, r.ends_at, r.state, r.price_cents, r.currency, r.link, r.made_at,
    r.cancel_asked_at, EXISTS (SELECT 1 FROM held_tickets AS h WHERE h.ticket_id = k.ticket_id
        AND h.state <> 'released') AS is_held,
    (SELECT coalesce(sum(c.cents), 0) FROM compensations AS c
        WHERE c.reservation_id = r.reservation_id) AS compensated_cents,
    o.early_seconds, k.ticket_id, k.token, k.revision, k.state AS ticket_state,
    u.session_id, u.state AS session_state, u.running_at, u.deadline_at, u.ended_at, u.end_reason,
    u.delivered_seconds
FROM reservations AS r
JOIN stores AS s USING (store_id)
JOIN offerings AS o USING (offering_id)
JOIN devices AS v USING (device_id)
JOIN tickets AS k USING (reservation_id)
LEFT JOIN sessions AS u ON u.session_id = (
    SELECT session_id FROM sessions WHERE reservation_id = r.reservation_id
    ORDER BY granted_at DESC, fence DESC LIMIT 1)
WHERE r.link = :link;

-- name: cancel(link, changed_at)$
UPDATE reservations SET state = 'cancelled', changed_at = :changed_at
WHERE link = :link AND state IN ('held', 'confirmed')
RETURNING reservation_id;

-- name: ask_to_cancel(link, asked_at)!
-- Its ticket is held by a terminal: it counts when that has given it back.
UPDATE reservations SET cancel_asked_at = coalesce(cancel_asked_at, :asked_at)
WHERE link = :link AND state IN ('held', 'confirmed');

-- name: void_ticket(reservation_id)!
UPDATE tickets SET state = 'void' WHERE reservation_id = :reservation_id AND state = 'issued';

-- name: overdue(now, most)
-- Confirmed claims whose slot is over and whose ticket was never shown, by all who could know.
SELECT r.reservation_id FROM reservations AS r JOIN tickets AS k USING (reservation_id)
WHERE r.state = 'confirmed' AND r.ends_at <= :now AND k.state = 'issued'
    AND NOT EXISTS (SELECT 1 FROM held_tickets AS h WHERE h.ticket_id = k.ticket_id
        AND h.state <> 'released')
    AND NOT EXISTS (SELECT 1 FROM sessions AS s WHERE s.reservation_id = r.reservation_id)
ORDER BY r.ends_at LIMIT :most;

-- name: lapse(reservation_id, changed_at)!
UPDATE reservations SET state = 'no_show', changed_at = :changed_at
WHERE reservation_id = :reservation_id AND state = 'confirmed';

-- name: answer_given(key, route)^
SELECT body_digest, status, body FROM web_answers WHERE key = :key AND route = :route;

-- name: keep_answer(key, route, body_digest, status, body, made_at)!
INSERT INTO web_answers (key, route, body_digest, status, body, made_at)
VALUES (:key, :route, :body_digest, :status, :body, :made_at);

-- name: forget_answers(before)!
DELETE FROM web_answers WHERE made_at < :before;

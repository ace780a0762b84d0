-- Claims to devices, their tickets, and answers already given on the web. Written by the reservations flow.

-- name: taken(device_id, from_at, to_at, now, instead_of, holder)
-- What blocks a device in a stretch of time, but for a reservation that makes way, what a holder holds
-- himself, and holds that are over. A use that is over blocks its turnover; a blackout, all of it.
SELECT r.starts_at, r.blocked_until FROM reservations AS r
WHERE r.device_id = :device_id AND r.state IN ('held', 'confirmed', 'in_use')
    AND r.starts_at < :to_at AND r.blocked_until > :from_at AND r.reservation_id <> :instead_of
    AND NOT (r.state = 'held' AND (r.hold_ends_at <= :now OR EXISTS (SELECT 1 FROM orders AS b
        WHERE b.order_id = r.order_id AND b.holder = :holder AND b.holder <> '')))
UNION ALL
SELECT starts_at, blocked_until FROM reservations
WHERE device_id = :device_id AND state = 'completed' AND blocked_until > :from_at
    AND blocked_until > :now AND starts_at < :to_at
UNION ALL
SELECT b.starts_at, b.ends_at FROM devices AS v JOIN blackouts AS b ON b.store_id = v.store_id
    AND (b.device_id IS NULL OR b.device_id = v.device_id)
WHERE v.device_id = :device_id AND b.ends_at > :from_at AND b.starts_at < :to_at
ORDER BY starts_at;

-- name: next_claim(device_id, from_at, but)$
-- When a device is claimed next, as soon as now; of what is kept from sale nothing is said.
SELECT min(starts_at) FROM reservations WHERE device_id = :device_id
    AND state IN ('held', 'confirmed', 'in_use') AND ends_at > :from_at AND reservation_id <> :but;

-- name: free_device(offering_id, device_id, seen_since, at_once, from_at, to_at, now, instead_of, holder)^
-- The first device of an offering that nothing blocks, by the same rules; any where none is named.
-- `seen_since`: see `is_sold` in common/rules/offerings. `at_once`: nobody and no cleaning has it now.
SELECT v.device_id, v.number, v.title
FROM offered_devices AS d JOIN devices AS v USING (device_id) JOIN terminals AS t USING (terminal_id)
WHERE d.offering_id = :offering_id AND t.standing = 'confirmed' AND v.is_out_of_order = 0
    AND ((d.state = 'on' AND t.presence <> 'gone') OR (t.presence_at >= :seen_since
        AND (d.state <> 'off' OR d.reason = 'stopping')))
    AND (v.device_id = :device_id OR :device_id = '')
    AND (:at_once = 0 OR (v.state NOT IN ('finishing', 'turnover', 'out_of_order')
        AND NOT EXISTS (SELECT 1 FROM sessions AS live WHERE live.device_id = v.device_id
            AND live.state IN ('granted', 'starting', 'running', 'ending'))))
    AND NOT EXISTS (SELECT 1 FROM reservations AS r
        WHERE r.device_id = v.device_id AND r.state IN ('held', 'confirmed', 'in_use')
            AND r.starts_at < :to_at AND r.blocked_until > :from_at
            AND r.reservation_id <> :instead_of
            AND NOT (r.state = 'held' AND (r.hold_ends_at <= :now OR EXISTS (
                SELECT 1 FROM orders AS b
                WHERE b.order_id = r.order_id AND b.holder = :holder AND b.holder <> ''))))
    AND NOT EXISTS (SELECT 1 FROM reservations AS u
        WHERE u.device_id = v.device_id AND u.state = 'completed' AND u.starts_at < :to_at
            AND u.blocked_until > :from_at AND u.blocked_until > :now)
    AND NOT EXISTS (SELECT 1 FROM blackouts AS x
        WHERE x.store_id = v.store_id AND (x.device_id IS NULL OR x.device_id = v.device_id)
            AND x.starts_at < :to_at AND x.ends_at > :from_at)
ORDER BY v.number LIMIT 1;

-- name: is_sold(offering_id, device_id, seen_since)$
SELECT EXISTS (SELECT 1
    FROM offered_devices AS d JOIN devices AS v USING (device_id)
    JOIN terminals AS t USING (terminal_id)
    WHERE d.offering_id = :offering_id AND t.standing = 'confirmed' AND v.is_out_of_order = 0
        AND ((d.state = 'on' AND t.presence <> 'gone') OR (t.presence_at >= :seen_since
            AND (d.state <> 'off' OR d.reason = 'stopping')))
        AND (v.device_id = :device_id OR :device_id = ''));

-- name: has_device(store_id, device_id)$
SELECT EXISTS (SELECT 1 FROM devices WHERE store_id = :store_id AND device_id = :device_id);

-- name: add_blackout(blackout_id, store_id, device_id, starts_at, ends_at, reason, made_at)!
INSERT INTO blackouts (blackout_id, store_id, device_id, starts_at, ends_at, reason, made_at)
VALUES (:blackout_id, :store_id, :device_id, :starts_at, :ends_at, :reason, :made_at);

-- name: blackout(blackout_id)^
SELECT blackout_id, store_id, device_id, starts_at, ends_at, reason, made_at FROM blackouts
WHERE blackout_id = :blackout_id;

-- name: blackouts(store_id, from_at, to_at, after, most)
-- Those of one store, or of all of them, that touch a stretch of time, after the one named.
SELECT b.blackout_id, b.store_id, b.device_id, b.starts_at, b.ends_at, b.reason, b.made_at
FROM blackouts AS b LEFT JOIN blackouts AS a ON a.blackout_id = :after
WHERE b.store_id = coalesce(:store_id, b.store_id) AND b.ends_at > :from_at
    AND b.starts_at < :to_at AND (a.blackout_id IS NULL OR b.starts_at > a.starts_at
        OR (b.starts_at = a.starts_at AND b.blackout_id > a.blackout_id))
ORDER BY b.starts_at, b.blackout_id LIMIT :most;

-- name: count_blackouts(store_id, now)$
SELECT count(*) FROM blackouts WHERE store_id = :store_id AND ends_at > :now;

-- name: remove_blackout(blackout_id)!
DELETE FROM blackouts WHERE blackout_id = :blackout_id;

-- name: forget_blackouts(before)!
DELETE FROM blackouts WHERE ends_at < :before;

-- name: sold(store_id, from_at, to_at, now, most)
-- Coming claims of a store in a stretch of time, each with the reason of a blackout of its slot.
SELECT r.reservation_id, r.link, r.offering_id, o.lengths_seconds, r.device_id,
    v.title AS device_title, v.terminal_id, r.starts_at, r.ends_at, s.hours, s.time_zone,
    (SELECT b.reason FROM blackouts AS b WHERE b.store_id = r.store_id
        AND (b.device_id IS NULL OR b.device_id = r.device_id)
        AND b.starts_at < r.ends_at AND b.ends_at > r.starts_at
        ORDER BY b.starts_at, b.blackout_id LIMIT 1) AS blackout
FROM reservations AS r JOIN devices AS v USING (device_id) JOIN offerings AS o USING (offering_id)
JOIN stores AS s ON s.store_id = r.store_id
WHERE r.store_id = :store_id AND (r.state = 'confirmed'
        OR (r.state = 'held' AND r.hold_ends_at > :now))
    AND r.ends_at > :from_at AND r.starts_at < coalesce(:to_at, r.ends_at)
ORDER BY r.starts_at, r.reservation_id LIMIT :most;

-- name: called_to_shut_out(now, most)
-- Claims that an operator looks at because their time is shut out, as they are now.
SELECT p.subject AS reservation_id, v.title AS device_title, r.starts_at, r.ends_at, s.hours,
    s.time_zone, CASE WHEN r.ends_at > :now AND (r.state = 'confirmed'
        OR (r.state = 'held' AND r.hold_ends_at > :now)) THEN 1 ELSE 0 END AS is_coming,
    (SELECT b.reason FROM blackouts AS b WHERE b.store_id = r.store_id
        AND (b.device_id IS NULL OR b.device_id = r.device_id)
        AND b.starts_at < r.ends_at AND b.ends_at > r.starts_at
        ORDER BY b.starts_at, b.blackout_id LIMIT 1) AS blackout
FROM problems AS p JOIN reservations AS r ON r.reservation_id = p.subject
JOIN devices AS v ON v.device_id = r.device_id JOIN stores AS s ON s.store_id = r.store_id
WHERE p.kind = 'reservation_shut_out' AND p.solved_at IS NULL LIMIT :most;

-- name: open_order(order_id, store_id, link, holder, mail, language, made_at)!
INSERT INTO orders (order_id, store_id, link, holder, mail, language, made_at)
VALUES (:order_id, :store_id, :link, :holder, :mail, :language, :made_at);

-- name: order(order_id)^
SELECT order_id, store_id, link, holder, mail, language, made_at FROM orders
WHERE order_id = :order_id;

-- name: order_by_link(link)^
SELECT order_id, store_id, link, holder, mail, language, made_at FROM orders WHERE link = :link;

-- name: address_order(order_id, mail, language)!
UPDATE orders SET mail = :mail, language = :language WHERE order_id = :order_id;

-- name: of_order(order_id)
SELECT r.reservation_id, r.order_id, r.offering_id, o.title AS offering_title,
    o.texts AS offering_texts, r.device_id, v.title AS device_title, v.number AS device_number, r.starts_at, r.ends_at, r.blocked_until,
    r.state, r.hold_ends_at, r.party_size, r.price_cents, r.currency, r.link,
    r.is_charged,
    CASE WHEN EXISTS (SELECT 1 FROM ledger AS e WHERE e.reservation_id = r.reservation_id
        AND e.type = 'reservation.transferred') THEN 1 ELSE 0 END AS is_given_away
FROM reservations AS r JOIN offerings AS o USING (offering_id) JOIN devices AS v USING (device_id)
WHERE r.order_id = :order_id
ORDER BY r.starts_at, v.number, r.reservation_id;

-- name: held_by(holder)
SELECT r.reservation_id, r.state FROM orders AS b JOIN reservations AS r USING (order_id)
WHERE b.holder = :holder AND r.state = 'held';

-- name: book(reservation_id, order_id, store_id, offering_id, device_id, starts_at, ends_at, blocked_until, state, hold_ends_at, party_size, price_cents, currency, link, made_at)!
-- Refused by the database itself where it would overlap another claim to the device.
INSERT INTO reservations (reservation_id, order_id, store_id, offering_id, device_id, starts_at,
    ends_at, blocked_until, state, hold_ends_at, party_size, price_cents, currency, link, made_at,
    changed_at)
VALUES (:reservation_id, :order_id, :store_id, :offering_id, :device_id, :starts_at,
    :ends_at, :blocked_until, :state, :hold_ends_at, :party_size, :price_cents, :currency, :link,
    :made_at, :made_at);

-- name: confirm(reservation_id, before, state, changed_at)!
UPDATE reservations SET state = :state, hold_ends_at = NULL, changed_at = :changed_at
WHERE reservation_id = :reservation_id AND state = :before;

-- name: ask_anew(order_id)!
UPDATE reservations SET is_charged = 0
WHERE order_id = :order_id AND state IN ('held', 'expired', 'cancelled');

-- name: price(reservation_id, price_cents)!
-- What its order is asked for it; what was never asked for is not what a payment is for.
UPDATE reservations SET price_cents = :price_cents, is_charged = 1
WHERE reservation_id = :reservation_id;

-- name: given_up(most)
-- Cancellations that have come to count since they were asked for; each is returned once.
UPDATE reservations SET cancel_asked_at = NULL
WHERE reservation_id IN (SELECT reservation_id FROM reservations
    WHERE cancel_asked_at IS NOT NULL AND state = 'cancelled' LIMIT :most)
RETURNING reservation_id, order_id, price_cents, currency;

-- name: move(reservation_id, device_id, starts_at, ends_at, blocked_until, changed_at)!
-- One change of the whole range: it is never without a place, nor in two.
UPDATE reservations SET device_id = :device_id, starts_at = :starts_at, ends_at = :ends_at,
    blocked_until = :blocked_until, changed_at = :changed_at
WHERE reservation_id = :reservation_id AND state = 'confirmed';

-- name: give_link(reservation_id, link, changed_at)!
UPDATE reservations SET link = :link, changed_at = :changed_at
WHERE reservation_id = :reservation_id AND state = 'confirmed';

-- name: issue_ticket(ticket_id, reservation_id, device_number, revision, token, short_code, issued_at)!
INSERT INTO tickets (ticket_id, reservation_id, device_number, revision, token, short_code, state,
    issued_at)
VALUES (:ticket_id, :reservation_id, :device_number, :revision, :token, :short_code, 'issued',
    :issued_at);

-- name: to_reissue(reservation_id)^
SELECT s.number AS store_number, v.number AS device_number, k.ticket_id, k.revision,
    k.device_number AS ticket_device_number, k.state AS ticket_state, r.starts_at, r.ends_at,
    o.rotates_code
FROM reservations AS r JOIN tickets AS k USING (reservation_id) JOIN devices AS v USING (device_id)
JOIN stores AS s ON s.store_id = r.store_id
JOIN offerings AS o ON o.offering_id = r.offering_id
WHERE r.reservation_id = :reservation_id;

-- name: reissue_ticket(ticket_id, device_number, revision, token, short_code, state, issued_at)!
UPDATE tickets SET device_number = :device_number, revision = :revision, token = :token,
    short_code = :short_code, state = :state, issued_at = :issued_at
WHERE ticket_id = :ticket_id AND state IN ('issued', 'void');

-- name: live_tokens(now)
-- Every ticket that may still open something, with its end.
SELECT k.ticket_id, k.token, r.ends_at, r.device_id
FROM tickets AS k JOIN reservations AS r USING (reservation_id)
WHERE k.state IN ('issued', 'reserved') AND r.state IN ('held', 'confirmed', 'in_use')
    AND r.ends_at > :now;

-- name: sign_anew(ticket_id, before, token)!
UPDATE tickets SET token = :token WHERE ticket_id = :ticket_id AND token = :before;

-- name: token_to_revoke(reservation_id)$
SELECT token FROM tickets WHERE reservation_id = :reservation_id AND state = 'issued';

-- name: revoke(reservation_id, dies_at, revoked_at)!
-- It need not be known for longer than its slot could have been.
INSERT INTO revocations (ticket_id, revision, store_id, dies_at, revoked_at)
SELECT k.ticket_id, k.revision, r.store_id, CAST(:dies_at AS BIGINT), CAST(:revoked_at AS BIGINT)
FROM tickets AS k JOIN reservations AS r USING (reservation_id)
WHERE k.reservation_id = :reservation_id AND k.state = 'issued'
    AND CAST(:dies_at AS BIGINT) > CAST(:revoked_at AS BIGINT)
ON CONFLICT DO NOTHING;

-- name: forget_revocations(before)!
DELETE FROM revocations WHERE dies_at < :before;

-- name: by_link(link)^
SELECT r.reservation_id, r.store_id, s.title AS store_title, s.time_zone, r.offering_id,
    o.title AS offering_title, o.texts AS offering_texts, r.device_id, v.title AS device_title,
    v.number AS device_number, r.order_id, r.party_size, r.hold_ends_at, o.change_seconds, o.cancel_seconds,
    r.starts_at, r.ends_at, r.state, r.price_cents, r.currency, r.link, r.made_at,
    r.cancel_asked_at, EXISTS (SELECT 1 FROM held_tickets AS h WHERE h.ticket_id = k.ticket_id
        AND h.state <> 'released') AS is_held,
    (SELECT coalesce(sum(c.cents), 0) FROM compensations AS c
        WHERE c.reservation_id = r.reservation_id) AS compensated_cents,
    o.early_seconds, k.ticket_id, k.token, k.short_code, k.revision, k.state AS ticket_state,
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

-- name: close(reservation_id, before, state, changed_at)!
UPDATE reservations SET state = :state, changed_at = :changed_at
WHERE reservation_id = :reservation_id AND state = :before;

-- name: ask_to_cancel(link, asked_at)!
-- Its ticket is held by a terminal: it counts when that has given it back.
UPDATE reservations SET cancel_asked_at = coalesce(cancel_asked_at, :asked_at)
WHERE link = :link AND state IN ('held', 'confirmed');

-- name: void_ticket(reservation_id)!
UPDATE tickets SET state = 'void' WHERE reservation_id = :reservation_id AND state = 'issued';

-- name: overdue(now, most)
-- Holds that are over; and confirmed claims whose ticket was never shown, by all who could know, within
-- their grace or, where there is none, their slot.
SELECT r.reservation_id, r.state, r.order_id, r.link, r.starts_at, r.hold_ends_at AS over_at
FROM reservations AS r WHERE r.state = 'held' AND r.hold_ends_at <= :now
UNION ALL
SELECT r.reservation_id, r.state, r.order_id, r.link, r.starts_at, r.starts_at AS over_at
FROM reservations AS r JOIN tickets AS k USING (reservation_id)
JOIN offerings AS o USING (offering_id)
WHERE r.starts_at <= :now AND r.state = 'confirmed' AND k.state = 'issued'
    AND (r.ends_at <= :now OR r.starts_at + o.grace_seconds * 1000 <= :now)
    AND NOT EXISTS (SELECT 1 FROM held_tickets AS h WHERE h.ticket_id = k.ticket_id
        AND h.state <> 'released')
    AND NOT EXISTS (SELECT 1 FROM sessions AS s WHERE s.reservation_id = r.reservation_id)
ORDER BY over_at LIMIT :most;

-- name: over_on(device_id, from_at, to_at, now)
-- The same of one device in a stretch of time.
SELECT r.reservation_id, r.state
FROM reservations AS r JOIN tickets AS k USING (reservation_id)
JOIN offerings AS o USING (offering_id)
WHERE r.device_id = :device_id AND r.state IN ('held', 'confirmed', 'in_use')
    AND r.starts_at < :to_at AND r.blocked_until > :from_at
    AND ((r.state = 'held' AND r.hold_ends_at <= :now) OR (r.state = 'confirmed' AND k.state = 'issued'
    AND (r.ends_at <= :now OR r.starts_at + o.grace_seconds * 1000 <= :now)
    AND NOT EXISTS (SELECT 1 FROM held_tickets AS h WHERE h.ticket_id = k.ticket_id
        AND h.state <> 'released')
    AND NOT EXISTS (SELECT 1 FROM sessions AS s WHERE s.reservation_id = r.reservation_id)));

-- name: over_on_offering(offering_id, from_at, to_at, now)
-- The same of every device of an offering.
SELECT r.reservation_id, r.state
FROM offered_devices AS d JOIN reservations AS r USING (device_id)
JOIN tickets AS k USING (reservation_id) JOIN offerings AS o ON o.offering_id = r.offering_id
WHERE d.offering_id = :offering_id AND r.state IN ('held', 'confirmed', 'in_use')
    AND r.starts_at < :to_at + o.turnover_seconds * 1000
    AND r.blocked_until > :from_at
    AND ((r.state = 'held' AND r.hold_ends_at <= :now) OR (r.state = 'confirmed'
        AND k.state = 'issued'
        AND (r.ends_at <= :now OR r.starts_at + o.grace_seconds * 1000 <= :now)
        AND NOT EXISTS (SELECT 1 FROM held_tickets AS h WHERE h.ticket_id = k.ticket_id
            AND h.state <> 'released')
        AND NOT EXISTS (SELECT 1 FROM sessions AS s WHERE s.reservation_id = r.reservation_id)));

-- name: count_waiting(offering_id, starts_at)$
SELECT count(*) FROM waiting WHERE offering_id = :offering_id AND starts_at = :starts_at
    AND state IN ('waiting', 'offered');

-- name: waiting_of(mail)
SELECT offering_id, starts_at FROM waiting
WHERE mail = :mail AND state IN ('waiting', 'offered');

-- name: join_waiting(waiting_id, offering_id, link, starts_at, ends_at, party_size, mail, language, made_at)!
INSERT INTO waiting (waiting_id, offering_id, link, starts_at, ends_at, party_size, mail, language,
    state, made_at, changed_at)
VALUES (:waiting_id, :offering_id, :link, :starts_at, :ends_at, :party_size, :mail, :language,
    'waiting', :made_at, :made_at);

-- name: waiting_by_link(link)^
SELECT w.waiting_id, w.link, w.offering_id, o.title AS offering_title,
    o.texts AS offering_texts, s.title AS store_title,
    s.time_zone, w.starts_at, w.ends_at, w.state, b.link AS order_link,
    (SELECT count(*) FROM waiting AS n WHERE n.offering_id = w.offering_id
        AND n.starts_at = w.starts_at AND n.state IN ('waiting', 'offered')
        AND (n.made_at < w.made_at OR (n.made_at = w.made_at AND n.waiting_id < w.waiting_id)))
        AS before_you
FROM waiting AS w JOIN offerings AS o USING (offering_id)
JOIN stores AS s ON s.store_id = o.store_id LEFT JOIN orders AS b ON b.order_id = w.order_id
WHERE w.link = :link;

-- name: turn_waiting(waiting_id, before, state, changed_at)!
UPDATE waiting SET state = :state, changed_at = :changed_at
WHERE waiting_id = :waiting_id AND state = :before;

-- name: offer_place(waiting_id, order_id, state, changed_at)!
UPDATE waiting SET state = :state, order_id = :order_id, changed_at = :changed_at
WHERE waiting_id = :waiting_id AND state = 'waiting';

-- name: waiting_and_possible(now, most)
-- Who waits for a slot that has not begun, and nobody who came before him for the same does.
SELECT w.waiting_id, w.link, w.offering_id, w.starts_at, w.ends_at, w.party_size, w.mail,
    w.language, w.state
FROM waiting AS w WHERE w.state = 'waiting' AND w.starts_at > :now
    AND NOT EXISTS (SELECT 1 FROM waiting AS n WHERE n.offering_id = w.offering_id
        AND n.starts_at = w.starts_at AND n.ends_at = w.ends_at AND n.state = 'waiting'
        AND (n.made_at < w.made_at OR (n.made_at = w.made_at AND n.waiting_id < w.waiting_id)))
    AND EXISTS (SELECT 1 FROM offered_devices AS d JOIN devices AS v USING (device_id)
        WHERE d.offering_id = w.offering_id AND d.state = 'on' AND v.is_out_of_order = 0
            AND NOT EXISTS (SELECT 1 FROM reservations AS r WHERE r.device_id = v.device_id
                AND r.state IN ('held', 'confirmed', 'in_use') AND r.starts_at < w.ends_at
                AND r.blocked_until > w.starts_at
                AND NOT (r.state = 'held' AND r.hold_ends_at <= :now))
            AND NOT EXISTS (SELECT 1 FROM blackouts AS x WHERE x.store_id = v.store_id
                AND (x.device_id IS NULL OR x.device_id = v.device_id)
                AND x.starts_at < w.ends_at AND x.ends_at > w.starts_at))
ORDER BY w.starts_at, w.made_at, w.waiting_id LIMIT :most;

-- name: waiting_to_settle(now, most)
-- Offers that were taken or let go, and those whose slot has begun.
SELECT w.waiting_id, w.state, CASE WHEN EXISTS (SELECT 1 FROM reservations AS r
    WHERE r.order_id = w.order_id AND r.state NOT IN ('held', 'expired', 'cancelled'))
    THEN 1 ELSE 0 END AS is_taken
FROM waiting AS w
WHERE (w.state = 'offered' AND NOT EXISTS (SELECT 1 FROM reservations AS r
        WHERE r.order_id = w.order_id AND r.state = 'held'))
    OR (w.state = 'waiting' AND w.starts_at <= :now)
ORDER BY w.waiting_id LIMIT :most;

-- name: answer_given(key, route)^
SELECT body_digest, status, body FROM web_answers WHERE key = :key AND route = :route;

-- name: keep_answer(key, route, body_digest, status, body, made_at)!
INSERT INTO web_answers (key, route, body_digest, status, body, made_at)
VALUES (:key, :route, :body_digest, :status, :body, :made_at);

-- name: forget_answers(before)!
DELETE FROM web_answers WHERE made_at < :before;

-- What the operator looks through, page by page; nothing is written here.

-- name: store_of(device_id)$
SELECT store_id FROM devices WHERE device_id = :device_id;

-- name: listed(after_at, after_id, to_at, device_id, state, most)
-- For the operator: by when they begin, each page after the last row of the one before.
SELECT r.reservation_id, r.store_id, r.offering_id, o.title AS offering_title, r.device_id,
    v.number AS device_number, r.starts_at, r.ends_at, r.state, r.party_size, r.price_cents,
    r.currency, r.link, r.made_at, b.mail, b.link AS order_link
FROM reservations AS r JOIN offerings AS o USING (offering_id) JOIN devices AS v USING (device_id)
LEFT JOIN orders AS b ON b.order_id = r.order_id
WHERE (r.starts_at, r.reservation_id) > (:after_at, :after_id) AND r.starts_at < :to_at
    AND (:device_id = '' OR r.device_id = :device_id) AND (:state = '' OR r.state = :state)
ORDER BY r.starts_at, r.reservation_id LIMIT :most;

-- name: listed_in(store_id, after_at, after_id, to_at, device_id, state, most)
-- The same of one store.
SELECT r.reservation_id, r.store_id, r.offering_id, o.title AS offering_title, r.device_id,
    v.number AS device_number, r.starts_at, r.ends_at, r.state, r.party_size, r.price_cents,
    r.currency, r.link, r.made_at, b.mail, b.link AS order_link
FROM reservations AS r JOIN offerings AS o USING (offering_id) JOIN devices AS v USING (device_id)
LEFT JOIN orders AS b ON b.order_id = r.order_id
WHERE r.store_id = :store_id AND (r.starts_at, r.reservation_id) > (:after_at, :after_id)
    AND r.starts_at < :to_at
    AND (:device_id = '' OR r.device_id = :device_id) AND (:state = '' OR r.state = :state)
ORDER BY r.starts_at, r.reservation_id LIMIT :most;

-- name: listed_for(mail, store_id, after_at, after_id, to_at, device_id, state, most)
-- The same of one customer, whose reservations are few.
SELECT r.reservation_id, r.store_id, r.offering_id, o.title AS offering_title, r.device_id,
    v.number AS device_number, r.starts_at, r.ends_at, r.state, r.party_size, r.price_cents,
    r.currency, r.link, r.made_at, b.mail, b.link AS order_link
FROM orders AS b JOIN reservations AS r ON r.order_id = b.order_id
JOIN offerings AS o ON o.offering_id = r.offering_id JOIN devices AS v ON v.device_id = r.device_id
WHERE b.mail = :mail AND b.mail <> '' AND (:store_id = '' OR r.store_id = :store_id)
    AND (r.starts_at, r.reservation_id) > (:after_at, :after_id) AND r.starts_at < :to_at
    AND (:device_id = '' OR r.device_id = :device_id) AND (:state = '' OR r.state = :state)
ORDER BY r.starts_at, r.reservation_id LIMIT :most;

-- name: orders_listed(before_at, before_id, from_at, most)
-- For the operator: the latest first, each page after the last row of the one before.
SELECT b.order_id, b.link, b.store_id, b.mail, b.language, b.made_at, (SELECT count(*)
    FROM reservations AS r WHERE r.order_id = b.order_id) AS reservations
FROM orders AS b
WHERE (b.made_at, b.order_id) < (:before_at, :before_id) AND b.made_at >= :from_at
ORDER BY b.made_at DESC, b.order_id DESC LIMIT :most;

-- name: orders_in(store_id, before_at, before_id, from_at, most)
-- The same of one store.
SELECT b.order_id, b.link, b.store_id, b.mail, b.language, b.made_at, (SELECT count(*)
    FROM reservations AS r WHERE r.order_id = b.order_id) AS reservations
FROM orders AS b
WHERE b.store_id = :store_id AND (b.made_at, b.order_id) < (:before_at, :before_id)
    AND b.made_at >= :from_at
ORDER BY b.made_at DESC, b.order_id DESC LIMIT :most;

-- name: orders_for(mail, store_id, before_at, before_id, from_at, most)
-- The same of one customer.
SELECT b.order_id, b.link, b.store_id, b.mail, b.language, b.made_at, (SELECT count(*)
    FROM reservations AS r WHERE r.order_id = b.order_id) AS reservations
FROM orders AS b
WHERE b.mail = :mail AND b.mail <> '' AND (:store_id = '' OR b.store_id = :store_id)
    AND (b.made_at, b.order_id) < (:before_at, :before_id) AND b.made_at >= :from_at
ORDER BY b.made_at DESC, b.order_id DESC LIMIT :most;

-- name: ticket_stands(link)^
-- All that a ticket's page hangs on beside the clock: another row, and the page is read again.
SELECT r.state, r.changed_at, r.device_id, r.cancel_asked_at, r.extends_itself,
    k.state AS ticket_state, k.revision, u.session_id, u.state AS session_state, u.deadline_at,
    u.is_presumed, v.state AS device_state, v.state_at, v.is_out_of_order, t.presence,
    o.session_id AS used_by, o.state AS used, o.deadline_at AS used_until,
    (SELECT count(*) FROM reservations AS n WHERE n.device_id = r.device_id
        AND n.state IN ('held', 'confirmed', 'in_use') AND n.state <> 'held'
        AND n.starts_at < r.starts_at) AS before_you,
    (SELECT b.number FROM help_boards AS b WHERE b.store_id = r.store_id) AS helpers,
    (SELECT count(*) FROM help_calls AS c WHERE c.reservation_id = r.reservation_id
        AND c.state <> 'ended') AS calls,
    (SELECT max(g.entry_id) FROM ledger AS g WHERE g.reservation_id = r.reservation_id) AS entry,
    (SELECT max(p.changed_at) FROM payments AS p WHERE p.order_id = r.order_id) AS paid_at
FROM reservations AS r
JOIN tickets AS k USING (reservation_id)
JOIN devices AS v ON v.device_id = r.device_id
JOIN terminals AS t ON t.terminal_id = v.terminal_id
LEFT JOIN sessions AS u ON u.session_id = (
    SELECT session_id FROM sessions WHERE reservation_id = r.reservation_id
    ORDER BY granted_at DESC, fence DESC LIMIT 1)
LEFT JOIN sessions AS o ON o.device_id = r.device_id AND o.reservation_id <> r.reservation_id
    AND o.state IN ('granted', 'starting', 'running', 'ending')
WHERE r.link = :link;

-- name: waiting_stands(link)^
-- All that the page of a place in the waiting list hangs on.
SELECT w.state, w.changed_at, w.order_id, (SELECT count(*) FROM waiting AS n
    WHERE n.offering_id = w.offering_id AND n.starts_at = w.starts_at
        AND n.state IN ('waiting', 'offered')
        AND (n.made_at < w.made_at OR (n.made_at = w.made_at AND n.waiting_id < w.waiting_id)))
    AS before_you
FROM waiting AS w WHERE w.link = :link;

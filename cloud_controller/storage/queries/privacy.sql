-- What is known of customers: found for one, forgotten for one, or for all after a while. Written by the privacy flow; sums and times stay, without anybody.

-- name: orders_of_mail(mail)
SELECT order_id, store_id, link, mail, language, made_at FROM orders
WHERE mail = :mail AND mail <> '' ORDER BY made_at, order_id;

-- name: order_of_ticket(link)^
-- A ticket that was given to somebody else tells nothing of who booked it.
SELECT b.order_id, b.store_id, b.link, b.mail, b.language, b.made_at
FROM reservations AS r JOIN orders AS b USING (order_id)
WHERE r.link = :link AND NOT EXISTS (SELECT 1 FROM ledger AS g
    WHERE g.reservation_id = r.reservation_id AND g.type = 'reservation.transferred');

-- name: reservations_of_order(order_id)
SELECT r.reservation_id, r.store_id, r.state, r.starts_at, r.ends_at, r.price_cents, r.currency,
    r.party_size, r.made_at, o.title AS offering_title
FROM reservations AS r JOIN offerings AS o USING (offering_id)
WHERE r.order_id = :order_id ORDER BY r.starts_at, r.reservation_id;

-- name: reservations_given_to(mail)
-- What somebody else had booked and gave to this address.
SELECT DISTINCT r.reservation_id, r.store_id, r.state, r.starts_at, r.ends_at, r.price_cents,
    r.currency, r.party_size, r.made_at, o.title AS offering_title
FROM letters AS t JOIN reservations AS r ON r.reservation_id = t.reservation_id
JOIN offerings AS o ON o.offering_id = r.offering_id
WHERE t.recipient = :mail AND t.recipient <> '' AND t.kind = 'transferred'
ORDER BY r.starts_at, r.reservation_id;

-- name: sessions_of(reservation_id)
SELECT session_id, state, granted_at, running_at, ended_at, end_reason, delivered_seconds
FROM sessions WHERE reservation_id = :reservation_id ORDER BY granted_at, session_id;

-- name: events_of(reservation_id)
SELECT at, type FROM ledger WHERE reservation_id = :reservation_id ORDER BY entry_id;

-- name: lines_of(reservation_id)
SELECT n.side, n.text, n.at FROM help_lines AS n JOIN help_calls AS c USING (call_id)
WHERE c.reservation_id = :reservation_id ORDER BY n.at, n.call_id, n.number;

-- name: payments_of(order_id)
SELECT payment_id, method, state, due_cents, currency, made_at FROM payments
WHERE order_id = :order_id ORDER BY made_at, payment_id;

-- name: receipts_of(order_id)
SELECT store_id, year, number, kind, total_cents, currency, issued_at FROM receipts
WHERE order_id = :order_id ORDER BY issued_at, number;

-- name: waits_of(mail)
SELECT offering_id, starts_at, ends_at, party_size, language, state, made_at FROM waiting
WHERE mail = :mail AND mail <> '' ORDER BY made_at, waiting_id;

-- name: letters_of(mail)
SELECT kind, state, language, made_at FROM letters
WHERE recipient = :mail AND recipient <> '' ORDER BY made_at, letter_id;

-- name: live_of(order_id)$
-- What is still ahead, or in use: its customer has to be reached.
SELECT count(*) FROM reservations
WHERE order_id = :order_id AND state IN ('held', 'confirmed', 'in_use');

-- name: unsettled_of(order_id)$
-- Money that is under way still goes where it came from.
SELECT (SELECT count(*) FROM payments AS p WHERE p.order_id = :order_id AND p.state = 'pending')
    + (SELECT count(*) FROM payment_calls AS c JOIN payments AS p USING (payment_id)
        WHERE p.order_id = :order_id AND c.state = 'due');

-- name: forget_order(order_id, link)!
UPDATE orders SET mail = '', holder = '', link = :link WHERE order_id = :order_id;

-- name: forget_link(reservation_id, link)!
UPDATE reservations SET link = :link WHERE reservation_id = :reservation_id;

-- name: forget_lines(reservation_id)!
DELETE FROM help_lines WHERE call_id IN
    (SELECT call_id FROM help_calls WHERE reservation_id = :reservation_id);

-- name: forget_waits(mail, at)!
UPDATE waiting SET mail = '', changed_at = :at,
    state = CASE WHEN state IN ('waiting', 'offered') THEN 'withdrawn' ELSE state END
WHERE mail = :mail AND mail <> '';

-- name: forget_letters(mail, at)!
UPDATE letters SET recipient = '', facts = '{}', message_id = NULL, changed_at = :at,
    state = CASE WHEN state = 'queued' THEN 'withdrawn' ELSE state END
WHERE recipient = :mail AND recipient <> '';

-- name: forget_old_orders(before, most)!
-- So long after the last of it was over, whose an order was is nobody's business any more.
UPDATE orders SET mail = '', holder = ''
WHERE order_id IN (SELECT b.order_id FROM orders AS b
    WHERE (b.mail <> '' OR b.holder <> '') AND b.made_at < :before AND NOT EXISTS (
        SELECT 1 FROM reservations AS r WHERE r.order_id = b.order_id
            AND (r.ends_at >= :before OR r.state IN ('held', 'confirmed', 'in_use')))
    ORDER BY b.made_at LIMIT :most);

-- name: forget_old_waits(before)!
UPDATE waiting SET mail = ''
WHERE mail <> '' AND state NOT IN ('waiting', 'offered') AND changed_at < :before
    AND ends_at < :before;

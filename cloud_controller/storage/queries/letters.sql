-- Letters to customers, and what they and the papers say of tickets. Written by the letters flow.

-- name: queue(letter_id, kind, recipient, language, facts, order_id, reservation_id, at)!
INSERT INTO letters (letter_id, kind, recipient, language, facts, order_id, reservation_id, state,
    next_at, made_at, changed_at)
VALUES (:letter_id, :kind, :recipient, :language, :facts, :order_id, :reservation_id, 'queued',
    :at, :at, :at);

-- name: due(now, most)
SELECT letter_id, kind, recipient, language, facts, order_id, attempts, message_id, made_at
FROM letters WHERE state = 'queued' AND next_at <= :now ORDER BY next_at LIMIT :most;

-- name: note_attempt(letter_id, attempts, next_at, message_id)!
-- Written before it is sent: a kill in between repeats it once, under the same name.
UPDATE letters SET attempts = :attempts, next_at = :next_at,
    message_id = coalesce(message_id, :message_id)
WHERE letter_id = :letter_id AND state = 'queued';

-- name: put_off(letter_id, next_at, refusal)!
UPDATE letters SET next_at = :next_at, refusal = :refusal
WHERE letter_id = :letter_id AND state = 'queued';

-- name: close(letter_id, state, refusal, at)!
UPDATE letters SET state = :state, refusal = :refusal, changed_at = :at
WHERE letter_id = :letter_id AND state = 'queued';

-- name: set_aside(at)!
UPDATE letters SET state = 'not_configured', changed_at = :at WHERE state = 'queued';

-- name: forget(before)!
-- What is older has no address any more, and nothing of what it said; whose a ticket is that was
-- given to him is known for as long as it is ahead.
UPDATE letters SET recipient = '', facts = '{}', message_id = NULL
WHERE recipient <> '' AND state <> 'queued' AND changed_at < :before
    AND NOT (kind = 'transferred' AND EXISTS (SELECT 1 FROM reservations AS r
        WHERE r.reservation_id = letters.reservation_id AND r.ends_at >= :before));

-- name: lately(recipient, kind, since, most)$
SELECT count(*) FROM (SELECT 1 FROM letters
    WHERE recipient = :recipient AND recipient <> '' AND kind = :kind AND made_at > :since
    LIMIT :most) AS found;

-- name: holder(reservation_id)^
-- Whom a reservation was given to last, by the letter about that; no row: it never was given, or
-- last to somebody who wanted no letters.
SELECT t.recipient, t.language FROM letters AS t
WHERE t.reservation_id = :reservation_id AND t.kind = 'transferred' AND NOT EXISTS (
    SELECT 1 FROM ledger AS g WHERE g.reservation_id = t.reservation_id
        AND g.type = 'reservation.transferred' AND g.at > t.made_at)
ORDER BY t.made_at DESC, t.letter_id LIMIT 1;

-- name: times_given_away(reservation_id)$
SELECT count(*) FROM ledger
WHERE reservation_id = :reservation_id AND type = 'reservation.transferred';

-- name: about_order(order_id, most)
-- What of an order is still its customer's own.
SELECT r.link, r.starts_at, r.ends_at, r.currency, s.title AS store_title, s.time_zone,
    o.title AS offering_title
FROM reservations AS r
JOIN stores AS s ON s.store_id = r.store_id
JOIN offerings AS o ON o.offering_id = r.offering_id
WHERE r.order_id = :order_id AND NOT EXISTS (SELECT 1 FROM ledger AS g
    WHERE g.reservation_id = r.reservation_id AND g.type = 'reservation.transferred')
ORDER BY r.starts_at, r.reservation_id LIMIT :most;

-- name: about_reservation(reservation_id)
SELECT r.link, r.starts_at, r.ends_at, r.currency, s.title AS store_title, s.time_zone,
    o.title AS offering_title
FROM reservations AS r
JOIN stores AS s ON s.store_id = r.store_id
JOIN offerings AS o ON o.offering_id = r.offering_id
WHERE r.reservation_id = :reservation_id;

-- name: links_of_mail(mail, now, most)
-- What somebody with this address still has before them, the next first.
SELECT r.link, r.starts_at, r.reservation_id
FROM orders AS o JOIN reservations AS r ON r.order_id = o.order_id
WHERE o.mail = :mail AND o.mail <> '' AND r.state IN ('held', 'confirmed', 'in_use')
    AND r.ends_at > :now AND NOT EXISTS (SELECT 1 FROM ledger AS g
        WHERE g.reservation_id = r.reservation_id AND g.type = 'reservation.transferred')
UNION
SELECT r.link, r.starts_at, r.reservation_id
FROM letters AS t JOIN reservations AS r ON r.reservation_id = t.reservation_id
WHERE t.recipient = :mail AND t.kind = 'transferred' AND t.recipient <> ''
    AND r.state IN ('held', 'confirmed', 'in_use') AND r.ends_at > :now
    AND NOT EXISTS (SELECT 1 FROM ledger AS g WHERE g.reservation_id = r.reservation_id
        AND g.type = 'reservation.transferred' AND g.at > t.made_at)
ORDER BY starts_at, reservation_id LIMIT :most;

-- name: besides(link)^
-- What a ticket's page and papers show besides the ticket itself.
SELECT r.reservation_id, r.state, r.hold_ends_at, r.party_size, r.order_id, r.made_at,
    r.changed_at, k.revision, k.short_code, k.state AS ticket_state, s.directions, o.link AS
    order_link
FROM reservations AS r
JOIN stores AS s ON s.store_id = r.store_id
JOIN tickets AS k ON k.reservation_id = r.reservation_id
LEFT JOIN orders AS o ON o.order_id = r.order_id
WHERE r.link = :link;

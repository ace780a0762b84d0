-- Sessions that go on for longer. Written by the extensions flow: reservation and session in one act.

-- name: running(session_id, terminal_id)^
-- A session with its claim; what was lent to another controller, or borrowed of one, is not ours.
SELECT u.session_id, u.terminal_id, u.device_id, u.state, u.wanted, u.deadline_at,
    u.extended_seconds, r.reservation_id, r.state AS reservation_state, r.order_id, r.store_id,
    r.offering_id, r.starts_at, r.ends_at, r.blocked_until, r.party_size, r.currency, r.link,
    r.extends_itself,
    CASE WHEN EXISTS (SELECT 1 FROM commands AS c WHERE c.session_id = u.session_id
        AND c.type = 'session.stop') THEN 1 ELSE 0 END AS is_told_to_stop,
    CASE WHEN EXISTS (SELECT 1 FROM borrowed_tickets AS b WHERE b.ticket_id = u.ticket_id)
        OR EXISTS (SELECT 1 FROM store_peers AS p WHERE p.store_id = r.store_id)
        THEN 0 ELSE 1 END AS is_ours
FROM sessions AS u JOIN reservations AS r USING (reservation_id)
WHERE u.session_id = :session_id AND u.terminal_id = :terminal_id;

-- name: latest_of(link)^
-- The latest session of a ticket.
SELECT u.session_id, u.terminal_id FROM sessions AS u JOIN reservations AS r USING (reservation_id)
WHERE r.link = :link ORDER BY u.granted_at DESC, u.fence DESC LIMIT 1;

-- name: somebody_waits(offering_id, from_at, until_at)$
SELECT EXISTS (SELECT 1 FROM waiting WHERE offering_id = :offering_id
    AND state IN ('waiting', 'offered') AND starts_at < :until_at AND ends_at > :from_at);

-- name: extend_reservation(reservation_id, before, more_ms, cents, changed_at)!
-- Its turnover goes with it; refused by the database itself where it would overlap another claim.
UPDATE reservations SET ends_at = ends_at + :more_ms, blocked_until = blocked_until + :more_ms,
    price_cents = price_cents + :cents, changed_at = :changed_at
WHERE reservation_id = :reservation_id AND state = 'in_use' AND ends_at = :before;

-- name: extend_session(session_id, before, deadline_at, seconds)!
UPDATE sessions SET deadline_at = :deadline_at, granted_seconds = granted_seconds + :seconds,
    extended_seconds = extended_seconds + :seconds
WHERE session_id = :session_id AND state = 'running' AND wanted = 'run' AND deadline_at = :before;

-- name: extend_forgotten(session_id, deadline_at, extended_seconds)!
-- What an old backup has forgotten: its terminal holds our right, and goes by it.
UPDATE sessions SET granted_seconds = granted_seconds + (:extended_seconds - extended_seconds),
    deadline_at = CASE WHEN deadline_at < :deadline_at THEN :deadline_at ELSE deadline_at END,
    extended_seconds = :extended_seconds
WHERE session_id = :session_id AND extended_seconds < :extended_seconds;

-- name: shorten_session(session_id, before, deadline_at, seconds)!
-- What is left of it goes on elsewhere: it is promised so much less.
UPDATE sessions SET deadline_at = :deadline_at, granted_seconds = granted_seconds - :seconds
WHERE session_id = :session_id AND state = 'running' AND wanted = 'run' AND deadline_at = :before
    AND granted_seconds > :seconds;

-- name: shorten_reservation(reservation_id, before, ends_at, less_cents, changed_at)!
UPDATE reservations SET ends_at = :ends_at, blocked_until = blocked_until - (ends_at - :ends_at),
    price_cents = price_cents - :less_cents, changed_at = :changed_at
WHERE reservation_id = :reservation_id AND state = 'in_use' AND ends_at = :before
    AND starts_at < :ends_at;

-- name: agree(link, extends_itself, changed_at)!
UPDATE reservations SET extends_itself = :extends_itself, changed_at = :changed_at
WHERE link = :link AND state IN ('held', 'confirmed', 'in_use');

-- name: agree_order(order_id)!
UPDATE reservations SET extends_itself = 1 WHERE order_id = :order_id
    AND state IN ('held', 'confirmed');

-- name: extends_itself(reservation_id)$
SELECT extends_itself FROM reservations WHERE reservation_id = :reservation_id;

-- name: ask_for_pay(payment_id, session_id, terminal_id, order_id, seconds, cents, asked_at)!
-- Asked for the same again it is the same payment.
INSERT INTO extensions (payment_id, session_id, terminal_id, order_id, seconds, cents, state,
    asked_at, changed_at)
VALUES (:payment_id, :session_id, :terminal_id, :order_id, :seconds, :cents, 'asked', :asked_at,
    :asked_at)
ON CONFLICT (payment_id) DO NOTHING;

-- name: paid(order_id)
-- Extensions that were asked for, and whose money has come.
SELECT e.payment_id, e.session_id, e.terminal_id, e.seconds, e.cents
FROM extensions AS e JOIN payments AS p USING (payment_id)
WHERE e.order_id = :order_id AND e.state = 'asked' AND p.state = 'paid' ORDER BY e.asked_at;

-- name: payment_url(session_id)$
-- Where the extension is paid that was asked for this session, and for no other of its order.
SELECT p.checkout_url FROM extensions AS e JOIN payments AS p USING (payment_id)
WHERE e.session_id = :session_id AND p.state = 'pending' AND p.checkout_url <> '';

-- name: asked_for(order_id)$
-- Whose time this order is asked to pay for now; it has one payment at most that is pending.
SELECT e.session_id FROM extensions AS e JOIN payments AS p USING (payment_id)
WHERE e.order_id = :order_id AND p.state = 'pending';

-- name: settle(payment_id, state, changed_at)!
UPDATE extensions SET state = :state, changed_at = :changed_at
WHERE payment_id = :payment_id AND state = 'asked';

-- What operators have begun on devices from afar. Written by the acts flow.

-- name: place(device_id)^
-- A device as it stands, with an offering that it serves: one that is on rather than one that is not.
SELECT v.device_id, v.store_id, v.number, v.title, v.terminal_id, v.state, v.is_out_of_order,
    t.standing, t.broker_role, t.presence, s.number AS store_number,
    EXISTS (SELECT 1 FROM sessions AS live WHERE live.device_id = v.device_id
        AND live.state IN ('granted', 'starting', 'running', 'ending')) AS is_used,
    (SELECT d.offering_id FROM offered_devices AS d WHERE d.device_id = v.device_id
        ORDER BY CASE WHEN d.state = 'on' THEN 0 ELSE 1 END, d.offering_id LIMIT 1) AS offering_id
FROM devices AS v JOIN terminals AS t USING (terminal_id)
JOIN stores AS s ON s.store_id = v.store_id
WHERE v.device_id = :device_id;

-- name: live_on(device_id)^
-- Whoever uses a device now, with his claim.
SELECT u.session_id, u.terminal_id, u.state, u.deadline_at, r.reservation_id, r.link
FROM sessions AS u JOIN reservations AS r USING (reservation_id)
WHERE u.device_id = :device_id AND u.state IN ('granted', 'starting', 'running', 'ending')
ORDER BY u.granted_at DESC LIMIT 1;

-- name: reservation(reservation_id)^
-- A claim with its latest session, and whether it is another controller's to change.
SELECT r.reservation_id, r.link, r.store_id, r.device_id, r.offering_id, r.order_id, r.state,
    r.starts_at, r.ends_at, r.blocked_until, r.price_cents, r.currency, r.party_size,
    u.session_id, u.state AS session_state, u.terminal_id, u.deadline_at, u.wanted,
    CASE WHEN EXISTS (SELECT 1 FROM tickets AS k JOIN borrowed_tickets AS b USING (ticket_id)
            WHERE k.reservation_id = r.reservation_id)
        OR EXISTS (SELECT 1 FROM store_peers AS p WHERE p.store_id = r.store_id)
        THEN 0 ELSE 1 END AS is_ours,
    EXISTS (SELECT 1 FROM staff_uses AS w WHERE w.from_session = u.session_id
        AND w.settled_at IS NULL) AS is_moving
FROM reservations AS r LEFT JOIN sessions AS u ON u.session_id = (
    SELECT session_id FROM sessions WHERE reservation_id = r.reservation_id
    ORDER BY granted_at DESC, fence DESC LIMIT 1)
WHERE r.reservation_id = :reservation_id;

-- name: token_of(reservation_id)^
SELECT k.ticket_id, k.token, r.link FROM reservations AS r JOIN tickets AS k USING (reservation_id)
WHERE r.reservation_id = :reservation_id;

-- name: note_use(reservation_id, device_id, purpose, operator, from_session, puts_out, is_to_scan, made_at)!
INSERT INTO staff_uses (reservation_id, device_id, purpose, operator, from_session, puts_out,
    is_to_scan, made_at)
VALUES (:reservation_id, :device_id, :purpose, :operator, :from_session, :puts_out, :is_to_scan,
    :made_at);

-- name: note_scanned(reservation_id)!
UPDATE staff_uses SET is_to_scan = 0 WHERE reservation_id = :reservation_id AND is_to_scan = 1;

-- name: has_to_settle()$
SELECT EXISTS (SELECT 1 FROM staff_uses WHERE settled_at IS NULL);

-- name: unsettled(most)
-- What is under way, each with how far it has come.
SELECT w.reservation_id, w.device_id, w.purpose, w.operator, w.from_session, w.puts_out, w.is_to_scan,
    w.made_at, r.state AS reservation_state, r.link, r.ends_at, u.session_id, u.state AS session_state,
    u.deadline_at
FROM staff_uses AS w JOIN reservations AS r USING (reservation_id)
LEFT JOIN sessions AS u ON u.session_id = (
    SELECT session_id FROM sessions WHERE reservation_id = w.reservation_id
    ORDER BY granted_at DESC, fence DESC LIMIT 1)
WHERE w.settled_at IS NULL ORDER BY w.made_at LIMIT :most;

-- name: hand_over(reservation_id)!
-- Whom it was moved from has been told to stop: that is done once.
UPDATE staff_uses SET from_session = NULL
WHERE reservation_id = :reservation_id AND from_session IS NOT NULL;

-- name: settle(reservation_id, settled_at)!
UPDATE staff_uses SET settled_at = :settled_at
WHERE reservation_id = :reservation_id AND settled_at IS NULL;

-- name: moved_from(session_id)^
-- A session that runs and was moved, with its claim.
SELECT u.session_id, u.terminal_id, u.state, u.wanted, u.deadline_at, r.reservation_id,
    r.order_id, r.starts_at, r.ends_at, r.blocked_until, r.price_cents, r.currency
FROM sessions AS u JOIN reservations AS r USING (reservation_id)
WHERE u.session_id = :session_id;

-- name: messages_waiting(device_id, now)$
SELECT count(*) FROM device_messages
WHERE device_id = :device_id AND shown_at IS NULL AND expires_at > :now;

-- name: add_message(message_id, device_id, operator, sentence, text, made_at, expires_at)!
INSERT INTO device_messages (message_id, device_id, operator, sentence, text, made_at, expires_at)
VALUES (:message_id, :device_id, :operator, :sentence, :text, :made_at, :expires_at);

-- name: note_shown(message_id, device_id, terminal_id, shown_at)!
-- By the terminal of its device, and once.
UPDATE device_messages SET shown_at = :shown_at
WHERE message_id = :message_id AND device_id = :device_id AND shown_at IS NULL
    AND EXISTS (SELECT 1 FROM devices AS v WHERE v.device_id = device_messages.device_id
        AND v.terminal_id = :terminal_id);

-- name: messages(device_id, most)
SELECT message_id, device_id, operator, sentence, text, made_at, expires_at, shown_at
FROM device_messages WHERE device_id = :device_id
ORDER BY made_at DESC, message_id DESC LIMIT :most;

-- name: forget_messages(before)!
DELETE FROM device_messages WHERE made_at < :before;

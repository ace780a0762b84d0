-- Tickets whose reservation is kept elsewhere: lent to who has the terminals, borrowed there. Written by the rights flow.

-- name: server_key(key_id)$
SELECT public_key FROM server_keys WHERE key_id = :key_id;

-- name: keep_server_key(key_id, public_key)!
INSERT INTO server_keys (key_id, public_key) VALUES (:key_id, :public_key)
ON CONFLICT (key_id) DO UPDATE SET public_key = excluded.public_key
WHERE server_keys.public_key <> excluded.public_key;

-- name: borrowed(ticket_id)^
SELECT ticket_id, claim, state, token, device_id, terminal_id, epoch, corr, request,
    reservation_id, failed_session FROM borrowed_tickets WHERE ticket_id = :ticket_id;

-- name: ask(ticket_id, claim, token, device_id, terminal_id, epoch, corr, request, asked_at)!
INSERT INTO borrowed_tickets (ticket_id, claim, state, token, device_id, terminal_id, epoch, corr,
    request, asked_at)
VALUES (:ticket_id, :claim, 'asked', :token, :device_id, :terminal_id, :epoch, :corr, :request,
    :asked_at)
ON CONFLICT (ticket_id) DO UPDATE SET claim = excluded.claim, state = 'asked',
    token = excluded.token, device_id = excluded.device_id, terminal_id = excluded.terminal_id,
    epoch = excluded.epoch, corr = excluded.corr, request = excluded.request,
    asked_at = excluded.asked_at
WHERE borrowed_tickets.state <> 'borrowed' AND borrowed_tickets.claim <= excluded.claim;

-- name: asked(most)
SELECT ticket_id, claim, token, device_id, terminal_id, asked_at FROM borrowed_tickets
WHERE state = 'asked' ORDER BY asked_at LIMIT :most;

-- name: change_borrowed(ticket_id, claim, before, state)!
UPDATE borrowed_tickets SET state = :state
WHERE ticket_id = :ticket_id AND claim = :claim AND state = :before;

-- name: begin_return(ticket_id, claim, before, failed_session)!
UPDATE borrowed_tickets SET state = 'returning', failed_session = :failed_session
WHERE ticket_id = :ticket_id AND claim = :claim AND state = :before;

-- name: now_borrowed(ticket_id, claim, reservation_id)!
UPDATE borrowed_tickets SET state = 'borrowed', reservation_id = :reservation_id,
    failed_session = NULL
WHERE ticket_id = :ticket_id AND claim = :claim AND state = 'asked';

-- name: returning(most)
SELECT b.claim, b.ticket_id, s.device_id AS failed_on FROM borrowed_tickets AS b
LEFT JOIN sessions AS s ON s.session_id = b.failed_session
WHERE b.state = 'returning' ORDER BY b.asked_at LIMIT :most;

-- name: unused(most)
-- Borrowed, and nothing of it is granted or runs: it goes back.
SELECT b.ticket_id, (SELECT s.session_id FROM sessions AS s
        WHERE s.reservation_id = b.reservation_id AND s.is_to_move = 1 LIMIT 1) AS failed_session
FROM borrowed_tickets AS b JOIN tickets AS k USING (ticket_id)
WHERE b.state = 'borrowed' AND k.state = 'issued'
    AND NOT EXISTS (SELECT 1 FROM sessions AS live WHERE live.reservation_id = b.reservation_id
        AND live.state IN ('granted', 'starting', 'running', 'ending'))
LIMIT :most;

-- name: mirror_reservation(reservation_id, store_id, offering_id, device_id, starts_at, ends_at, blocked_until, party_size, link, now)!
-- What it costs is the business of who keeps it, and nobody opens it by this link.
INSERT INTO reservations (reservation_id, store_id, offering_id, device_id, starts_at, ends_at,
    blocked_until, party_size, state, price_cents, currency, link, made_at, changed_at)
VALUES (:reservation_id, :store_id, :offering_id, :device_id, :starts_at, :ends_at,
    :blocked_until, :party_size, 'confirmed', 0, 'XXX', :link, :now, :now)
ON CONFLICT (reservation_id) DO UPDATE SET offering_id = excluded.offering_id,
    device_id = excluded.device_id, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
    blocked_until = excluded.blocked_until, party_size = excluded.party_size, state = 'confirmed',
    changed_at = excluded.changed_at
WHERE reservations.state IN ('expired', 'cancelled');

-- name: mirror_ticket(ticket_id, reservation_id, device_number, revision, token, now)!
INSERT INTO tickets (ticket_id, reservation_id, device_number, revision, token, state, issued_at)
VALUES (:ticket_id, :reservation_id, :device_number, :revision, :token, 'issued', :now)
ON CONFLICT (ticket_id) DO UPDATE SET device_number = excluded.device_number,
    revision = excluded.revision, token = excluded.token, state = 'issued'
WHERE tickets.state = 'void';

-- name: set_aside(reservation_id, now)!
-- Given back, it claims no time here any more.
UPDATE reservations SET state = 'expired', changed_at = :now
WHERE reservation_id = :reservation_id AND state = 'confirmed';

-- name: put_away(ticket_id)!
UPDATE tickets SET state = 'void' WHERE ticket_id = :ticket_id AND state = 'issued';

-- name: is_here(store_id, offering_id, device_id)$
SELECT EXISTS (SELECT 1 FROM devices AS v JOIN offerings AS o USING (store_id)
    WHERE v.store_id = :store_id AND v.device_id = :device_id AND o.offering_id = :offering_id);

-- name: host_of_device(device_id)^
SELECT v.device_id, v.title, v.terminal_id, t.presence
FROM devices AS v JOIN terminals AS t USING (terminal_id) WHERE v.device_id = :device_id;

-- name: are_of_one_store(terminal_id, device_id)$
SELECT EXISTS (SELECT 1 FROM terminals AS t JOIN devices AS v USING (store_id)
    WHERE t.terminal_id = :terminal_id AND v.device_id = :device_id);

-- name: show(scan_id, terminal_id, epoch, report, asked_at)!
INSERT INTO shown_tickets (scan_id, terminal_id, epoch, report, asked_at)
VALUES (:scan_id, :terminal_id, :epoch, :report, :asked_at) ON CONFLICT (scan_id) DO NOTHING;

-- name: shown(most)
SELECT scan_id, terminal_id, epoch, report FROM shown_tickets ORDER BY asked_at LIMIT :most;

-- name: shown_by(scan_id)^
SELECT scan_id, terminal_id, epoch, report FROM shown_tickets WHERE scan_id = :scan_id;

-- name: forget_shown(scan_id)!
DELETE FROM shown_tickets WHERE scan_id = :scan_id;

-- name: told_up_to(server)$
SELECT up_to FROM told_up_to WHERE server = :server;

-- name: keep_told(server, up_to)!
INSERT INTO told_up_to (server, up_to) VALUES (:server, :up_to)
ON CONFLICT (server) DO UPDATE SET up_to = excluded.up_to WHERE told_up_to.up_to < excluded.up_to;

-- name: tell_again(server, up_to)!
UPDATE told_up_to SET up_to = :up_to WHERE server = :server;

-- name: last_line()$
SELECT coalesce(max(entry_id), 0) FROM ledger;

-- name: lines_to_tell(since, up_to, most)
-- Of borrowed tickets; the ledger is gone through from where it has been told, and not as a whole.
SELECT l.entry_id, l.at, l.type, l.terminal_id, l.session_id, l.body, l.reservation_id
FROM ledger AS l CROSS JOIN borrowed_tickets AS b
WHERE l.entry_id > :since AND l.entry_id <= :up_to AND b.reservation_id = l.reservation_id
ORDER BY l.entry_id LIMIT :most;

-- name: use_to_tell(reservation_id)^
SELECT r.reservation_id, k.ticket_id, k.state AS ticket_state, r.state AS reservation_state
FROM reservations AS r JOIN tickets AS k USING (reservation_id)
WHERE r.reservation_id = :reservation_id;

-- name: sessions_to_tell(reservation_id, most)
SELECT session_id, device_id, terminal_id, program, fence, state, is_presumed, granted_seconds,
    granted_at, deadline_at, running_at, ended_at, end_reason, delivered_seconds,
    remaining_seconds, lost_seconds, admission
FROM sessions WHERE reservation_id = :reservation_id
ORDER BY granted_at DESC, fence DESC LIMIT :most;

-- name: settle_used(reservation_id)!
-- Spent, and who keeps its reservation has heard so.
UPDATE borrowed_tickets SET state = 'used' WHERE reservation_id = :reservation_id
    AND state = 'borrowed' AND EXISTS (SELECT 1 FROM tickets AS k
        WHERE k.ticket_id = borrowed_tickets.ticket_id AND k.state IN ('spent', 'void'));

-- name: loan(ticket_id, peer)^
SELECT ticket_id, peer, claim, state, answer FROM lent_tickets
WHERE ticket_id = :ticket_id AND peer = :peer;

-- name: keep_loan(ticket_id, peer, claim, state, answer, asked_at)!
INSERT INTO lent_tickets (ticket_id, peer, claim, state, answer, asked_at)
VALUES (:ticket_id, :peer, :claim, :state, :answer, :asked_at)
ON CONFLICT (ticket_id, peer) DO UPDATE SET claim = excluded.claim, state = excluded.state,
    answer = excluded.answer, asked_at = excluded.asked_at
WHERE lent_tickets.claim <= excluded.claim;

-- name: is_in_use(ticket_id)$
SELECT EXISTS (SELECT 1 FROM sessions WHERE ticket_id = :ticket_id
    AND state IN ('granted', 'starting', 'running', 'ending'));

-- name: overdue_loans(before, most)
-- Lent, over, and nothing has been heard of what became of it.
SELECT n.ticket_id, n.peer, r.reservation_id, r.ends_at
FROM lent_tickets AS n JOIN tickets AS k USING (ticket_id) JOIN reservations AS r USING (reservation_id)
WHERE n.state = 'lent' AND k.state = 'reserved' AND r.ends_at < :before
LIMIT :most;

-- name: ticket_of(ticket_id, peer)^
-- A ticket of a store of this peer's; our own stores are those of nobody.
SELECT k.ticket_id, k.reservation_id, k.device_number, k.revision, k.token, k.state AS ticket_state,
    r.store_id, r.offering_id, r.device_id, r.starts_at, r.ends_at, r.blocked_until, r.party_size,
    r.state, r.link, v.terminal_id
FROM tickets AS k JOIN reservations AS r USING (reservation_id) JOIN devices AS v USING (device_id)
LEFT JOIN store_peers AS p ON p.store_id = r.store_id
WHERE k.ticket_id = :ticket_id AND coalesce(p.peer, '') = :peer;

-- name: reservation_of(reservation_id, peer)^
SELECT k.ticket_id, k.reservation_id, k.device_number, k.revision, k.token, k.state AS ticket_state,
    r.store_id, r.offering_id, r.device_id, r.starts_at, r.ends_at, r.blocked_until, r.party_size,
    r.state, r.link, v.terminal_id
FROM tickets AS k JOIN reservations AS r USING (reservation_id) JOIN devices AS v USING (device_id)
LEFT JOIN store_peers AS p ON p.store_id = r.store_id
WHERE r.reservation_id = :reservation_id AND coalesce(p.peer, '') = :peer;

-- name: sells_for(offering_id, peer)$
SELECT EXISTS (SELECT 1 FROM offerings AS o LEFT JOIN store_peers AS p ON p.store_id = o.store_id
    WHERE o.offering_id = :offering_id AND coalesce(p.peer, '') = :peer);

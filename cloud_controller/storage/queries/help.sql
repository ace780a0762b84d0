-- Helpers, calls to them and the lines of each. Written by the help flow.

-- name: add_helper(helper_id, name, link_digest, link_until, now)!
INSERT INTO helpers (helper_id, name, link_digest, link_until, made_at)
VALUES (:helper_id, :name, :link_digest, :link_until, :now);

-- name: place_helper(helper_id, store_id)!
INSERT INTO helper_stores (helper_id, store_id) VALUES (:helper_id, :store_id)
ON CONFLICT (helper_id, store_id) DO NOTHING;

-- name: rename_helper(helper_id, name)!
UPDATE helpers SET name = :name WHERE helper_id = :helper_id AND removed_at IS NULL;

-- name: displace_helper(helper_id, store_id)!
DELETE FROM helper_stores WHERE helper_id = :helper_id AND store_id = :store_id;

-- name: has_store(store_id)$
SELECT EXISTS (SELECT 1 FROM stores WHERE store_id = :store_id);

-- name: helper(helper_id)^
SELECT helper_id, name, title_ja, title_en, languages, price_cents, currency, state, lease_until,
    made_at
FROM helpers WHERE helper_id = :helper_id AND removed_at IS NULL;

-- name: helper_by_key(digest)^
SELECT helper_id, name, title_ja, title_en, languages, price_cents, currency, state, lease_until,
    made_at
FROM helpers WHERE key_digest = :digest AND removed_at IS NULL;

-- name: helper_by_link(digest, now)^
SELECT helper_id, name FROM helpers
WHERE link_digest = :digest AND link_until > :now AND removed_at IS NULL;

-- name: enter(helper_id, link_digest, key_digest)!
-- The link is spent by it, and whoever was known before is known no more.
UPDATE helpers SET key_digest = :key_digest, link_digest = NULL, link_until = 0
WHERE helper_id = :helper_id AND link_digest = :link_digest AND removed_at IS NULL;

-- name: renew_link(helper_id, link_digest, link_until)!
UPDATE helpers SET link_digest = :link_digest, link_until = :link_until
WHERE helper_id = :helper_id AND removed_at IS NULL;

-- name: remove_helper(helper_id, now)!
UPDATE helpers SET removed_at = :now, state = 'off', lease_until = 0, key_digest = NULL,
    link_digest = NULL
WHERE helper_id = :helper_id AND removed_at IS NULL;

-- name: keep_terms(helper_id, title_ja, title_en, languages, price_cents, currency)!
UPDATE helpers SET title_ja = :title_ja, title_en = :title_en, languages = :languages,
    price_cents = :price_cents, currency = :currency
WHERE helper_id = :helper_id AND removed_at IS NULL;

-- name: keep_state(helper_id, before, state, lease_until)!
UPDATE helpers SET state = :state, lease_until = :lease_until
WHERE helper_id = :helper_id AND state = :before AND removed_at IS NULL;

-- name: keep_lease(helper_id, lease_until)!
UPDATE helpers SET lease_until = :lease_until WHERE helper_id = :helper_id AND state = 'on';

-- name: keep_leases(now)!
-- Nobody could be heard of while we were away: the grace of whoever is on begins anew.
UPDATE helpers SET lease_until = :now WHERE state = 'on' AND lease_until < :now;

-- name: silent(before)
-- Who is on by the books, and has not been heard of.
SELECT helper_id FROM helpers WHERE state = 'on' AND lease_until <= :before ORDER BY helper_id;

-- name: all_helpers(now, most)
SELECT h.helper_id, h.name, h.title_ja, h.title_en, h.languages, h.price_cents, h.currency, h.state,
    h.lease_until, h.made_at, (SELECT count(*) FROM help_calls AS c
        WHERE c.helper_id = h.helper_id AND c.state <> 'ended') AS live_calls
FROM helpers AS h WHERE h.removed_at IS NULL AND h.made_at <= :now
ORDER BY h.name, h.helper_id LIMIT :most;

-- name: stores_of(helper_id)
SELECT h.store_id, s.title FROM helper_stores AS h JOIN stores AS s USING (store_id)
WHERE h.helper_id = :helper_id ORDER BY h.store_id;

-- name: there(store_id, now, most)
-- E6: who can be called at a store now, and nobody else.
SELECT h.helper_id, h.name, h.title_ja, h.title_en, h.languages, h.price_cents, h.currency,
    (SELECT count(*) FROM help_calls AS c
        WHERE c.helper_id = h.helper_id AND c.state = 'waiting') AS waiting
FROM helpers AS h JOIN helper_stores AS p USING (helper_id)
WHERE p.store_id = :store_id AND h.state = 'on' AND h.lease_until > :now
    AND h.removed_at IS NULL
ORDER BY h.name, h.helper_id LIMIT :most;

-- name: helps_there(helper_id, store_id)$
SELECT EXISTS (SELECT 1 FROM helper_stores
    WHERE helper_id = :helper_id AND store_id = :store_id);

-- name: stores()
-- Each store where somebody helps, or was told that somebody does.
SELECT store_id FROM helper_stores UNION SELECT store_id FROM help_boards ORDER BY store_id;

-- name: board(store_id)^
SELECT number, told FROM help_boards WHERE store_id = :store_id;

-- name: keep_board(store_id, told, now)$
-- Numbered by the clock where it goes forward, so that an old backup is soon believed again.
INSERT INTO help_boards (store_id, number, told) VALUES (:store_id, :now, :told)
ON CONFLICT (store_id) DO UPDATE SET told = excluded.told,
    number = CASE WHEN help_boards.number < excluded.number THEN excluded.number
        ELSE help_boards.number + 1 END
RETURNING number;

-- name: in_service(store_id)
SELECT terminal_id FROM terminals
WHERE store_id = :store_id AND broker_role = 'service' ORDER BY terminal_id;

-- name: terminal(terminal_id)^
SELECT terminal_id, store_id, broker_role FROM terminals WHERE terminal_id = :terminal_id;

-- name: device(device_id, terminal_id)^
SELECT device_id, store_id FROM devices
WHERE device_id = :device_id AND terminal_id = :terminal_id;

-- name: session(session_id, terminal_id)^
SELECT u.session_id, u.reservation_id FROM sessions AS u
WHERE u.session_id = :session_id AND u.terminal_id = :terminal_id;

-- name: reservation(link)^
SELECT r.reservation_id, r.store_id, s.time_zone, r.device_id, r.state, r.ends_at,
    (SELECT u.session_id FROM sessions AS u WHERE u.reservation_id = r.reservation_id
        ORDER BY u.granted_at DESC, u.fence DESC LIMIT 1) AS session_id
FROM reservations AS r JOIN stores AS s USING (store_id) WHERE r.link = :link;

-- name: waiting_count(helper_id)$
SELECT count(*) FROM help_calls WHERE helper_id = :helper_id AND state = 'waiting';

-- name: calls_since(device_id, reservation_id, since)$
SELECT count(*) FROM help_calls WHERE chosen_at > :since
    AND (device_id = CAST(:device_id AS TEXT) OR reservation_id = CAST(:reservation_id AS TEXT));

-- name: open_call(call_id, helper_id, store_id, terminal_id, device_id, reservation_id, session_id, language, price_cents, currency, state, why, now)!
INSERT INTO help_calls (call_id, helper_id, store_id, terminal_id, device_id, reservation_id,
    session_id, language, price_cents, currency, state, why, chosen_at, ended_at)
SELECT :call_id, :helper_id, :store_id, CAST(:terminal_id AS TEXT), CAST(:device_id AS TEXT),
    CAST(:reservation_id AS TEXT), CAST(:session_id AS TEXT), :language,
    CAST(:price_cents AS BIGINT), :currency, :state, :why, CAST(:now AS BIGINT),
    CASE WHEN :state = 'ended' THEN CAST(:now AS BIGINT) END
WHERE true
ON CONFLICT (call_id) DO NOTHING;

-- name: call(call_id)^
SELECT c.call_id, c.helper_id, c.store_id, c.terminal_id, c.device_id, c.reservation_id,
    c.session_id, c.language, c.price_cents, c.currency, c.state, c.why, c.chosen_at, c.opened_at,
    c.ended_at, c.last_line_at, c.lines, c.seen, c.heard, c.heard_state, h.name AS helper_name,
    h.state AS helper_state, h.lease_until, s.time_zone
FROM help_calls AS c JOIN helpers AS h USING (helper_id) JOIN stores AS s USING (store_id)
WHERE c.call_id = :call_id;

-- name: join(call_id, session_id, reservation_id)!
-- On its own device alone, once, and not where its customer writes with somebody on his phone too.
UPDATE help_calls SET session_id = :session_id, reservation_id = :reservation_id
WHERE call_id = :call_id AND session_id IS NULL AND reservation_id IS NULL AND state <> 'ended'
    AND device_id = (SELECT u.device_id FROM sessions AS u WHERE u.session_id = :session_id)
    AND NOT EXISTS (SELECT 1 FROM help_calls AS o
        WHERE o.reservation_id = :reservation_id AND o.state <> 'ended');

-- name: live_of_device(device_id)
SELECT call_id FROM help_calls
WHERE device_id = :device_id AND terminal_id IS NOT NULL AND state <> 'ended';

-- name: live_of_reservation(reservation_id)
SELECT call_id FROM help_calls WHERE reservation_id = :reservation_id AND state <> 'ended';

-- name: live_of_helper(helper_id)
SELECT call_id FROM help_calls WHERE helper_id = :helper_id AND state <> 'ended'
ORDER BY chosen_at, call_id;

-- name: latest_of_reservation(reservation_id)^
-- Of its holder: what was said before it was given to him is another's.
SELECT call_id FROM help_calls AS c WHERE reservation_id = :reservation_id
    AND NOT EXISTS (SELECT 1 FROM ledger AS g WHERE g.reservation_id = c.reservation_id
        AND g.type = 'reservation.transferred' AND g.at >= c.chosen_at)
ORDER BY CASE WHEN state = 'ended' THEN 1 ELSE 0 END, chosen_at DESC, call_id LIMIT 1;

-- name: latest_calls(store_id, reservation_id, before, most)
SELECT c.call_id, c.helper_id, h.name AS helper_name, c.store_id, c.device_id, c.reservation_id,
    c.language, c.price_cents, c.currency, c.state, c.why, c.chosen_at, c.opened_at, c.ended_at,
    c.lines
FROM help_calls AS c JOIN helpers AS h USING (helper_id)
WHERE (:store_id = '' OR c.store_id = :store_id) AND c.chosen_at < :before
    AND (:reservation_id = '' OR c.reservation_id = :reservation_id)
ORDER BY c.chosen_at DESC, c.call_id LIMIT :most;

-- name: take_up(call_id, now)!
UPDATE help_calls SET state = 'open', opened_at = :now
WHERE call_id = :call_id AND state = 'waiting';

-- name: end_call(call_id, before, why, now)!
UPDATE help_calls SET state = 'ended', why = :why, ended_at = :now
WHERE call_id = :call_id AND state = :before;

-- name: add_line(call_id, number, side, own, text, at)!
INSERT INTO help_lines (call_id, number, side, own, text, at)
VALUES (:call_id, :number, :side, :own, :text, :at);

-- name: has_own(call_id, own)$
SELECT EXISTS (SELECT 1 FROM help_lines WHERE call_id = :call_id AND own = :own);

-- name: note_line(call_id, before, at)!
UPDATE help_calls SET lines = lines + 1, last_line_at = :at
WHERE call_id = :call_id AND lines = :before AND state <> 'ended';

-- name: note_seen(call_id, seen)!
UPDATE help_calls SET seen = :seen WHERE call_id = :call_id AND seen < :seen;

-- name: note_heard(call_id, terminal_id, heard, heard_state)!
-- Events come in order, so the last word on its state is the newest; of lines it forgets none.
UPDATE help_calls SET heard = CASE WHEN heard < :heard THEN CAST(:heard AS INTEGER) ELSE heard END,
    heard_state = :heard_state
WHERE call_id = :call_id AND terminal_id = :terminal_id AND :heard <= lines;

-- name: lines(call_id, after, most)
SELECT number, side, own, text, at FROM help_lines
WHERE call_id = :call_id AND number > :after ORDER BY number LIMIT :most;

-- name: before_it(helper_id, chosen_at, call_id)$
SELECT count(*) FROM help_calls WHERE helper_id = :helper_id AND state = 'waiting'
    AND (chosen_at < :chosen_at OR (chosen_at = :chosen_at AND call_id < :call_id));

-- name: unheard(since, most)
-- Terminals that are here and have not said yet of each of their calls that they know how it stands.
SELECT t.terminal_id FROM help_calls AS c JOIN terminals AS t USING (terminal_id)
WHERE c.terminal_id IS NOT NULL AND (c.heard < c.lines OR c.heard_state <> c.state)
    AND c.chosen_at > :since AND t.broker_role = 'service' AND t.presence <> 'gone'
GROUP BY t.terminal_id ORDER BY min(c.chosen_at), t.terminal_id LIMIT :most;

-- name: unheard_of(terminal_id, since, most)
SELECT call_id FROM help_calls WHERE terminal_id = :terminal_id
    AND (heard < lines OR heard_state <> state) AND chosen_at > :since
ORDER BY chosen_at, call_id LIMIT :most;

-- name: overdue(waiting_before, silent_before, most)
SELECT call_id FROM help_calls
WHERE (state = 'waiting' AND chosen_at <= :waiting_before)
    OR (state = 'open' AND coalesce(last_line_at, chosen_at) <= :silent_before
        AND chosen_at <= :silent_before)
ORDER BY chosen_at, call_id LIMIT :most;

-- name: forget_lines(before)!
DELETE FROM help_lines WHERE call_id IN (SELECT call_id FROM help_calls
    WHERE state = 'ended' AND chosen_at < :before);

-- name: calls_of_helper(helper_id, now)
-- E5: each call with what its customer's device does now, and who has the device after him.
SELECT c.call_id, c.state, c.language, c.price_cents, c.currency, c.chosen_at, c.opened_at, c.lines,
    c.seen, c.last_line_at, c.store_id, s.title AS store_title, s.time_zone, c.device_id,
    v.title AS device_title, v.number AS device_number, v.state AS device_state,
    v.is_out_of_order, t.presence, r.reservation_id, r.state AS reservation_state, r.starts_at,
    r.ends_at, r.price_cents AS booked_cents, r.currency AS booked_currency,
    o.title AS offering_title, o.texts AS offering_texts,
    live.session_id AS live_session_id, live.state AS session_state, live.deadline_at,
    live.reservation_id AS live_reservation_id,
    (SELECT min(n.starts_at) FROM reservations AS n WHERE n.device_id = v.device_id
        AND n.state IN ('held', 'confirmed') AND n.ends_at > :now
        AND n.reservation_id <> coalesce(r.reservation_id, '')) AS next_starts_at,
    (SELECT n.text FROM help_lines AS n WHERE n.call_id = c.call_id AND n.number = c.lines) AS last
FROM help_calls AS c JOIN stores AS s USING (store_id)
LEFT JOIN devices AS v ON v.device_id = c.device_id
LEFT JOIN terminals AS t ON t.terminal_id = v.terminal_id
LEFT JOIN reservations AS r ON r.reservation_id = c.reservation_id
LEFT JOIN offerings AS o ON o.offering_id = r.offering_id
LEFT JOIN sessions AS live ON live.device_id = v.device_id
    AND live.state IN ('granted', 'starting', 'running', 'ending')
WHERE c.helper_id = :helper_id AND c.state <> 'ended'
ORDER BY c.chosen_at, c.call_id;

-- name: helper_stands(helper_id, now)^
-- All that a helper's pages hang on beside the clock: another row, and they are read again.
SELECT h.name, h.title_ja, h.title_en, h.languages, h.price_cents, h.currency, h.state,
    h.lease_until > :now AS is_there, count(c.call_id) AS calls, coalesce(sum(c.lines), 0) AS lines,
    coalesce(sum(c.seen), 0) AS seen, count(c.opened_at) AS open, min(c.chosen_at) AS first_at,
    max(c.chosen_at) AS last_at, max(v.state_at) AS device_at, sum(v.is_out_of_order) AS out,
    count(u.session_id) AS live, sum(u.deadline_at) AS deadlines, max(u.state) AS used
FROM helpers AS h
LEFT JOIN help_calls AS c ON c.helper_id = h.helper_id AND c.state <> 'ended'
LEFT JOIN devices AS v ON v.device_id = c.device_id
LEFT JOIN sessions AS u ON u.device_id = c.device_id
    AND u.state IN ('granted', 'starting', 'running', 'ending')
WHERE h.helper_id = :helper_id AND h.removed_at IS NULL GROUP BY h.helper_id;

-- name: ticket_stands(link, now)^
-- All that a ticket's page of help hangs on: its latest call, and who is there.
SELECT r.state AS reservation_state, c.call_id, c.state, c.why, c.lines, c.price_cents,
    h.state AS helper_state, h.lease_until > :now AS is_there, b.number,
    (SELECT count(*) FROM help_calls AS n WHERE n.helper_id = c.helper_id AND n.state = 'waiting'
        AND n.chosen_at < c.chosen_at) AS before_it,
    (SELECT count(*) FROM helpers AS o JOIN helper_stores AS p USING (helper_id)
        WHERE p.store_id = r.store_id AND o.state = 'on' AND o.lease_until > :now) AS there
FROM reservations AS r
LEFT JOIN help_calls AS c ON c.call_id = (SELECT call_id FROM help_calls AS l
    WHERE reservation_id = r.reservation_id
        AND NOT EXISTS (SELECT 1 FROM ledger AS g WHERE g.reservation_id = l.reservation_id
            AND g.type = 'reservation.transferred' AND g.at >= l.chosen_at)
    ORDER BY CASE WHEN state = 'ended' THEN 1 ELSE 0 END, chosen_at DESC, call_id LIMIT 1)
LEFT JOIN helpers AS h ON h.helper_id = c.helper_id
LEFT JOIN help_boards AS b ON b.store_id = r.store_id
WHERE r.link = :link;

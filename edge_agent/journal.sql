-- Every query of the agent's journal, by name.

-- name: identity()^
SELECT terminal, store, epoch, secret, broker_host, broker_port, public_keys, ladder, authority,
    certificate, url, pinned
FROM identity;

-- name: keep_identity(terminal, store, epoch, secret, broker_host, broker_port, public_keys, ladder, authority, certificate, url, pinned)!
INSERT OR REPLACE INTO identity (only_row, terminal, store, epoch, secret, broker_host, broker_port,
    public_keys, ladder, authority, certificate, url, pinned)
VALUES (1, :terminal, :store, :epoch, :secret, :broker_host, :broker_port, :public_keys, :ladder,
    :authority, :certificate, :url, :pinned);

-- name: keep_renewed(terminal, epoch, secret, broker_host, broker_port, public_keys, ladder, authority, certificate, pinned)!
-- For who asked, and never down. Keys that were told since are not older than those of a renewal.
UPDATE identity SET broker_host = :broker_host, broker_port = :broker_port,
    public_keys = CASE WHEN keys_revision = 0 OR keys_are_doubted THEN :public_keys
        ELSE public_keys END,
    keys_revision = CASE WHEN keys_are_doubted THEN 0 ELSE keys_revision END, keys_are_doubted = 0,
    ladder = :ladder, authority = :authority, certificate = :certificate, pinned = :pinned
WHERE terminal = :terminal AND epoch = :epoch AND secret = :secret AND ladder <= :ladder;

-- name: public_keys()$
SELECT public_keys FROM identity;

-- name: keys_revision()$
SELECT keys_revision FROM identity;

-- name: keep_keys(public_keys, revision)!
UPDATE identity SET public_keys = :public_keys, keys_revision = :revision
WHERE keys_revision < :revision;

-- name: doubt_keys()!
-- None of ours has signed what we were told: the next renewal's keys count, whatever they are.
UPDATE identity SET keys_are_doubted = 1;

-- name: forget_registration()!
DELETE FROM registration;

-- name: forget_profile()!
DELETE FROM profile;

-- name: forget_revision()!
DELETE FROM desired;

-- name: forget_exchanges()!
DELETE FROM exchanges;

-- name: forget_events()!
DELETE FROM outbox;

-- name: count_events_anew()!
-- The events of a new epoch count from one.
DELETE FROM sqlite_sequence WHERE name = 'outbox';

-- name: registration()^
SELECT standing, gate_digest, reason, revision FROM registration;

-- name: keep_registration(standing, gate_digest, reason, revision)!
INSERT OR REPLACE INTO registration (only_row, standing, gate_digest, reason, revision)
VALUES (1, :standing, :gate_digest, :reason, :revision);

-- name: doubt(reason)!
-- What was told no longer counts, and what is older counts still less.
UPDATE registration SET standing = 'doubted', reason = :reason;

-- name: gate()^
-- What opens the gate: the word we were told, and what this PC is.
SELECT told.standing, told.gate_digest, own.gate_digest AS own_digest
FROM inventory AS own LEFT JOIN registration AS told USING (only_row);

-- name: remembered()^
SELECT body, missing_since FROM inventory;

-- name: own_gate_digest()$
SELECT gate_digest FROM inventory;

-- name: remember(gate_digest, body, missing_since)!
INSERT OR REPLACE INTO inventory (only_row, gate_digest, body, missing_since)
VALUES (1, :gate_digest, :body, :missing_since);

-- name: holds_sessions()$
-- Whether a session runs, something of one or of a ticket has still to be told, or tickets are coming.
SELECT EXISTS (SELECT 1 FROM sessions WHERE state IN ('starting', 'running', 'ending'))
    OR EXISTS (SELECT 1 FROM outbox WHERE type GLOB 'session.*' OR type GLOB 'command.*'
        OR type GLOB 'ticket.*')
    OR EXISTS (SELECT 1 FROM exchanges WHERE kind GLOB 'offline:*'
        AND state IN ('requesting', 'completing', 'presenting'));

-- name: note_problem(kind, about)!
INSERT INTO problems (kind, about) VALUES (:kind, :about) ON CONFLICT DO NOTHING;

-- name: forget_problems(kept)!
DELETE FROM problems WHERE told <= (SELECT max(told) FROM problems) - :kept;

-- name: problems_waiting()$
SELECT count(*) FROM outbox WHERE type = 'problem.told';

-- name: profile()^
SELECT gate_digest, body FROM profile;

-- name: profile_digest()$
SELECT gate_digest FROM profile;

-- name: keep_profile(gate_digest, body)!
INSERT OR REPLACE INTO profile (only_row, gate_digest, body) VALUES (1, :gate_digest, :body);

-- name: revision()$
SELECT revision FROM desired;

-- name: keep_revision(revision, revoked_until)!
INSERT OR REPLACE INTO desired (only_row, revision, revoked_until)
VALUES (1, :revision, :revoked_until);

-- name: revoked_until()$
SELECT revoked_until FROM desired;

-- name: forget_revoked()!
DELETE FROM revoked_tickets;

-- name: add_revoked(ticket, revision, dies_at)!
INSERT OR REPLACE INTO revoked_tickets (ticket, revision, dies_at)
VALUES (:ticket, :revision, :dies_at);

-- name: dead_revision(ticket)$
SELECT revision FROM revoked_tickets WHERE ticket = :ticket;

-- name: exchange(kind)^
SELECT kind, seq, nonce, state, request, request_digest, asked_boot_seconds, asked_boot_id, answer,
    answer_digest, done_seq, done_nonce, done_digest
FROM exchanges WHERE kind = :kind;

-- name: exchanges()
SELECT kind, seq, nonce, state, request, request_digest, asked_boot_seconds, asked_boot_id, answer,
    answer_digest, done_seq, done_nonce, done_digest
FROM exchanges ORDER BY kind;

-- name: in_a_state(first, second)$
SELECT EXISTS (SELECT 1 FROM exchanges WHERE state IN (:first, :second));

-- name: is_owed_an_answer()$
SELECT EXISTS (SELECT 1 FROM exchanges WHERE state IN
    ('announcing', 'requesting', 'completing', 'presenting', 'aborting', 'contesting'));

-- name: keep_exchange(kind, before, seq, nonce, state, request, request_digest, answer, answer_digest, done_seq, done_nonce, done_digest)^
INSERT INTO exchanges (kind, seq, nonce, state, request, request_digest, answer, answer_digest,
    done_seq, done_nonce, done_digest)
VALUES (:kind, :seq, :nonce, :state, :request, :request_digest, :answer, :answer_digest,
    :done_seq, :done_nonce, :done_digest)
ON CONFLICT (kind) DO UPDATE SET seq = excluded.seq, nonce = excluded.nonce,
    state = excluded.state, request = excluded.request, request_digest = excluded.request_digest,
    answer = excluded.answer, answer_digest = excluded.answer_digest, done_seq = excluded.done_seq,
    done_nonce = excluded.done_nonce, done_digest = excluded.done_digest
WHERE exchanges.state = :before
RETURNING kind, seq, nonce, state, request, request_digest, answer, answer_digest,
    done_seq, done_nonce, done_digest;

-- name: note_asked(kind, boot_seconds, boot_id)!
UPDATE exchanges SET asked_boot_seconds = :boot_seconds, asked_boot_id = :boot_id
WHERE kind = :kind;

-- name: quarantine_all(state)!
UPDATE exchanges SET state = :state WHERE state <> 'contesting';

-- name: keep_right(kind, comm_id, document, signature, stored_at)!
INSERT OR REPLACE INTO held_rights (kind, comm_id, document, signature, stored_at)
VALUES (:kind, :comm_id, :document, :signature, :stored_at);

-- name: right(kind)$
SELECT document FROM held_rights WHERE kind = :kind;

-- name: forget_rights()!
DELETE FROM held_rights;

-- name: held_ticket(ticket)^
SELECT ticket, device, token_digest, opens_at, ends_at, right_id, is_released
FROM held_tickets WHERE ticket = :ticket;

-- name: held_and_unused()
SELECT ticket, right_id, ends_at FROM held_tickets AS h WHERE NOT is_released AND NOT EXISTS (
    SELECT 1 FROM sessions AS s WHERE s.ticket = h.ticket AND s.state <> 'failed')
ORDER BY opens_at;

-- name: hold_ticket(ticket, device, token_digest, opens_at, ends_at, right_id)!
-- What was given back by this right stays given back, whichever of the two came first.
INSERT INTO held_tickets (ticket, device, token_digest, opens_at, ends_at, right_id)
VALUES (:ticket, :device, :token_digest, :opens_at, :ends_at, :right_id)
ON CONFLICT (ticket) DO UPDATE SET device = excluded.device, token_digest = excluded.token_digest,
    opens_at = excluded.opens_at, ends_at = excluded.ends_at, right_id = excluded.right_id,
    is_released = 0
WHERE NOT held_tickets.is_released OR held_tickets.right_id <> excluded.right_id;

-- name: release_ticket(ticket, right_id, ends_at)!
-- Also one that is not known: the right to hold it may still be on its way.
INSERT INTO held_tickets (ticket, device, token_digest, opens_at, ends_at, right_id, is_released)
VALUES (:ticket, '', '', 0, :ends_at, :right_id, 1)
ON CONFLICT (ticket) DO UPDATE SET right_id = excluded.right_id, is_released = 1;

-- name: forget_held(device)!
DELETE FROM held_tickets WHERE device = :device AND NOT is_released;

-- name: forget_all_held()!
DELETE FROM held_tickets;

-- name: forget_over(before)!
DELETE FROM held_tickets WHERE ends_at < :before;

-- name: keep_time(server_at, boot_seconds, boot_id)!
INSERT OR REPLACE INTO controller_clock (only_row, server_at, boot_seconds, boot_id, floor_at)
VALUES (1, :server_at, :boot_seconds, :boot_id, :server_at);

-- name: raise_floor(floor_at)!
UPDATE controller_clock SET floor_at = :floor_at WHERE floor_at < :floor_at;

-- name: controller_time()^
SELECT server_at, boot_seconds, boot_id, floor_at FROM controller_clock;

-- name: session_of_ticket(ticket)$
-- One that came to nothing does not count; what no ticket opened is not in the index.
SELECT session FROM sessions WHERE ticket = :ticket AND ticket <> '' AND state <> 'failed';

-- name: last_fence(device)$
SELECT coalesce(max(fence), 0) FROM sessions WHERE device = :device;

-- name: keep_wish(device, session, seconds, price_cents, is_by_itself, state, wanted_boot_seconds, boot_id)!
-- One of each device at a time: what is open stays as it is.
INSERT INTO extensions (device, session, seconds, price_cents, is_by_itself, state,
    wanted_boot_seconds, boot_id)
VALUES (:device, :session, :seconds, :price_cents, :is_by_itself, :state, :wanted_boot_seconds,
    :boot_id)
ON CONFLICT (device) DO UPDATE SET session = excluded.session, seconds = excluded.seconds,
    price_cents = excluded.price_cents, is_by_itself = excluded.is_by_itself,
    state = excluded.state, wanted_boot_seconds = excluded.wanted_boot_seconds,
    boot_id = excluded.boot_id, reason = '', added_seconds = 0
WHERE extensions.state IN ('granted', 'refused');

-- name: wish_on(device)^
SELECT device, session, seconds, price_cents, is_by_itself, state, reason, added_seconds,
    wanted_boot_seconds, boot_id
FROM extensions WHERE device = :device;

-- name: wish_of(session)^
SELECT device, session, seconds, price_cents, is_by_itself, state, reason, added_seconds,
    wanted_boot_seconds, boot_id
FROM extensions WHERE session = :session;

-- name: open_wishes()
SELECT device, session, seconds, price_cents, is_by_itself, state, wanted_boot_seconds, boot_id
FROM extensions WHERE state IN ('wanted', 'asked') ORDER BY device;

-- name: move_wish(device, before, state, reason, added_seconds)!
UPDATE extensions SET state = :state, reason = :reason, added_seconds = :added_seconds
WHERE device = :device AND state = :before;

-- name: extended_elsewhere()
-- Sessions that were granted more than we hold the right to.
SELECT session, device FROM sessions AS s WHERE state IN ('starting', 'running') AND wanted = 'run'
    AND desired_extended_seconds > extended_seconds AND NOT EXISTS (SELECT 1 FROM extensions AS e
        WHERE e.device = s.device AND e.state IN ('wanted', 'asked'))
ORDER BY session;

-- name: note_desired(session, extended_seconds, extends_itself)!
UPDATE sessions SET desired_extended_seconds = :extended_seconds, extends_itself = :extends_itself
WHERE session = :session;

-- name: forget_desired_extension(session)!
UPDATE sessions SET desired_extended_seconds = extended_seconds WHERE session = :session;

-- name: extend(session, device, extended_seconds)!
-- By what is new of the sum of all its extensions: taken twice, or after a later one, it is nothing.
UPDATE sessions SET deadline_boot_seconds = deadline_boot_seconds
        + (:extended_seconds - extended_seconds),
    granted_seconds = granted_seconds + (:extended_seconds - extended_seconds),
    ends_at = ends_at + CAST(1000 * (:extended_seconds - extended_seconds) AS INTEGER),
    extended_seconds = :extended_seconds
WHERE session = :session AND device = :device AND extended_seconds < :extended_seconds
    AND state IN ('starting', 'running') AND wanted = 'run';

-- name: to_extend(boot_id)
-- What runs, and whose runner has not been heard to know by how much it is extended; of what waits
-- after a power cut it hears when that has gone on, since until then it reckons from its checkpoint.
SELECT session, deadline_boot_seconds, extended_seconds FROM sessions
WHERE state = 'running' AND wanted = 'run' AND extended_seconds > told_extended_seconds
    AND boot_id = :boot_id AND interruption NOT IN ('waiting', 'scanned') ORDER BY session;

-- name: note_told_extension(session, extended_seconds)!
UPDATE sessions SET told_extended_seconds = :extended_seconds
WHERE session = :session AND told_extended_seconds < :extended_seconds;

-- name: add_session(session, device, program, fence, ticket, admission, right_document, granted_seconds, extends_itself, start_by_boot_seconds, deadline_boot_seconds, boot_id, state, made_at)!
INSERT INTO sessions (session, device, program, fence, ticket, admission, right_document,
    granted_seconds, extends_itself, start_by_boot_seconds, deadline_boot_seconds, boot_id, state,
    made_at)
VALUES (:session, :device, :program, :fence, :ticket, :admission, :right_document, :granted_seconds,
    :extends_itself, :start_by_boot_seconds, :deadline_boot_seconds, :boot_id, :state, :made_at)
ON CONFLICT (session) DO NOTHING;

-- name: session(session)^
SELECT session, device, program, fence, granted_seconds, extended_seconds,
    told_extended_seconds, extends_itself, start_by_boot_seconds, deadline_boot_seconds, boot_id, state, wanted, stop_reason, start_tries,
    try_at_boot_seconds, delivered_seconds, lost_seconds, ends_at, interruption
FROM sessions WHERE session = :session;

-- name: live_sessions()
SELECT session, device, program, fence, granted_seconds, start_by_boot_seconds,
    deadline_boot_seconds, boot_id, state, wanted, stop_reason, try_at_boot_seconds, interruption
FROM sessions WHERE state IN ('starting', 'running', 'ending') ORDER BY made_at;

-- name: live_session_on(device)$
SELECT session FROM sessions WHERE device = :device AND state IN ('starting', 'running', 'ending');

-- name: note_end(session, ends_at)!
UPDATE sessions SET ends_at = :ends_at WHERE session = :session;

-- name: move_interruption(session, before, state, deadline_boot_seconds, boot_id)!
-- The clock since boot begins anew with each boot.
UPDATE sessions SET interruption = :state, deadline_boot_seconds = :deadline_boot_seconds,
    boot_id = :boot_id WHERE session = :session AND interruption = :before;

-- name: move_session(session, before, state)!
UPDATE sessions SET state = :state WHERE session = :session AND state = :before;

-- name: try_again(session, try_at_boot_seconds)!
UPDATE sessions SET start_tries = start_tries + 1, try_at_boot_seconds = :try_at_boot_seconds
WHERE session = :session AND state = 'starting';

-- name: count_heartbeat(session, delivered_seconds)$
UPDATE sessions SET heartbeats = heartbeats + 1, delivered_seconds = :delivered_seconds
WHERE session = :session RETURNING heartbeats;

-- name: note_lost(session, lost_seconds)!
UPDATE sessions SET lost_seconds = :lost_seconds WHERE session = :session;

-- name: note_warned(session, seconds_left)!
UPDATE sessions SET warned_seconds_left = :seconds_left WHERE session = :session;

-- name: note_warning_shown(session, seconds_left)!
UPDATE sessions SET warned_seconds_left = NULL
WHERE session = :session AND warned_seconds_left = :seconds_left;

-- name: want_stop(session, stop_reason)!
UPDATE sessions SET wanted = 'stop', stop_reason = :stop_reason
WHERE session = :session AND wanted = 'run';

-- name: forget_sessions(before)!
-- What is over, told and old; a ticket that is held still is known to be used for as long.
DELETE FROM sessions WHERE state IN ('ended', 'failed') AND made_at < :before
    AND ticket NOT IN (SELECT ticket FROM held_tickets);

-- name: command(command)$
SELECT state FROM commands WHERE command = :command;

-- name: add_command(command, session, state, taken_at)!
INSERT INTO commands (command, session, state, taken_at)
VALUES (:command, :session, :state, :taken_at);

-- name: accepted_commands(session)
SELECT command FROM commands WHERE session = :session AND state = 'accepted';

-- name: move_command(command, state)!
UPDATE commands SET state = :state WHERE command = :command;

-- name: forget_commands(before)!
DELETE FROM commands WHERE state <> 'accepted' AND taken_at < :before;

-- name: post(type, body, made_at)$
INSERT INTO outbox (type, body, made_at) VALUES (:type, :body, :made_at) RETURNING seq;

-- name: tell_newer_heartbeat(session, body, made_at)$
-- In the place of one that is not acknowledged yet: it is told once, whichever of the two arrives.
UPDATE outbox SET body = :body, made_at = :made_at WHERE type = 'session.alive'
    AND json_extract(body, '$.session') = :session RETURNING seq;

-- name: unsent(after, most)
SELECT seq, type, body, made_at FROM outbox WHERE seq > :after ORDER BY seq LIMIT :most;

-- name: has_to_tell_a_start(device)$
-- Whether a session that was begun here without the line is still to be told.
SELECT EXISTS (SELECT 1 FROM outbox WHERE type = 'session.admitted'
    AND json_extract(body, '$.device') = :device);

-- name: has_to_tell_a_call(device)$
-- Whether a call for help, of this device or of any, is still to be told.
SELECT EXISTS (SELECT 1 FROM outbox WHERE type = 'help.asked'
    AND (:device IS NULL OR json_extract(body, '$.device') = :device));

-- name: outbox_range()^
-- All before `first` has been acknowledged: it is the lowest that waits, or the next to be posted.
SELECT coalesce(min(seq), 1 + (SELECT coalesce(max(seq), 0) FROM sqlite_sequence
    WHERE name = 'outbox')) AS first, coalesce(max(seq), 0) AS last, count(*) AS waiting FROM outbox;

-- name: last_posted()$
-- The highest number ever given to an event of this epoch, told or not.
SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox';

-- name: acknowledged(up_to)!
DELETE FROM outbox WHERE seq <= :up_to;

-- Sessions and the commands about them. Written by the sessions flow.

-- name: session(session_id, terminal_id)^
SELECT session_id, ticket_id, reservation_id, device_id, terminal_id, state, is_presumed,
    granted_seconds, granted_at, deadline_at, running_at, wanted
FROM sessions WHERE session_id = :session_id AND terminal_id = :terminal_id;

-- name: mark_starting(session_id)!
UPDATE sessions SET state = 'starting' WHERE session_id = :session_id AND state = 'granted';

-- name: mark_running(session_id, before, running_at)!
UPDATE sessions SET state = 'running', running_at = :running_at
WHERE session_id = :session_id AND state = :before;

-- name: end_earlier(session_id, deadline_at)!
-- Never later: that is the right's alone to say.
UPDATE sessions SET deadline_at = :deadline_at
WHERE session_id = :session_id AND deadline_at > :deadline_at AND state IN ('running', 'ending');

-- name: mark_ending(session_id)!
UPDATE sessions SET state = 'ending' WHERE session_id = :session_id AND state = 'running';

-- name: mark_ended(session_id, before, state, ended_at, end_reason, delivered_seconds, remaining_seconds, lost_seconds, is_presumed)!
UPDATE sessions SET state = :state, ended_at = :ended_at, end_reason = :end_reason,
    delivered_seconds = :delivered_seconds, remaining_seconds = :remaining_seconds,
    lost_seconds = :lost_seconds, is_presumed = :is_presumed
WHERE session_id = :session_id AND state = :before;

-- name: ran_after_all(session_id, running_at)!
-- A session that was given up unheard turns out to have run.
UPDATE sessions SET running_at = :running_at
WHERE session_id = :session_id AND is_presumed = 1 AND running_at IS NULL;

-- name: settle_presumed(session_id, state, ended_at, end_reason, delivered_seconds, remaining_seconds, lost_seconds)!
-- What was only presumed is now known; what has run cannot have failed to.
UPDATE sessions SET is_presumed = 0, state = :state, ended_at = :ended_at, end_reason = :end_reason,
    delivered_seconds = :delivered_seconds, remaining_seconds = :remaining_seconds,
    lost_seconds = :lost_seconds
WHERE session_id = :session_id AND is_presumed = 1
    AND (:state = 'ended' OR running_at IS NULL);

-- name: heartbeat(session_id)^
SELECT session_id, first_at, last_at, number, delivered_seconds, lost_seconds, remaining_seconds
FROM heartbeats WHERE session_id = :session_id;

-- name: keep_heartbeat(session_id, at, number, delivered_seconds, lost_seconds, remaining_seconds)!
INSERT INTO heartbeats (session_id, first_at, last_at, number, delivered_seconds, lost_seconds,
    remaining_seconds)
VALUES (:session_id, :at, :at, :number, :delivered_seconds, :lost_seconds, :remaining_seconds)
ON CONFLICT (session_id) DO UPDATE SET last_at = excluded.last_at, number = excluded.number,
    delivered_seconds = excluded.delivered_seconds, lost_seconds = excluded.lost_seconds,
    remaining_seconds = excluded.remaining_seconds
WHERE excluded.number > heartbeats.number;

-- name: spend_ticket(ticket_id)!
-- Also one that was given up as undelivered, before its terminal could say that it ran.
UPDATE tickets SET state = 'spent' WHERE ticket_id = :ticket_id AND state IN ('reserved', 'void');

-- name: give_ticket_back(ticket_id)!
UPDATE tickets SET state = 'issued' WHERE ticket_id = :ticket_id AND state = 'reserved';

-- name: begin_use(reservation_id, changed_at)!
-- One that was given up as undelivered and is over claims no time any more: it is completed.
UPDATE reservations SET changed_at = :changed_at, state = CASE
    WHEN state = 'cancelled' AND ends_at <= :changed_at THEN 'completed' ELSE 'in_use' END
WHERE reservation_id = :reservation_id AND state IN ('confirmed', 'cancelled');

-- name: complete_use(reservation_id, ended_at, changed_at)!
-- What is over early frees the rest, after its turnover; what was booked is kept beside it.
UPDATE reservations SET state = 'completed', changed_at = :changed_at,
    booked_ends_at = CASE WHEN :ended_at < ends_at THEN ends_at ELSE booked_ends_at END,
    ends_at = CASE WHEN :ended_at >= ends_at THEN ends_at
        WHEN :ended_at > starts_at THEN :ended_at ELSE starts_at + 1 END,
    blocked_until = blocked_until - CASE WHEN :ended_at >= ends_at THEN 0
        WHEN :ended_at > starts_at THEN ends_at - :ended_at ELSE ends_at - starts_at - 1 END
WHERE reservation_id = :reservation_id AND state = 'in_use';

-- name: due_for_stop(now, most)
SELECT session_id, terminal_id FROM sessions
WHERE state IN ('running', 'ending') AND deadline_at <= :now
    AND session_id NOT IN (SELECT session_id FROM commands WHERE type = 'session.stop')
ORDER BY deadline_at LIMIT :most;

-- name: next_deadline()$
SELECT min(deadline_at) FROM sessions WHERE state IN ('running', 'ending')
    AND session_id NOT IN (SELECT session_id FROM commands WHERE type = 'session.stop');

-- name: lost_sight_of(before, most)
SELECT session_id, terminal_id, ticket_id, reservation_id, state, running_at, deadline_at
FROM sessions WHERE state IN ('granted', 'starting', 'running', 'ending')
    AND deadline_at <= :before ORDER BY deadline_at LIMIT :most;

-- name: next_lost()$
SELECT min(deadline_at) FROM sessions WHERE state IN ('granted', 'starting', 'running', 'ending');

-- name: want_stop(session_id)!
UPDATE sessions SET wanted = 'stop' WHERE session_id = :session_id AND wanted = 'run';

-- name: used_now(link)^
-- What a ticket's holder uses now; only a terminal of our own can be told anything about it.
SELECT u.session_id, u.terminal_id, u.state,
    CASE WHEN EXISTS (SELECT 1 FROM borrowed_tickets AS b WHERE b.ticket_id = u.ticket_id)
        OR EXISTS (SELECT 1 FROM store_peers AS p WHERE p.store_id = r.store_id)
        THEN 0 ELSE 1 END AS is_ours
FROM sessions AS u JOIN reservations AS r USING (reservation_id)
WHERE r.link = :link AND u.state IN ('running', 'ending');

-- name: raise_revision(terminal_id)$
UPDATE terminals SET desired_revision = desired_revision + 1 WHERE terminal_id = :terminal_id
RETURNING desired_revision;

-- name: raise_revision_above(terminal_id, applied)$
-- The terminal knows a higher one than we do: the next counts for it only above that.
UPDATE terminals SET desired_revision = :applied + 1 WHERE terminal_id = :terminal_id
RETURNING desired_revision;

-- name: revoked(terminal_id, now, most)
-- Dead tickets of a terminal's store, each with its highest dead revision, those that die first.
SELECT v.ticket_id, max(v.revision) AS revision, max(v.dies_at) AS dies_at
FROM terminals AS t JOIN revocations AS v USING (store_id)
WHERE t.terminal_id = :terminal_id AND v.dies_at > :now
GROUP BY v.ticket_id ORDER BY max(v.dies_at), v.ticket_id LIMIT :most;

-- name: stores_to_tell(most)
SELECT DISTINCT store_id FROM revocations WHERE is_told = 0 ORDER BY store_id LIMIT :most;

-- name: has_to_tell_revoked()$
SELECT EXISTS (SELECT 1 FROM revocations WHERE is_told = 0);

-- name: terminals_to_tell(store_id)
SELECT terminal_id, broker_role FROM terminals
WHERE store_id = :store_id AND standing <> 'retired' ORDER BY terminal_id;

-- name: in_service()
SELECT terminal_id FROM terminals WHERE broker_role = 'service' ORDER BY terminal_id;

-- name: note_told(store_id)!
UPDATE revocations SET is_told = 1 WHERE store_id = :store_id AND is_told = 0;

-- name: desired(terminal_id)
SELECT s.session_id, s.device_id, s.wanted, s.extended_seconds, r.extends_itself,
    (SELECT c.body FROM commands AS c WHERE c.session_id = s.session_id
        AND c.type = 'session.stop') AS stop
FROM sessions AS s JOIN reservations AS r USING (reservation_id)
WHERE s.terminal_id = :terminal_id AND s.state IN ('granted', 'starting', 'running', 'ending')
ORDER BY s.session_id;

-- name: add_command(command_id, terminal_id, session_id, type, body, accept_by, next_send_at, made_at)!
INSERT INTO commands (command_id, terminal_id, session_id, type, body, state, accept_by,
    next_send_at, made_at)
VALUES (:command_id, :terminal_id, :session_id, :type, :body, 'queued', :accept_by,
    :next_send_at, :made_at)
ON CONFLICT (session_id, type) DO NOTHING;

-- name: command(command_id, terminal_id)^
SELECT command_id, session_id, type, state FROM commands
WHERE command_id = :command_id AND terminal_id = :terminal_id;

-- name: change_command(command_id, before, state, detail)!
UPDATE commands SET state = :state, detail = :detail
WHERE command_id = :command_id AND state = :before;

-- name: commands_to_send(now, most)
SELECT command_id, terminal_id, type, body, accept_by, made_at FROM commands
WHERE state = 'queued' AND next_send_at <= :now ORDER BY next_send_at LIMIT :most;

-- name: next_send()$
SELECT min(next_send_at) FROM commands WHERE state = 'queued';

-- name: send_again(command_id, next_send_at)!
UPDATE commands SET next_send_at = :next_send_at WHERE command_id = :command_id AND state = 'queued';

-- name: expire_command(command_id)!
UPDATE commands SET state = 'expired' WHERE command_id = :command_id AND state = 'queued';

-- name: mark_to_move(session_id)!
-- Its ticket is to be used on another device, once nothing of it can run on this one.
UPDATE sessions SET is_to_move = 1 WHERE session_id = :session_id;

-- name: mark_moved(session_id)!
UPDATE sessions SET is_to_move = 0 WHERE session_id = :session_id;

-- name: has_to_move()$
SELECT EXISTS (SELECT 1 FROM sessions AS s WHERE s.is_to_move = 1
    AND NOT EXISTS (SELECT 1 FROM borrowed_tickets AS b WHERE b.ticket_id = s.ticket_id)
    AND NOT EXISTS (SELECT 1 FROM held_tickets AS h WHERE h.ticket_id = s.ticket_id
        AND h.state = 'recalled'));

-- name: failed_and_held(most)
SELECT s.ticket_id FROM sessions AS s JOIN held_tickets AS h USING (ticket_id)
WHERE s.is_to_move = 1 AND h.state = 'held' LIMIT :most;

-- name: failed_to_move(most)
-- A ticket that is borrowed goes back instead: its other devices are sold elsewhere.
SELECT s.session_id, s.ticket_id, s.reservation_id, s.device_id, s.terminal_id, s.end_reason,
    s.granted_at, r.state AS reservation_state, r.offering_id, r.starts_at, r.ends_at,
    r.blocked_until, EXISTS (SELECT 1 FROM staff_uses AS w
        WHERE w.reservation_id = r.reservation_id) AS is_staffs
FROM sessions AS s JOIN reservations AS r USING (reservation_id)
WHERE s.is_to_move = 1 AND NOT EXISTS (SELECT 1 FROM held_tickets AS h
    WHERE h.ticket_id = s.ticket_id AND h.state <> 'released')
    AND NOT EXISTS (SELECT 1 FROM borrowed_tickets AS b WHERE b.ticket_id = s.ticket_id)
ORDER BY s.granted_at LIMIT :most;

-- name: another_device(offering_id, device_id, reservation_id, free_from, blocked_until)^
-- One that is on, here, whole, idle, and claimed by nobody for the whole slot, not even for a part
-- of it that is over: what its claim came to is not known yet, and a slot is sold once.
SELECT v.device_id, v.title, v.terminal_id FROM offered_devices AS d
JOIN devices AS v USING (device_id) JOIN terminals AS t USING (terminal_id)
WHERE d.offering_id = :offering_id AND d.state = 'on' AND v.device_id <> :device_id
    AND t.standing = 'confirmed' AND t.presence <> 'gone' AND v.is_out_of_order = 0
    AND v.state NOT IN ('finishing', 'turnover', 'out_of_order')
    AND NOT EXISTS (SELECT 1 FROM sessions AS live WHERE live.device_id = v.device_id
        AND live.state IN ('granted', 'starting', 'running', 'ending'))
    AND NOT EXISTS (SELECT 1 FROM sessions AS had WHERE had.device_id = v.device_id
        AND had.reservation_id = :reservation_id)
    AND NOT EXISTS (SELECT 1 FROM reservations AS r WHERE r.device_id = v.device_id
        AND r.state IN ('held', 'confirmed', 'in_use')
        AND r.starts_at < :blocked_until AND r.blocked_until > :free_from)
    AND NOT EXISTS (SELECT 1 FROM blackouts AS b WHERE b.store_id = v.store_id
        AND (b.device_id IS NULL OR b.device_id = v.device_id)
        AND b.starts_at < :blocked_until AND b.ends_at > :free_from)
ORDER BY v.number LIMIT 1;

-- name: move_reservation(reservation_id, device_id, changed_at)!
UPDATE reservations SET device_id = :device_id, changed_at = :changed_at
WHERE reservation_id = :reservation_id AND state = 'confirmed';

-- name: unconfirmed(before, most)
-- Granted long ago, neither running nor failed by any report, and not yet shown to anybody.
SELECT session_id, reservation_id, device_id, terminal_id, end_reason, granted_at FROM sessions AS s
WHERE state IN ('granted', 'starting') AND granted_at < :before
    AND NOT EXISTS (SELECT 1 FROM problems AS p WHERE p.kind = 'program_did_not_start'
        AND p.subject = s.session_id)
LIMIT :most;

-- name: debt(reservation_id)^
SELECT r.store_id, r.order_id, r.starts_at, coalesce(r.booked_ends_at, r.ends_at) AS ends_at,
    r.price_cents, r.currency, count(c.entry_id) AS entries,
    coalesce(sum(c.seconds), 0.0) AS entered_seconds,
    CAST(coalesce(sum(c.cents), 0) AS BIGINT) AS entered_cents
FROM reservations AS r LEFT JOIN compensations AS c USING (reservation_id)
WHERE r.reservation_id = :reservation_id
GROUP BY r.reservation_id;

-- name: served(reservation_id)^
-- What a reservation's timeline is read by: the clock of its store, and what was booked and paid.
SELECT r.reservation_id, r.store_id, s.time_zone, r.starts_at,
    coalesce(r.booked_ends_at, r.ends_at) AS ends_at, r.price_cents, r.currency,
    (SELECT coalesce(sum(c.cents), 0) FROM compensations AS c
        WHERE c.reservation_id = r.reservation_id) AS compensated_cents
FROM reservations AS r JOIN stores AS s USING (store_id)
WHERE r.reservation_id = :reservation_id;

-- name: watched(reservation_id)
-- The heartbeats of what runs now; of what has ended, the line of its end has them.
SELECT h.session_id, h.first_at, h.last_at, h.number, h.delivered_seconds
FROM heartbeats AS h JOIN sessions AS s USING (session_id)
WHERE s.reservation_id = :reservation_id AND s.state IN ('running', 'ending');

-- name: uses(reservation_id)
-- What never ran has delivered nothing, whoever says so.
SELECT granted_seconds, extended_seconds, end_reason, remaining_seconds, lost_seconds,
    CASE WHEN state = 'failed' THEN 0.0 ELSE delivered_seconds END AS delivered_seconds
FROM sessions WHERE reservation_id = :reservation_id ORDER BY granted_at, fence;

-- name: compensate(reservation_id, seconds, cents, currency, why, made_at)!
INSERT INTO compensations (reservation_id, seconds, cents, currency, why, made_at)
VALUES (:reservation_id, :seconds, :cents, :currency, :why, :made_at);

-- name: undelivered(now, most)
-- Scanned in its time, over now, and nothing of it ever ran or can still turn out to have.
SELECT r.reservation_id FROM reservations AS r JOIN tickets AS k USING (reservation_id)
WHERE r.state = 'confirmed' AND r.ends_at <= :now
    AND EXISTS (SELECT 1 FROM sessions AS s WHERE s.reservation_id = r.reservation_id)
    AND NOT EXISTS (SELECT 1 FROM sessions AS live WHERE live.reservation_id = r.reservation_id
        AND live.state IN ('granted', 'starting', 'running', 'ending'))
    AND NOT EXISTS (SELECT 1 FROM held_tickets AS h WHERE h.ticket_id = k.ticket_id
        AND h.state <> 'released')
LIMIT :most;

-- name: cancel_undelivered(reservation_id, changed_at)!
-- What it was asked for before does not matter any more: all of it is owed.
UPDATE reservations SET state = 'cancelled', changed_at = :changed_at, cancel_asked_at = NULL
WHERE reservation_id = :reservation_id AND state = 'confirmed';

-- name: void_ticket(reservation_id)!
UPDATE tickets SET state = 'void' WHERE reservation_id = :reservation_id
    AND state IN ('issued', 'reserved');

-- name: recent(most)
SELECT session_id, reservation_id, device_id, terminal_id, state, is_presumed, granted_seconds,
    granted_at, deadline_at, running_at, ended_at, end_reason, delivered_seconds
FROM sessions ORDER BY granted_at DESC, session_id LIMIT :most;

-- name: live_count()$
SELECT count(*) FROM sessions WHERE state IN ('granted', 'starting', 'running', 'ending');

-- name: in_use_until(device_id)$
SELECT deadline_at FROM sessions
WHERE device_id = :device_id AND state IN ('granted', 'starting', 'running', 'ending');

-- name: moved(session_id)^
SELECT session_id, reservation_id, device_id, terminal_id, end_reason, granted_at
FROM sessions WHERE session_id = :session_id;

-- name: device_title(device_id)$
SELECT title FROM devices WHERE device_id = :device_id;

-- name: keep_told(session_id, ticket_id, reservation_id, store_id, device_id, terminal_id, program, fence, state, is_presumed, granted_seconds, granted_at, deadline_at, running_at, ended_at, end_reason, delivered_seconds, remaining_seconds, lost_seconds, admission)!
-- A session of another controller's terminal, as that one has it.
INSERT INTO sessions (session_id, ticket_id, reservation_id, store_id, device_id, terminal_id,
    program, fence, state, is_presumed, granted_seconds, granted_at, deadline_at, running_at,
    ended_at, end_reason, delivered_seconds, remaining_seconds, lost_seconds, admission)
VALUES (:session_id, :ticket_id, :reservation_id, :store_id, :device_id, :terminal_id,
    :program, :fence, :state, :is_presumed, :granted_seconds, :granted_at, :deadline_at,
    :running_at, :ended_at, :end_reason, :delivered_seconds, :remaining_seconds, :lost_seconds,
    :admission)
ON CONFLICT (session_id) DO UPDATE SET state = excluded.state, is_presumed = excluded.is_presumed,
    running_at = excluded.running_at, ended_at = excluded.ended_at,
    end_reason = excluded.end_reason, delivered_seconds = excluded.delivered_seconds,
    remaining_seconds = excluded.remaining_seconds, lost_seconds = excluded.lost_seconds
WHERE sessions.reservation_id = excluded.reservation_id;

-- name: over_by_now(device_id, ticket_id, session_id, ended_at)!
-- Another one lives where this one did: what became of it is told, or will be.
UPDATE sessions SET state = CASE WHEN running_at IS NULL THEN 'failed' ELSE 'ended' END,
    is_presumed = 1, ended_at = :ended_at, end_reason = 'unknown'
WHERE (device_id = :device_id OR ticket_id = :ticket_id) AND session_id <> :session_id
    AND state IN ('granted', 'starting', 'running', 'ending');

-- name: told_of(reservation_id, peer)^
-- A reservation of a store of this peer's, with what a session of its needs.
SELECT r.reservation_id, r.store_id, k.ticket_id, k.state AS ticket_state
FROM reservations AS r JOIN tickets AS k USING (reservation_id) JOIN store_peers AS p USING (store_id)
WHERE r.reservation_id = :reservation_id AND p.peer = :peer;

-- name: is_device_of(device_id, terminal_id, store_id)$
SELECT EXISTS (SELECT 1 FROM devices WHERE device_id = :device_id
    AND terminal_id = :terminal_id AND store_id = :store_id);

-- name: reported_up_to(peer, epoch)$
SELECT up_to FROM peer_reports WHERE peer = :peer AND epoch = :epoch;

-- name: keep_reported(peer, epoch, up_to)!
INSERT INTO peer_reports (peer, epoch, up_to) VALUES (:peer, :epoch, :up_to)
ON CONFLICT (peer, epoch) DO UPDATE SET up_to = excluded.up_to;

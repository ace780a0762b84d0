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

-- name: mark_ending(session_id)!
UPDATE sessions SET state = 'ending' WHERE session_id = :session_id AND state = 'running';

-- name: mark_ended(session_id, before, state, ended_at, end_reason, delivered_seconds, is_presumed)!
UPDATE sessions SET state = :state, ended_at = :ended_at, end_reason = :end_reason,
    delivered_seconds = :delivered_seconds, is_presumed = :is_presumed
WHERE session_id = :session_id AND state = :before;

-- name: ran_after_all(session_id, running_at)!
-- A session that was given up unheard turns out to have run.
UPDATE sessions SET running_at = :running_at
WHERE session_id = :session_id AND is_presumed = 1 AND running_at IS NULL;

-- name: settle_presumed(session_id, state, ended_at, end_reason, delivered_seconds)!
-- What was only presumed is now known; what has run cannot have failed to.
UPDATE sessions SET is_presumed = 0, state = :state, ended_at = :ended_at, end_reason = :end_reason,
    delivered_seconds = :delivered_seconds
WHERE session_id = :session_id AND is_presumed = 1
    AND (:state = 'ended' OR running_at IS NULL);

-- name: spend_ticket(ticket_id)!
UPDATE tickets SET state = 'spent' WHERE ticket_id = :ticket_id AND state = 'reserved';

-- name: give_ticket_back(ticket_id)!
UPDATE tickets SET state = 'issued' WHERE ticket_id = :ticket_id AND state = 'reserved';

-- name: begin_use(reservation_id, changed_at)!
UPDATE reservations SET state = 'in_use', changed_at = :changed_at
WHERE reservation_id = :reservation_id AND state = 'confirmed';

-- name: complete_use(reservation_id, changed_at)!
UPDATE reservations SET state = 'completed', changed_at = :changed_at
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

-- name: raise_revision(terminal_id)$
UPDATE terminals SET desired_revision = desired_revision + 1 WHERE terminal_id = :terminal_id
RETURNING desired_revision;

-- name: raise_revision_above(terminal_id, applied)$
-- The terminal knows a higher one than we do: the next counts for it only above that.
UPDATE terminals SET desired_revision = :applied + 1 WHERE terminal_id = :terminal_id
RETURNING desired_revision;

-- name: desired(terminal_id)
SELECT session_id, device_id, wanted FROM sessions
WHERE terminal_id = :terminal_id AND state IN ('granted', 'starting', 'running', 'ending')
ORDER BY session_id;

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

-- name: recent(most)
SELECT session_id, reservation_id, device_id, terminal_id, state, is_presumed, granted_seconds,
    granted_at, deadline_at, running_at, ended_at, end_reason, delivered_seconds
FROM sessions ORDER BY granted_at DESC, session_id LIMIT :most;

-- name: live_count()$
SELECT count(*) FROM sessions WHERE state IN ('granted', 'starting', 'running', 'ending');

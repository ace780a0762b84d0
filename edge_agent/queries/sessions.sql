-- What should run, and the commands about it.

-- name: session_of_ticket(ticket)$
-- One that came to nothing does not count; what no ticket opened is not in the index.
SELECT session FROM sessions WHERE ticket = :ticket AND ticket <> '' AND state <> 'failed';

-- name: last_fence(device)$
SELECT coalesce(max(fence), 0) FROM sessions WHERE device = :device;

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

-- What is switched for devices and terminals, and where each switch stands. Written by the actions flow.

-- name: places()
-- Every device with its terminal and its live session; a terminal without devices stands alone.
SELECT t.terminal_id, t.presence, v.key, v.state AS device_state, v.is_out_of_order, s.session_id,
    s.state AS session_state, s.granted_at
FROM terminals AS t LEFT JOIN devices AS v ON v.terminal_id = t.terminal_id
LEFT JOIN sessions AS s ON s.device_id = v.device_id
    AND s.state IN ('granted', 'starting', 'running', 'ending')
ORDER BY t.terminal_id, v.key;

-- name: needs()
SELECT switch, is_needed, fell_at FROM switch_needs;

-- name: keep_need(switch, is_needed, fell_at)!
INSERT INTO switch_needs (switch, is_needed, fell_at) VALUES (:switch, :is_needed, :fell_at)
ON CONFLICT (switch) DO UPDATE SET is_needed = excluded.is_needed, fell_at = excluded.fell_at;

-- name: forget_need(switch)!
DELETE FROM switch_needs WHERE switch = :switch;

-- name: pulses()
SELECT switch, session_id, state, at FROM pulses;

-- name: keep_pulse(switch, session_id, state, at)!
-- One that was sent stays sent: there is no second one, whoever of us asks.
INSERT INTO pulses (switch, session_id, state, at) VALUES (:switch, :session_id, :state, :at)
ON CONFLICT (switch, session_id) DO UPDATE SET state = excluded.state, at = excluded.at
WHERE pulses.state = 'due';

-- name: send_pulse(switch, session_id, at)!
UPDATE pulses SET state = 'sent', at = :at
WHERE switch = :switch AND session_id = :session_id AND state = 'due';

-- name: forget_pulses(before)!
-- What is over and old: a session that is live has had its pulse, whatever the clock says now.
DELETE FROM pulses WHERE at < :before AND session_id NOT IN (
    SELECT session_id FROM sessions WHERE state IN ('granted', 'starting', 'running', 'ending'));

-- name: switches()
SELECT owner, terminal_id, switch, title, wanted, standing, trouble, tries, heard, told_at
FROM switches ORDER BY owner, switch;

-- name: counts()
SELECT standing, count(*) AS number FROM switches GROUP BY standing ORDER BY standing;

-- name: keep(owner, terminal_id, switch, title, wanted, standing, trouble, tries, heard, told_at)!
INSERT INTO switches (owner, terminal_id, switch, title, wanted, standing, trouble, tries, heard,
    told_at)
VALUES (:owner, :terminal_id, :switch, :title, :wanted, :standing, :trouble, :tries, :heard,
    :told_at)
ON CONFLICT (owner, switch) DO UPDATE SET title = excluded.title, wanted = excluded.wanted,
    standing = excluded.standing, trouble = excluded.trouble, tries = excluded.tries,
    heard = excluded.heard, told_at = excluded.told_at;

-- name: forget(owner, switch)!
DELETE FROM switches WHERE owner = :owner AND switch = :switch;

-- name: reservation_of(session_id)$
SELECT reservation_id FROM sessions WHERE session_id = :session_id;

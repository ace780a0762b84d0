-- What is remembered of switches in the agent's journal, by name.

-- name: devices_of_profile()
-- The devices of our profile, by the key that the settings call them by, and what is live on each.
SELECT json_extract(d.value, '$.key') AS key, v.state AS device_state, s.session,
    s.state AS session_state, s.made_at
FROM profile AS p, json_each(p.body, '$.devices') AS d
LEFT JOIN devices AS v ON v.device = json_extract(d.value, '$.device')
LEFT JOIN sessions AS s ON s.device = json_extract(d.value, '$.device')
    AND s.state IN ('starting', 'running', 'ending');

-- name: needs()
SELECT switch, is_needed, fell_boot_seconds, boot_id FROM switch_needs;

-- name: keep_need(switch, is_needed, fell_boot_seconds, boot_id)!
INSERT OR REPLACE INTO switch_needs (switch, is_needed, fell_boot_seconds, boot_id)
VALUES (:switch, :is_needed, :fell_boot_seconds, :boot_id);

-- name: forget_need(switch)!
DELETE FROM switch_needs WHERE switch = :switch;

-- name: pulses()
SELECT switch, session, state, at_boot_seconds, boot_id FROM pulses;

-- name: keep_pulse(switch, session, state, at_boot_seconds, boot_id, made_at)!
-- One that was sent stays sent: there is no second one.
INSERT INTO pulses (switch, session, state, at_boot_seconds, boot_id, made_at)
VALUES (:switch, :session, :state, :at_boot_seconds, :boot_id, :made_at)
ON CONFLICT (switch, session) DO UPDATE SET state = excluded.state,
    at_boot_seconds = excluded.at_boot_seconds, boot_id = excluded.boot_id
WHERE pulses.state = 'due';

-- name: move_pulse(switch, session, before, state, at_boot_seconds, boot_id)!
UPDATE pulses SET state = :state, at_boot_seconds = :at_boot_seconds, boot_id = :boot_id
WHERE switch = :switch AND session = :session AND state = :before;

-- name: forget_pulses(before)!
-- What is over and old: a session that is live has had its pulse, whatever the clock says now.
DELETE FROM pulses WHERE made_at < :before AND session NOT IN (
    SELECT session FROM sessions WHERE state IN ('starting', 'running', 'ending'));

-- name: switch(switch)^
SELECT wanted, standing, trouble, told_at FROM switches WHERE switch = :switch;

-- name: switches()
SELECT switch, title, wanted, standing, trouble, tries, heard, told_at FROM switches
ORDER BY switch;

-- name: keep_switch(switch, title, wanted, standing, trouble, tries, heard, told_at)!
INSERT OR REPLACE INTO switches (switch, title, wanted, standing, trouble, tries, heard, told_at)
VALUES (:switch, :title, :wanted, :standing, :trouble, :tries, :heard, :told_at);

-- name: forget_switch(switch)!
DELETE FROM switches WHERE switch = :switch;

-- name: forget_switches()!
-- The controller of a new epoch has been told nothing of them.
DELETE FROM switches;

-- Runs of programs that need seats of modules, and devices whose modules are not here. Written by the rights flow.

-- name: module_run(kind)^
SELECT kind, module, device, run, session, state, reason, wanted_boot_seconds, boot_id,
    lease_seconds, lease_to_boot_seconds, lease_boot_id, ends_at
FROM module_runs WHERE kind = :kind;

-- name: open_runs()
SELECT r.kind, r.module, r.device, r.run, r.session, r.state, r.reason, r.wanted_boot_seconds,
    r.boot_id, r.lease_seconds, r.lease_to_boot_seconds, r.lease_boot_id, r.ends_at,
    s.session IS NULL OR s.state IN ('ended', 'failed') AS is_over
FROM module_runs AS r LEFT JOIN sessions AS s ON s.session = r.session
WHERE r.state <> 'over' ORDER BY r.kind;

-- name: begin_run(kind, module, device, run, session, state, wanted_boot_seconds, boot_id)!
-- The latest run of a class; the one before is over.
INSERT INTO module_runs (kind, module, device, run, session, state, wanted_boot_seconds, boot_id)
VALUES (:kind, :module, :device, :run, :session, :state, :wanted_boot_seconds, :boot_id)
ON CONFLICT (kind) DO UPDATE SET run = excluded.run, session = excluded.session,
    state = excluded.state, reason = '', wanted_boot_seconds = excluded.wanted_boot_seconds,
    boot_id = excluded.boot_id, lease_seconds = 0, lease_to_boot_seconds = 0, lease_boot_id = '',
    ends_at = 0
WHERE module_runs.state = 'over';

-- name: move_run(kind, before, state, reason)!
UPDATE module_runs SET state = :state, reason = :reason WHERE kind = :kind AND state = :before;

-- name: lease_run(kind, lease_seconds, lease_to_boot_seconds, lease_boot_id, ends_at)!
UPDATE module_runs SET lease_seconds = :lease_seconds,
    lease_to_boot_seconds = :lease_to_boot_seconds, lease_boot_id = :lease_boot_id,
    ends_at = :ends_at
WHERE kind = :kind;

-- name: forget_runs()!
DELETE FROM module_runs;

-- name: note_uncovered(session, module)!
INSERT INTO runs_uncovered (session, module) VALUES (:session, :module) ON CONFLICT DO NOTHING;

-- name: forget_uncovered()!
-- What is told was told with its row; of a session that is over no more will be.
DELETE FROM runs_uncovered WHERE session NOT IN (SELECT session FROM sessions);

-- name: note_lacking(device, lacks)!
INSERT INTO devices_without_modules (device, lacks) VALUES (:device, :lacks)
ON CONFLICT (device) DO UPDATE SET lacks = excluded.lacks;

-- name: lacks_nothing(device)!
DELETE FROM devices_without_modules WHERE device = :device;

-- name: lacks_of(device)$
SELECT lacks FROM devices_without_modules WHERE device = :device;

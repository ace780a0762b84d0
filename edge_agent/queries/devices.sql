-- Queries of the journal about devices between two customers.

-- name: device(device)^
SELECT mends, device, state, since_at, session, fence, is_used, step, run, try_at_boot_seconds,
    by_boot_seconds, boot_id, fault, detail, waiting_fault, waiting_detail, heard_order,
    waits_for
FROM devices WHERE device = :device;

-- name: devices()
SELECT device, state, since_at, session, fence, is_used, step, run, try_at_boot_seconds,
    by_boot_seconds, boot_id, fault, detail, waiting_fault, waiting_detail, heard_order,
    waits_for
FROM devices ORDER BY device;

-- name: add_device(device, state, since_at)!
INSERT INTO devices (device, state, since_at) VALUES (:device, :state, :since_at)
ON CONFLICT (device) DO NOTHING;

-- name: forget_device(device)!
DELETE FROM devices WHERE device = :device;

-- name: move_device(device, before, state, since_at)!
-- Where it comes to, whatever was to be done where it was is not any more.
UPDATE devices SET state = :state, since_at = :since_at, step = NULL, run = NULL,
    waits_for = ''
WHERE device = :device AND state = :before;

-- name: note_use(device, session, is_used)!
UPDATE devices SET session = :session, is_used = :is_used WHERE device = :device;

-- name: take_use_in(device, fence)!
UPDATE devices SET fence = :fence WHERE device = :device AND fence < :fence;

-- name: keep_step(device, step, run, waits_for, try_at_boot_seconds, by_boot_seconds, boot_id)!
UPDATE devices SET step = :step, run = :run, waits_for = :waits_for,
    try_at_boot_seconds = :try_at_boot_seconds, by_boot_seconds = :by_boot_seconds, boot_id = :boot_id
WHERE device = :device AND state = 'turnover';

-- name: keep_fault(device, fault, detail)!
UPDATE devices SET fault = :fault, detail = :detail WHERE device = :device;

-- name: keep_waiting_fault(device, fault, detail)!
-- It counts when whoever uses the device has left it.
UPDATE devices SET waiting_fault = :fault, waiting_detail = :detail WHERE device = :device;

-- name: hear_order(device, heard_order)!
UPDATE devices SET heard_order = :heard_order
WHERE device = :device AND heard_order < :heard_order;

-- name: latest_use(device)^
SELECT session, fence, state FROM sessions WHERE device = :device ORDER BY fence DESC LIMIT 1;

-- name: door_state(device)^
-- Where a device stands for whoever comes, and whether a use is over that was not taken in yet.
SELECT d.state, EXISTS (SELECT 1 FROM sessions AS s WHERE s.device = d.device
    AND s.state = 'ended' AND s.fence > d.fence) AS was_just_left
FROM devices AS d WHERE d.device = :device;

-- name: cleaner_code()^
SELECT salt, digest, tries, tries_since_boot_seconds, boot_id FROM cleaner_code;

-- name: keep_cleaner_code(salt, digest)!
-- Another code is tried anew; the same one is not.
INSERT INTO cleaner_code (only_row, salt, digest) VALUES (1, :salt, :digest)
ON CONFLICT (only_row) DO UPDATE SET salt = excluded.salt, digest = excluded.digest, tries = 0
WHERE cleaner_code.digest <> excluded.digest;

-- name: forget_cleaner_code()!
DELETE FROM cleaner_code;

-- name: count_tries(tries, since_boot_seconds, boot_id)!
UPDATE cleaner_code SET tries = :tries, tries_since_boot_seconds = :since_boot_seconds,
    boot_id = :boot_id;

-- name: keep_mend(device, mends)!
UPDATE devices SET mends = :mends WHERE device = :device;

-- name: to_mend()
SELECT device FROM devices WHERE mends = 1 ORDER BY device;

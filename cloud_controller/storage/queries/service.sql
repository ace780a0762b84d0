-- Programs as the controller knows them, devices and their numbers, and profiles given. Written by the service flow.

-- name: keep_program(program, body, changed_at)!
INSERT INTO programs (program, body, changed_at) VALUES (:program, :body, :changed_at)
ON CONFLICT (program) DO UPDATE SET body = excluded.body, changed_at = excluded.changed_at
WHERE programs.body <> excluded.body;

-- name: programs()
SELECT program, body FROM programs ORDER BY program;

-- name: registered(terminal_id)^
-- The registry: what the management role has registered of a terminal; read here, never written.
SELECT t.terminal_id, t.store_id, s.number AS store_number, s.time_zone, t.epoch, t.standing,
    t.gate_digest, p.body
FROM terminals AS t JOIN stores AS s USING (store_id) JOIN specifications AS p USING (terminal_id)
WHERE t.terminal_id = :terminal_id;

-- name: devices_of(terminal_id)
SELECT device_id, number, key FROM devices WHERE terminal_id = :terminal_id ORDER BY key;

-- name: next_device_number(store_id)$
SELECT coalesce(max(number), 0) + 1 FROM devices WHERE store_id = :store_id;

-- name: add_device(device_id, store_id, number, terminal_id, key, title, program)!
INSERT INTO devices (device_id, store_id, number, terminal_id, key, title, program)
VALUES (:device_id, :store_id, :number, :terminal_id, :key, :title, :program);

-- name: describe_device(device_id, title, program)!
UPDATE devices SET title = :title, program = :program WHERE device_id = :device_id;

-- name: keep_profile(terminal_id, gate_digest, profile_digest, body, generated_at)!
INSERT INTO profiles (terminal_id, gate_digest, profile_digest, body, generated_at)
VALUES (:terminal_id, :gate_digest, :profile_digest, :body, :generated_at)
ON CONFLICT (terminal_id) DO UPDATE SET gate_digest = excluded.gate_digest,
    profile_digest = excluded.profile_digest, body = excluded.body,
    generated_at = excluded.generated_at;

-- name: is_stale(terminal_id)$
-- Whether a program is another since this terminal was last given its service information.
SELECT EXISTS (SELECT 1 FROM profiles AS p, programs AS g
    WHERE p.terminal_id = :terminal_id AND g.changed_at > p.generated_at);

-- name: stale(most)
SELECT t.terminal_id FROM terminals AS t JOIN profiles AS p USING (terminal_id)
WHERE t.standing = 'confirmed' AND EXISTS (SELECT 1 FROM programs AS g
    WHERE g.changed_at > p.generated_at)
ORDER BY t.terminal_id LIMIT :most;

-- name: are_of_one_store(terminal_id, device_id)$
SELECT EXISTS (SELECT 1 FROM terminals AS t JOIN devices AS v USING (store_id)
    WHERE t.terminal_id = :terminal_id AND v.device_id = :device_id);

-- name: signature_starts(device_id)$
SELECT s.offline_signature_starts FROM devices AS v JOIN stores AS s USING (store_id)
WHERE v.device_id = :device_id;

-- name: device(device_id)^
SELECT device_id, store_id, number, title, place, is_out_of_order FROM devices
WHERE device_id = :device_id;

-- name: tell_of_device(device_id, place, is_out_of_order)!
UPDATE devices SET place = :place, is_out_of_order = :is_out_of_order
WHERE device_id = :device_id;

-- What is on offer and wished, rights that are asked for, and the receipts of those that came. Written by the modules and rights flows.

-- name: keep_offer(document, signature, taken_at)!
INSERT OR REPLACE INTO modules_offer (only_row, document, signature, taken_at)
VALUES (1, :document, :signature, :taken_at);

-- name: modules_offer()^
SELECT document, signature, taken_at FROM modules_offer;

-- name: keep_module_wish(module, number, wish)!
-- A word that was heard before changes nothing.
INSERT INTO module_wishes (module, number, wish) VALUES (:module, :number, :wish)
ON CONFLICT (module) DO UPDATE SET number = excluded.number, wish = excluded.wish
WHERE module_wishes.number < excluded.number;

-- name: module_wishes()
SELECT module, number, wish FROM module_wishes ORDER BY module;

-- name: module_wishes_heard()$
SELECT coalesce(max(number), 0) FROM module_wishes;

-- name: forget_modules_offer()!
DELETE FROM modules_offer;

-- name: forget_module_wishes()!
DELETE FROM module_wishes;

-- name: forget_module_requests()!
DELETE FROM module_requests;

-- name: want_seat(module, version, sha256, renews, state, changed_at)!
-- One of each module at a time: what is open stays as it is.
INSERT INTO module_requests (module, version, sha256, renews, state, changed_at)
VALUES (:module, :version, :sha256, :renews, :state, :changed_at)
ON CONFLICT (module) DO UPDATE SET version = excluded.version, sha256 = excluded.sha256,
    renews = excluded.renews, state = excluded.state, reason = '',
    changed_at = excluded.changed_at
WHERE module_requests.state IN ('granted', 'refused');

-- name: seats_wanted()
SELECT module FROM module_requests WHERE state = 'wanted' ORDER BY module;

-- name: seat_asks()
SELECT module, version, sha256, renews, state, reason, changed_at FROM module_requests
ORDER BY module;

-- name: seat_ask(module)^
SELECT module, version, sha256, renews, state, reason, changed_at FROM module_requests
WHERE module = :module;

-- name: move_seat_ask(module, before, state, reason, changed_at)!
UPDATE module_requests SET state = :state, reason = :reason, changed_at = :changed_at
WHERE module = :module AND state = :before;

-- name: forget_seat_ask(module, sha256)!
-- What it was granted for is here: fetched again, it is asked for again.
DELETE FROM module_requests WHERE module = :module AND sha256 = :sha256 AND state = 'granted';

-- name: keep_receipt(module, sha256, version, terminal, document, signature, issued_at, ends_at, stored_at)!
INSERT OR REPLACE INTO receipts (module, sha256, version, terminal, document, signature, issued_at,
    ends_at, stored_at)
VALUES (:module, :sha256, :version, :terminal, :document, :signature, :issued_at, :ends_at,
    :stored_at);

-- name: receipt(module, sha256)^
SELECT module, sha256, version, terminal, document, signature, issued_at, ends_at FROM receipts
WHERE module = :module AND sha256 = :sha256;

-- name: receipts()
SELECT module, sha256, version, terminal, issued_at, ends_at FROM receipts ORDER BY module;

-- name: keep_package_step(package, kind, version, step, detail, done_bytes, all_bytes, changed_at)!
INSERT OR REPLACE INTO package_steps (package, kind, version, step, detail, done_bytes, all_bytes,
    changed_at)
VALUES (:package, :kind, :version, :step, :detail, :done_bytes, :all_bytes, :changed_at);

-- name: steps()
SELECT package, kind, version, step, detail, done_bytes, all_bytes, changed_at
FROM package_steps ORDER BY kind DESC, package;

-- name: forget_step(package)!
DELETE FROM package_steps WHERE package = :package;

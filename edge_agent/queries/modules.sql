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

-- name: wish_away(module)!
-- Said on this PC: it counts until the operator says something newer of it.
INSERT INTO module_wishes (module, number, wish) VALUES (:module, 0, 'uninstall')
ON CONFLICT (module) DO UPDATE SET wish = excluded.wish;

-- name: want_removal(package, kind, cause, number, state, changed_at)!
-- One that is under way stays as it is.
INSERT INTO removals (package, kind, cause, number, state, changed_at)
VALUES (:package, :kind, :cause, :number, :state, :changed_at)
ON CONFLICT (package) DO UPDATE SET kind = excluded.kind, cause = excluded.cause,
    number = excluded.number, version = '', sha256 = '', digest = '', state = excluded.state,
    reason = '', detail = '', permission = '', times_open = 0, changed_at = excluded.changed_at
WHERE removals.state IN ('kept', 'removed');

-- name: removals()
SELECT package, kind, cause, number, version, sha256, digest, state, reason, detail, permission,
    times_open
FROM removals ORDER BY kind DESC, package;

-- name: removal(package)^
SELECT package, kind, cause, number, version, sha256, digest, state, reason, detail, permission,
    times_open
FROM removals WHERE package = :package;

-- name: name_removed(package, version, sha256, digest)!
-- Which copy it is about, as it lies there.
UPDATE removals SET version = :version, sha256 = :sha256, digest = :digest
WHERE package = :package AND state = 'wanted';

-- name: move_removal(package, before, state, reason, detail, permission, changed_at)!
UPDATE removals SET state = :state, reason = :reason, detail = :detail, permission = :permission,
    changed_at = :changed_at
WHERE package = :package AND state = :before;

-- name: note_needs(package, needs)!
-- What goes with it: known before it goes, since nobody knows afterwards.
UPDATE removals SET needs = :needs WHERE package = :package AND state = 'wanted';

-- name: needs_of_removed(package)$
SELECT needs FROM removals WHERE package = :package;

-- name: leave_open(package)!
UPDATE removals SET times_open = times_open + 1 WHERE package = :package;

-- name: ask_removals_anew()!
-- Of an epoch that is over nothing is answered any more.
UPDATE removals SET state = 'wanted' WHERE state IN ('asked', 'allowed');

-- name: receipt_of(module, terminal, sha256)^
-- Of this very archive, else the latest that this terminal has of the module.
SELECT document, signature FROM receipts WHERE module = :module AND terminal = :terminal
ORDER BY sha256 = :sha256 DESC, stored_at DESC LIMIT 1;

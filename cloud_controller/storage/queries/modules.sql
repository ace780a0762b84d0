-- What is published, what is wished of which terminal, and how far its installs are. Written by the modules flow.

-- name: on_offer(package)^
-- The newest release that nobody has withdrawn.
SELECT p.package, p.kind, p.basis, p.over_limit, v.version, v.release_counter, v.target, v.sha256,
    v.length, v.requires
FROM packages AS p JOIN package_versions AS v USING (package)
WHERE p.package = :package AND v.withdrawn_at IS NULL
ORDER BY v.release_counter DESC LIMIT 1;

-- name: seats_for(terminal_id, module, kind)^
SELECT p.owned, p.used, p.is_doubted, EXISTS (SELECT 1 FROM rights AS r
    WHERE r.party = :terminal_id AND r.kind = :kind AND r.freed_at IS NULL AND r.amount > 0)
    AS has_own
FROM seat_pools AS p WHERE p.module = :module;

-- name: keep_progress(terminal_id, package, version, state, detail, done_bytes, all_bytes, told_at)!
-- Said again without a why, the same state of the same version keeps the why it had.
INSERT INTO package_progress AS g (terminal_id, package, version, state, detail, done_bytes, all_bytes,
    told_at)
VALUES (:terminal_id, :package, :version, :state, :detail, :done_bytes, :all_bytes, :told_at)
ON CONFLICT (terminal_id, package) DO UPDATE SET version = excluded.version,
    state = excluded.state, detail = CASE WHEN excluded.detail = '' AND excluded.state = g.state
        AND excluded.version = g.version THEN g.detail ELSE excluded.detail END,
    done_bytes = excluded.done_bytes, all_bytes = excluded.all_bytes, told_at = excluded.told_at;

-- name: progress_shown(since, lately, most)
-- What is under way or has failed since an instant, and what was finished lately; what was told last comes first.
SELECT g.terminal_id, t.hostname, s.title AS store_title, s.time_zone, g.package,
    coalesce(p.title, '') AS title, g.version, g.state, g.detail, g.done_bytes, g.all_bytes, g.told_at
FROM package_progress AS g
    JOIN terminals AS t ON t.terminal_id = g.terminal_id
    JOIN stores AS s ON s.store_id = t.store_id
    LEFT JOIN packages AS p ON p.package = g.package
WHERE g.told_at >= :since
    AND (g.state NOT IN ('active', 'superseded', 'removed', 'here', 'elsewhere') OR g.told_at >= :lately)
ORDER BY g.told_at DESC, g.terminal_id, g.package LIMIT :most;

-- name: keep_package(package, kind, title, vendor, spdx, basis, over_limit, royalty_basis, royalty_cents, currency, published_at)!
-- The terms of the newest release are the package's.
INSERT INTO packages (package, kind, title, vendor, spdx, basis, over_limit, royalty_basis,
    royalty_cents, currency, published_at)
VALUES (:package, :kind, :title, :vendor, :spdx, :basis, :over_limit, :royalty_basis,
    :royalty_cents, :currency, :published_at)
ON CONFLICT (package) DO UPDATE SET kind = excluded.kind, title = excluded.title,
    vendor = excluded.vendor, spdx = excluded.spdx, basis = excluded.basis,
    over_limit = excluded.over_limit, royalty_basis = excluded.royalty_basis,
    royalty_cents = excluded.royalty_cents, currency = excluded.currency;

-- name: keep_version(package, version, release_counter, target, sha256, length, digest, requires, published_at)!
INSERT INTO package_versions (package, version, release_counter, target, sha256, length, digest,
    requires, published_at)
VALUES (:package, :version, :release_counter, :target, :sha256, :length, :digest, :requires,
    :published_at)
ON CONFLICT (package, version) DO UPDATE SET release_counter = excluded.release_counter,
    target = excluded.target, sha256 = excluded.sha256, length = excluded.length,
    digest = excluded.digest, requires = excluded.requires, withdrawn_at = NULL;

-- name: withdraw_version(package, version, withdrawn_at)!
UPDATE package_versions SET withdrawn_at = :withdrawn_at
WHERE package = :package AND version = :version AND withdrawn_at IS NULL;

-- name: versions()
-- Every release there ever was, the newest of each package first.
SELECT p.package, p.kind, p.title, p.basis, p.over_limit, v.version, v.release_counter, v.target,
    v.sha256, v.length, v.requires, v.published_at, v.withdrawn_at
FROM package_versions AS v JOIN packages AS p ON p.package = v.package
ORDER BY p.package, v.release_counter DESC;

-- name: version(package, version)^
SELECT p.package, p.kind, p.title, p.basis, p.over_limit, v.version, v.release_counter, v.target,
    v.sha256, v.length, v.requires, v.published_at, v.withdrawn_at
FROM package_versions AS v JOIN packages AS p ON p.package = v.package
WHERE v.package = :package AND v.version = :version;

-- name: licence(module)^
SELECT basis, over_limit FROM packages WHERE package = :module AND kind = 'module';

-- name: is_given_back(right_id, party, kind)$
-- What a right has taken came back before its end, and no later right of its class has taken it again.
SELECT EXISTS (SELECT 1 FROM rights WHERE right_id = :right_id AND party = :party AND freed_at IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM rights WHERE party = :party AND kind = :kind AND freed_at IS NULL);

-- name: run_of(party, kind)$
SELECT run FROM module_runs WHERE party = :party AND kind = :kind;

-- name: keep_run(party, kind, run)!
-- The run that holds the seat of its class now.
INSERT INTO module_runs (party, kind, run) VALUES (:party, :kind, :run)
ON CONFLICT (party, kind) DO UPDATE SET run = excluded.run;

-- name: ended_runs(before, most)
SELECT right_id, kind, amount FROM rights
WHERE freed_at IS NULL AND lease_ends_at < :before AND kind >= 'run:' AND kind < 'run;'
ORDER BY lease_ends_at LIMIT :most;

-- name: wish(terminal_id, module, wish, wished_at)$
-- The latest word on a module, under a number that is higher than any told to that terminal before.
INSERT INTO module_wishes (terminal_id, module, wish, number, wished_at)
SELECT CAST(:terminal_id AS TEXT), CAST(:module AS TEXT), CAST(:wish AS TEXT),
    coalesce(max(number), 0) + 1, CAST(:wished_at AS BIGINT)
FROM module_wishes WHERE terminal_id = :terminal_id
ON CONFLICT (terminal_id, module) DO UPDATE SET wish = excluded.wish, number = excluded.number,
    wished_at = excluded.wished_at
RETURNING number;

-- name: wishes(terminal_id)
SELECT module, wish, number, wished_at FROM module_wishes WHERE terminal_id = :terminal_id
ORDER BY number;

-- name: is_known_package(package)$
SELECT EXISTS (SELECT 1 FROM packages WHERE package = :package)
    OR EXISTS (SELECT 1 FROM module_events WHERE module = :package);

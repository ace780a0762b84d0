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
INSERT INTO package_progress (terminal_id, package, version, state, detail, done_bytes, all_bytes,
    told_at)
VALUES (:terminal_id, :package, :version, :state, :detail, :done_bytes, :all_bytes, :told_at)
ON CONFLICT (terminal_id, package) DO UPDATE SET version = excluded.version,
    state = excluded.state, detail = excluded.detail, done_bytes = excluded.done_bytes,
    all_bytes = excluded.all_bytes, told_at = excluded.told_at;

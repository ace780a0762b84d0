-- Royalty reports: each begins where the one before it ended, and none ever changes. Written by the modules flow.

-- name: terms(module)^
SELECT package, title, vendor, royalty_basis, royalty_cents, currency FROM packages
WHERE package = :module AND kind = 'module';

-- name: clients_seen(module)
-- The download log and the user log in one: each client by its earliest line in either.
SELECT min(CASE WHEN kind = 'issued' THEN at END) AS issued_at,
    min(CASE WHEN kind = 'used' THEN at END) AS used_at
FROM module_events WHERE module = :module AND kind IN ('issued', 'used') GROUP BY client;

-- name: runs_over_limit(module, until)$
-- A run that two controllers were told of is one.
SELECT count(*) FROM (SELECT DISTINCT client, facts FROM module_events
    WHERE module = :module AND kind = 'run_over_limit' AND at < :until) AS runs;

-- name: ranges(now)
-- How far every controller's log is known: its lines, and up to which instant there are no others.
SELECT e.origin, e.first_lseq, e.last_lseq, e.lines,
    CASE WHEN o.is_vouched = 1 AND o.is_doubted = 0 THEN CAST(:now AS BIGINT) ELSE o.complete_at END
        AS complete_at
FROM (SELECT origin, min(lseq) AS first_lseq, max(lseq) AS last_lseq, count(*) AS lines
    FROM module_events GROUP BY origin) AS e
JOIN module_origins AS o ON o.origin = e.origin
ORDER BY e.origin;

-- name: licensed()
-- Every module that is published or has seats here, by its name.
SELECT m.module, coalesce(p.title, '') AS title, coalesce(p.vendor, '') AS vendor,
    coalesce(p.basis, '') AS basis, coalesce(p.royalty_basis, '') AS royalty_basis,
    coalesce(p.royalty_cents, 0) AS royalty_cents, coalesce(p.currency, '') AS currency,
    (SELECT v.version FROM package_versions AS v
        WHERE v.package = m.module AND v.withdrawn_at IS NULL
        ORDER BY v.release_counter DESC LIMIT 1) AS version
FROM (SELECT package AS module FROM packages WHERE kind = 'module'
    UNION SELECT module FROM seat_pools) AS m
LEFT JOIN packages AS p ON p.package = m.module
ORDER BY m.module;

-- name: reports(module)
SELECT module, number, starts_at, ends_at, closed_at, document, signature FROM royalty_reports
WHERE module = :module ORDER BY number;

-- name: add_report(module, number, starts_at, ends_at, closed_at, document, signature)!
-- Of two that are closed at the same time one is.
INSERT INTO royalty_reports (module, number, starts_at, ends_at, closed_at, document, signature)
VALUES (:module, :number, :starts_at, :ends_at, :closed_at, :document, :signature)
ON CONFLICT (module, number) DO NOTHING;

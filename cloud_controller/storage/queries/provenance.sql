-- The log of modules: our own lines, numbered without gaps, and copies of other controllers' lines. Written on behalf of every flow.
--
-- A line's number is of its origin: whoever has the numbers up to n of an origin has all of them. `complete_at` of an origin says up to which instant every line
-- that was committed is among those we have; for what is vouched for here, and not doubted, that is now.

-- name: next_own()^
-- The number that our next line has; the row is ours until the transaction ends. While it is doubted that nobody has further lines of ours, there is none.
UPDATE module_origins SET last_lseq = last_lseq + 1 WHERE is_own = 1 AND is_doubted = 0 RETURNING origin, last_lseq;

-- name: leave_doubted()!
-- What is doubted is not gone on with: numbers given twice would be two lines.
UPDATE module_origins SET is_own = 0 WHERE is_own = 1 AND is_doubted = 1;

-- name: begin_origin(origin)!
-- A controller names itself when it has something to say; whoever comes second finds it named.
INSERT INTO module_origins (origin, is_own, is_vouched) VALUES (:origin, 1, 1) ON CONFLICT DO NOTHING;

-- name: add(origin, lseq, kind, module, client, version, digest, right_comm_id, at, facts)!
INSERT INTO module_events (origin, lseq, kind, module, client, version, digest, right_comm_id, at, facts)
VALUES (:origin, :lseq, :kind, :module, :client, :version, :digest, :right_comm_id, :at, :facts);

-- name: own()^
SELECT origin, last_lseq, is_doubted FROM module_origins WHERE is_own = 1;

-- name: origins()
-- Every log that we know of, with its last line.
SELECT o.origin, o.is_own, o.is_vouched, o.is_doubted, o.is_closed, o.last_lseq, o.complete_at, o.heard_from,
       e.kind, e.module, e.client, e.version, e.digest, e.right_comm_id, e.at, e.facts
FROM module_origins o LEFT JOIN module_events e ON e.origin = o.origin AND e.lseq = o.last_lseq
ORDER BY o.origin;

-- name: origin(origin)^
SELECT origin, is_own, is_vouched, is_doubted, is_closed, last_lseq, complete_at FROM module_origins WHERE origin = :origin;

-- name: line(origin, lseq)^
SELECT lseq, kind, module, client, version, digest, right_comm_id, at, facts FROM module_events WHERE origin = :origin AND lseq = :lseq;

-- name: lines_after(origin, after, most)
SELECT lseq, kind, module, client, version, digest, right_comm_id, at, facts FROM module_events
WHERE origin = :origin AND lseq > :after ORDER BY lseq LIMIT :most;

-- name: meet_origin(origin, heard_from)!
INSERT INTO module_origins (origin, heard_from) VALUES (:origin, :heard_from) ON CONFLICT DO NOTHING;

-- name: take_up_to(origin, before, last_lseq)!
-- What was taken follows what was there.
UPDATE module_origins SET last_lseq = :last_lseq WHERE origin = :origin AND last_lseq = :before;

-- name: complete(origin, complete_at)!
UPDATE module_origins SET complete_at = :complete_at WHERE origin = :origin AND is_vouched = 0 AND complete_at < :complete_at;

-- name: leave_origin(origin)!
-- Others have more lines of it than we: it is gone on with no more, and not vouched for until they are back.
UPDATE module_origins SET is_own = 0, is_doubted = 1 WHERE origin = :origin AND is_vouched = 1;

-- name: answer_for(origin)!
-- An operator answers for a log whose controller is gone, or that two databases wrote: it is as it is, and nobody waits for more.
UPDATE module_origins SET is_vouched = 1, is_closed = 1, is_doubted = 0, is_own = 0 WHERE origin = :origin AND is_closed = 0;

-- name: doubt()!
UPDATE module_origins SET is_doubted = 1 WHERE is_vouched = 1 AND is_closed = 0;

-- name: settle_doubts()!
UPDATE module_origins SET is_doubted = 0 WHERE is_doubted = 1;

-- name: known_up_to(now)$
-- Up to which instant we know every line of every controller, by the clock of whoever wrote it; nought: not at all.
SELECT CASE
    WHEN EXISTS (SELECT 1 FROM module_mirrors WHERE is_called = 1 AND heard_at = 0)
      OR EXISTS (SELECT 1 FROM peers p WHERE p.revoked_at IS NULL
                 AND NOT EXISTS (SELECT 1 FROM module_mirrors m WHERE m.name = p.name AND m.heard_at > 0))
    THEN 0
    ELSE (SELECT coalesce(min(CASE WHEN is_vouched = 1 AND is_doubted = 0 THEN CAST(:now AS BIGINT) ELSE complete_at END), CAST(:now AS BIGINT))
          FROM module_origins)
END;

-- name: unheard()$
-- Mirrors that have said nothing yet.
SELECT (SELECT count(*) FROM module_mirrors WHERE is_called = 1 AND heard_at = 0)
     + (SELECT count(*) FROM peers p WHERE p.revoked_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM module_mirrors m WHERE m.name = p.name AND m.heard_at > 0));

-- name: unsure()$
-- Mirrors of which it is not known whether they have further lines of ours.
SELECT (SELECT count(*) FROM module_mirrors WHERE is_called = 1 AND is_sure = 0)
     + (SELECT count(*) FROM peers p WHERE p.revoked_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM module_mirrors m WHERE m.name = p.name AND m.is_sure = 1));

-- name: mirrors()
SELECT name, is_called, is_sure, heard_at FROM module_mirrors ORDER BY name;

-- name: call_mirror(name)!
INSERT INTO module_mirrors (name, is_called) VALUES (:name, 1) ON CONFLICT (name) DO UPDATE SET is_called = 1;

-- name: call_no_mirror()!
UPDATE module_mirrors SET is_called = 0 WHERE is_called = 1;

-- name: be_sure_of_no_mirror()!
UPDATE module_mirrors SET is_sure = 0 WHERE is_sure = 1;

-- name: heard_mirror(name, is_sure, heard_at)!
INSERT INTO module_mirrors (name, is_sure, heard_at) VALUES (:name, :is_sure, :heard_at)
ON CONFLICT (name) DO UPDATE SET is_sure = :is_sure, heard_at = :heard_at;

-- name: is_in_download_log(module, client)$
SELECT EXISTS (SELECT 1 FROM module_events WHERE module = :module AND client = :client AND kind = 'issued');

-- name: downloads(module, after, most)
SELECT client, registered_at, updated_at, deliveries FROM download_log
WHERE module = :module AND client > :after ORDER BY client LIMIT :most;

-- name: downloads_count(module)$
SELECT count(*) FROM download_log WHERE module = :module;

-- name: users(module, after, most)
SELECT client, first_used_at, last_used_at, reports FROM user_log
WHERE module = :module AND client > :after ORDER BY client LIMIT :most;

-- name: users_count(module)$
SELECT count(*) FROM user_log WHERE module = :module;

-- name: logged_modules()
SELECT DISTINCT module FROM module_events ORDER BY module;

-- name: is_known_module(module, terminal_id)$
-- A mark of its exchange stays for ever, so nobody may make up names.
SELECT EXISTS (SELECT 1 FROM packages WHERE package = :module AND kind = 'module')
    OR EXISTS (SELECT 1 FROM seat_pools WHERE module = :module)
    OR EXISTS (SELECT 1 FROM module_wishes WHERE module = :module AND terminal_id = :terminal_id)
    OR EXISTS (SELECT 1 FROM module_events WHERE module = :module);

-- name: asked_first_at(module, client, digest)$
-- Since when it is asked of us whether this copy may go, without an answer that settles it.
SELECT min(a.at) FROM module_events AS a JOIN module_origins AS o ON o.origin = a.origin AND o.is_own = 1
WHERE a.module = :module AND a.client = :client AND a.digest = :digest AND a.kind = 'uninstall_asked'
    AND NOT EXISTS (SELECT 1 FROM module_events AS b WHERE b.module = a.module AND b.client = a.client
        AND b.digest = a.digest AND b.origin = a.origin AND b.lseq > a.lseq
        AND b.kind IN ('uninstall_allowed', 'uninstall_denied'));

-- name: is_digest_known(module, digest, client)$
-- What was published of a module, or installed there by its own word: what another says lies on its disk proves nothing here.
SELECT EXISTS (SELECT 1 FROM module_events
        WHERE module = :module AND digest = :digest AND client = :client AND kind = 'installed')
    OR EXISTS (SELECT 1 FROM package_versions WHERE package = :module AND digest = :digest);

-- name: knows_digest_of(module, version, client)$
SELECT EXISTS (SELECT 1 FROM module_events WHERE module = :module AND client = :client AND kind = 'installed')
    OR EXISTS (SELECT 1 FROM package_versions WHERE package = :module AND version = :version AND digest <> '');

-- name: signers()
-- Keys by which other controllers of ours sign receipts; those of one that is let in no more do not count.
SELECT public_key FROM module_signers
WHERE heard_from NOT IN (SELECT name FROM peers WHERE revoked_at IS NOT NULL) ORDER BY public_key;

-- name: unused_permission(right_id, party, kind)^
SELECT issued_at FROM rights
WHERE right_id = :right_id AND party = :party AND kind = :kind AND freed_at IS NULL;

-- name: held_since_before(party, kind, issued_at)
-- The leases that a terminal had when it was permitted to remove what they are for.
SELECT right_id, amount FROM rights
WHERE party = :party AND kind = :kind AND freed_at IS NULL AND issued_at <= :issued_at;

-- name: keep_signer(public_key, heard_from, heard_at)!
INSERT INTO module_signers (public_key, heard_from, heard_at) VALUES (:public_key, :heard_from, :heard_at)
ON CONFLICT DO NOTHING;

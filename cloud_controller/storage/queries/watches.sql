-- What is looked for from time to time, since no message tells of it. Nothing is written here.

-- name: late_starts(before, most)
-- Scanned a while ago, and not running yet.
SELECT s.session_id, s.reservation_id, s.device_id, v.title, s.terminal_id, s.granted_at
FROM sessions AS s JOIN devices AS v USING (device_id)
WHERE s.state IN ('granted', 'starting') AND s.granted_at < :before
    AND NOT EXISTS (SELECT 1 FROM problems AS p WHERE p.kind = 'start_late'
        AND p.subject = s.session_id)
ORDER BY s.granted_at LIMIT :most;

-- name: failed_programs(since, most)
-- Those that had run: what never started is another problem.
SELECT s.session_id, s.reservation_id, s.device_id, v.title, s.terminal_id, s.program,
    s.end_reason, s.running_at, s.ended_at, s.granted_seconds, s.delivered_seconds
FROM sessions AS s JOIN devices AS v USING (device_id)
WHERE s.end_reason IN ('program_failed', 'device_failed') AND s.ended_at > :since
    AND s.state = 'ended'
    AND NOT EXISTS (SELECT 1 FROM problems AS p WHERE p.kind = 'program_failed'
        AND p.subject = s.session_id)
ORDER BY s.ended_at LIMIT :most;

-- name: compensations(since, most)
-- What was paid back since, of each reservation all of it.
SELECT c.reservation_id, sum(c.seconds) AS seconds, CAST(sum(c.cents) AS BIGINT) AS cents,
    min(c.currency) AS currency, max(c.made_at) AS made_at
FROM compensations AS c
WHERE c.made_at > :since
    AND NOT EXISTS (SELECT 1 FROM problems AS p WHERE p.kind = 'compensation_made'
        AND p.subject = c.reservation_id AND p.seen_at >= c.made_at)
GROUP BY c.reservation_id HAVING sum(c.cents) > 0
ORDER BY max(c.made_at) LIMIT :most;

-- name: away(before, most)
-- Terminals that have served, and are away for a while; one that has just been confirmed comes yet.
-- Whether their store is open is asked of its hours.
SELECT t.terminal_id, t.hostname, t.presence_at, s.time_zone, s.hours
FROM terminals AS t JOIN stores AS s USING (store_id)
WHERE t.standing = 'confirmed' AND t.presence = 'gone'
    AND t.presence_at > 0 AND t.presence_at < :before
    AND NOT EXISTS (SELECT 1 FROM problems AS p WHERE p.kind = 'terminal_offline'
        AND p.subject = t.terminal_id AND p.solved_at IS NULL)
ORDER BY t.presence_at LIMIT :most;

-- name: untrusted_clocks(since, most)
SELECT c.terminal_id, t.hostname, count(*) AS times, max(c.received_at) AS last_at
FROM scans AS c JOIN terminals AS t USING (terminal_id)
WHERE c.verdict = 'clock_untrusted' AND c.received_at > :since
    AND NOT EXISTS (SELECT 1 FROM problems AS p WHERE p.kind = 'clock_untrusted'
        AND p.subject = c.terminal_id AND p.seen_at >= c.received_at)
GROUP BY c.terminal_id, t.hostname ORDER BY max(c.received_at) LIMIT :most;

-- name: pools()
SELECT p.module, p.owned, p.used, EXISTS (SELECT 1 FROM problems AS b
    WHERE b.kind = 'licence_low' AND b.subject = p.module AND b.solved_at IS NULL) AS is_open
FROM seat_pools AS p WHERE p.is_doubted = 0 ORDER BY p.module;

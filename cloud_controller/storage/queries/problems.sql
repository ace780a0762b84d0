-- What an operator must look at. Written on behalf of every flow.

-- name: enter(problem_id, kind, subject, terminal_id, reservation_id, store_id, why, evidence, proposals, at)!
-- One that is open already is seen again, with what is known of it now.
INSERT INTO problems (problem_id, kind, subject, terminal_id, reservation_id, store_id, why,
    evidence, proposals, raised_at, seen_at)
VALUES (:problem_id, :kind, :subject, :terminal_id, :reservation_id,
    coalesce(:store_id, (SELECT store_id FROM reservations WHERE reservation_id = :reservation_id),
        (SELECT store_id FROM terminals WHERE terminal_id = :terminal_id),
        (SELECT store_id FROM devices WHERE device_id = :subject),
        (SELECT store_id FROM stores WHERE store_id = :subject)),
    :why, :evidence, :proposals, :at, :at)
ON CONFLICT (kind, subject) WHERE solved_at IS NULL DO UPDATE SET times = problems.times + 1,
    why = excluded.why, evidence = excluded.evidence, proposals = excluded.proposals,
    seen_at = excluded.seen_at;

-- name: note_settled(problem_id, settled_by, settled_why)!
UPDATE problems SET settled_by = :settled_by, settled_why = :settled_why
WHERE problem_id = :problem_id;

-- name: take(problem_id, taken_by, at)!
-- Who takes it on first has it; it is not escalated any more.
UPDATE problems SET taken_by = :taken_by, taken_at = :at
WHERE problem_id = :problem_id AND solved_at IS NULL AND taken_at IS NULL;

-- name: solve_late_starts(at)!
UPDATE problems SET solved_at = :at
WHERE kind = 'start_late' AND solved_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM sessions AS s WHERE s.session_id = problems.subject
        AND s.state IN ('granted', 'starting'));

-- name: solve_failed_programs(at)!
-- The device has been used since, and that went well.
UPDATE problems SET solved_at = :at
WHERE kind = 'program_failed' AND solved_at IS NULL AND EXISTS (
    SELECT 1 FROM sessions AS was JOIN sessions AS s ON s.device_id = was.device_id
    WHERE was.session_id = problems.subject AND s.running_at > was.running_at
        AND s.fence > was.fence AND s.end_reason IN ('time_up', 'customer_ended', 'staff_ended'));

-- name: solve_noted(before, at)!
UPDATE problems SET solved_at = :at
WHERE kind = 'compensation_made' AND solved_at IS NULL AND seen_at < :before;

-- name: solve_away(at)!
UPDATE problems SET solved_at = :at
WHERE kind = 'terminal_offline' AND solved_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM terminals AS t WHERE t.terminal_id = problems.subject
        AND t.presence = 'gone' AND t.standing = 'confirmed');

-- name: solve_clocks(before, at)!
UPDATE problems SET solved_at = :at
WHERE kind = 'clock_untrusted' AND solved_at IS NULL AND seen_at < :before AND EXISTS (
    SELECT 1 FROM terminals AS t WHERE t.terminal_id = problems.subject AND t.presence = 'here');

-- name: solve(kind, subject, at)!
UPDATE problems SET solved_at = :at
WHERE kind = :kind AND subject = :subject AND solved_at IS NULL;

-- name: solve_all_of(subject, at)!
-- Whatever was wrong with this one is not its matter any more.
UPDATE problems SET solved_at = :at WHERE subject = :subject AND solved_at IS NULL;

-- name: solve_reservations(at)!
-- A reservation that is over, given up, or on a device that serves again has lost nothing.
UPDATE problems SET solved_at = :at
WHERE kind = 'reservation_without_device' AND solved_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM reservations AS r JOIN devices AS v USING (device_id)
    JOIN terminals AS t USING (terminal_id)
    WHERE r.reservation_id = problems.subject AND r.state IN ('held', 'confirmed')
        AND r.ends_at > :at AND (t.standing <> 'confirmed' OR v.is_out_of_order = 1));

-- name: solve_turnovers(at)!
-- A device that is ready by now, or a claim that is over, given up or elsewhere.
UPDATE problems SET solved_at = :at
WHERE kind = 'turnover_overdue' AND solved_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM reservations AS r JOIN devices AS v USING (device_id)
    WHERE r.reservation_id = problems.subject AND r.state IN ('held', 'confirmed')
        AND r.ends_at > :at AND v.state IN ('finishing', 'turnover') AND v.is_out_of_order = 0);

-- name: problem(problem_id)^
SELECT problem_id, kind, subject, terminal_id, reservation_id, store_id, why, evidence, proposals,
    times, raised_at, seen_at, solved_at, taken_by, taken_at, settled_by, settled_why
FROM problems WHERE problem_id = :problem_id;

-- name: title_of_device(device_id, terminal_id)$
-- Of one that this terminal hosts; nobody speaks for another's.
SELECT title FROM devices WHERE device_id = :device_id AND terminal_id = :terminal_id;

-- name: latest(most)
-- Those that are open first, the latest of them first.
SELECT problem_id, kind, subject, terminal_id, reservation_id, store_id, why, evidence, proposals,
    times, raised_at, seen_at, solved_at, taken_by, taken_at, settled_by, settled_why
FROM problems ORDER BY solved_at IS NOT NULL, seen_at DESC, problem_id LIMIT :most;

-- name: open_count()$
SELECT count(*) FROM problems WHERE solved_at IS NULL;

-- name: told(problem_id)^
-- What a letter says of it.
SELECT p.kind, p.raised_at, p.solved_at, s.title AS store_title, s.time_zone
FROM problems AS p LEFT JOIN stores AS s USING (store_id) WHERE p.problem_id = :problem_id;

-- name: open(most)
-- With what they are about; the latest first.
SELECT p.problem_id, p.kind, p.subject, p.terminal_id, p.reservation_id, p.store_id, p.why,
    p.evidence, p.proposals, p.times, p.raised_at, p.seen_at, p.solved_at, p.taken_by, p.taken_at,
    p.settled_by, p.settled_why, s.title AS store_title, s.time_zone, t.hostname,
    d.device_id, d.number AS device_number, d.title AS device_title
FROM problems AS p LEFT JOIN stores AS s USING (store_id)
LEFT JOIN terminals AS t ON t.terminal_id = p.terminal_id
LEFT JOIN reservations AS r ON r.reservation_id = p.reservation_id
LEFT JOIN devices AS d ON d.device_id = coalesce(r.device_id, p.subject)
WHERE p.solved_at IS NULL ORDER BY p.raised_at DESC, p.problem_id LIMIT :most;

-- name: solved(most)
SELECT p.problem_id, p.kind, p.subject, p.terminal_id, p.reservation_id, p.store_id, p.why,
    p.evidence, p.proposals, p.times, p.raised_at, p.seen_at, p.solved_at, p.taken_by, p.taken_at,
    p.settled_by, p.settled_why, s.title AS store_title, s.time_zone, t.hostname,
    d.device_id, d.number AS device_number, d.title AS device_title
FROM problems AS p LEFT JOIN stores AS s USING (store_id)
LEFT JOIN terminals AS t ON t.terminal_id = p.terminal_id
LEFT JOIN reservations AS r ON r.reservation_id = p.reservation_id
LEFT JOIN devices AS d ON d.device_id = coalesce(r.device_id, p.subject)
WHERE p.solved_at IS NOT NULL ORDER BY p.solved_at DESC, p.problem_id LIMIT :most;

-- name: problem_shown(problem_id)^
SELECT p.problem_id, p.kind, p.subject, p.terminal_id, p.reservation_id, p.store_id, p.why,
    p.evidence, p.proposals, p.times, p.raised_at, p.seen_at, p.solved_at, p.taken_by, p.taken_at,
    p.settled_by, p.settled_why, s.title AS store_title, s.time_zone, t.hostname,
    d.device_id, d.number AS device_number, d.title AS device_title
FROM problems AS p LEFT JOIN stores AS s USING (store_id)
LEFT JOIN terminals AS t ON t.terminal_id = p.terminal_id
LEFT JOIN reservations AS r ON r.reservation_id = p.reservation_id
LEFT JOIN devices AS d ON d.device_id = coalesce(r.device_id, p.subject)
WHERE p.problem_id = :problem_id;

-- name: with_link(problem_id)^
-- The ticket that a problem is about; no row where it is about none.
SELECT r.reservation_id, r.link FROM problems AS p JOIN reservations AS r USING (reservation_id)
WHERE p.problem_id = :problem_id;

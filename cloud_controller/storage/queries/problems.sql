-- What an operator must look at. Written on behalf of every flow.

-- name: enter(problem_id, kind, subject, terminal_id, reservation_id, why, evidence, proposals, at)!
-- One that is open already is seen again, with what is known of it now.
INSERT INTO problems (problem_id, kind, subject, terminal_id, reservation_id, why, evidence,
    proposals, raised_at, seen_at)
VALUES (:problem_id, :kind, :subject, :terminal_id, :reservation_id, :why, :evidence,
    :proposals, :at, :at)
ON CONFLICT (kind, subject) WHERE solved_at IS NULL DO UPDATE SET times = problems.times + 1,
    why = excluded.why, evidence = excluded.evidence, proposals = excluded.proposals,
    seen_at = excluded.seen_at;

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
SELECT problem_id, kind, subject, terminal_id, reservation_id, why, evidence, proposals, times,
    raised_at, seen_at, solved_at
FROM problems WHERE problem_id = :problem_id;

-- name: title_of_device(device_id, terminal_id)$
-- Of one that this terminal hosts; nobody speaks for another's.
SELECT title FROM devices WHERE device_id = :device_id AND terminal_id = :terminal_id;

-- name: latest(most)
-- Those that are open first, the latest of them first.
SELECT problem_id, kind, subject, terminal_id, reservation_id, why, evidence, proposals, times,
    raised_at, seen_at, solved_at
FROM problems ORDER BY solved_at IS NOT NULL, seen_at DESC, problem_id LIMIT :most;

-- name: open_count()$
SELECT count(*) FROM problems WHERE solved_at IS NULL;
